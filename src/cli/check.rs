//! `boomgate check`: every fault of a configuration and of the files that it names, and what it amounts to.
//!
//! It loads by the same function as the gateway. Never here: a network, and a secret.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{EXIT_CONFIGURATION, EXIT_FINE, Output};
use crate::config::excerpt::excerpt;
use crate::config::{Environment, Loaded, load};
use crate::policy::PolicyState;
use crate::types::{Fault, Severity, text};

/// Checks the configuration at `path`, writes what was found to `to`, and gives the exit code: 0, or 78 if there is an error.
/// The text has colours; the writer leaves them out where nobody sees them (`anstream`).
///
/// # Errors
/// When `to` cannot be written to.
pub fn check(
    path: &Path,
    environment: Environment<'_>,
    output: Output,
    to: &mut dyn Write,
) -> io::Result<u8> {
    let (loaded, faults) = load(path, environment);
    let faults = faults.sorted();
    let summary = loaded.as_ref().map(Summary::of);
    match output {
        Output::Json => {
            let report = Report {
                faults: &faults,
                summary,
            };
            serde_json::to_writer_pretty(&mut *to, &report)?;
            writeln!(to)?;
        }
        Output::Text => {
            write_faults(&faults, to)?;
            match &summary {
                Some(summary) => summary.write(path, to)?,
                None => {
                    let errors = faults
                        .iter()
                        .filter(|f| f.severity == Severity::Error)
                        .count();
                    writeln!(to, "{}: {errors} to be corrected", path.display())?;
                }
            }
        }
    }
    Ok(match loaded {
        Some(_) => EXIT_FINE,
        None => EXIT_CONFIGURATION,
    })
}

/// What `--output json` prints.
#[derive(Serialize)]
struct Report<'a> {
    faults: &'a [Fault],
    summary: Option<Summary>,
}

fn colour(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}

/// Each fault as a line that editors turn into a link, then the line of the file with a caret.
pub(super) fn write_faults(faults: &[Fault], to: &mut dyn Write) -> io::Result<()> {
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for fault in faults {
        let style = colour(fault.severity);
        let line = fault.to_string();
        let word = match fault.severity {
            Severity::Error => "error:",
            Severity::Warning => "warning:",
        };
        match line.split_once(word) {
            Some((place, rest)) => writeln!(to, "{place}{style}{word}{style:#}{rest}")?,
            None => writeln!(to, "{line}")?,
        }
        let text = texts
            .entry(&fault.file)
            .or_insert_with(|| read_text(&fault.file));
        if let Some(excerpt) = text.as_deref().and_then(|text| excerpt(text, fault)) {
            let number = fault.line.to_string();
            let margin = " ".repeat(number.len());
            let blank = " ".repeat(excerpt.before);
            writeln!(to, "  {number} | {}", excerpt.line)?;
            writeln!(to, "  {margin} | {blank}{style}^{style:#}")?;
        }
    }
    Ok(())
}

fn read_text(file: &str) -> Option<String> {
    let bytes = std::fs::read(file).ok()?;
    text::decode(&bytes).ok().map(Cow::into_owned)
}

/// What a configuration amounts to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    generation: Arc<str>,
    listeners: Vec<ListenerLine>,
    resources: Vec<ResourceLine>,
    issuers: Vec<Arc<str>>,
    policies: PolicyCounts,
    directory: DirectoryCounts,
    risky_agents: usize,
}

#[derive(Debug, Serialize)]
struct ListenerLine {
    name: Arc<str>,
    address: String,
    tls: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLine {
    name: String,
    app_id: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyCounts {
    enabled: usize,
    enabled_for_reporting_but_not_enforced: usize,
    disabled: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryCounts {
    blueprints: usize,
    agent_identities: usize,
    agent_users: usize,
}

impl Summary {
    fn of(loaded: &Loaded) -> Self {
        let settings = &loaded.settings;
        let state = |state| {
            loaded
                .policies
                .iter()
                .filter(|policy| policy.state == state)
                .count()
        };
        let listeners = settings.listeners.iter().map(|listener| ListenerLine {
            name: Arc::clone(&listener.name),
            address: listener.address.to_string(),
            tls: listener.tls.is_some(),
        });
        let resources = settings.resources.iter().map(|resource| ResourceLine {
            name: resource.name.to_string(),
            app_id: resource.app_id.to_string(),
        });
        let directory = &loaded.directory;
        Self {
            generation: Arc::clone(&loaded.generation),
            listeners: listeners.collect(),
            resources: resources.collect(),
            issuers: settings
                .issuers
                .iter()
                .map(|issuer| Arc::clone(&issuer.name))
                .collect(),
            policies: PolicyCounts {
                enabled: state(PolicyState::Enabled),
                enabled_for_reporting_but_not_enforced: state(
                    PolicyState::EnabledForReportingButNotEnforced,
                ),
                disabled: state(PolicyState::Disabled),
            },
            directory: DirectoryCounts {
                blueprints: directory.blueprints().count(),
                agent_identities: directory.agents().count(),
                agent_users: directory.agent_users().count(),
            },
            risky_agents: loaded.risk.len(),
        }
    }

    fn write(&self, path: &Path, to: &mut dyn Write) -> io::Result<()> {
        let listeners = self.listeners.iter().map(|listener| {
            let scheme = if listener.tls { "https" } else { "http" };
            format!("{} ({scheme}://{})", listener.name, listener.address)
        });
        let resources = self.resources.iter().map(|resource| resource.name.clone());
        let policies = [
            format!("{} enforced", self.policies.enabled),
            format!(
                "{} report-only",
                self.policies.enabled_for_reporting_but_not_enforced
            ),
            format!("{} disabled", self.policies.disabled),
        ];
        let directory = [
            format!("{} blueprints", self.directory.blueprints),
            format!("{} agent identities", self.directory.agent_identities),
            format!("{} agent users", self.directory.agent_users),
        ];
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .add_row(["listeners", &join(listeners)])
            .add_row(["resources", &join(resources)])
            .add_row([
                "issuers",
                &join(self.issuers.iter().map(ToString::to_string)),
            ])
            .add_row(["policies", &join(policies)])
            .add_row(["directory", &join(directory)])
            .add_row(["risky agents", &self.risky_agents.to_string()])
            .add_row(["generation", &self.generation]);
        let good = AnsiColor::Green.on_default().bold();
        writeln!(to, "{}: {good}fine{good:#}", path.display())?;
        for line in table.lines() {
            writeln!(to, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn join(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    items.join(", ")
}
