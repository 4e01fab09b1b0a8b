//! `boomgate run`: the gateway, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

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
        let app = App::start(path, process_environment, &loaded).context("starting")?;
        for (name, address) in app.listeners() {
            tracing::info!(listener = %name, %address, "listening");
        }
        tracing::info!(listener = "management", address = %app.management(), "listening");
        wait_for_stop().await?;
        tracing::info!("draining");
        app.stop().await.context("stopping")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn wait_for_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("hearing SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("hearing SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
