//! Writes a file in one step: whoever reads it sees the old text or the new one, also after a crash.
//!
//! Never here: what the text says.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Puts `bytes` into the file at `path`, in place of what it holds, or as a new file. Until that is done, they stand
/// in the same folder under a name that begins with a dot, which readers of folders pass over.
///
/// # Errors
/// When that cannot be done; the file is then as it was.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut fresh_name = OsString::from(".");
    fresh_name.push(name);
    fresh_name.push(format!(".{}.new", std::process::id()));
    let fresh = folder.join(fresh_name);
    let written = write_through(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // What went wrong is told; that the rest of it lies there too is not worth a second message.
        let _removed = fs::remove_file(&fresh);
        return written;
    }
    // The new name is on the disk once its folder is.
    File::open(folder)?.sync_all()
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_made_or_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        for text in ["one", "another", ""] {
            write_file(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["policy.json"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("in-it"), "").unwrap();
        assert!(write_file(&path, b"text").is_err());
        assert_eq!(names(folder.path()), ["policy.json"]);
        assert!(write_file(&folder.path().join("gone/policy.json"), b"text").is_err());
    }
}
