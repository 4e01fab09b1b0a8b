//! The folders and files that a configuration names, read and parsed: policies, the directory, named locations,
//! risk, key sets. Their names and contents make the generation.
//!
//! A folder is read whole or not at all: what cannot be read is a fault, never an empty set. Names that begin
//! with a dot are passed over, which leaves one way into a Kubernetes ConfigMap (its `..data` is a dot name);
//! folders inside are passed over too, and that is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use crate::store::files::{MAX_FILE_BYTES, entries, file_name, is_json, read_bounded};
use crate::types::{Fault, Faults, Severity};

/// One file that was read.
#[derive(Debug)]
pub struct Source {
    /// Its name in faults: the path as it was opened.
    pub shown: String,
    /// Its name in its folder.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The `*.json` files of a folder, by name, each read when it is asked for: of a large folder, nobody need hold all texts
/// at once. In place of one that cannot be read stands its fault. The ending counts in any case: a file that one system
/// calls JSON must not go missing on another.
///
/// # Errors
/// Why the folder itself cannot be read.
pub fn files(folder: &Path) -> Result<impl Iterator<Item = Result<Source, Fault>> + use<>, String> {
    let read = |path: PathBuf| {
        if path.is_dir() {
            return Some(Err(Fault {
                severity: Severity::Warning,
                ..of_file(&path, "a folder in this folder is not read".to_owned())
            }));
        }
        let unreadable = |reason| of_file(&path, format!("cannot read the file: {reason}"));
        is_json(&path).then(|| read_file(&path).map_err(unreadable))
    };
    Ok(entries(folder)?.into_iter().filter_map(read))
}

/// All of [`files`], and the faults of those that cannot be read.
///
/// # Errors
/// Why the folder itself cannot be read.
pub fn read_folder(folder: &Path) -> Result<(Vec<Source>, Faults), String> {
    let mut sources = Vec::new();
    let mut faults = Faults::new();
    for file in files(folder)? {
        match file {
            Ok(source) => sources.push(source),
            Err(fault) => faults.push(fault),
        }
    }
    Ok((sources, faults))
}

/// The files of a folder, as [`read_folder`] gives them, or the one file. What cannot be read at all is a fault too.
#[must_use]
pub fn read_path(path: &Path) -> (Vec<Source>, Faults) {
    let read = if path.is_dir() {
        read_folder(path)
    } else {
        read_file(path).map(|source| (vec![source], Faults::new()))
    };
    read.unwrap_or_else(|reason| {
        let mut faults = Faults::new();
        faults.push(of_file(path, format!("cannot be read: {reason}")));
        (Vec::new(), faults)
    })
}

/// One file.
///
/// # Errors
/// Why it cannot be read.
pub fn read_file(path: &Path) -> Result<Source, String> {
    Ok(Source {
        shown: path.to_string_lossy().into_owned(),
        name: file_name(path),
        bytes: read_bounded(path, MAX_FILE_BYTES)?,
    })
}

/// A fault of a whole file or folder.
#[must_use]
pub fn of_file(path: &Path, message: String) -> Fault {
    Fault {
        file: path.to_string_lossy().into(),
        line: 0,
        column: 0,
        member: String::new(),
        message,
        severity: Severity::Error,
    }
}

/// The hash of everything that decisions rest on, in the order it is added.
pub(super) struct Generation(Context);

impl Generation {
    /// Of nothing yet.
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds one source. Each part goes in with its length before it, so that no two lists of sources are one text.
    pub(super) fn add(&mut self, kind: &str, name: &str, bytes: &[u8]) {
        for part in [kind.as_bytes(), name.as_bytes(), bytes] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.0.update(&length.to_be_bytes());
            self.0.update(part);
        }
    }

    /// The hash: 64 hexadecimal digits.
    pub(super) fn finish(self) -> Arc<str> {
        let digest = self.0.finish();
        let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(sources: &[(&str, &str, &str)]) -> Arc<str> {
        let mut generation = Generation::new();
        for (kind, name, bytes) in sources {
            generation.add(kind, name, bytes.as_bytes());
        }
        generation.finish()
    }

    #[test]
    fn no_two_lists_of_sources_share_a_generation() {
        let one = generation(&[("policy", "a", "bc")]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, generation(&[("policy", "a", "bc")]));
        assert_ne!(one, generation(&[("policy", "ab", "c")]));
        assert_ne!(one, generation(&[("policy", "a", "b"), ("", "", "c")]));
        assert_ne!(one, generation(&[("agent", "a", "bc")]));
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_is_its_json_files_and_links_to_them_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("..2026_10_01")).unwrap();
        std::fs::write(path("..2026_10_01/b.json"), "b").unwrap();
        std::os::unix::fs::symlink("..2026_10_01", path("..data")).unwrap();
        std::os::unix::fs::symlink("..data/b.json", path("b.json")).unwrap();
        std::fs::write(path("a.JSON"), "a").unwrap();
        std::fs::write(path(".hidden.json"), "h").unwrap();
        std::fs::write(path("README.md"), "r").unwrap();
        std::fs::create_dir(path("c.json")).unwrap();
        let (sources, faults) = read_folder(folder.path()).unwrap();
        let names: Vec<_> = sources
            .iter()
            .map(|s| (s.name.as_str(), s.bytes.as_slice()))
            .collect();
        assert_eq!(names, [("a.JSON", b"a".as_slice()), ("b.json", b"b")]);
        let told: Vec<_> = faults.iter().map(|f| (f.severity, &*f.file)).collect();
        let inner = path("c.json");
        assert_eq!(told, [(Severity::Warning, inner.to_str().unwrap())]);
        std::fs::remove_dir(inner).unwrap();

        std::os::unix::fs::symlink("gone", path("d.json")).unwrap();
        let (_, faults) = read_folder(folder.path()).unwrap();
        let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages, ["cannot read the file: no such file or folder"]);
        assert!(read_folder(&path("missing")).is_err());
    }
}
