//! `boomgate detect replay`: what the gateway's detections would have found in calls that were recorded.
//!
//! Records are streamed through the gateway's own detector, in their order, so memory grows with agents and not with
//! calls. Never here: a rule, and a record that is passed over without being counted.

mod report;
mod tally;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use self::report::Found;
use self::tally::Tally;
use super::records::lines::{self, Block};
use super::records::progress::Progress;
use super::{EXIT_CONFIGURATION, EXIT_DATA, EXIT_FINE, Output, check};
use crate::config::{Environment, surroundings};
use crate::detection::{DetectionSettings, Detector};
use crate::record::replay::NotReplayable;
use crate::record::{Observed, ObservedReader};

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what detections would have found in calls that were recorded
    Replay(Box<Replay>),
}

/// What to replay, and how to look at it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "Files are read in the order in which they are given, which is to be that of time. An agent is only \
watched for as long as `detections.learning` says, so records of some weeks tell more than those of a day. \
Exit codes: 0 done, whatever was found; 65 records that cannot be read, or none that tells of a call; 78 bad configuration."
)]
pub struct Replay {
    /// Files of records, plain or compressed with gzip, oldest first; `-` is standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub records: Vec<PathBuf>,
    /// A configuration, for its section `detections`; without one, its defaults hold
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How many agents are listed
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub top: usize,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Writes what was found to standard output, and progress to a terminal on standard error.
///
/// # Errors
/// As [`replay`].
pub(super) fn detect(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Command::Replay(arguments) = &arguments.command;
    let mut input = std::io::stdin().lock();
    let mut out = anstream::stdout().lock();
    // Not locked: progress goes there as well.
    let mut err = anstream::stderr();
    let environment = &crate::config::process_environment;
    let code = replay(arguments, environment, &mut input, &mut out, &mut err)?;
    Ok(ExitCode::from(code))
}

/// Replays, writes what was found to `to` and what is wrong to `faults_to`, and gives the exit code.
///
/// # Errors
/// An IO error when a file of records cannot be read, or what was found cannot be written.
pub fn replay(
    arguments: &Replay,
    environment: Environment<'_>,
    input: &mut dyn Read,
    to: &mut dyn Write,
    faults_to: &mut dyn Write,
) -> anyhow::Result<u8> {
    let mut settings = DetectionSettings::default();
    if let Some(config) = &arguments.config {
        let (found, faults) = surroundings(config, environment);
        check::write_faults(&faults.sorted(), faults_to)?;
        let Some(found) = found else {
            return Ok(EXIT_CONFIGURATION);
        };
        // Where they are turned off, what they would find is asked all the same.
        settings = found.detections.rules.unwrap_or(settings);
    }
    let sources = match lines::open(&arguments.records, input) {
        Ok(sources) => sources,
        Err(fault) => {
            check::write_faults(&[fault], faults_to)?;
            return Ok(EXIT_DATA);
        }
    };
    let mut progress = Progress::of(&sources);
    let mut look = Look {
        reader: ObservedReader::default(),
        detector: Detector::new(settings),
        tally: Tally::default(),
    };
    for (at, mut source) in sources.into_iter().enumerate() {
        source
            .read(at, |block| {
                progress.show();
                look.at_block(&block);
                true
            })
            .with_context(|| format!("reading {}", source.name))?;
    }
    let found = Found {
        tally: &look.tally,
        settings: &settings,
        holdings: look.detector.holdings(),
        files: &arguments.records,
        bytes: progress.end(),
        top: arguments.top,
    };
    match arguments.output {
        Output::Text => found.write_text(to)?,
        Output::Json => found.write_json(to)?,
    }
    // FAIL-CLOSED: "nothing was found" must not be said where nothing could be looked at.
    let is_blind = look.tally.calls == 0 && look.tally.unreadable > 0;
    Ok(if is_blind { EXIT_DATA } else { EXIT_FINE })
}

/// A replay under way.
struct Look {
    reader: ObservedReader,
    detector: Detector,
    tally: Tally,
}

impl Look {
    fn at_block(&mut self, block: &Block) {
        if block.is_too_long {
            let place = (block.source, block.first_line);
            return self.unreadable("its line is too long for a record".to_owned(), place);
        }
        let lines = block.bytes.split(|byte| *byte == b'\n');
        for (number, line) in (block.first_line..).zip(lines) {
            if !line.trim_ascii().is_empty() {
                self.at_line(line, (block.source, number));
            }
        }
    }

    fn at_line(&mut self, line: &[u8], place: (usize, u64)) {
        self.tally.lines += 1;
        let findings = match self.reader.read(line) {
            Ok(Some(Observed::Call(call))) => {
                self.tally.call(call.at);
                self.detector.called(&call)
            }
            Ok(Some(Observed::Answer(answer))) => self.detector.answered(&answer),
            Ok(None) | Err(NotReplayable::NoDecision) => return,
            Err(fault) => {
                self.tally.lines -= 1;
                return self.unreadable(fault.to_string(), place);
            }
        };
        for finding in findings {
            self.tally.found(finding);
        }
    }

    fn unreadable(&mut self, reason: String, place: (usize, u64)) {
        self.tally.lines += 1;
        self.tally.unreadable += 1;
        self.tally.first_unreadable.get_or_insert((reason, place));
    }
}
