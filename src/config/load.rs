//! Loads a configuration whole: the file, and every file that it names. All faults of all files are told at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::environment::{self, Environment};
use super::folders::{Generation, Source, of_file, read_file, read_folder};
use super::settings::{Settings, Sources};
use super::tree::{self, Node, Place, Value};
use super::validate::{Checker, Validated, read_bounded, sources, validate};
use super::{raw, schema, structure};
use crate::identity::directory::read::{DirectoryParts, read as read_directory};
use crate::identity::{Directory, KeySet};
use crate::policy::{self, PolicySet};
use crate::risk::{self, RiskEntry};
use crate::types::{Fault, Faults, Severity, json, text};

/// A configuration with all that it names.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The compiled policies.
    pub policies: Arc<PolicySet>,
    /// The directory; empty where none is configured.
    pub directory: Arc<Directory>,
    /// What the risk file says.
    pub risk: Vec<RiskEntry>,
    /// The keys of the issuers whose keys are in a file, by the issuer's name.
    pub keys: BTreeMap<Arc<str>, KeySet>,
    /// The hash of all sources that decisions rest on: `policyGeneration`.
    pub generation: Arc<str>,
}

/// Loads the configuration at `path`. What is loaded is there if no fault is an error; warnings may come with it.
#[must_use]
pub fn load(path: &Path, environment: Environment<'_>) -> (Option<Loaded>, Faults) {
    let limit = u64::try_from(tree::MAX_BYTES).unwrap_or(u64::MAX);
    let decoded = read_bounded(path, limit)
        .map_err(|reason| format!("cannot read the file: {reason}"))
        .and_then(|bytes| match text::decode(&bytes) {
            Ok(text) => Ok(text.into_owned()),
            Err(error) => Err(error.to_string()),
        });
    match decoded {
        Ok(text) => load_text(path, &text, environment),
        Err(message) => {
            let mut faults = Faults::new();
            faults.push(of_file(path, message));
            (None, faults)
        }
    }
}

fn load_text(path: &Path, text: &str, environment: Environment<'_>) -> (Option<Loaded>, Faults) {
    let mut tree = match tree::read(text) {
        Ok(tree) => tree,
        Err(unreadable) => return (None, of_text(path, unreadable.place, unreadable.message)),
    };
    if matches!(tree.value, Value::Null) {
        let message = "the file is empty, expected a configuration".to_owned();
        return (None, of_text(path, Place::default(), message));
    }
    let mut shape = Vec::new();
    environment::expand(&mut tree, environment, &mut |at, node, message| {
        shape.push((at.clone(), node.place, message));
    });
    structure::check(&schema::schema(), &tree, &mut |at, place, message| {
        // A text that could not be filled in is told once.
        if !shape.iter().any(|(known, ..)| known == at) {
            shape.push((at.clone(), place, message));
        }
    });
    let mut check = Checker::new(path, path.to_string_lossy().into(), &tree);
    for (at, place, message) in shape {
        check.silence(at.section().unwrap_or_default());
        check.fault(&at, place, message);
    }
    let Some(config) = sound_sections(&tree, &check) else {
        let mut faults = check.into_faults();
        if !faults.has_errors() {
            faults.push(of_file(
                path,
                "does not have the form of a configuration".to_owned(),
            ));
        }
        return (None, faults);
    };
    let validated = validate(&mut check, &config);
    let sources = sources(&check, &config);
    let mut faults = check.into_faults();
    let named = sources.map(|sources| Named::read(&sources, &tree, &mut faults));
    if faults.has_errors() {
        return (None, faults);
    }
    let loaded = validated.zip(named).map(|(validated, named)| {
        let Validated { settings, keys } = validated;
        Loaded {
            settings,
            policies: Arc::new(PolicySet::compile(named.policies)),
            directory: Arc::new(named.directory),
            risk: named.risk,
            keys,
            generation: named.generation,
        }
    });
    if loaded.is_none() {
        faults.push(of_file(
            path,
            "does not make a whole configuration".to_owned(),
        ));
    }
    (loaded, faults)
}

