//! `boomgate demo`: everything on one machine, with commands to try and a line per decision.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::sync::broadcast::error::RecvError;

use super::run::StopSignals;
use crate::app::AppError;
use crate::demo::{self, Demo, DemoError};
use crate::listener::ListenError;
use crate::telemetry::logging::{self, LogSettings};

/// How to start a demo.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to put keys, tokens, policies and records; a new or empty folder [default: a fresh one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The gateway's port on 127.0.0.1
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// The management listener's port on 127.0.0.1
    #[arg(long, default_value_t = 9443)]
    management_port: u16,
}

/// Runs a demo until Ctrl-C.
///
/// # Errors
/// When it cannot start, or does not end well.
pub(super) fn demo(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // Standard output is for decisions; what goes wrong, such as an edit that is not understood, shows beside them.
    let log = LogSettings {
        filter: "warn".to_owned(),
        ..LogSettings::default()
    };
    logging::init(&log).context("starting the log")?;
    let runtime = super::control_runtime()?;
    runtime.block_on(async {
        let mut stop = StopSignals::hear()?;
        let mut out = anstream::stdout().lock();
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (gateway, management) = (
            loopback(arguments.port),
            loopback(arguments.management_port),
        );
        let dir = arguments.dir.unwrap_or_else(demo::fresh_folder);
        let started = Demo::start(dir, gateway, management).await;
        let demo = started.map_err(explain_taken_port)?;
        // Before the guide: a call that follows it at once is shown too.
        let mut decisions = demo.app().decisions();
        demo::guide::print(&mut out, &demo)?;
        loop {
            tokio::select! {
                () = stop.wait() => break,
                line = decisions.recv() => match line {
                    Ok(line) => demo::guide::print_decision(&mut out, &line)?,
                    Err(RecvError::Lagged(missed)) => writeln!(out, "… {missed} decisions more")?,
                    Err(RecvError::Closed) => break,
                },
            }
        }
        writeln!(out, "\nDraining.")?;
        demo.stop().await.context("stopping the demo")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// A second demo beside the first finds its port taken: says how to choose another.
fn explain_taken_port(fault: DemoError) -> anyhow::Error {
    let taken = match &fault {
        DemoError::App(AppError::Listen(ListenError::PortTaken { address, name })) => {
            let option = if name.as_ref() == "management" {
                "--management-port"
            } else {
                "--port"
            };
            Some(format!(
                "port {} is taken, perhaps by another demo; choose another with `{option} PORT`",
                address.port()
            ))
        }
        _ => None,
    };
    let fault = anyhow::Error::new(fault);
    match taken {
        Some(advice) => fault.context(advice),
        None => fault.context("starting the demo"),
    }
}
