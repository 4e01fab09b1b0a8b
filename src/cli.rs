//! Room 14: the command line. Arguments in, exit code out; each command is a file of its own.
//!
//! Exit codes: 0 fine, 1 ran and failed, 2 wrong usage, 65 bad input data, 78 bad configuration.

pub mod check;
pub mod demo;
pub mod detect;
mod explain;
pub mod impact;
pub mod management;
mod markup;
pub mod policy;
mod records;
mod risk;
pub mod run;
mod signals;
mod table;
pub mod test;
pub mod what_if;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{self, sidecar::ENVIRONMENT};
use crate::decision::supposed::SupposedError;

/// Fine.
pub const EXIT_FINE: u8 = 0;
/// Ran and failed.
pub const EXIT_FAILED: u8 = 1;
/// Wrong usage.
pub const EXIT_USAGE: u8 = 2;
/// Bad input data (`EX_DATAERR` of BSD's `sysexits`).
pub const EXIT_DATA: u8 = 65;
/// Bad configuration (`EX_CONFIG` of BSD's `sysexits`).
pub const EXIT_CONFIGURATION: u8 = 78;

/// Judges every call of an AI agent by Conditional Access policy, and forwards or blocks it.
#[derive(Debug, Parser)]
#[command(
    name = "boomgate",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine: a gateway, an issuer, two sample APIs, policies and agents
    Demo(demo::Arguments),
    /// Run the gateway
    Run(run::Arguments),
    /// Name all faults of a configuration and of the policies, agents and keys that it names
    Check {
        /// The configuration; without it, that of a sidecar, from environment variables
        #[arg(long, value_name = "FILE", env = "BOOMGATE_CONFIG", default_value = ENVIRONMENT)]
        config: PathBuf,
        /// How to print the result
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Say which policies would apply to a call, why each other would not, and what would come of it
    WhatIf(Box<what_if::Arguments>),
    /// Say what other policies would have made of calls that were recorded
    Impact(Box<impact::Arguments>),
    /// Say what detections would have found in calls that were recorded
    Detect(detect::Arguments),
    /// Run policy tests that are written as data
    Test(test::Arguments),
    /// Bring policies from Microsoft Graph's exports into a folder
    Policy(policy::Arguments),
    /// Explain one decision, or why an agent has its level of risk, on a running gateway
    Explain(explain::Arguments),
    /// List risky agents, and confirm or dismiss their risk, on a running gateway
    Risk(risk::Arguments),
    /// List the sources of signals, and verify, pause or resume a stream, on a running gateway
    Signals(signals::Arguments),
    /// Print the JSON Schema of the configuration
    Schema,
}

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For scripts
    Json,
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    let plain = run::plain(&given, config::is_in_environment);
    let command = plain.map_or_else(|| Arguments::parse().command, Command::Run);
    let done = match command {
        Command::Demo(arguments) => demo::demo(arguments),
        Command::Run(arguments) => run::run(&arguments.config),
        Command::Check { config, output } => check(&config, output),
        Command::WhatIf(arguments) => what_if(&arguments),
        Command::Impact(arguments) => impact::main(&arguments).map(ExitCode::from),
        Command::Detect(arguments) => detect::detect(&arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Policy(arguments) => policy::policy(&arguments),
        Command::Test(arguments) => test(&arguments),
        Command::Risk(arguments) => risk::risk(arguments),
        Command::Signals(arguments) => signals::signals(arguments),
        Command::Schema => print_schema(),
    };
    done.unwrap_or_else(|fault| {
        if is_broken_pipe(&fault) {
            return ExitCode::from(EXIT_FINE);
        }
        // With a closed standard error there is nobody left to tell.
        let _told = writeln!(anstream::stderr().lock(), "boomgate: {fault:#}");
        ExitCode::from(code_of(&fault))
    })
}

/// What was asked for makes no sense, in a way that the parser of arguments does not see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

fn code_of(fault: &anyhow::Error) -> u8 {
    if fault.is::<UsageError>() {
        EXIT_USAGE
    } else if fault.is::<SupposedError>() || fault.is::<management::InputError>() {
        EXIT_DATA
    } else {
        EXIT_FAILED
    }
}

/// Whoever reads standard output has read enough: `boomgate check … | head`.
fn is_broken_pipe(fault: &anyhow::Error) -> bool {
    let fault = fault.downcast_ref::<std::io::Error>();
    fault.is_some_and(|fault| fault.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Writes what was found to standard output.
fn check(path: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let code = check::check(path, &config::process_environment, output, &mut out)?;
    Ok(ExitCode::from(code))
}

/// Writes the answer to standard output, and what is wrong with the configuration to standard error.
fn what_if(arguments: &what_if::Arguments) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    let environment = &config::process_environment;
    let code = what_if::what_if(arguments, environment, &mut out, &mut err)?;
    Ok(ExitCode::from(code))
}

/// Writes the results to standard output, and what is wrong with files to standard error.
fn test(arguments: &test::Arguments) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    let environment = &config::process_environment;
    let code = test::test(arguments, environment, &mut out, &mut err)?;
    Ok(ExitCode::from(code))
}

fn print_schema() -> anyhow::Result<ExitCode> {
    anstream::stdout()
        .lock()
        .write_all(config::schema::shipped().as_bytes())?;
    Ok(ExitCode::from(EXIT_FINE))
}

/// The runtime of the control side; calls are served by threads of their own.
fn control_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
