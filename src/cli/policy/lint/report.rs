//! How findings are told: lines that editors turn into links, or a list. Never here: what is a finding.

use std::io::{self, Write};

use clap::builder::styling::AnsiColor;
use serde::Serialize;

use super::Finding;
use crate::cli::check::write_faults;
use crate::types::{Fault, Severity};

/// For people: each finding with its rule, then how many there are.
pub(super) fn write_text(
    findings: &[Finding],
    policies: usize,
    to: &mut dyn Write,
) -> io::Result<()> {
    let faults: Vec<Fault> = findings
        .iter()
        .map(|finding| Fault {
            message: format!("{} [{}]", finding.fault.message, finding.rule.as_str()),
            ..finding.fault.clone()
        })
        .collect();
    write_faults(&faults, to)?;
    if !faults.is_empty() {
        writeln!(to)?;
    }
    let errors = count(findings, Severity::Error);
    let warnings = count(findings, Severity::Warning);
    let colour = match (errors, warnings) {
        (0, 0) => AnsiColor::Green,
        (0, _) => AnsiColor::Yellow,
        (_, _) => AnsiColor::Red,
    };
    let style = colour.on_default().bold();
    writeln!(
        to,
        "{policies} policies: {style}{errors} errors, {warnings} warnings{style:#}"
    )
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    let of_severity = |finding: &&Finding| finding.fault.severity == severity;
    findings.iter().filter(of_severity).count()
}

/// What `--output json` prints.
#[derive(Serialize)]
struct Report<'a> {
    policies: usize,
    errors: usize,
    warnings: usize,
    findings: &'a [Finding],
}

/// For scripts.
pub(super) fn write_json(
    findings: &[Finding],
    policies: usize,
    to: &mut dyn Write,
) -> io::Result<()> {
    let report = Report {
        policies,
        errors: count(findings, Severity::Error),
        warnings: count(findings, Severity::Warning),
        findings,
    };
    serde_json::to_writer_pretty(&mut *to, &report)?;
    writeln!(to)
}
