//! `boomgate run`: the gateway, until it is told to stop.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{BAD_CONFIGURATION, check};
use crate::app::{App, AppError};
use crate::config;
use crate::telemetry::logging;

/// Runs the gateway of this configuration. SIGTERM and SIGINT drain it; SIGHUP reloads it.
///
/// # Errors
/// When it cannot start, or does not end well. A bad configuration is exit code 78.
pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let runtime = super::control_runtime()?;
    runtime.block_on(async {
        logging::init(&config::log_settings(path, &config::process_environment))
            .context("starting the log")?;
        let app = match App::start(path, config::process_environment).await {
            Ok(app) => app,
            Err(AppError::Configuration(faults)) => {
                check::print_faults(&mut anstream::stderr().lock(), &faults)?;
                return Ok(ExitCode::from(BAD_CONFIGURATION));
            }
            Err(fault) => return Err(fault).context("starting"),
        };
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
