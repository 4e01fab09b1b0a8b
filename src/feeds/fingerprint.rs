//! A fingerprint of files and folders that changes with whatever could change what a reader of them sees.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders are followed no deeper than this; Kubernetes' `..data` needs two levels.
const MAX_DEPTH: usize = 6;

/// What the operating system says of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    path: PathBuf,
    /// Where a symbolic link leads: a swap of the link alone is a change.
    target: Option<PathBuf>,
    /// Device, inode, size, and the times of the last change of content and of anything else, in nanoseconds.
    numbers: Option<[i128; 5]>,
}

/// What the operating system says of all watched names, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fingerprint(Vec<Mark>);

impl Fingerprint {
    /// Looks at every path and, below folders, at every entry. A name that is missing is part of the fingerprint.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut fingerprint = Self::default();
        for path in paths {
            fingerprint.look_at(path, 0);
        }
        fingerprint
    }

    fn look_at(&mut self, path: &Path, depth: usize) {
        let metadata = fs::metadata(path).ok();
        self.0.push(Mark {
            path: path.to_owned(),
            target: fs::canonicalize(path).ok(),
            numbers: metadata.as_ref().map(numbers),
        });
        if depth >= MAX_DEPTH || !metadata.is_some_and(|metadata| metadata.is_dir()) {
            return;
        }
        let Ok(entries) = fs::read_dir(path) else {
            return;
        };
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            self.look_at(&entry, depth.saturating_add(1));
        }
    }
}

fn numbers(metadata: &Metadata) -> [i128; 5] {
    let nanoseconds = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds)
            .saturating_mul(1_000_000_000)
            .saturating_add(i128::from(nanoseconds))
    };
    [
        i128::from(metadata.dev()),
        i128::from(metadata.ino()),
        i128::from(metadata.size()),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ]
}
