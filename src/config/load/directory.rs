//! The directory that the configuration names: the operator's files, and what Graph lists beside.
//!
//! A million agents take ten seconds to read, so files that say what they said before are hashed, and not read again.
//! Never here: a directory of other files than those that stand there now.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use super::named::each_file;
use crate::config::folders::{Generation, files};
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::validate::Checker;
use crate::identity::Directory;
use crate::identity::directory::read::{DirectoryParts, read};
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
    /// The hash of their files.
    hash: Arc<str>,
    /// What is wrong with the files.
    faults: Faults,
    /// Whether the operator's files hold nobody.
    is_empty: bool,
    /// The ids that the operator's files and Graph's both have.
    both: Vec<Arc<str>>,
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
        let is_same = |before: &&Self| {
            before.0.folders == folders && hash(&folders).is_some_and(|now| now == before.0.hash)
        };
        let read = match before.filter(is_same) {
            Some(before) => before.clone(),
            None => Self(Arc::new(Contents::read(check, folders, before))),
        };
        read.0.tell(check);
        read
    }

    /// The hash of all files that it is of.
    pub(super) fn hash(&self) -> &str {
        &self.0.hash
    }
}

/// The hash of these folders' files, if there is nothing to be told of them but what is in them.
fn hash(folders: &[(&'static str, PathBuf)]) -> Option<Arc<str>> {
    let mut hash = Generation::new();
    for (section, path) in folders {
        for file in files(path).ok()? {
            let file = file.ok()?;
            hash.add(section, &file.name, &file.bytes);
        }
    }
    Some(hash.finish())
}

impl Contents {
    fn read(
        check: &mut Checker<'_>,
        folders: Vec<(&'static str, PathBuf)>,
        before: Option<&ReadDirectory>,
    ) -> Self {
        let (mut hash, mut faults) = (Generation::new(), Faults::new());
        let before = before.map_or_else(Arc::default, |before| Arc::clone(before));
        let mut own = DirectoryParts::after(Arc::clone(&before));
        let mut listed = DirectoryParts::after(before);
        for (section, path) in &folders {
            let parts = if *section == OWN {
                &mut own
            } else {
                &mut listed
            };
            each_file(check, section, path, &mut hash, |file| {
                let (read, found) = read(&file.shown, &file.bytes);
                parts.extend(read);
                faults.extend(found);
                Faults::new()
            });
        }
        let is_empty = own.is_empty();
        let both = own.extend_where_new(listed);
        let (directory, found) = own.build();
        faults.extend(found);
        Self {
            directory: Arc::new(directory),
            folders,
            hash: hash.finish(),
            faults,
            is_empty,
            both,
        }
    }

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
