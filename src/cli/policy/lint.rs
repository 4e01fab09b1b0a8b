//! `boomgate policy lint`: policies that are well formed and odd, each with its place and the reason.
//!
//! Never here: a change to a file, and a claim that is not certain.

mod report;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::document::{Document, Kind, Object};
use super::names::{self, Known};
use crate::cli::{EXIT_CONFIGURATION, EXIT_DATA, EXIT_FAILED, EXIT_FINE, Output, check};
use crate::config::{Environment, Surroundings, folders, surroundings};
use crate::policy::lint::{Oddity, odd};
use crate::policy::{OnUnsupported, Policy, PolicyState, check_countries, check_ids};
use crate::types::json::Step;
use crate::types::{Fault, Faults, Severity};

/// What to look at.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate policy lint <--config <FILE>|PATH...> [OPTIONS]",
    after_help = "Only what is certain is claimed: a policy that is called shadowed changes no verdict on any call. \
Exit codes: 0 nothing, or warnings only; 1 an error, or a warning with `--deny warnings`; \
65 a file is no policy, or cannot be read; 78 bad configuration."
)]
pub struct Arguments {
    /// Files of policies, and folders of such
    #[arg(value_name = "PATH", required_unless_present = "config")]
    pub paths: Vec<PathBuf>,
    /// A configuration: its policies, unless others are given, are held against its directory, resources and named locations
    #[arg(long, value_name = "FILE", env = "BOOMGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Count warnings as errors
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
    /// Say nothing of this
    #[arg(long, value_enum, value_name = "RULE", value_delimiter = ',')]
    pub allow: Vec<Rule>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What counts as an error beside errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Every warning
    Warnings,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// What the gateway says when it loads the policy
    Load,
    /// It applies to no call
    NeverApplies,
    /// It says what another says
    Repeats,
    /// Another one blocks every call to which it applies
    Shadowed,
    /// It blocks all callers of a kind, whatever they do
    LocksOut,
    /// It names an id that nobody and nothing has
    UnknownId,
}

impl Rule {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::NeverApplies => "never-applies",
            Self::Repeats => "repeats",
            Self::Shadowed => "shadowed",
            Self::LocksOut => "locks-out",
            Self::UnknownId => "unknown-id",
        }
    }
}

/// One finding. They sort by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Finding {
    #[serde(flatten)]
    fault: Fault,
    rule: Rule,
}

/// All policies, each with the place that it was read from.
#[derive(Default)]
struct Lint {
    documents: Vec<Document>,
    policies: Vec<Policy>,
    /// Of each policy: its document, and its object there.
    places: Vec<(usize, usize)>,
    findings: Vec<Finding>,
    /// Whether something is no policy, or could not be read.
    is_data_bad: bool,
}

/// Looks for what is odd, writes it to `to` and what is wrong with the configuration to `faults_to`, and gives the exit
/// code.
///
/// # Errors
/// An IO error when the answer cannot be written.
pub fn lint(
    arguments: &Arguments,
    environment: Environment<'_>,
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
    let mut lint = Lint::default();
    match &around {
        Some(around) if arguments.paths.is_empty() => {
            lint.add_path(&around.sources.policies, Some(around));
        }
        _ => {
            for path in &arguments.paths {
                lint.add_path(path, around.as_ref());
            }
        }
    }
    lint.look_at_all();
    if let Some(around) = &around {
        lint.check_names(around);
    }
    let Lint {
        mut findings,
        policies,
        is_data_bad,
        ..
    } = lint;
    findings.retain(|finding| !arguments.allow.contains(&finding.rule));
    findings.sort();
    findings.dedup();
    match arguments.output {
        Output::Text => report::write_text(&findings, policies.len(), to)?,
        Output::Json => report::write_json(&findings, policies.len(), to)?,
    }
    let denies_all = arguments.deny == Some(Deny::Warnings);
    let counts = |finding: &Finding| denies_all || finding.fault.severity == Severity::Error;
    Ok(match (is_data_bad, findings.iter().any(counts)) {
        (true, _) => EXIT_DATA,
        (false, true) => EXIT_FAILED,
        (false, false) => EXIT_FINE,
    })
}

impl Lint {
    fn add_path(&mut self, path: &Path, around: Option<&Surroundings>) {
        let (sources, faults) = folders::read_path(path);
        self.bad_data(faults);
        for source in sources {
            self.add_file(&source, around);
        }
    }