/// The configuration, less the sections whose shape is at fault.
fn sound_sections(tree: &Node, check: &Checker<'_>) -> Option<raw::Config> {
    let serde_json::Value::Object(mut sections) = tree.to_json() else {
        return None;
    };
    sections.retain(|section, _| !check.is_silenced(section));
    serde_json::from_value(sections.into()).ok()
}

fn of_text(path: &Path, place: Place, message: String) -> Faults {
    let mut faults = Faults::new();
    faults.push(Fault {
        line: place.line,
        column: place.column,
        ..of_file(path, message)
    });
    faults
}

/// What the named files say.
struct Named {
    policies: Vec<policy::Policy>,
    directory: Directory,
    risk: Vec<RiskEntry>,
    generation: Arc<str>,
}

impl Named {
    fn read(sources: &Sources, tree: &Node, faults: &mut Faults) -> Self {
        let mut generation = Generation::new();
        let mut folder = |kind, path: &Path, faults: &mut Faults| {
            let files = read_folder(path, faults);
            for file in &files {
                generation.add(kind, &file.name, &file.bytes);
            }
            files
        };
        let policy_files = folder("policy", &sources.policies, faults);
        let directory_files = match &sources.directory {
            Some(path) => folder("directory", path, faults),
            None => Vec::new(),
        };
        let location_files = match &sources.named_locations {
            Some(path) => folder("named-location", path, faults),
            None => Vec::new(),
        };
        for section in DECIDING_SECTIONS {
            if let Some(node) = tree.get(section) {
                generation.add("setting", section, node.to_json().to_string().as_bytes());
            }
        }
        check_locations(&location_files, faults);
        Self {
            policies: read_policies(sources, &policy_files, faults),
            directory: build_directory(&directory_files, faults),
            risk: read_risk(sources, faults),
            generation: generation.finish(),
        }
    }
}

/// The sections of the configuration that decisions rest on.
const DECIDING_SECTIONS: [&str; 5] = ["resources", "policies", "directory", "risk", "evaluation"];

fn read_policies(sources: &Sources, files: &[Source], faults: &mut Faults) -> Vec<policy::Policy> {
    let before = faults.has_errors();
    let mut policies = Vec::new();
    for file in files {
        let (read, found) = policy::read(&file.shown, &file.bytes, sources.on_unsupported);
        policies.extend(read);
        faults.extend(found);
    }
    faults.extend(policy::check_set(&policies));
    if policies.is_empty() && faults.has_errors() == before {
        faults.push(Fault {
            severity: Severity::Warning,
            ..of_file(
                &sources.policies,
                "the folder holds no policy: nothing is blocked by policy".to_owned(),
            )
        });
    }
    policies
}

fn build_directory(files: &[Source], faults: &mut Faults) -> Directory {
    let mut parts = DirectoryParts::default();
    for file in files {
        let (read, found) = read_directory(&file.shown, &file.bytes);
        parts.extend(read);
        faults.extend(found);
    }
    let (directory, found) = parts.build();
    faults.extend(found);
    directory
}

/// No policy reads a location yet, so it is held only to being strict JSON.
fn check_locations(files: &[Source], faults: &mut Faults) {
    for file in files {
        let path = Path::new(&file.shown);
        match text::decode(&file.bytes) {
            Err(error) => faults.push(of_file(path, error.to_string())),
            Ok(text) => {
                if let Err(error) = json::parse(text.as_bytes()) {
                    faults.push(Fault {
                        line: error.line,
                        column: error.column,
                        ..of_file(path, error.message)
                    });
                }
            }
        }
    }
}

fn read_risk(sources: &Sources, faults: &mut Faults) -> Vec<RiskEntry> {
    let file = sources
        .risk
        .as_ref()
        .and_then(|path| read_file(path, faults));
    let Some(file) = file else {
        return Vec::new();
    };
    let (entries, found) = risk::read::read(&file.shown, &file.bytes);
    faults.extend(found);
    entries
}
