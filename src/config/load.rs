//! Loads a configuration whole: the file, and every file that it names. All faults of all files are told at once.

mod countries;
mod directory;
mod named;
mod surroundings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::named::{DECIDING_SECTIONS, Named, OwnPolicies};
use super::environment::{self, Environment};
use super::folders::of_file;
use super::member::MemberPath;
use super::schema::schema;
use super::settings::Settings;
use super::tree::{self, Node, Place, Value};
use super::validate::{Checker, Extent, Validated, sources, validate};
use super::{raw, sidecar, structure};
use crate::countries::Countries;
use crate::identity::KeySet;
use crate::policy::PolicySet;
use crate::risk::RiskEntry;
use crate::store::files::read_bounded;
use crate::types::{Fault, Faults, text};

pub use directory::ReadDirectory;
pub use surroundings::{Surroundings, surroundings, with_policies};

/// A configuration with all that it names.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The compiled policies.
    pub policies: Arc<PolicySet>,
    /// The directory; empty where none is configured.
    pub directory: ReadDirectory,
    /// The database of countries, if there is one.
    pub countries: Option<Arc<Countries>>,
    /// What the risk file says.
    pub risk: Vec<RiskEntry>,
    /// The keys of the issuers whose keys are in a file, by the issuer's name.
    pub keys: BTreeMap<Arc<str>, KeySet>,
    /// The hash of all sources that decisions rest on: `policyGeneration`.
    pub generation: Arc<str>,
    /// Every file and folder that was looked at.
    pub files: BTreeSet<PathBuf>,
}

/// Loads the configuration at `path`. What is loaded is there if no fault is an error; warnings may come with it.
#[must_use]
pub fn load(path: &Path, environment: Environment<'_>) -> (Option<Loaded>, Faults) {
    let (loaded, faults, _files) = attempt(path, environment, None);
    (loaded, faults)
}

/// The same, with the files and folders that were looked at even where nothing is loaded: a fault may be put right in
/// any of them. A directory of the same files as `before` is not read again.
#[must_use]
pub fn attempt(
    path: &Path,
    environment: Environment<'_>,
    before: Option<&ReadDirectory>,
) -> (Option<Loaded>, Faults, BTreeSet<PathBuf>) {
    let build = |check: &mut Checker<'_>, config: &raw::Config, tree: &Node| {
        let validated = validate(check, config);
        let named = sources(check, config)
            .map(|sources| Named::read(check, &sources, tree, OwnPolicies::Read, before));
        let (Validated { settings, keys }, named) = validated.zip(named)?;
        if check.has_errors() {
            return None;
        }
        Some(Loaded {
            settings,
            policies: Arc::new(PolicySet::compile(named.policies, &named.locations)),
            directory: named.directory,
            countries: named.countries,
            risk: named.risk,
            keys,
            generation: named.generation,
            files: BTreeSet::new(),
        })
    };
    let (loaded, faults, files) = read(path, environment, Extent::Whole, build);
    let loaded = loaded.map(|loaded| Loaded {
        files: files.clone(),
        ..loaded
    });
    (loaded, faults, files)
}

/// Reads the file, holds it against the schema, and builds what it is read for from the parts that fit.
fn read<T>(
    path: &Path,
    environment: Environment<'_>,
    extent: Extent,
    build: impl FnOnce(&mut Checker<'_>, &raw::Config, &Node) -> Option<T>,
) -> (Option<T>, Faults, BTreeSet<PathBuf>) {
    let (tree, shape) = match shaped(path, environment, extent) {
        Ok(shaped) => shaped,
        Err(faults) => return (None, faults, BTreeSet::from([path.to_owned()])),
    };
    let mut check = Checker::new(path, path.to_string_lossy().into(), &tree, extent);
    for (at, place, message) in shape {
        check.misshapen(&at, place, message);
    }
    let config = sound_parts(&tree, &check);
    let is_read = config.is_some();
    let built = config.and_then(|config| build(&mut check, &config, &tree));
    let (mut faults, files) = check.finish();
    if faults.has_errors() {
        return (None, faults, files);
    }
    if built.is_none() {
        let message = if is_read {
            "does not make a whole configuration"
        } else {
            "does not have the form of a configuration"
        };
        faults.push(of_file(path, message.to_owned()));
    }
    (built, faults, files)
}

/// A fault of the file's shape: where, and what is wrong.
type Misshapen = (MemberPath, Place, String);

/// The text of the file, or what is wrong with it.
fn read_text(path: &Path) -> Result<String, String> {
    let limit = u64::try_from(tree::MAX_BYTES).unwrap_or(u64::MAX);
    let bytes =
        read_bounded(path, limit).map_err(|reason| format!("cannot read the file: {reason}"))?;
    let text = text::decode(&bytes).map_err(|error| error.to_string())?;
    Ok(text.into_owned())
}

/// The file as a tree, with the values of the environment, and what of it does not fit the schema.
fn shaped(
    path: &Path,
    environment: Environment<'_>,
    extent: Extent,
) -> Result<(Node, Vec<Misshapen>), Faults> {
    let text = if sidecar::is_meant(path) {
        sidecar::text(environment).map_err(|messages| {
            let mut faults = Faults::new();
            for message in messages {
                faults.push(of_file(path, message));
            }
            faults
        })?
    } else {
        read_text(path).map_err(|message| of_text(path, Place::default(), message))?
    };
    let mut tree = tree::read(&text).map_err(|fault| of_text(path, fault.place, fault.message))?;
    if matches!(tree.value, Value::Null) {
        let message = "the file is empty, expected a configuration".to_owned();
        return Err(of_text(path, Place::default(), message));
    }
    let mut schema = schema();
    if extent == Extent::Judging {
        keep_deciding_sections(&mut tree, &mut schema);
    }
    let mut shape: Vec<Misshapen> = Vec::new();
    environment::expand(&mut tree, environment, &mut |at, node, message| {
        shape.push((at.clone(), node.place, message));
    });
    structure::check(&schema, &tree, &mut |at, place, message| {
        // A text that could not be filled in is told once.
        if !shape.iter().any(|(known, ..)| known == at) {
            shape.push((at.clone(), place, message));
        }
    });
    Ok((tree, shape))
}

/// Takes the sections out that no decision rests on, and asks for none of them. A key that is none of a configuration
/// stays, to be refused: it may be one of the others, misspelt.
fn keep_deciding_sections(tree: &mut Node, schema: &mut serde_json::Value) {
    // `detect replay` looks at recorded calls as the gateway would.
    let is_deciding = |name: &str| DECIDING_SECTIONS.contains(&name) || name == "detections";
    if let Value::Map(members) = &mut tree.value {
        let is_section = |name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
        members.retain(|member| is_deciding(&member.name) || !is_section(&member.name));
    }
    if let Some(serde_json::Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name.as_str().is_some_and(is_deciding));
    }
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
