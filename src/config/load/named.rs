//! The files that decisions rest on: policies, named locations, the database of countries, the directory and the risk.
//!
//! Never here: a file that could not be read and counts as an empty one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::locations;
use crate::config::folders::{Generation, Source, read_file, read_folder};
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::tree::Node;
use crate::config::validate::Checker;
use crate::countries::Countries;
use crate::identity::Directory;
use crate::identity::directory::read::{DirectoryParts, read as read_directory};
use crate::policy::{self, NamedLocations};
use crate::risk::{self, RiskEntry};

/// What the named files say.
pub(super) struct Named {
    pub(super) policies: Vec<policy::Policy>,
    pub(super) locations: NamedLocations,
    pub(super) countries: Option<Arc<Countries>>,
    pub(super) directory: Directory,
    pub(super) risk: Vec<RiskEntry>,
    pub(super) generation: Arc<str>,
}

/// Whether the folder of policies is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnPolicies {
    Read,
    LeftOut,
}

/// The sections of the configuration that decisions rest on.
pub(super) const DECIDING_SECTIONS: [&str; 6] = [
    "resources",
    "policies",
    "named_locations",
    "directory",
    "risk",
    "evaluation",
];

impl Named {
    pub(super) fn read(
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
        // It is made when Graph was first read.
        let listed = sources.graph_directory.as_ref();
        let listed = listed.filter(|path| {
            check.looks_at(path);
            path.exists()
        });
        let listed = folder(check, "directory.graph", listed);
        let locations = folder(check, "named_locations", sources.named_locations.as_ref());
        for section in DECIDING_SECTIONS {
            if let Some(node) = tree.get(section) {
                generation.add("setting", section, node.to_json().to_string().as_bytes());
            }
        }
        let locations = locations::read(check, sources, &locations);
        let countries = locations::countries(check, sources, &mut generation);
        Self {
            policies: match own_policies {
                OwnPolicies::Read => read_policies(check, sources, &policies, &locations),
                OwnPolicies::LeftOut => Vec::new(),
            },
            locations,
            countries,
            directory: build_directory(check, &directory, &listed),
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
    if sources.countries.is_none() {
        check.extend(policy::check_countries(&policies, locations));
    }
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

/// The operator's files, and what Graph lists beside: of what is in both, the operator's word stands.
fn build_directory(check: &mut Checker<'_>, files: &[Source], listed: &[Source]) -> Directory {
    let mut parts = read_parts(check, files);
    let is_empty = parts.is_empty();
    let both = parts.extend_where_new(read_parts(check, listed));
    if let Some(first) = both.first() {
        let count = both.len();
        let message = format!(
            "{count} of what Graph lists is in `dir` too, where the operator's entries stand; the first is `{first}`"
        );
        check.warn(&MemberPath::root().key("directory").key("graph"), &message);
    }
    let (directory, found) = parts.build();
    check.extend(found);
    let at = MemberPath::root().key("directory").key("dir");
    if check.is_given(&at) && is_empty && !check.has_errors() {
        // FAIL-CLOSED: without its entry, an agent that was disabled is one that nobody knows.
        let predicate = "holds no blueprint, agent identity or agent user, expected at least one (without a directory, leave `dir` out)";
        check.refuse(&at, predicate);
    }
    directory
}

fn read_parts(check: &mut Checker<'_>, files: &[Source]) -> DirectoryParts {
    let mut parts = DirectoryParts::default();
    for file in files {
        let (read, found) = read_directory(&file.shown, &file.bytes);
        parts.extend(read);
        check.extend(found);
    }
    parts
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
