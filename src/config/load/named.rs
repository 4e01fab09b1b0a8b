//! The files that decisions rest on: policies, named locations, the database of countries, the directory and the risk.
//!
//! Never here: a file that could not be read and counts as an empty one.

use std::path::Path;
use std::sync::Arc;

use super::countries;
use crate::config::folders::{Generation, Source, files, read_file};
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::tree::Node;
use crate::config::validate::Checker;
use crate::countries::Countries;
use crate::identity::Directory;
use crate::identity::directory::read::{DirectoryParts, read as read_directory};
use crate::policy::{self, NamedLocations};
use crate::risk::{self, RiskEntry};
use crate::types::Faults;

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
        let mut folders = Folders::new(check);
        let policies = match own_policies {
            OwnPolicies::Read => folders.policies(sources),
            OwnPolicies::LeftOut => Vec::new(),
        };
        let directory = folders.directory(sources);
        let locations = folders.locations(sources);
        let mut generation = folders.generation;
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

/// The folders, read one after the other, and the hash of what was read. Each file is parsed before the next is read: a
/// directory of a million agents has half a gigabyte of text.
struct Folders<'a, 'tree> {
    check: &'a mut Checker<'tree>,
    generation: Generation,
}

impl<'a, 'tree> Folders<'a, 'tree> {
    fn new(check: &'a mut Checker<'tree>) -> Self {
        Self {
            check,
            generation: Generation::new(),
        }
    }

    /// Gives each file of the folder that a section names to `parse`, which tells what is wrong with it.
    fn each(&mut self, section: &str, path: &Path, mut parse: impl FnMut(&Source) -> Faults) {
        self.check.looks_at(path);
        let files = match files(path) {
            Ok(files) => files,
            Err(reason) => {
                let at = MemberPath::root().key(section).key("dir");
                return self.check.unreadable(&at, &reason);
            }
        };
        for file in files {
            match file {
                Ok(file) => {
                    self.generation.add(section, &file.name, &file.bytes);
                    self.check.extend(parse(&file));
                }
                Err(fault) => self.check.extend(fault.into()),
            }
        }
    }

    fn policies(&mut self, sources: &Sources) -> Vec<policy::Policy> {
        let mut policies = Vec::new();
        self.each("policies", &sources.policies, |file| {
            let (read, found) =
                policy::read::read(&file.shown, &file.bytes, sources.on_unsupported);
            policies.extend(read);
            found
        });
        policies
    }

    /// The operator's files, and what Graph lists beside: of what is in both, the operator's word stands.
    fn directory(&mut self, sources: &Sources) -> Directory {
        let own = sources.directory.as_deref();
        let mut parts = own.map_or_else(DirectoryParts::default, |path| {
            self.parts("directory", path)
        });
        let is_empty = parts.is_empty();
        // It is made when Graph was first read.
        if let Some(path) = &sources.graph_directory {
            self.check.looks_at(path);
            if path.exists() {
                let both = parts.extend_where_new(self.parts("directory.graph", path));
                warn_of_both(self.check, &both);
            }
        }
        let (directory, found) = parts.build();
        self.check.extend(found);
        let at = MemberPath::root().key("directory").key("dir");
        if self.check.is_given(&at) && is_empty && !self.check.has_errors() {
            // FAIL-CLOSED: without its entry, an agent that was disabled is one that nobody knows.
            let predicate = "holds no blueprint, agent identity or agent user, expected at least one (without a directory, leave `dir` out)";
            self.check.refuse(&at, predicate);
        }
        directory
    }

    fn parts(&mut self, section: &str, path: &Path) -> DirectoryParts {
        let mut parts = DirectoryParts::default();
        self.each(section, path, |file| {
            let (read, found) = read_directory(&file.shown, &file.bytes);
            parts.extend(read);
            found
        });
        parts
    }

    fn locations(&mut self, sources: &Sources) -> NamedLocations {
        let mut all = Vec::new();
        if let Some(path) = &sources.named_locations {
            self.each("named_locations", path, |file| {
                let (read, found) = policy::locations::read(&file.shown, &file.bytes);
                all.extend(read);
                found
            });
        }
        let (compiled, found) = NamedLocations::compile(all, &sources.own_ranges);
        self.check.extend(found);
        compiled
    }
}

fn check_policies(
    check: &mut Checker<'_>,
    sources: &Sources,
    policies: &[policy::Policy],
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

fn warn_of_both(check: &mut Checker<'_>, both: &[Arc<str>]) {
    if let Some(first) = both.first() {
        let count = both.len();
        let message = format!(
            "{count} of what Graph lists is in `dir` too, where the operator's entries stand; the first is `{first}`"
        );
        check.warn(&MemberPath::root().key("directory").key("graph"), &message);
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
