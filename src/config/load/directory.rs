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
use crate::config::folders::{Generation, Source};
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
    files: Vec<ReadFile>,
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
    section: &'static str,
    name: String,
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
        let files = Files::read(check, &folders, before);
        let read = match before.filter(|before| files.are_those_of(before)) {
            Some(before) => before.clone(),
            None => Self(Arc::new(files.join())),
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
    read: Vec<ReadFile>,
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
        let known = before.into_iter().flat_map(|before| &before.0.files);
        let known: BTreeMap<_, _> = known
            .map(|file| ((file.section, file.parts.file()), file))
            .collect();
        let directory = before.map_or_else(Arc::default, |before| Arc::clone(before));
        let mut files = Self {
            read: Vec::new(),
            own: DirectoryParts::after(Arc::clone(&directory)),
            listed: DirectoryParts::after(directory),
            changed: false,
        };
        for (section, path) in folders {
            each_file(check, section, path, |source| {
                let known = known.get(&(*section, source.shown.as_str()));
                files.add(section, source, known.copied());
                // They are told with those of all files.
                Faults::new()
            });
        }
        files
    }

    fn add(&mut self, section: &'static str, source: &Source, known: Option<&ReadFile>) {
        let digest = digest(&SHA256, &source.bytes);
        if let Some(known) = known.filter(|known| known.digest.as_ref() == digest.as_ref()) {
            let parts = Arc::clone(&known.parts);
            self.of(section).extend_with_kept(parts);
            self.read.push(known.clone());
            return;
        }
        self.changed = true;
        let (parts, faults) = read(&source.shown, &source.bytes);
        let parts = self.of(section).extend(parts);
        self.read.push(ReadFile {
            section,
            name: source.name.clone(),
            digest,
            parts,
            faults,
        });
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

    fn join(mut self) -> Contents {
        let (mut hash, mut faults) = (Generation::new(), Faults::new());
        for file in &self.read {
            hash.add(file.section, &file.name, file.digest.as_ref());
            faults.extend(file.faults.clone());
        }
        let is_empty = self.own.is_empty();
        let both = self.own.extend_where_new(self.listed);
        let (directory, found) = self.own.build();
        faults.extend(found);
        Contents {
            directory: Arc::new(directory),
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
