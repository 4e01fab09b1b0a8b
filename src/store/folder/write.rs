//! One file changed as one step: written beside it under a name that nobody reads, given to the disk, then renamed.
//!
//! A process that ends in the middle leaves the old file whole, and at most that other one, which the next change removes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::FolderError;
use crate::store::files::{MAX_FILE_BYTES, in_words, read_bounded};

/// How names begin that no reader of a folder looks at, and that are ours.
const PREFIX: &str = ".boomgate-";

/// A change that was made, and what was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change that does not take effect is put back"]
pub struct Written {
    folder: PathBuf,
    file: PathBuf,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

impl Written {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Makes the file what it was, unless somebody changed it since.
    ///
    /// # Errors
    /// [`FolderError`]; then the file stays as it is.
    pub fn put_back(self) -> Result<(), FolderError> {
        let undone = change(&self.folder, self.file, self.after.as_deref(), self.before)?;
        drop(undone);
        Ok(())
    }
}

/// Changes a file from `before` to `after`; `None` is no file.
pub(super) fn change(
    folder: &Path,
    file: PathBuf,
    before: Option<&[u8]>,
    after: Option<Vec<u8>>,
) -> Result<Written, FolderError> {
    refuse_kept_by_others(folder, &file)?;
    let failed = |fault: &io::Error| refusal(folder, &file, fault);
    // Held until the end: between the look and the change, no other process of ours changes it.
    let lock = File::open(folder).map_err(|fault| failed(&fault))?;
    match lock.lock() {
        Err(fault) if fault.kind() != ErrorKind::Unsupported => return Err(failed(&fault)),
        Ok(()) | Err(_) => {}
    }
    remove_leftovers(folder);
    if current(&file)?.as_deref() != before {
        return Err(FolderError::Changed { path: file });
    }
    let changed = match &after {
        Some(bytes) => put(folder, &file, bytes),
        None => fs::remove_file(&file),
    };
    changed
        .and_then(|()| lock.sync_all())
        .map_err(|fault| failed(&fault))?;
    Ok(Written {
        folder: folder.to_owned(),
        file,
        before: before.map(<[u8]>::to_vec),
        after,
    })
}

fn put(folder: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("{PREFIX}{}.tmp", uuid::Uuid::new_v4()));
    let write = || {
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)?;
        if let Ok(old) = fs::metadata(file) {
            to.set_permissions(old.permissions())?;
        }
        to.write_all(bytes)?;
        to.sync_all()?;
        fs::rename(&beside, file)
    };
    write().inspect_err(|_| {
        // It may never have been made; if it was, and stays, the next change tries again.
        drop(fs::remove_file(&beside));
    })
}

/// What the file holds now.
pub(super) fn current(file: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    if let Err(fault) = fs::symlink_metadata(file)
        && fault.kind() == ErrorKind::NotFound
    {
        return Ok(None);
    }
    let bytes = read_bounded(file, MAX_FILE_BYTES);
    bytes.map(Some).map_err(|reason| FolderError::Unreadable {
        path: file.to_owned(),
        reason,
    })
}

/// What processes left that ended in the middle. Whatever cannot be removed does no harm.
fn remove_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        drop(fs::remove_file(entry.path()));
    }
}

/// Kubernetes keeps the files of a ConfigMap behind links, and puts back what is written over them.
fn refuse_kept_by_others(folder: &Path, file: &Path) -> Result<(), FolderError> {
    let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    let reason = if is_link(&folder.join("..data")) {
        "its files are those of a Kubernetes volume, and are changed there"
    } else if is_link(file) {
        "the file is a symbolic link, and is changed where it leads"
    } else {
        return Ok(());
    };
    Err(FolderError::ReadOnly {
        folder: folder.to_owned(),
        reason: reason.to_owned(),
    })
}

fn refusal(folder: &Path, file: &Path, fault: &io::Error) -> FolderError {
    match fault.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FolderError::ReadOnly {
            folder: folder.to_owned(),
            reason: in_words(fault),
        },
        _ => FolderError::Failed {
            path: file.to_owned(),
            reason: in_words(fault),
        },
    }
}
