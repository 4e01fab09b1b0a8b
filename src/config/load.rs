//! Loads a configuration whole: the file, and every file that it names. All faults of all files are told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::{self, Environment};
use super::folders::{Generation, Source, of_file, read_file, read_folder};
use super::member::MemberPath;
use super::schema::schema;
use super::settings::{Settings, Sources};
use super::tree::{self, Node, Place, Value};
use super::validate::{Checker, Validated, sources, validate};
use super::{raw, structure};
use crate::identity::directory::read::{DirectoryParts, read as read_directory};
use crate::identity::{Directory, KeySet};
use crate::policy::locations::{self, OwnRanges};
use crate::policy::{self, NamedLocations, PolicySet};
use crate::risk::{self, RiskEntry};
use crate::store::files::read_bounded;
use crate::types::{Fault, Faults, text};

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
    /// Every file and folder that was looked at.
    pub files: BTreeSet<PathBuf>,
}

/// A configuration without its policies: what they are held against.
#[derive(Debug)]
pub struct Surroundings {
    /// The settings.
    pub settings: Settings,
    /// The directory; empty where none is configured.
    pub directory: Arc<Directory>,
    /// What the risk file says.
    pub risk: Vec<RiskEntry>,
    /// The places that policies may name.
    pub locations: NamedLocations,
}

/// Whether the folder of policies is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnPolicies {
    Read,
    LeftOut,
}

/// Loads the configuration at `path` without a look at its policies, for whoever has others, or has them yet to come.
#[must_use]
pub fn surroundings(path: &Path, environment: Environment<'_>) -> (Option<Surroundings>, Faults) {
    let (loaded, faults, _files) = attempt_with(path, environment, OwnPolicies::LeftOut);
    let surroundings = loaded.map(|loaded| Surroundings {
        settings: loaded.settings,
        directory: loaded.directory,
        risk: loaded.risk,
        locations: loaded.policies.named_locations().clone(),
    });
    (surroundings, faults)
}

/// Loads the configuration at `path`. What is loaded is there if no fault is an error; warnings may come with it.
#[must_use]
pub fn load(path: &Path, environment: Environment<'_>) -> (Option<Loaded>, Faults) {
    let (loaded, faults, _files) = attempt(path, environment);
    (loaded, faults)
}

/// The same, with the files and folders that were looked at even where nothing is loaded: a fault may be put right in
/// any of them.
#[must_use]
pub fn attempt(
    path: &Path,
    environment: Environment<'_>,
) -> (Option<Loaded>, Faults, BTreeSet<PathBuf>) {
    attempt_with(path, environment, OwnPolicies::Read)
}

fn attempt_with(
    path: &Path,
    environment: Environment<'_>,
    own_policies: OwnPolicies,
) -> (Option<Loaded>, Faults, BTreeSet<PathBuf>) {
    let limit = u64::try_from(tree::MAX_BYTES).unwrap_or(u64::MAX);
    let decoded = read_bounded(path, limit)
        .map_err(|reason| format!("cannot read the file: {reason}"))
        .and_then(|bytes| match text::decode(&bytes) {
            Ok(text) => Ok(text.into_owned()),
            Err(error) => Err(error.to_string()),
        });
    match decoded {
        Ok(text) => load_text(path, &text, environment, own_policies),
        Err(message) => {
            let mut faults = Faults::new();
            faults.push(of_file(path, message));
            (None, faults, BTreeSet::from([path.to_owned()]))
        }
    }
}

fn load_text(
    path: &Path,
    text: &str,
    environment: Environment<'_>,
    own_policies: OwnPolicies,
) -> (Option<Loaded>, Faults, BTreeSet<PathBuf>) {
    let unreadable = |place, message| {
        let files = BTreeSet::from([path.to_owned()]);
        (None, of_text(path, place, message), files)
    };
    let mut tree = match tree::read(text) {
        Ok(tree) => tree,
        Err(fault) => return unreadable(fault.place, fault.message),
    };
    if matches!(tree.value, Value::Null) {
        let message = "the file is empty, expected a configuration".to_owned();
        return unreadable(Place::default(), message);
    }
    let mut shape = Vec::new();
    environment::expand(&mut tree, environment, &mut |at, node, message| {
        shape.push((at.clone(), node.place, message));
    });
    structure::check(&schema(), &tree, &mut |at, place, message| {
        // A text that could not be filled in is told once.
        if !shape.iter().any(|(known, ..)| known == at) {
            shape.push((at.clone(), place, message));
        }
    });
    let mut check = Checker::new(path, path.to_string_lossy().into(), &tree);
    for (at, place, message) in shape {
        check.misshapen(&at, place, message);
    }
    let Some(config) = sound_parts(&tree, &check) else {
        let (mut faults, files) = check.finish();
        if !faults.has_errors() {
            faults.push(of_file(
                path,
                "does not have the form of a configuration".to_owned(),
            ));
        }
        return (None, faults, files);
    };
    let validated = validate(&mut check, &config);
    let named = sources(&check, &config)
        .map(|sources| Named::read(&mut check, &sources, &tree, own_policies));
    let (mut faults, files) = check.finish();
    if faults.has_errors() {
        return (None, faults, files);
    }
    let loaded = validated.zip(named).map(|(validated, named)| {
        let Validated { settings, keys } = validated;
        Loaded {
            settings,
            policies: Arc::new(PolicySet::compile(named.policies, &named.locations)),
            directory: Arc::new(named.directory),
            risk: named.risk,
            keys,
            generation: named.generation,
            files: files.clone(),
        }
    });
    if loaded.is_none() {
        faults.push(of_file(
            path,
            "does not make a whole configuration".to_owned(),
        ));
    }
    (loaded, faults, files)
}

