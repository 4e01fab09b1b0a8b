//! `boomgate impact`: what other policies would have made of calls that were recorded.
//!
//! Records are streamed, so that memory does not grow with them, and judged by the gateway's own evaluator on the facts
//! that they hold. Never here: a guess in place of a fact that a record does not hold; such records are counted, and why.

mod call;
mod judge;
mod page;
mod replay;
mod report;
mod tally;
mod timeline;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::records::lines;
use super::records::progress::Progress;
use super::{EXIT_CONFIGURATION, EXIT_DATA, EXIT_FAILED, EXIT_FINE, Output, check};
use crate::config::{Environment, folders, surroundings};
use crate::policy::read::read as read_policies;
use crate::policy::{NamedLocations, OnUnsupported, Policy, PolicySet, PolicyState, check_set};
use crate::types::Faults;
use report::Found;

/// What to replay, and against what.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate impact --records <FILE>... --policies <DIR> [OPTIONS]",
    after_help = "Calls that were refused for another reason than policy (a disabled agent, a missing scope) stay refused, \
and what the scopes of a token would have allowed is not judged. A fact that nobody could tell when the call was made is \
unknown now, and counts as it would at the gateway. \
Exit codes: 0 done, whatever would change; 1 something that --deny names would; 65 records or policies that cannot be \
read, or no record that can be replayed; 78 bad configuration."
)]
pub struct Arguments {
    /// Files of records, plain or compressed with gzip; `-` is standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub records: Vec<PathBuf>,
    /// The policies to judge by: a folder, or a file
    #[arg(long, value_name = "DIR")]
    pub policies: PathBuf,
    /// A configuration, for its named locations, the names of blueprints, and what happens to policies that are not
    /// understood whole
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge report-only policies as if they were enforced
    #[arg(long)]
    pub enforce_report_only: bool,
    /// Write a page for a browser too, which needs nothing but itself
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// How many lines a table has, and how many examples are shown
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub top: usize,
    /// End with 1 where calls would be newly blocked, or newly allowed
    #[arg(long, value_enum, value_name = "CHANGE", value_delimiter = ',')]
    pub deny: Vec<Deny>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// A change that is not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// A call that went through would be blocked
    NewlyBlocked,
    /// A call that policy blocked would go through
    NewlyAllowed,
}

/// Writes what was found to standard output, and progress to a terminal on standard error.
///
/// # Errors
/// As [`impact`].
pub(super) fn main(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut input = std::io::stdin().lock();
    let mut out = anstream::stdout().lock();
    // Not locked: progress goes there as well.
    let mut err = anstream::stderr();
    let environment = &crate::config::process_environment;
    impact(arguments, environment, &mut input, &mut out, &mut err)
}

/// Replays, writes what would change to `to` and what is wrong to `faults_to`, and gives the exit code.
///
/// # Errors
/// An IO error when a file of records cannot be read, or what was found cannot be written.
pub fn impact(
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
    let on_unsupported = around.as_ref().map_or(OnUnsupported::Reject, |around| {
        around.sources.on_unsupported
    });
    let nowhere = NamedLocations::default();
    let locations = around.as_ref().map_or(&nowhere, |around| &around.locations);
    let (mut policies, faults) = policies_at(&arguments.policies, on_unsupported, locations);
    let is_bad = faults.has_errors();
    check::write_faults(&faults.sorted(), faults_to)?;
    if is_bad {
        return Ok(EXIT_DATA);
    }
    if arguments.enforce_report_only {
        policies.iter_mut().for_each(enforce);
    }
    let policies = PolicySet::compile(policies, locations);
    let sources = match lines::open(&arguments.records, input) {
        Ok(sources) => sources,
        Err(fault) => {
            check::write_faults(&[fault], faults_to)?;
            return Ok(EXIT_DATA);
        }
    };
    let mut progress = Progress::of(&sources);
    let tally = replay::replay(sources, &policies, &mut progress)?;
    let found = Found {
        tally: &tally,
        policies: &policies,
        files: &arguments.records,
        folder: &arguments.policies,
        bytes: progress.end(),
        directory: around.as_ref().map(|around| &*around.directory),
        top: arguments.top,
        enforces_report_only: arguments.enforce_report_only,
    };
    if let Some(path) = &arguments.html {
        let page = page::page(&found);
        std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
    }
    match arguments.output {
        Output::Text => found.write_text(to)?,
        Output::Json => found.write_json(to)?,
    }
    Ok(arguments.code(&found))
}

impl Arguments {
    fn code(&self, found: &Found<'_>) -> u8 {
        let tally = found.tally;
        let is_denied = self.deny.iter().any(|deny| match deny {
            Deny::NewlyBlocked => tally.changes.newly_blocked > 0,
            Deny::NewlyAllowed => tally.changes.newly_allowed > 0,
        });
        if tally.replayed() == 0 && tally.not_replayable() > 0 {
            // FAIL-CLOSED: "nothing would change" must not be said where nothing could be looked at.
            EXIT_DATA
        } else if is_denied {
            EXIT_FAILED
        } else {
            EXIT_FINE
        }
    }
}

/// The policies of a folder or file, and what is wrong with them.
fn policies_at(
    path: &Path,
    on_unsupported: OnUnsupported,
    locations: &NamedLocations,
) -> (Vec<Policy>, Faults) {
    let mut policies = Vec::new();
    let (sources, mut faults) = folders::read_path(path);
    for source in sources {
        let (read, found) = read_policies(&source.shown, &source.bytes, on_unsupported);
        policies.extend(read);
        faults.extend(found);
    }
    faults.extend(check_set(&policies, locations));
    if policies.is_empty() && !faults.has_errors() {
        // FAIL-CLOSED: a folder that was mistyped would let everything through.
        faults.push(folders::of_file(path, "holds no policy".to_owned()));
    }
    (policies, faults)
}

/// A policy that is not understood whole is never enforced, here neither.
fn enforce(policy: &mut Policy) {
    if policy.state == PolicyState::EnabledForReportingButNotEnforced && policy.is_understood() {
        policy.state = PolicyState::Enabled;
    }
}
