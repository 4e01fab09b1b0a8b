//! `boomgate policy import`: exports of Microsoft Graph become a folder with one tidy file per policy.
//!
//! Either all that was given is written or nothing is, and no policy takes another's place unasked. What is not honoured
//! is told, and written all the same: the gateway judges what it loads. Never here: a change of what a policy says.

mod changes;
mod incoming;
mod report;
mod target;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::document::Kind;
use super::names::{self, Known};
use crate::cli::{EXIT_CONFIGURATION, EXIT_DATA, EXIT_FAILED, EXIT_FINE, Output, check};
use crate::config::{Environment, Surroundings, surroundings};
use crate::policy::OnUnsupported;
use crate::types::{Fault, Faults, Severity};
use incoming::Import;
use target::{Step, Target};

/// What to import, and where to.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate policy import <FILE>... --into <DIR> [OPTIONS]",
    after_help = "A file holds one policy or named location, a list of them, or a Graph list, in UTF-8 or in UTF-16 with a byte order mark; \
`-` is standard input. Either all of them are written or none. \
Exit codes: 0 done; 1 a policy of the same id says something else, and --force is not given, or a file cannot be written; \
65 a file holds what is no policy and no named location; 78 bad configuration."
)]
pub struct Arguments {
    /// Exports; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The folder of policies; made where it is not there [default: that of --config]
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub into: Option<PathBuf>,
    /// The folder of named locations [default: that of --config, else `named-locations` beside the folder of policies]
    #[arg(long, value_name = "DIR")]
    pub locations_into: Option<PathBuf>,
    /// A configuration: the ids that policies name are held against its directory, resources and named locations
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Put an import in the place of the policy that has its id and says something else
    #[arg(long)]
    pub force: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Where objects go.
struct Folders {
    policies: PathBuf,
    locations: PathBuf,
}

/// Imports, writes what was done to `to` and what is wrong with the configuration to `faults_to`, and gives the exit code.
///
/// # Errors
/// An IO error when a file or the answer cannot be written.
pub fn import(
    arguments: &Arguments,
    environment: Environment<'_>,
    input: &mut dyn Read,
    to: &mut dyn Write,
    faults_to: &mut dyn Write,
) -> anyhow::Result<u8> {
    let mut around = None;
    if let Some(config) = &arguments.config {
        let (found, faults) = surroundings(config, environment);
        check::write_faults(&faults.sorted(), faults_to)?;
        let Some(found) = found else {
            return Ok(EXIT_CONFIGURATION);
        };
        around = Some(found);
    }
    let folders = arguments.folders(around.as_ref());
    let on_unsupported = around.as_ref().map_or(OnUnsupported::Reject, |around| {
        around.sources.on_unsupported
    });
    let mut import = Import::read(&arguments.files, on_unsupported, input);
    let mut targets = Targets::read(&import, &folders);
    import.faults.extend(targets.take_faults());
    if let Some(around) = &around {
        check_names(&mut import, around, &targets);
    }
    let has_errors = import.faults.has_errors();
    let plan = if has_errors {
        Vec::new()
    } else {
        targets.plan(&import)?
    };
    let replaces_something = plan.iter().any(|step| !step.changes().is_empty());
    let code = match (has_errors, replaces_something) {
        (true, _) => EXIT_DATA,
        (false, true) if !arguments.force => EXIT_FAILED,
        (false, _) => EXIT_FINE,
    };
    let is_written = code == EXIT_FINE && !arguments.dry_run;
    if is_written {
        plan.iter().try_for_each(Step::take)?;
    }
    let end = report::End {
        findings: &import.faults.sorted(),
        plan: &plan,
        is_written,
        is_dry_run: arguments.dry_run,
        code,
    };
    match arguments.output {
        Output::Text => end.write_text(to)?,
        Output::Json => end.write_json(to)?,
    }
    Ok(code)
}

impl Arguments {
    fn folders(&self, around: Option<&Surroundings>) -> Folders {
        let sources = around.map(|around| &around.sources);
        let of_config = sources.map(|sources| sources.policies.clone());
        let policies = self.into.clone().or(of_config).unwrap_or_default();
        let of_config = sources.and_then(|sources| sources.named_locations.clone());
        let locations = self.locations_into.clone().or(of_config);
        Folders {
            locations: locations.unwrap_or_else(|| policies.with_file_name("named-locations")),
            policies,
        }
    }
}

/// The two folders, as far as something goes there.
struct Targets<'a> {
    policies: Target<'a>,
    locations: Target<'a>,
}

impl<'a> Targets<'a> {
    fn read(import: &Import, folders: &'a Folders) -> Self {
        let target = |kind, folder: &'a Path| {
            // A folder that nothing goes to may be at fault, or not be there.
            let mut objects = import.objects.iter();
            if objects.any(|incoming| incoming.kind == kind) {
                Target::read(kind, folder)
            } else {
                Target::empty(folder)
            }
        };
        Self {
            policies: target(Kind::Policy, &folders.policies),
            locations: target(Kind::NamedLocation, &folders.locations),
        }
    }

    fn take_faults(&mut self) -> Faults {
        let mut faults = std::mem::take(&mut self.policies.faults);
        faults.extend(std::mem::take(&mut self.locations.faults));
        faults
    }

    fn plan(&mut self, import: &Import) -> anyhow::Result<Vec<Step>> {
        let objects = import.objects.iter();
        objects
            .map(|incoming| match incoming.kind {
                Kind::Policy => self.policies.step(incoming),
                Kind::NamedLocation => self.locations.step(incoming),
            })
            .collect()
    }
}

/// Tells the ids that nobody and nothing has; the locations of this import are there already.
fn check_names(import: &mut Import, around: &Surroundings, targets: &Targets<'_>) {
    let of_import = import.objects.iter();
    let mut locations: BTreeSet<String> = of_import
        .filter(|incoming| incoming.kind == Kind::NamedLocation)
        .map(|incoming| incoming.id.clone())
        .collect();
    locations.extend(targets.locations.ids().map(str::to_owned));
    if let Some(folder) = &around.sources.named_locations {
        locations.extend(
            Target::read(Kind::NamedLocation, folder)
                .ids()
                .map(str::to_owned),
        );
    }
    let known = Known {
        directory: &around.directory,
        resources: &around.resources,
        locations: &locations,
    };
    let mut found = Faults::new();
    for incoming in &import.objects {
        if let Some(object) = incoming.object() {
            found.extend(names::check(&incoming.document, object, known));
        }
    }
    import.faults.extend(found);
}

/// A fault of a whole file.
fn of_file(file: &str, message: String, severity: Severity) -> Fault {
    Fault {
        file: file.into(),
        line: 0,
        column: 0,
        member: String::new(),
        message,
        severity,
    }
}
