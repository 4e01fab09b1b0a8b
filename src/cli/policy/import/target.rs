//! The folder that an import goes to: what it holds already, and what is to be done to it.
//!
//! Never here: a file that is written before all of the plan is known to be good.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::changes::{Change, changes};
use super::incoming::Incoming;
use crate::cli::policy::document::{Document, Kind};
use crate::config::folders;
use crate::policy::PolicyState;
use crate::policy::read::without_annotations;
use crate::store::folder::{Folder, Item, slug};
use crate::types::{Faults, ObjectId};

/// The longest part of a file's name that comes from what people call the object.
const MAX_STEM: usize = 80;

/// A folder, read.
pub(super) struct Target<'a> {
    folder: &'a Path,
    /// By id.
    existing: BTreeMap<String, Existing>,
    /// Every name in the folder, in small letters: some systems know no others.
    names: BTreeSet<String>,
    pub(super) faults: Faults,
}

/// An object that the folder holds already.
struct Existing {
    path: PathBuf,
    source: Map<String, Value>,
}

impl<'a> Target<'a> {
    /// A folder that holds nothing, as far as matters.
    pub(super) const fn empty(folder: &'a Path) -> Self {
        Self {
            folder,
            existing: BTreeMap::new(),
            names: BTreeSet::new(),
            faults: Faults::new(),
        }
    }

    /// Reads a folder; one that is not there yet is empty.
    pub(super) fn read(kind: Kind, folder: &'a Path) -> Self {
        let mut target = Self::empty(folder);
        if folder.try_exists().is_ok_and(|there| !there) {
            return target;
        }
        match folders::read_folder(folder) {
            Ok((sources, faults)) => {
                target.faults.extend(faults);
                for source in sources {
                    target.add_file(kind, &source);
                }
            }
            Err(reason) => {
                let message = format!("cannot read the folder: {reason}");
                target.faults.push(folders::of_file(folder, message));
            }
        }
        target.names = names(folder);
        target
    }

    fn add_file(&mut self, kind: Kind, source: &folders::Source) {
        // FAIL-CLOSED: what cannot be read may be the very policy that the import would be written beside.
        let document = match Document::read(&source.shown, &source.bytes) {
            Ok(document) => document,
            Err(fault) => return self.faults.push(fault),
        };
        for object in document.objects.iter().filter(|object| object.kind == kind) {
            if let Some(id) = object.id() {
                let existing = Existing {
                    path: PathBuf::from(&source.shown),
                    source: without_annotations(&object.members),
                };
                self.existing.insert(id, existing);
            }
        }
    }

    /// The ids of what it holds.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.existing.keys().map(String::as_str)
    }

    /// What is to be done with an object.
    ///
    /// # Errors
    /// When what was read a moment ago is not there any more.
    pub(super) fn step(&mut self, incoming: &Incoming) -> anyhow::Result<Step> {
        let (path, action) = match self.existing.get(&incoming.id) {
            Some(existing) if existing.source == incoming.source => {
                (existing.path.clone(), Action::Keep)
            }
            Some(existing) => {
                let is_it = |object: &Map<String, Value>| {
                    let id = object.get("id").and_then(Value::as_str);
                    let id = id.and_then(|id| ObjectId::parse(id).ok());
                    id.is_some_and(|id| id.as_str() == incoming.id)
                };
                let item = Folder::new(self.folder.to_owned()).find(is_it)?;
                let item = item.with_context(|| {
                    format!(
                        "`{}` is no longer in {}",
                        incoming.id,
                        existing.path.display()
                    )
                })?;
                let changes = changes(&existing.source, &incoming.source);
                (
                    existing.path.clone(),
                    Action::Replace(Box::new(item), changes),
                )
            }
            None => {
                let name = self.fresh_name(incoming);
                (self.folder.join(&name), Action::Create(name))
            }
        };
        Ok(Step {
            kind: incoming.kind,
            id: incoming.id.clone(),
            display_name: incoming.display_name.clone(),
            state: incoming.state,
            not_understood: incoming.not_understood.clone(),
            source: incoming.source.clone(),
            folder: self.folder.to_owned(),
            path,
            action,
        })
    }

    /// A name that nothing has yet: for people, and with the id too where another is called the same.
    fn fresh_name(&mut self, incoming: &Incoming) -> String {
        let mut stem = slug(&incoming.display_name);
        stem.truncate(MAX_STEM);
        let id = slug(&incoming.id);
        let (stem, with_id) = match stem.trim_end_matches('-') {
            "" => (id.clone(), id),
            stem => (stem.to_owned(), format!("{stem}-{id}")),
        };
        let numbered = (2..).map(|number: u32| format!("{with_id}-{number}"));
        let names = [stem, with_id.clone()].into_iter().chain(numbered);
        let mut names = names.map(|stem| format!("{stem}.json"));
        // There are more numbers than files.
        let free = names.find(|name| self.names.insert(name.clone()));
        free.unwrap_or_default()
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().to_lowercase())
        .collect()
}

/// What is to be done with one object.
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) state: Option<PolicyState>,
    pub(super) not_understood: Vec<Arc<str>>,
    source: Map<String, Value>,
    folder: PathBuf,
    pub(super) path: PathBuf,
    pub(super) action: Action,
}

/// What is done to a file.
pub(super) enum Action {
    /// It is made, under this name.
    Create(String),
    /// It holds the same policy, which says something else.
    Replace(Box<Item>, Vec<Change>),
    /// It says the same already.
    Keep,
}

impl Step {
    /// What is done, in one word.
    pub(super) const fn word(&self) -> &'static str {
        match self.action {
            Action::Create(_) => "new",
            Action::Replace(..) => "changed",
            Action::Keep => "unchanged",
        }
    }

    /// What differs from what is there.
    pub(super) fn changes(&self) -> &[Change] {
        match &self.action {
            Action::Replace(_, changes) => changes,
            Action::Create(_) | Action::Keep => &[],
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// When the file cannot be written, or was changed since it was read.
    pub(super) fn take(&self) -> anyhow::Result<()> {
        let folder = Folder::new(self.folder.clone());
        match &self.action {
            Action::Create(name) => {
                std::fs::create_dir_all(&self.folder)
                    .with_context(|| format!("making the folder {}", self.folder.display()))?;
                drop(folder.create_file(name, &self.source)?);
            }
            Action::Replace(item, _) => drop(folder.replace(item, &self.source)?),
            Action::Keep => {}
        }
        Ok(())
    }
}
