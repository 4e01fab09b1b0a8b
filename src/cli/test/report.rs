//! How results are told: failures with what was found in place of what was expected, then what no test reached.
//!
//! Never here: whether a test holds.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::builder::styling::AnsiColor;
use serde::Serialize;

use super::case::{Difference, Ran, Seen};
use super::coverage::Row;
use crate::cli::management::printable;
use crate::cli::table::{align_right, table, write_table};
use crate::cli::what_if::state_in_words;

/// For people.
pub(super) fn write_text(ran: &[Ran], rows: &[Row], to: &mut dyn Write) -> io::Result<()> {
    for one in ran.iter().filter(|one| !one.holds()) {
        write_failure(one, to)?;
        writeln!(to)?;
    }
    write_files(ran, to)?;
    writeln!(to)?;
    write_coverage(rows, to)?;
    let failed = ran.iter().filter(|one| !one.holds()).count();
    let (style, word) = if failed == 0 {
        (AnsiColor::Green.on_default().bold(), "hold")
    } else {
        (AnsiColor::Red.on_default().bold(), "do not hold")
    };
    let count = if failed == 0 { ran.len() } else { failed };
    writeln!(to, "{style}{count} of {} tests {word}{style:#}", ran.len())
}

fn write_failure(one: &Ran, to: &mut dyn Write) -> io::Result<()> {
    let bad = AnsiColor::Red.on_default().bold();
    let (gone, new) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    writeln!(
        to,
        "{}:{}: {bad}fails{bad:#}: {}",
        one.file,
        one.line,
        printable(&one.name)
    )?;
    let seen = match &one.seen {
        Ok(seen) => seen,
        Err(reason) => {
            return writeln!(to, "  cannot be asked: {}", printable(&reason.to_string()));
        }
    };
    writeln!(to, "  {}", printable(&seen.question))?;
    for difference in &one.differences {
        let Difference {
            of,
            expected,
            found,
        } = difference;
        writeln!(to, "  {}", printable(of))?;
        if let Some(expected) = expected {
            writeln!(to, "    {gone}- {}{gone:#}", printable(expected))?;
        }
        if let Some(found) = found {
            writeln!(to, "    {new}+ {}{new:#}", printable(found))?;
        }
    }
    writeln!(to, "  what each policy says:")?;
    let mut lines = table();
    for said in &seen.policies {
        let applies = if said.why.applies() {
            "applies".to_owned()
        } else {
            format!("does not: {}", said.why.as_str())
        };
        lines.add_row([
            format!("    {}", printable(&said.display_name)),
            state_in_words(said.state).to_owned(),
            applies,
            said.outcome.as_str().to_owned(),
        ]);
    }
    write_table(lines, to)
}

fn write_files(ran: &[Ran], to: &mut dyn Write) -> io::Result<()> {
    let mut files: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in ran {
        let counts = files.entry(&one.file).or_default();
        if one.holds() {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
    let mut lines = table();
    lines.add_row(["FILE", "HOLD", "FAIL"]);
    for (file, (hold, fail)) in files {
        lines.add_row([file, &hold.to_string(), &fail.to_string()]);
    }
    align_right(&mut lines, 1);
    align_right(&mut lines, 2);
    write_table(lines, to)
}

fn write_coverage(rows: &[Row], to: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut lines = table();
    lines.add_row(["POLICY", "STATE", "TESTS", "NO TEST SHOWS"]);
    for row in rows {
        let unreached = if row.tests == 0 {
            "that it applies".to_owned()
        } else if row.unreached.is_empty() {
            "-".to_owned()
        } else {
            row.unreached.join(", ")
        };
        lines.add_row([
            printable(&row.display_name),
            state_in_words(row.state).to_owned(),
            row.tests.to_string(),
            unreached,
        ]);
    }
    align_right(&mut lines, 2);
    write_table(lines, to)?;
    writeln!(to)
}

/// What `--output json` prints.
#[derive(Serialize)]
struct Report<'a> {
    tests: usize,
    failed: usize,
    results: Vec<Line<'a>>,
    coverage: &'a [Row],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    file: &'a str,
    line: u32,
    name: &'a str,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cannot_be_asked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differences: &'a [Difference],
    /// What each policy says, where the test does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<PolicyLine<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyLine<'a> {
    id: &'a str,
    display_name: &'a str,
    state: &'static str,
    policy_applies: bool,
    analysis_reasons: &'static str,
    result: &'static str,
}

/// For scripts.
pub(super) fn write_json(ran: &[Ran], rows: &[Row], to: &mut dyn Write) -> io::Result<()> {
    let results = ran.iter().map(|one| Line {
        file: &one.file,
        line: one.line,
        name: &one.name,
        holds: one.holds(),
        cannot_be_asked: one.seen.as_ref().err().map(ToString::to_string),
        reason: one.seen.as_ref().ok().map(|seen| seen.reason.as_str()),
        differences: &one.differences,
        policies: match &one.seen {
            Ok(seen) if !one.holds() => policy_lines(seen),
            Ok(_) | Err(_) => Vec::new(),
        },
    });
    let report = Report {
        tests: ran.len(),
        failed: ran.iter().filter(|one| !one.holds()).count(),
        results: results.collect(),
        coverage: rows,
    };
    serde_json::to_writer_pretty(&mut *to, &report)?;
    writeln!(to)
}

fn policy_lines(seen: &Seen) -> Vec<PolicyLine<'_>> {
    let policies = seen.policies.iter();
    policies
        .map(|said| PolicyLine {
            id: &said.id,
            display_name: &said.display_name,
            state: said.state.as_str(),
            policy_applies: said.why.applies(),
            analysis_reasons: said.why.as_str(),
            result: said.outcome.as_str(),
        })
        .collect()
}