    fn add_file(&mut self, source: &folders::Source, around: Option<&Surroundings>) {
        let mut document = match Document::read(&source.shown, &source.bytes) {
            Ok(document) => document,
            Err(fault) => {
                let mut faults = Faults::new();
                faults.push(fault);
                return self.bad_data(faults);
            }
        };
        self.bad_data(std::mem::take(&mut document.faults));
        for (at, object) in document.objects.iter().enumerate() {
            if object.kind != Kind::Policy {
                continue;
            }
            let (policy, faults) = match around {
                Some(around) => document.policy(object, around.sources.on_unsupported),
                None => document.policy_to_look_at(object, OnUnsupported::Reject),
            };
            match policy {
                Some(policy) => {
                    self.add(Rule::Load, faults);
                    self.policies.push(policy);
                    self.places.push((self.documents.len(), at));
                }
                None => self.bad_data(faults),
            }
        }
        self.documents.push(document);
    }

    fn bad_data(&mut self, faults: Faults) {
        self.is_data_bad |= faults.has_errors();
        self.add(Rule::Load, faults);
    }

    fn add(&mut self, rule: Rule, faults: Faults) {
        let faults = faults.sorted().into_iter();
        self.findings
            .extend(faults.map(|fault| Finding { fault, rule }));
    }

    /// What only shows when all policies are seen together, and what each says of itself.
    fn look_at_all(&mut self) {
        self.add(Rule::Load, check_ids(&self.policies));
        for (at, oddity) in odd(&self.policies) {
            let Some((rule, severity, message)) = self.in_words(at, oddity) else {
                continue;
            };
            let mut faults = Faults::new();
            if let Some((document, object)) = self.place(at) {
                faults.push(document.fault(
                    object,
                    &[Step::Member("displayName")],
                    severity,
                    message,
                ));
            }
            self.add(rule, faults);
        }
    }

    fn in_words(&self, at: usize, oddity: Oddity) -> Option<(Rule, Severity, String)> {
        let policy = self.policies.get(at)?;
        let other = |at: usize| {
            let other = self.policies.get(at)?;
            let origin = &other.origin;
            let place = format!("{}:{}", origin.file, origin.line);
            Some(format!("`{}` ({place})", other.display_name))
        };
        Some(match oddity {
            Oddity::NeverApplies(why) => (
                Rule::NeverApplies,
                Severity::Warning,
                format!("the policy never applies: {why}"),
            ),
            Oddity::Repeats(earlier) => (
                Rule::Repeats,
                Severity::Warning,
                format!("says the same as {}", other(earlier)?),
            ),
            Oddity::Shadowed(wide) => (
                Rule::Shadowed,
                Severity::Warning,
                format!(
                    "changes no verdict: {} blocks every call to which it applies",
                    other(wide)?
                ),
            ),
            Oddity::LocksOut(kind) if policy.state == PolicyState::Enabled => (
                Rule::LocksOut,
                Severity::Error,
                format!(
                    "blocks every {kind} at every resource, with no exclusion and no condition"
                ),
            ),
            Oddity::LocksOut(kind) => (
                Rule::LocksOut,
                Severity::Warning,
                format!("would block every {kind} at every resource, were it enforced"),
            ),
        })
    }

    fn place(&self, at: usize) -> Option<(&Document, &Object)> {
        let (document, object) = *self.places.get(at)?;
        let document = self.documents.get(document)?;
        Some((document, document.objects.get(object)?))
    }

    /// Ids that nobody and nothing has.
    fn check_names(&mut self, around: &Surroundings) {
        let mut locations = BTreeSet::new();
        if let Some(folder) = &around.sources.named_locations {
            let (ids, faults) = names::ids_of_locations(folder);
            locations = ids;
            self.bad_data(faults);
        }
        let known = Known {
            directory: &around.directory,
            resources: &around.resources,
            locations: &locations,
        };
        let (mut unknown, mut nothing) = (Faults::new(), Faults::new());
        for at in 0..self.policies.len() {
            if let Some((document, object)) = self.place(at) {
                unknown.extend(names::check(document, object, known));
                if let Some(fault) = names::check_resources(document, object, known) {
                    nothing.push(fault);
                }
            }
        }
        if around.countries.is_none() {
            let untold = check_countries(&self.policies, &around.locations);
            self.add(Rule::Load, untold);
        }
        self.add(Rule::UnknownId, unknown);
        self.add(Rule::NeverApplies, nothing);
    }
}
