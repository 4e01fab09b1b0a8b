//! `boomgate signals`: how the sources of signals fare at a running gateway, and what an operator wants with a stream.
//!
//! Never here: a source that looks well because this command did not understand what the gateway said of it.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::management::{Common, Management, printable};
use super::{EXIT_FINE, Output, table};
use crate::types::percent_encoded;

/// Where the management listener lists them.
const SIGNALS: &str = "/signals";

/// The columns, and the members of the gateway's answer that they show.
const COLUMNS: [(&str, &str); 7] = [
    ("NAME", "name"),
    ("DELIVERY", "delivery"),
    ("STATUS", "status"),
    ("LAST HEARD", "lastHeard"),
    ("REQUIRED", "required"),
    ("ISSUER", "issuer"),
    ("FAULTS", "faults"),
];

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the sources of signals and how they fare
    List(Common),
    /// Have the transmitter of a stream send an event that shows that the stream works
    Verify(Stream),
    /// Have the transmitter of a stream hold its events back
    Pause(Stream),
    /// Have the transmitter of a stream go on
    Resume(Stream),
}

/// Which stream.
#[derive(Debug, clap::Args)]
struct Stream {
    /// The stream's name in the configuration
    name: String,
    #[command(flatten)]
    common: Common,
}

/// Asks the gateway, and prints what it says.
///
/// # Errors
/// When a file cannot be used (exit code 65), or the gateway cannot be asked or refuses.
pub(super) fn signals(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (action, name, common) = match arguments.command {
        Command::List(common) => ("list", None, common),
        Command::Verify(Stream { name, common }) => ("verify", Some(name), common),
        Command::Pause(Stream { name, common }) => ("pause", Some(name), common),
        Command::Resume(Stream { name, common }) => ("resume", Some(name), common),
    };
    let sources = common.access.ask(async |gateway| {
        if let Some(name) = &name {
            act(&gateway, name, action).await?;
        }
        sources(&gateway, name.as_deref()).await
    })?;
    print(&sources, common.output)?;
    Ok(ExitCode::from(EXIT_FINE))
}

async fn act(gateway: &Management, name: &str, action: &str) -> anyhow::Result<()> {
    let path = format!("{SIGNALS}/{}/{action}", percent_encoded(name));
    let done = gateway
        .post(&path, &Value::Object(serde_json::Map::new()))
        .await;
    done.with_context(|| format!("stream `{name}`"))
}

/// Every source, or the one of this name.
async fn sources(gateway: &Management, name: Option<&str>) -> anyhow::Result<Vec<Value>> {
    let Value::Array(mut sources) = gateway.get(SIGNALS).await? else {
        bail!("the answer is not a list");
    };
    if let Some(name) = name {
        sources.retain(|source| source.get("name").and_then(Value::as_str) == Some(name));
    }
    Ok(sources)
}

fn print(sources: &[Value], output: Output) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, sources)?;
            writeln!(out)
        }
        Output::Text if sources.is_empty() => {
            writeln!(out, "No source of signals is configured.")
        }
        Output::Text => {
            let mut table = table::table();
            table.add_row(COLUMNS.map(|(title, _)| title));
            for source in sources {
                table.add_row(COLUMNS.map(|(_, member)| text(source, member)));
            }
            table::write_table(table, &mut out)
        }
    }
}

/// A member as text that stays on its line.
fn text(source: &Value, member: &str) -> String {
    match source.get(member) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Bool(is)) => if *is { "yes" } else { "no" }.to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(Value::Array(all)) if all.is_empty() => "-".to_owned(),
        Some(Value::Array(all)) => {
            let all: Vec<_> = all
                .iter()
                .filter_map(Value::as_str)
                .map(printable)
                .collect();
            all.join("; ")
        }
        Some(value) => printable(&value.to_string()),
    }
}
