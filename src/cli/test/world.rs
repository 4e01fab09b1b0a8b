//! What tests are asked in: a configuration's resources, directory and settings, and the policies that are tested.
//!
//! Files that name the same share one. Never here: a gateway, and its secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Arguments;
use super::file::Read;
use crate::call::Resources;
use crate::config::{Environment, Surroundings, folders, surroundings};
use crate::decision::DecisionSettings;
use crate::identity::Directory;
use crate::identity::directory::read::{DirectoryParts, read as read_directory};
use crate::policy::read::read as read_policies;
use crate::policy::{PolicySet, check_set};
use crate::types::{Faults, Severity};

/// One of them.
pub(super) struct World {
    /// Its number.
    pub(super) number: usize,
    pub(super) resources: Arc<Resources>,
    pub(super) settings: DecisionSettings,
    pub(super) directory: Arc<Directory>,
    pub(super) policies: PolicySet,
}

/// Why there is none.
pub(super) enum Trouble {
    /// The tests' own files, or the policies.
    Data(Faults),
    /// The configuration.
    Configuration(Faults),
}

/// All of them, by what makes one: configuration, policies, further objects of the directory.
pub(super) struct Worlds<'a> {
    arguments: &'a Arguments,
    environment: Environment<'a>,
    known: BTreeMap<[Option<PathBuf>; 3], Arc<World>>,
    warnings: Faults,
}

impl<'a> Worlds<'a> {
    pub(super) fn new(arguments: &'a Arguments, environment: Environment<'a>) -> Self {
        Self {
            arguments,
            environment,
            known: BTreeMap::new(),
            warnings: Faults::new(),
        }
    }

    /// The world of a file of tests.
    pub(super) fn find(&mut self, file: &Read) -> Result<Arc<World>, Trouble> {
        let beside = |path: &PathBuf| file.folder.join(path);
        let tests = &file.tests;
        let config = tests
            .config
            .as_ref()
            .map(beside)
            .or_else(|| self.arguments.config.clone());
        let policies = self
            .arguments
            .policies
            .clone()
            .or_else(|| tests.policies.as_ref().map(beside));
        let directory = tests.directory.as_ref().map(beside);
        let key = [config, policies, directory];
        if let Some(world) = self.known.get(&key) {
            return Ok(Arc::clone(world));
        }
        let [config, policies, directory] = &key;
        let config = config.as_ref().ok_or_else(|| {
            let message = "names no configuration: give its `config`, or `--config`".to_owned();
            let mut faults = Faults::new();
            faults.push(folders::of_file(Path::new(&*file.name), message));
            Trouble::Data(faults)
        })?;
        let (around, faults) = surroundings(config, self.environment);
        let around = around.ok_or_else(|| Trouble::Configuration(faults.clone()))?;
        self.warnings.extend(faults);
        let world = self.build(&around, policies.as_deref(), directory.as_deref())?;
        let world = Arc::new(world);
        self.known.insert(key, Arc::clone(&world));
        Ok(world)
    }

    fn build(
        &mut self,
        around: &Surroundings,
        policies: Option<&Path>,
        directory: Option<&Path>,
    ) -> Result<World, Trouble> {
        let path = policies.unwrap_or(&around.sources.policies);
        let mut faults = Faults::new();
        let mut read = Vec::new();
        for source in sources(path, &mut faults) {
            let on_unsupported = around.sources.on_unsupported;
            let (found, more) = read_policies(&source.shown, &source.bytes, on_unsupported);
            read.extend(found);
            faults.extend(more);
        }
        faults.extend(check_set(&read, &around.locations));
        if read.is_empty() && !faults.has_errors() {
            faults.push(folders::of_file(path, "holds no policy".to_owned()));
        }
        let directory = match directory {
            Some(further) => Arc::new(with_further(around, further, &mut faults)),
            None => Arc::clone(&around.directory),
        };
        if faults.has_errors() {
            return Err(Trouble::Data(faults));
        }
        self.warnings.extend(faults);
        Ok(World {
            number: self.known.len(),
            resources: Arc::clone(&around.resources),
            settings: around.decisions,
            directory,
            policies: PolicySet::compile(read, &around.locations),
        })
    }

    /// What an author should know, though it stops nothing.
    pub(super) fn take_warnings(&mut self) -> Faults {
        let mut warnings = Faults::new();
        for fault in std::mem::take(&mut self.warnings).sorted() {
            if fault.severity == Severity::Warning {
                warnings.push(fault);
            }
        }
        warnings
    }
}

/// The files of a folder, or the one file.
fn sources(path: &Path, faults: &mut Faults) -> Vec<folders::Source> {
    let (sources, found) = folders::read_path(path);
    faults.extend(found);
    sources
}

/// The configuration's directory, and what the tests add to it.
fn with_further(around: &Surroundings, further: &Path, faults: &mut Faults) -> Directory {
    let own = around.sources.directory.as_deref();
    let mut parts = DirectoryParts::default();
    for path in own.into_iter().chain([further]) {
        for source in sources(path, faults) {
            let (read, found) = read_directory(&source.shown, &source.bytes);
            parts.extend(read);
            faults.extend(found);
        }
    }
    let (directory, found) = parts.build();
    faults.extend(found);
    directory
}
