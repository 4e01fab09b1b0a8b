//! Files and folders of JSON as operators keep them: what is read of a folder, and what is wrong in words.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file of a folder, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The most files of a folder.
const MAX_FILES: usize = 10_000;

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Why it cannot be read, in words for an operator.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| in_words(&error))?;
    if file.metadata().is_ok_and(|about| !about.is_file()) {
        return Err("not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let mut bounded = file.take(limit.saturating_add(1));
    bounded
        .read_to_end(&mut bytes)
        .map_err(|error| in_words(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(format!("larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// An operating system's error without its number.
#[must_use]
pub fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

/// What stands in a folder, by name, less the dot names. A symbolic link is what it leads to.
///
/// # Errors
/// Why the folder cannot be read, in words for an operator.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| in_words(&error))? {
        let path = entry.map_err(|error| in_words(&error))?.path();
        if !file_name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    if paths.len() > MAX_FILES {
        return Err(format!("more than {MAX_FILES} files"));
    }
    paths.sort();
    Ok(paths)
}

/// Whether a name ends as JSON files do, in any case.
#[must_use]
pub fn is_json(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The last part of a path.
#[must_use]
pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