/// The configuration, less the parts whose shape is at fault.
fn sound_parts(tree: &Node, check: &Checker<'_>) -> Option<raw::Config> {
    let mut json = tree.to_json();
    for part in check.unsound() {
        part.take_out_of(&mut json);
    }
    serde_json::from_value(json).ok()
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
    locations: NamedLocations,
    directory: Directory,
    risk: Vec<RiskEntry>,
    generation: Arc<str>,
}

/// The sections of the configuration that decisions rest on.
const DECIDING_SECTIONS: [&str; 5] = ["resources", "policies", "directory", "risk", "evaluation"];

impl Named {
    fn read(
        check: &mut Checker<'_>,
        sources: &Sources,
        tree: &Node,
        own_policies: OwnPolicies,
    ) -> Self {
        let mut generation = Generation::new();
        let mut folder = |check: &mut Checker<'_>, section: &str, path: Option<&PathBuf>| {
            let files = path.map_or_else(Vec::new, |path| folder(check, section, path));
            for file in &files {
                generation.add(section, &file.name, &file.bytes);
            }
            files
        };
        let own = (own_policies == OwnPolicies::Read).then_some(&sources.policies);
        let policies = folder(check, "policies", own);
        let directory = folder(check, "directory", sources.directory.as_ref());
        let locations = folder(check, "named_locations", sources.named_locations.as_ref());
        for section in DECIDING_SECTIONS {
            if let Some(node) = tree.get(section) {
                generation.add("setting", section, node.to_json().to_string().as_bytes());
            }
        }
        let locations = read_locations(check, &locations);
        Self {
            policies: match own_policies {
                OwnPolicies::Read => read_policies(check, sources, &policies, &locations),
                OwnPolicies::LeftOut => Vec::new(),
            },
            locations,
            directory: build_directory(check, &directory),
            risk: read_risk(check, sources),
            generation: generation.finish(),
        }
    }
}

/// The files of the folder that a section names.
fn folder(check: &mut Checker<'_>, section: &str, path: &Path) -> Vec<Source> {
    check.looks_at(path);
    match read_folder(path) {
        Ok((files, faults)) => {
            check.extend(faults);
            files
        }
        Err(reason) => {
            check.unreadable(&MemberPath::root().key(section).key("dir"), &reason);
            Vec::new()
        }
    }
}

fn read_policies(
    check: &mut Checker<'_>,
    sources: &Sources,
    files: &[Source],
    locations: &NamedLocations,
) -> Vec<policy::Policy> {
    let mut policies = Vec::new();
    for file in files {
        let (read, found) = policy::read::read(&file.shown, &file.bytes, sources.on_unsupported);
        policies.extend(read);
        check.extend(found);
    }
    check.extend(policy::check_set(&policies, locations));
    if policies.is_empty() && !check.has_errors() {
        let section = MemberPath::root().key("policies");
        if sources.no_policies {
            let at = section.key("dangerous_allow_none");
            check.warn(&at, "there is no policy: nothing is blocked by policy");
        } else {
            // FAIL-CLOSED: a volume that is not mounted, or a folder that is just being filled, looks like this.
            let predicate = "holds no policy, expected at least one (or, where nothing is to be blocked by policy, `dangerous_allow_none: true`)";
            check.refuse(&section.key("dir"), predicate);
        }
    }
    policies
}

fn build_directory(check: &mut Checker<'_>, files: &[Source]) -> Directory {
    let mut parts = DirectoryParts::default();
    for file in files {
        let (read, found) = read_directory(&file.shown, &file.bytes);
        parts.extend(read);
        check.extend(found);
    }
    let (directory, found) = parts.build();
    check.extend(found);
    let at = MemberPath::root().key("directory").key("dir");
    if check.is_given(&at) && directory.is_empty() && !check.has_errors() {
        // FAIL-CLOSED: without its entry, an agent that was disabled is one that nobody knows.
        let predicate = "holds no blueprint, agent identity or agent user, expected at least one (without a directory, leave `dir` out)";
        check.refuse(&at, predicate);
    }
    directory
}

fn read_locations(check: &mut Checker<'_>, files: &[Source]) -> NamedLocations {
    let mut all = Vec::new();
    for file in files {
        let (read, found) = locations::read(&file.shown, &file.bytes);
        all.extend(read);
        check.extend(found);
    }
    let (compiled, found) = NamedLocations::compile(all, &OwnRanges::default());
    check.extend(found);
    compiled
}

fn read_risk(check: &mut Checker<'_>, sources: &Sources) -> Vec<RiskEntry> {
    let Some(path) = &sources.risk else {
        return Vec::new();
    };
    check.looks_at(path);
    match read_file(path) {
        Ok(file) => {
            let (entries, found) = risk::read::read(&file.shown, &file.bytes);
            check.extend(found);
            entries
        }
        Err(reason) => {
            check.unreadable(&MemberPath::root().key("risk").key("file"), &reason);
            Vec::new()
        }
    }
}
