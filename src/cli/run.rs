//! `boomgate run`: the gateway, until it is told to stop.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{EXIT_CONFIGURATION, check};
use crate::app::App;
use crate::config::sidecar::ENVIRONMENT;
use crate::config::{self, process_environment};
use crate::telemetry::logging;

/// What it runs with.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration; without it, that of a sidecar, from environment variables
    #[arg(long, value_name = "FILE", env = "BOOMGATE_CONFIG", default_value = ENVIRONMENT)]
    pub(super) config: PathBuf,
}

/// The same where nothing else is given than what a gateway is started with in production. The parser of arguments would bring more
/// than a megabyte of code into memory, which a process that goes on running never gives back: `docs/sidecar.md`.
pub(super) fn plain(given: &[OsString], is_set: impl Fn(&str) -> bool) -> Option<Arguments> {
    let config = match given {
        [run] if run == "run" && !is_set("BOOMGATE_CONFIG") => PathBuf::from(ENVIRONMENT),
        [run, option, file] if run == "run" && option == "--config" && is_name(file) => file.into(),
        _ => return None,
    };
    Some(Arguments { config })
}

/// Whether nobody could take it for an option.
fn is_name(file: &OsStr) -> bool {
    let first = file.as_encoded_bytes().first();
    first.is_some_and(|first| *first != b'-')
}

/// Runs the gateway of this configuration. SIGTERM and SIGINT drain it; SIGHUP reloads it.
///
/// # Errors
/// When it cannot start, or does not end well. A bad configuration is exit code 78.
pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let (loaded, faults) = config::load(path, &process_environment);
    check::write_faults(&faults.sorted(), &mut anstream::stderr().lock())?;
    let Some(loaded) = loaded else {
        return Ok(ExitCode::from(EXIT_CONFIGURATION));
    };
    logging::init(&loaded.settings.log).context("starting the log")?;
    let runtime = super::control_runtime()?;
    runtime.block_on(async {
        let mut stop = StopSignals::hear()?;
        let app = App::start(path, process_environment, loaded).context("starting")?;
        for (name, address) in app.listeners() {
            if app.listens_at_once(name) {
                tracing::info!(listener = %name, %address, "listening");
            }
        }
        tracing::info!(listener = "management", address = %app.management(), "listening");
        stop.wait().await;
        tracing::info!("draining");
        app.stop().await.context("stopping")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// SIGINT and SIGTERM, heard from its making on.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Hears them. Make it before anything starts: a process that does not hear a signal is ended by it at once.
    pub(super) fn hear() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("hearing SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("hearing SIGINT")?,
        })
    }

    /// Waits for one of them.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Arguments as All, Command};

    #[test]
    fn what_is_read_plainly_is_read_as_by_the_parser() {
        for given in [
            &["run"][..],
            &["run", "--config", "gateway.yaml"],
            &["run", "--config", "@environment"],
            &["run", "--config", ""],
            &["run", "--config", "--help"],
            &["run", "--config", "-"],
            &["run", "--config"],
            &["run", "--help"],
            &["run", "gateway.yaml"],
            &["run", "--config", "one", "--config"],
            &["check"],
            &[],
        ] {
            let words: Vec<OsString> = given.iter().map(Into::into).collect();
            let Some(plain) = plain(&words, |_| false) else {
                continue;
            };
            let all = All::try_parse_from(["boomgate"].iter().chain(given)).unwrap();
            let Command::Run(parsed) = all.command else {
                panic!("{given:?} is another command");
            };
            assert_eq!(plain.config, parsed.config, "{given:?}");
        }
        let of = |given: &[&str], is_set: bool| {
            let words: Vec<OsString> = given.iter().map(Into::into).collect();
            plain(&words, |_| is_set).map(|plain| plain.config)
        };
        assert_eq!(of(&["run"], false), Some(PathBuf::from(ENVIRONMENT)));
        assert_eq!(of(&["run"], true), None);
        let file = &["run", "--config", "a.yaml"];
        assert_eq!(of(file, true), Some(PathBuf::from("a.yaml")));
    }
}
