//! Writing.

use redb::{Durability, ReadableTable, WriteTransaction};
use rsyso_ffi::{FfiResult, OwnedBytes};

use crate::Database;

/// A transaction: all that it writes is in the database after Commit, or, without one, nothing.
///
/// There is one at a time; making a second one waits for the first. It is for one goroutine at a time. Close gives it up.
pub struct Transaction(Option<WriteTransaction>);

impl Transaction {
    fn open(&self) -> Result<&WriteTransaction, String> {
        self.0
            .as_ref()
            .ok_or_else(|| "this transaction was committed before".into())
    }
}

/// Errors of the library, of any kind, as their texts.
fn text(error: impl Into<redb::Error>) -> String {
    error.into().to_string()
}

/// Begins a transaction. Unless it is `durable`, a later crash of the machine may undo it, though never damage the file.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_new(
    database: &Database,
    durable: bool,
) -> FfiResult<Box<Transaction>> {
    let begin = || -> Result<WriteTransaction, redb::Error> {
        let mut transaction = database.0.begin_write()?;
        if !durable {
            transaction.set_durability(Durability::None)?;
        }
        Ok(transaction)
    };
    begin().map(|t| Box::new(Transaction(Some(t)))).into()
}

/// Gives a transaction up, unless it was committed.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_free(transaction: Option<Box<Transaction>>) {
    drop(transaction);
}

/// Writes a value.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_put(
    transaction: &mut Transaction,
    table: &str,
    key: &[u8],
    value: &[u8],
) -> FfiResult<()> {
    let put = || {
        let mut table = transaction
            .open()?
            .open_table(crate::table(table))
            .map_err(text)?;
        table.insert(key, value).map(drop).map_err(text)
    };
    put().into()
}

/// Removes a key. It reports whether it was there.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_delete(
    transaction: &mut Transaction,
    table: &str,
    key: &[u8],
) -> FfiResult<bool> {
    let delete = || {
        let mut table = transaction
            .open()?
            .open_table(crate::table(table))
            .map_err(text)?;
        let old = table.remove(key).map_err(text)?;
        Ok::<_, String>(old.is_some())
    };
    delete().into()
}

/// Gives the value of a key, what this transaction wrote included; nil if there is none, or if it is empty.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_get(
    transaction: &mut Transaction,
    table: &str,
    key: &[u8],
) -> FfiResult<OwnedBytes> {
    let get = || {
        let table = transaction
            .open()?
            .open_table(crate::table(table))
            .map_err(text)?;
        let value = table.get(key).map_err(text)?;
        Ok::<_, String>(value.map(|v| v.value().to_vec()).unwrap_or_default())
    };
    get().into()
}

/// Makes the changes. After that, the transaction can only be closed.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn transaction_commit(transaction: &mut Transaction) -> FfiResult<()> {
    match transaction.0.take() {
        Some(open) => open.commit().map_err(text),
        None => Err("this transaction was committed before".into()),
    }
    .into()
}
