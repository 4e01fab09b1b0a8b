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
use super::of_file;
use crate::cli::policy::document::{Document, Kind};
use crate::config::folders;
use crate::policy::PolicyState;
use crate::policy::write::{file_stem, to_text, without_annotations};
use crate::store::write_file;
use crate::types::{Faults, ObjectId, Severity};

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
    /// Whether its file holds nothing else.
    is_alone: bool,
}

impl<'a> Target<'a> {
    /// A folder that holds nothing, as far as matters.
    pub(super) fn empty(folder: &'a Path) -> Self {
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
        if !folder.try_exists().is_ok_and(|there| !there) {
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
        }
        target
    }

    fn add_file(&mut self, kind: Kind, source: &folders::Source) {
        // FAIL-CLOSED: what cannot be read may be the very policy that the import would be written beside.
        let document = match Document::read(&source.shown, &source.bytes) {
            Ok(document) => document,
            Err(fault) => return self.faults.push(fault),
        };
        let is_alone = document.objects.len() == 1;
        for object in document.objects.iter().filter(|object| object.kind == kind) {
            let id = object.text("id").and_then(|id| ObjectId::parse(id).ok());
            if let Some(id) = id {
                self.existing.insert(
                    id.to_string(),
                    Existing {
                        path: PathBuf::from(&source.shown),
                        source: without_annotations(&object.members),
                        is_alone,
                    },
                );
            }
        }
    }

    /// The ids of what it holds.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.existing.keys().map(String::as_str)
    }

    /// Adds what is to be done with an object to the plan.
    pub(super) fn add(&mut self, incoming: &Incoming, plan: &mut Plan) {
        let (path, action) = match self.existing.get(&incoming.id) {
            Some(existing) if existing.source == incoming.source => {
                (existing.path.clone(), Action::Keep)
            }
            Some(existing) if existing.is_alone => {
                let changes = changes(&existing.source, &incoming.source);
                (existing.path.clone(), Action::Replace(changes))
            }
            Some(existing) => {
                let message = format!(
                    "`{}` is one of several in this file, and the import says something else of it; give it a file of its own first",
                    incoming.id
                );
                let file = existing.path.to_string_lossy();
                return plan.faults.push(of_file(&file, message, Severity::Error));
            }
            None => (self.fresh_path(incoming), Action::Create),
        };
        plan.steps.push(Step {
            kind: incoming.kind,
            id: incoming.id.clone(),
            display_name: incoming.display_name.clone(),
            state: incoming.state,
            not_understood: incoming.not_understood.clone(),
            text: to_text(&incoming.source),
            path,
            action,
        });
    }

    /// A path that nothing has yet, named for people, and by its id too where another of that name is there.
    fn fresh_path(&mut self, incoming: &Incoming) -> PathBuf {
        let stem = file_stem(&incoming.display_name, &incoming.id);
        let with_id = format!("{stem}-{}", file_stem(&incoming.id, "id"));
        let mut candidates = [stem, with_id.clone()]
            .into_iter()
            .chain((2..).map(|number: u32| format!("{with_id}-{number}")))
            .map(|stem| format!("{stem}.json"));
        // There are more numbers than names.
        let name = candidates.find(|name| self.names.insert(name.clone()));
        self.folder.join(name.unwrap_or_default())
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().to_lowercase())
        .collect()
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    faults: Faults,
}

/// What is to be done with one object.
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) state: Option<PolicyState>,
    pub(super) not_understood: Vec<Arc<str>>,
    text: String,
    pub(super) path: PathBuf,
    pub(super) action: Action,
}

/// What is done to a file.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// It is made.
    Create,
    /// It holds the same policy, which says something else.
    Replace(Vec<Change>),
    /// It says the same already.
    Keep,
}

impl Action {
    /// In one word.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "new",
            Self::Replace(_) => "changed",
            Self::Keep => "unchanged",
        }
    }
}

impl Plan {
    /// What is wrong with it.
    pub(super) fn take_faults(&mut self) -> Faults {
        std::mem::take(&mut self.faults)
    }

    /// Whether a policy takes another's place.
    pub(super) fn replaces_something(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step.action, Action::Replace(_)))
    }

    /// Does it.
    ///
    /// # Errors
    /// When a file cannot be written; those before it are.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        for step in &self.steps {
            if step.action == Action::Keep {
                continue;
            }
            let written = match step.path.parent() {
                Some(folder) => std::fs::create_dir_all(folder),
                None => Ok(()),
            };
            written
                .and_then(|()| write_file(&step.path, step.text.as_bytes()))
                .with_context(|| format!("writing {}", step.path.display()))?;
        }
        Ok(())
    }
}
