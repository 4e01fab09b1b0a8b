//! How an import is told: findings, a line per policy and named location, and what differs.
//!
//! Never here: a file.

use std::io::{self, Write};
use std::sync::Arc;

use clap::builder::styling::AnsiColor;
use serde::Serialize;

use super::changes::Change;
use super::target::Step;
use crate::cli::check::write_faults;
use crate::cli::management::printable;
use crate::cli::policy::document::Kind;
use crate::cli::table::{table, write_table};
use crate::cli::what_if::state_in_words;
use crate::cli::{EXIT_DATA, EXIT_FAILED};
use crate::types::Fault;

/// What came of an import.
pub(super) struct End<'a> {
    pub(super) findings: &'a [Fault],
    pub(super) plan: &'a [Step],
    pub(super) is_written: bool,
    pub(super) is_dry_run: bool,
    pub(super) code: u8,
}

impl End<'_> {
    /// For people.
    pub(super) fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        write_faults(self.findings, to)?;
        let steps = self.plan;
        if !self.findings.is_empty() && !steps.is_empty() {
            writeln!(to)?;
        }
        if !steps.is_empty() {
            let mut lines = table();
            lines.add_row(["ACTION", "KIND", "STATE", "NAME", "FILE"]);
            for step in steps {
                lines.add_row(row(step));
            }
            write_table(lines, to)?;
            writeln!(to)?;
        }
        for step in steps {
            if !step.changes().is_empty() {
                writeln!(to, "{}: differs from the import", step.path.display())?;
                step.changes()
                    .iter()
                    .try_for_each(|change| change.write(to))?;
                writeln!(to)?;
            }
        }
        self.write_summary(to)
    }

    fn write_summary(&self, to: &mut dyn Write) -> io::Result<()> {
        let count = |name| {
            let steps = self.plan.iter();
            steps.filter(|step| step.word() == name).count()
        };
        let counts = format!(
            "{} new, {} changed, {} unchanged",
            count("new"),
            count("changed"),
            count("unchanged")
        );
        let (bad, good) = (
            AnsiColor::Red.on_default().bold(),
            AnsiColor::Green.on_default().bold(),
        );
        match self.code {
            EXIT_DATA => writeln!(
                to,
                "{bad}nothing was written{bad:#}: correct the errors first"
            ),
            EXIT_FAILED => writeln!(
                to,
                "{bad}nothing was written{bad:#} ({counts}): `--force` puts the import in the place of what differs from it"
            ),
            _ if self.is_dry_run => writeln!(to, "nothing was written, as asked: {counts}"),
            _ => writeln!(to, "{good}imported{good:#}: {counts}"),
        }
    }

    /// For scripts.
    pub(super) fn write_json(&self, to: &mut dyn Write) -> io::Result<()> {
        let report = Report {
            findings: self.findings,
            written: self.is_written,
            policies: self.of_kind(Kind::Policy),
            named_locations: self.of_kind(Kind::NamedLocation),
        };
        serde_json::to_writer_pretty(&mut *to, &report)?;
        writeln!(to)
    }

    fn of_kind(&self, kind: Kind) -> Vec<Line<'_>> {
        let steps = self.plan.iter();
        steps
            .filter(|step| step.kind == kind)
            .map(|step| Line {
                action: step.word(),
                id: &step.id,
                display_name: &step.display_name,
                state: step.state.map(crate::policy::PolicyState::as_str),
                file: step.path.display().to_string(),
                not_understood: &step.not_understood,
                changes: step.changes(),
            })
            .collect()
    }
}

fn row(step: &Step) -> [String; 5] {
    let kind = match step.kind {
        Kind::Policy => "policy",
        Kind::NamedLocation => "named location",
    };
    [
        step.word().to_owned(),
        kind.to_owned(),
        step.state.map_or("-", state_in_words).to_owned(),
        printable(&step.display_name),
        step.path.display().to_string(),
    ]
}

/// What `--output json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    findings: &'a [Fault],
    written: bool,
    policies: Vec<Line<'a>>,
    named_locations: Vec<Line<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    action: &'static str,
    id: &'a str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    file: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_understood: &'a [Arc<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [Change],
}
