//! Reading.

use redb::{OwnedRange, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata, TableError};
use rsyso_ffi::{FfiResult, OwnedBytes};

use crate::Database;

type Bytes = &'static [u8];

/// A view of one table as it was when the reader was made, whatever is written meanwhile.
///
/// It may be used by several goroutines at once. The file cannot reuse what a reader still sees, so close it in time.
pub struct Reader(Option<ReadOnlyTable<Bytes, Bytes>>);

impl Reader {
    /// A table that nobody has written to has no keys.
    pub(crate) fn open(database: &Database, table: &str) -> Result<Reader, redb::Error> {
        match database.0.begin_read()?.open_table(crate::table(table)) {
            Ok(table) => Ok(Reader(Some(table))),
            Err(TableError::TableDoesNotExist(_)) => Ok(Reader(None)),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn value(&self, key: &[u8]) -> Result<Vec<u8>, redb::Error> {
        let Some(table) = &self.0 else {
            return Ok(Vec::new());
        };
        let value = table.get(key)?;
        Ok(value.map(|v| v.value().to_vec()).unwrap_or_default())
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Result<Rows, redb::Error> {
        let range = match &self.0 {
            None => None,
            Some(table) if to.is_empty() => Some(table.range_owned(from..)?),
            Some(_) if from >= to => None,
            Some(table) => Some(table.range_owned(from..to)?),
        };
        Ok(Rows {
            range,
            key: Vec::new(),
            value: Vec::new(),
        })
    }
}

/// Makes a reader of a table.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn reader_new(database: &Database, table: &str) -> FfiResult<Box<Reader>> {
    Reader::open(database, table).map(Box::new).into()
}

/// Closes a reader.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn reader_free(reader: Option<Box<Reader>>) {
    drop(reader);
}

/// Gives the value of a key; nil if there is none, or if it is empty.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn reader_get(reader: &Reader, key: &[u8]) -> FfiResult<OwnedBytes> {
    reader.value(key).into()
}

/// Reports whether the table has the key.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn reader_has(reader: &Reader, key: &[u8]) -> FfiResult<bool> {
    let has = reader.0.as_ref().map_or(Ok(false), |table| {
        table.get(key).map(|value| value.is_some())
    });
    has.into()
}

/// Counts the keys of the table.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn reader_len(reader: &Reader) -> FfiResult<u64> {
    let len = reader.0.as_ref().map_or(Ok(0), |table| table.len());
    len.into()
}

/// A walk through the keys of a table in their order. Before the first row comes a call of Next.
///
/// It is for one goroutine at a time.
pub struct Rows {
    range: Option<OwnedRange<Bytes, Bytes>>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Rows {
    fn advance(&mut self) -> Result<bool, redb::Error> {
        self.key.clear();
        self.value.clear();
        let Some(next) = self.range.as_mut().and_then(Iterator::next) else {
            return Ok(false);
        };
        let (key, value) = next?;
        self.key.extend_from_slice(key.value());
        self.value.extend_from_slice(value.value());
        Ok(true)
    }
}

/// Makes rows of the keys from `from` up to, but not including, `to`. An empty `to` means all keys that follow.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rows_new(reader: &Reader, from: &[u8], to: &[u8]) -> FfiResult<Box<Rows>> {
    reader.range(from, to).map(Box::new).into()
}

/// Gives the memory of rows back.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rows_free(rows: Option<Box<Rows>>) {
    drop(rows);
}

/// Goes to the next row. It reports false after the last one.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rows_next(rows: &mut Rows) -> FfiResult<bool> {
    rows.advance().into()
}

/// Gives the key of the row.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rows_key(rows: &Rows) -> OwnedBytes {
    rows.key.as_slice().into()
}

/// Gives the value of the row.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn rows_value(rows: &Rows) -> OwnedBytes {
    rows.value.as_slice().into()
}
