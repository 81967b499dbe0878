//! An embedded database, by the redb crate: tables of keys and values in one file.
//!
//! Transactions are atomic and isolated: readers see the database as it was when they began, and do not wait for writers. Keys are
//! sorted by their bytes. Names of files and tables must be valid UTF-8.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of slices.

mod read;
mod write;

use std::sync::Arc;

use redb::TableDefinition;
use rsyso_ffi::FfiResult;

/// A database: one file with tables of keys and values, sorted by key.
///
/// It may be used by several goroutines at once. One process at a time can open it.
pub struct Database(Arc<redb::Database>);

/// The tables are of bytes.
fn table(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// Opens the database in a file. It makes the file if there is none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn database_new(path: &str) -> FfiResult<Box<Database>> {
    redb::Database::create(path)
        .map(|database| Box::new(Database(Arc::new(database))))
        .into()
}

/// Closes a database. Transactions, readers and rows keep the file open until they are closed, too.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn database_free(database: Option<Box<Database>>) {
    drop(database);
}

/// Writes one value: a transaction of its own, which is on the disk when the call returns.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn database_put(
    database: &Database,
    table: &str,
    key: &[u8],
    value: &[u8],
) -> FfiResult<()> {
    let put = || -> Result<(), redb::Error> {
        let transaction = database.0.begin_write()?;
        transaction
            .open_table(self::table(table))?
            .insert(key, value)?;
        Ok(transaction.commit()?)
    };
    put().into()
}

/// Gives the value of a key; nil if there is none, or if it is empty.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn database_get(
    database: &Database,
    table: &str,
    key: &[u8],
) -> FfiResult<rsyso_ffi::OwnedBytes> {
    read::Reader::open(database, table)
        .and_then(|reader| reader.value(key))
        .into()
}
