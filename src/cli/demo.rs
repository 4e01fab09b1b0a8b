//! `boomgate demo`: everything on one machine, with commands to try and a line per decision.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::sync::broadcast::error::RecvError;

use super::run::wait_for_stop;
use crate::app::AppError;
use crate::demo::{self, Demo, DemoError};
use crate::listener::ListenError;

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
    let runtime = super::control_runtime()?;
    runtime.block_on(async {
        let mut out = anstream::stdout().lock();
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (gateway, management) = (
            loopback(arguments.port),
            loopback(arguments.management_port),
        );
        let dir = arguments.dir.unwrap_or_else(demo::fresh_folder);
        let started = Demo::start(dir, gateway, management).await;
        let demo = started.map_err(explain_taken_port)?;
        demo::guide::print(&mut out, &demo)?;
        let mut decisions = demo.app().decisions();
        let stop = wait_for_stop();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                stopped = &mut stop => break stopped?,
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
