//! `boomgate run`: the gateway, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{EXIT_CONFIGURATION, check};
use crate::app::App;
use crate::config::{self, process_environment};
use crate::telemetry::logging;

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
        let app = App::start(path, process_environment, &loaded).context("starting")?;
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
