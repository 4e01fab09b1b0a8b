//! The directory that the configuration names: the operator's files, and what Graph lists beside.
//!
//! A million agents take seconds to read, so a file that says what it said before is hashed, and not read again; where that is
//! so of all of them, the directory is kept. Never here: a directory of other files than those that stand there now.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest::{Digest, SHA256, digest};

use super::named::each_file;
use crate::config::folders::Generation;
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::validate::Checker;
use crate::identity::Directory;
use crate::identity::directory::read::{DirectoryParts, FileParts, read};
use crate::types::Faults;

/// The section of the operator's files.
const OWN: &str = "directory";
/// The section of what Graph lists.
const LISTED: &str = "directory.graph";

/// A directory, and what it was read from.
#[derive(Debug, Clone)]
pub struct ReadDirectory(Arc<Contents>);

#[derive(Debug)]
struct Contents {
    directory: Arc<Directory>,
    /// The folders that there are, by section.
    folders: Vec<(&'static str, PathBuf)>,
    /// What their files hold, by section and name.
    files: BTreeMap<(&'static str, String), ReadFile>,
    /// The hash of the files.
    hash: Arc<str>,
    /// What is wrong with them.
    faults: Faults,
    /// Whether the operator's files hold nobody.
    is_empty: bool,
    /// The ids that the operator's files and Graph's both have.
    both: Vec<Arc<str>>,
}

/// One file.
#[derive(Debug, Clone)]
struct ReadFile {
    digest: Digest,
    parts: Arc<FileParts>,
    /// What is wrong with it.
    faults: Faults,
}

impl Deref for ReadDirectory {
    type Target = Arc<Directory>;

    fn deref(&self) -> &Arc<Directory> {
        &self.0.directory
    }
}

impl ReadDirectory {
    /// Reads the files, unless they are what they were `before`. Of what is in both folders, the operator's word stands.
    pub(super) fn read(check: &mut Checker<'_>, sources: &Sources, before: Option<&Self>) -> Self {
        let own = sources.directory.as_ref().map(|path| (OWN, path));
        let listed = sources.graph_directory.as_ref().map(|path| (LISTED, path));
        let mut folders = Vec::new();
        for (section, path) in own.into_iter().chain(listed) {
            check.looks_at(path);
            // What Graph lists is made when Graph was first read.
            if section == OWN || path.exists() {
                folders.push((section, path.clone()));
            }
        }
        // Of another folder, a file that says the same is another file.
        let before = before.filter(|before| before.0.folders == folders);
        let files = Files::read(check, &folders, before);
        let read = match before.filter(|before| files.are_those_of(before)) {
            Some(before) => before.clone(),
            None => Self(Arc::new(files.join(folders))),
        };
        read.0.tell(check);
        read
    }

    /// The hash of all files that it is of.
    pub(super) fn hash(&self) -> &str {
        &self.0.hash
    }
}

/// Files that are read, and not yet joined.
struct Files {
    read: BTreeMap<(&'static str, String), ReadFile>,
    own: DirectoryParts,
    listed: DirectoryParts,
    /// Whether one of them is new, or says something else than before.
    changed: bool,
}

impl Files {
    /// Reads those that are not as they were `before`.
    fn read(
        check: &mut Checker<'_>,
        folders: &[(&'static str, PathBuf)],
        before: Option<&ReadDirectory>,
    ) -> Self {
        let known = before.map_or_else(Arc::default, |before| Arc::clone(before));
        let mut files = Self {
            read: BTreeMap::new(),
            own: DirectoryParts::after(Arc::clone(&known)),
            listed: DirectoryParts::after(known),
            changed: false,
        };
        for (section, path) in folders {
            each_file(check, section, path, |source| {
                let digest = digest(&SHA256, &source.bytes);
                let key = (*section, source.name.clone());
                let parts = files.of(section);
                let known = before.and_then(|before| before.0.files.get(&key));
                let known = known.filter(|known| known.digest.as_ref() == digest.as_ref());
                let file = if let Some(known) = known {
                    parts.extend_with_kept(Arc::clone(&known.parts));
                    known.clone()
                } else {
                    let (read, faults) = read(&source.shown, &source.bytes);
                    let parts = parts.extend(read);
                    files.changed = true;
                    ReadFile {
                        digest,
                        parts,
                        faults,
                    }
                };
                files.read.insert(key, file);
                Faults::new()
            });
        }
        files
    }

    fn of(&mut self, section: &str) -> &mut DirectoryParts {
        if section == OWN {
            &mut self.own
        } else {
            &mut self.listed
        }
    }

    /// Whether they are what that directory was read from.
    fn are_those_of(&self, before: &ReadDirectory) -> bool {
        !self.changed && self.read.len() == before.0.files.len()
    }

    fn join(mut self, folders: Vec<(&'static str, PathBuf)>) -> Contents {
        let (mut hash, mut faults) = (Generation::new(), Faults::new());
        for ((section, name), file) in &self.read {
            hash.add(section, name, file.digest.as_ref());
            faults.extend(file.faults.clone());
        }
        let is_empty = self.own.is_empty();
        let both = self.own.extend_where_new(self.listed);
        let (directory, found) = self.own.build();
        faults.extend(found);
        Contents {
            directory: Arc::new(directory),
            folders,
            files: self.read,
            hash: hash.finish(),
            faults,
            is_empty,
            both,
        }
    }
}

impl Contents {
    /// Tells what is wrong.
    fn tell(&self, check: &mut Checker<'_>) {
        check.extend(self.faults.clone());
        let section = MemberPath::root().key("directory");
        if let Some(first) = self.both.first() {
            let count = self.both.len();
            let message = format!(
                "{count} of what Graph lists is in `dir` too, where the operator's entries stand; the first is `{first}`"
            );
            check.warn(&section.key("graph"), &message);
        }
        let at = section.key("dir");
        if check.is_given(&at) && self.is_empty && !check.has_errors() {
            // FAIL-CLOSED: without its entry, an agent that was disabled is one that nobody knows.
            let predicate = "holds no blueprint, agent identity or agent user, expected at least one (without a directory, leave `dir` out)";
            check.refuse(&at, predicate);
        }
    }
}
