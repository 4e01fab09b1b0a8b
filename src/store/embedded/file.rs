//! The file itself: a B-tree of copied pages with a checksum each, so that a write that was cut short leaves the
//! state before it.
//!
//! Never here: a repair that loses what was kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table,
    TableDefinition, TableError,
};

use super::Change;
use crate::store::{Sealed, StoreError};

/// The file's name in its folder.
const NAME: &str = "state.redb";

/// Key to rank and value. Should its form change, the next one has another name.
const ENTRIES: TableDefinition<'_, &str, (&str, &str)> = TableDefinition::new("entries.1");

/// The memory for pages of the file. All that is kept is in the snapshot as well, so that nothing is read twice.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// The open file.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// `None` after a write has failed: the library wants the file to be opened anew then.
    database: Option<Database>,
}

impl StateFile {
    /// Opens the file, or makes it if it is not there, and reads all of it.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Sealed>), StoreError> {
        fs::create_dir_all(folder).map_err(|error| StoreError::Folder {
            folder: folder.to_owned(),
            reason: error.to_string(),
        })?;
        let path = folder.join(NAME);
        match fs::metadata(&path) {
            // The library would make a new one of it.
            Ok(about) if about.len() == 0 => {
                return Err(StoreError::Damaged {
                    path,
                    reason: "it is empty".to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path)?,
            Err(error) => return Err(not_written(&path, &error)),
        }
        // Every page is checked once, before anything is believed.
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .open(&path)
            .map_err(|error| not_opened(&path, error))?;
        let kept = read(&database).map_err(|error| not_read(&path, &error))?;
        let database = Some(database);
        Ok((Self { path, database }, kept))
    }

    /// Makes all of these changes, or none. For each, what stood above its entries.
    pub(super) fn change(&mut self, changes: &[&Change]) -> Result<Vec<Vec<Sealed>>, StoreError> {
        // Taken out, and put back only if all went well.
        let database = match self.database.take() {
            Some(database) => database,
            None => Builder::new()
                .set_cache_size(CACHE_BYTES)
                .open(&self.path)
                .map_err(|error| not_opened(&self.path, error))?,
        };
        let above = write(&database, changes).map_err(|error| not_written(&self.path, &error))?;
        self.database = Some(database);
        Ok(above)
    }
}

/// Makes a file that holds nothing. It has its name only once it is whole: a file of that name is never half made.
fn make(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(not_written(&unfinished, &error));
        }
        // One that another start did not get to finish.
        Ok(()) | Err(_) => {}
    }
    let made = Builder::new()
        .create(&unfinished)
        .map_err(|error| not_opened(&unfinished, error))?;
    drop(made);
    let named = fs::rename(&unfinished, path);
    // The name is there after a crash only if the folder says so.
    named
        .and_then(|()| fs::File::open(folder)?.sync_all())
        .map_err(|error| not_written(path, &error))
}

/// Every entry of the file.
fn read(database: &Database) -> Result<Vec<Sealed>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(ENTRIES) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut entries = Vec::new();
    for row in table.iter()? {
        let (key, row) = row?;
        let (rank, value) = row.value();
        let sealed = Sealed::from_texts(key.value(), rank, value)
            .ok_or_else(|| redb::Error::Corrupted(format!("`{}` has no rank", key.value())))?;
        entries.push(sealed);
    }
    Ok(entries)
}

/// One transaction; it is on the disk when this returns.
fn write(database: &Database, changes: &[&Change]) -> Result<Vec<Vec<Sealed>>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut above = Vec::with_capacity(changes.len());
    {
        let mut table = transaction.open_table(ENTRIES)?;
        for change in changes {
            above.push(match change {
                Change::Put(entries) => put(&mut table, entries)?,
                Change::Forget(entries) => {
                    for (key, rank) in entries {
                        if known(&table, key)?.is_some_and(|known| known.rank <= *rank) {
                            table.remove(&**key)?;
                        }
                    }
                    Vec::new()
                }
            });
        }
    }
    transaction.commit()?;
    Ok(above)
}

/// Puts entries into the table, except where one of a higher rank is; gives those.
fn put(
    table: &mut Table<'_, &'static str, (&'static str, &'static str)>,
    entries: &[Sealed],
) -> Result<Vec<Sealed>, redb::Error> {
    let mut above = Vec::new();
    for entry in entries {
        match known(table, &entry.key)? {
            Some(known) if known.rank > entry.rank => above.push(known),
            Some(_) | None => {
                let rank = entry.rank.to_string();
                table.insert(&*entry.key, (rank.as_str(), &*entry.value))?;
            }
        }
    }
    Ok(above)
}

/// What is kept at a key.
fn known(
    table: &Table<'_, &'static str, (&'static str, &'static str)>,
    key: &str,
) -> Result<Option<Sealed>, redb::Error> {
    let row = table.get(key)?;
    Ok(row.and_then(|row| {
        let (rank, value) = row.value();
        Sealed::from_texts(key, rank, value)
    }))
}

fn not_opened(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.to_owned()),
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() != io::ErrorKind::InvalidData =>
        {
            StoreError::Unwritable {
                path: path.to_owned(),
                reason: error.to_string(),
            }
        }
        other => StoreError::Damaged {
            path: path.to_owned(),
            reason: other.to_string(),
        },
    }
}

fn not_read(path: &Path, error: &redb::Error) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn not_written(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::Unwritable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
