//! `boomgate policy`: what is done with files of policies, before a gateway reads them.
//!
//! Each command is a file of its own. Never here: a network, and a verdict on a call.

mod document;
pub mod import;
pub mod lint;
mod names;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::process_environment;

/// Works on files of policies.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring exports of Microsoft Graph into a folder, one tidy file per policy, and say what of them is not honoured
    Import(import::Arguments),
    /// Find policies that never apply, change nothing, lock everybody out or name what is not there
    Lint(lint::Arguments),
}

/// Writes what was found to standard output, and what is wrong with the configuration to standard error.
pub(super) fn policy(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    let code = match &arguments.command {
        Command::Import(arguments) => {
            let mut input = std::io::stdin().lock();
            import::import(
                arguments,
                &process_environment,
                &mut input,
                &mut out,
                &mut err,
            )?
        }
        Command::Lint(arguments) => {
            lint::lint(arguments, &process_environment, &mut out, &mut err)?
        }
    };
    Ok(ExitCode::from(code))
}
