//! The files that decisions rest on: policies, named locations, the database of countries, the directory and the risk.
//!
//! Never here: a file that could not be read and counts as an empty one.

use std::path::Path;
use std::sync::Arc;

use super::countries;
use super::directory::ReadDirectory;
use crate::config::folders::{Generation, Source, files, read_file};
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::tree::Node;
use crate::config::validate::Checker;
use crate::countries::Countries;
use crate::policy::{self, NamedLocations, Policy};
use crate::risk::{self, RiskEntry};
use crate::types::Faults;

/// What the named files say.
pub(super) struct Named {
    pub(super) policies: Vec<Policy>,
    pub(super) locations: NamedLocations,
    pub(super) countries: Option<Arc<Countries>>,
    pub(super) directory: ReadDirectory,
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
    /// Reads them all; a directory of the same files as `before` is that one.
    pub(super) fn read(
        check: &mut Checker<'_>,
        sources: &Sources,
        tree: &Node,
        own_policies: OwnPolicies,
        before: Option<&ReadDirectory>,
    ) -> Self {
        let mut generation = Generation::new();
        let policies = match own_policies {
            OwnPolicies::Read => read_policies(check, sources, &mut generation),
            OwnPolicies::LeftOut => Vec::new(),
        };
        let directory = ReadDirectory::read(check, sources, before);
        generation.add("directory", "", directory.hash().as_bytes());
        let locations = read_locations(check, sources, &mut generation);
        for section in DECIDING_SECTIONS {
            if let Some(node) = tree.get(section) {
                generation.add("setting", section, node.to_json().to_string().as_bytes());
            }
        }
        let countries = countries::read(check, sources, &mut generation);
        if own_policies == OwnPolicies::Read {
            check_policies(check, sources, &policies, &locations);
        }
        Self {
            policies,
            locations,
            countries,
            directory,
            risk: read_risk(check, sources),
            generation: generation.finish(),
        }
    }
}

/// Gives each file of the folder that a section names to `parse`, which says what is wrong with it. The next is read after
/// that: the text of a million agents has half a gigabyte.
pub(super) fn each_file(
    check: &mut Checker<'_>,
    section: &str,
    path: &Path,
    mut parse: impl FnMut(&Source) -> Faults,
) {
    check.looks_at(path);
    let files = match files(path) {
        Ok(files) => files,
        Err(reason) => {
            let at = MemberPath::root().key(section).key("dir");
            return check.unreadable(&at, &reason);
        }
    };
    for file in files {
        match file {
            Ok(file) => check.extend(parse(&file)),
            Err(fault) => check.extend(fault.into()),
        }
    }
}

fn read_policies(
    check: &mut Checker<'_>,
    sources: &Sources,
    generation: &mut Generation,
) -> Vec<Policy> {
    let mut policies = Vec::new();
    each_file(check, "policies", &sources.policies, |file| {
        generation.add("policies", &file.name, &file.bytes);
        let (read, found) = policy::read::read(&file.shown, &file.bytes, sources.on_unsupported);
        policies.extend(read);
        found
    });
    policies
}

fn read_locations(
    check: &mut Checker<'_>,
    sources: &Sources,
    generation: &mut Generation,
) -> NamedLocations {
    let mut all = Vec::new();
    if let Some(path) = &sources.named_locations {
        each_file(check, "named_locations", path, |file| {
            generation.add("named_locations", &file.name, &file.bytes);
            let (read, found) = policy::locations::read(&file.shown, &file.bytes);
            all.extend(read);
            found
        });
    }
    let (compiled, found) = NamedLocations::compile(all, &sources.own_ranges);
    check.extend(found);
    compiled
}

fn check_policies(
    check: &mut Checker<'_>,
    sources: &Sources,
    policies: &[Policy],
    locations: &NamedLocations,
) {
    check.extend(policy::check_set(policies, locations));
    if sources.countries.is_none() {
        check.extend(policy::check_countries(policies, locations));
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
