//! A folder of Graph objects, each a file of its own or an item of a list in one: found, added, replaced, taken out.
//!
//! Whoever writes has read: what somebody else changed meanwhile is never written over. A file is written whole or not
//! at all, and keeps what of it was not asked to change: unknown members, the other items of a list.
//! Never here: what an object means, and whether a change is allowed.

mod text;
mod write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::etag::ETag;
use super::files::{self, MAX_FILE_BYTES};
use crate::types::json::{self, tidy};
use crate::types::text::decode;

pub use write::Written;

/// The longest part of a file's name that comes from the object's.
const MAX_SLUG_BYTES: usize = 60;

/// Why a folder could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// A file, or the folder, cannot be read, so that nobody can say what it holds.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// This process may not write here.
    #[error("the folder `{}` cannot be written: {reason}", folder.display())]
    ReadOnly {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// Somebody changed the file after it was read.
    #[error("`{}` was changed by somebody else meanwhile; nothing was written", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// The disk does not take it.
    #[error("`{}` could not be written: {reason}", path.display())]
    Failed {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A folder of objects. All of it blocks on the disk.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// An object as it was read, and where.
#[derive(Debug, Clone)]
pub struct Item {
    /// All its members.
    pub object: Map<String, Value>,
    file: PathBuf,
    /// The whole file as it was read.
    bytes: Arc<[u8]>,
    /// Its place in the file's text, if that is a list.
    range: Option<Range<usize>>,
}

impl Item {
    /// Its version.
    #[must_use]
    pub fn etag(&self) -> ETag {
        ETag::of(&self.object)
    }
}

impl Folder {
    /// The folder at `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The first object that is it, in the order of files.
    ///
    /// # Errors
    /// [`FolderError::Unreadable`] if it was not found and could be in a file that cannot be read.
    pub fn find(
        &self,
        is_it: impl Fn(&Map<String, Value>) -> bool,
    ) -> Result<Option<Item>, FolderError> {
        let mut unreadable = None;
        let paths = files::entries(&self.path).map_err(|reason| FolderError::Unreadable {
            path: self.path.clone(),
            reason,
        })?;
        let paths = paths
            .into_iter()
            .filter(|path| files::is_json(path) && !path.is_dir());
        for path in paths {
            match find_in(&path, &is_it) {
                Ok(Some(item)) => return Ok(Some(item)),
                Ok(None) => {}
                Err(reason) => {
                    unreadable.get_or_insert(FolderError::Unreadable { path, reason });
                }
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// Adds an object in a file of its own, named after both.
    ///
    /// # Errors
    /// [`FolderError`]; then nothing is written.
    pub fn create(
        &self,
        display_name: &str,
        id: &str,
        object: &Map<String, Value>,
    ) -> Result<Written, FolderError> {
        self.create_file(&file_name(display_name, id), object)
    }

    /// Adds an object in a file of this name.
    ///
    /// # Errors
    /// [`FolderError`]; then nothing is written.
    pub fn create_file(
        &self,
        name: &str,
        object: &Map<String, Value>,
    ) -> Result<Written, FolderError> {
        let path = self.path.join(name);
        let text = format!("{}\n", tidy(object, 0));
        write::change(&self.path, path, None, Some(text.into_bytes()))
    }

    /// Makes the file of this name hold this text. Whether it did not before.
    ///
    /// # Errors
    /// [`FolderError`]; then nothing is written.
    pub fn put_file(&self, name: &str, text: Vec<u8>) -> Result<bool, FolderError> {
        let path = self.path.join(name);
        let before = write::current(&path)?;
        if before.as_ref() == Some(&text) {
            return Ok(false);
        }
        drop(write::change(
            &self.path,
            path,
            before.as_deref(),
            Some(text),
        )?);
        Ok(true)
    }

    /// Puts `object` in the place of `item`.
    ///
    /// # Errors
    /// [`FolderError`]; then nothing is written.
    pub fn replace(
        &self,
        item: &Item,
        object: &Map<String, Value>,
    ) -> Result<Written, FolderError> {
        self.rewrite(item, |text, range| match range {
            Some(range) => text::with_item(text, range, object),
            None => Some(format!("{}\n", tidy(object, 0))),
        })
    }

    /// Takes `item` out. A file that holds nothing else is deleted; a list stays, if empty.
    ///
    /// # Errors
    /// [`FolderError`]; then nothing is written.
    pub fn delete(&self, item: &Item) -> Result<Written, FolderError> {
        match &item.range {
            None => write::change(&self.path, item.file.clone(), Some(&item.bytes), None),
            Some(_) => self.rewrite(item, |text, range| text::without_item(text, range?)),
        }
    }

    fn rewrite(
        &self,
        item: &Item,
        change: impl Fn(&str, Option<&Range<usize>>) -> Option<String>,
    ) -> Result<Written, FolderError> {
        let text = decode(&item.bytes).ok();
        let text = text.and_then(|text| change(&text, item.range.as_ref()));
        let text = text.ok_or_else(|| FolderError::Changed {
            path: item.file.clone(),
        })?;
        let after = Some(text.into_bytes());
        write::change(&self.path, item.file.clone(), Some(&item.bytes), after)
    }
}

/// The object in one file, if it is there.
fn find_in(
    path: &Path,
    is_it: impl Fn(&Map<String, Value>) -> bool,
) -> Result<Option<Item>, String> {
    let bytes = files::read_bounded(path, MAX_FILE_BYTES)?;
    let text = decode(&bytes).map_err(|fault| fault.to_string())?;
    let value = json::parse(text.as_bytes()).map_err(|fault| {
        let (line, column) = (fault.line, fault.column);
        format!("line {line}, column {column}: {fault}")
    })?;
    let found = text::take(value, &text, is_it);
    drop(text);
    Ok(found.map(|(object, range)| Item {
        object,
        file: path.to_owned(),
        bytes: bytes.into(),
        range,
    }))
}

/// A name that people recognise and no other object has.
fn file_name(display_name: &str, id: &str) -> String {
    let mut name = slug(display_name);
    name.truncate(MAX_SLUG_BYTES);
    let parts = [name.trim_end_matches('-'), &slug(id)];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}.json", parts.join("-"))
}

/// The words of a name in letters that every file system takes, with hyphens between them; empty where there are none.
#[must_use]
pub fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
