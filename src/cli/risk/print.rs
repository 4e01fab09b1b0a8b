//! How `boomgate risk` prints agents: a table for people, Graph's objects for scripts.

use std::cmp::Reverse;
use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::cli::Output;
use crate::cli::management::printable;
use crate::types::{AgentId, RiskLevel, RiskState};

/// The columns, and the members of Graph's `riskyAgent` that they show.
const COLUMNS: [(&str, &str); 7] = [
    ("ID", "id"),
    ("NAME", "agentDisplayName"),
    ("KIND", "identityType"),
    ("LEVEL", "riskLevel"),
    ("STATE", "riskState"),
    ("DETAIL", "riskDetail"),
    ("LAST MODIFIED", "riskLastModifiedDateTime"),
];

/// What one agent on its own shows beside the columns.
const FURTHER: [(&str, &str); 2] = [("BLUEPRINT", "blueprintId"), ("ENABLED", "isEnabled")];

/// Prints agents, the risky ones first. As JSON they are one Graph list, which `risk.file` of a configuration reads.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn list(agents: &[Value], output: Output) -> io::Result<()> {
    let mut agents: Vec<&Value> = agents.iter().collect();
    agents.sort_by_key(|agent| (Reverse(risk(agent)), text(agent, "id")));
    let mut out = anstream::stdout().lock();
    match output {
        Output::Json => write_json(&List { value: &agents }, &mut out),
        Output::Text if agents.is_empty() => writeln!(out, "No risk was reported of any agent."),
        Output::Text => write_table(&agents, &mut out),
    }
}

/// Prints whose tokens were revoked.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn revoked(ids: &[AgentId], output: Output) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Json => write_json(&Revoked { revoked: ids }, &mut out),
        Output::Text => {
            for id in ids {
                let id = printable(id.as_str());
                writeln!(out, "{id}: tokens issued before now are refused")?;
            }
            Ok(())
        }
    }
}

/// Prints one agent.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn one(agent: &Value, output: Output) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Json => write_json(agent, &mut out),
        Output::Text => {
            let mut table = plain_table();
            for (title, member) in COLUMNS.into_iter().chain(FURTHER) {
                table.add_row([title.to_lowercase(), text(agent, member)]);
            }
            for line in table.lines() {
                writeln!(out, "{}", line.trim_end())?;
            }
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    value: &'a [&'a Value],
}

#[derive(Serialize)]
struct Revoked<'a> {
    revoked: &'a [AgentId],
}

fn write_json(value: &impl Serialize, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, value)?;
    writeln!(to)
}

/// A line per agent below the titles, in the colour of its risk. The writer leaves colours out where nobody sees them.
fn write_table(agents: &[&Value], to: &mut dyn Write) -> io::Result<()> {
    let mut table = plain_table();
    table.add_row(COLUMNS.map(|(title, _)| title));
    for agent in agents {
        table.add_row(COLUMNS.map(|(_, member)| text(agent, member)));
    }
    let styles = agents.iter().map(|agent| style(agent));
    let styles = std::iter::once(Style::new().bold()).chain(styles);
    for (line, style) in table.lines().zip(styles) {
        writeln!(to, "{style}{}{style:#}", line.trim_end())?;
    }
    Ok(())
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A member as text that stays on its line.
fn text(agent: &Value, member: &str) -> String {
    match agent.get(member) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(value) => printable(&value.to_string()),
    }
}

/// Whether there is a risk that counts now, and which, as far as it is known.
fn risk(agent: &Value) -> (bool, Option<RiskLevel>) {
    let member = |name| agent.get(name).and_then(Value::as_str);
    let level = member("riskLevel").and_then(RiskLevel::parse);
    let state = member("riskState").and_then(RiskState::parse);
    // FAIL-CLOSED: a level or state that is withheld, or that a newer gateway names, is shown among the risky.
    let counts = state.is_none_or(RiskState::level_counts) && level != Some(RiskLevel::None);
    (counts, level)
}

fn style(agent: &Value) -> Style {
    match risk(agent) {
        (false, _) | (true, Some(RiskLevel::None | RiskLevel::Low)) => Style::new(),
        (true, Some(RiskLevel::Medium) | None) => AnsiColor::Yellow.on_default(),
        (true, Some(RiskLevel::High)) => AnsiColor::Red.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(id: &str, level: &str, state: &str) -> Value {
        json!({"id": id, "riskLevel": level, "riskState": state})
    }

    #[test]
    fn what_counts_comes_before_what_does_not_and_the_highest_first() {
        let ordered = [
            agent("e", "high", "atRisk"),
            agent("d", "medium", "confirmedCompromised"),
            agent("c", "low", "inventedLater"),
            agent("b", "hidden", "atRisk"),
            agent("a", "high", "dismissed"),
            agent("A", "none", "atRisk"),
        ];
        assert!(ordered.is_sorted_by_key(|agent| Reverse(risk(agent))));
        let counts = ordered.iter().map(|agent| risk(agent).0);
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [true, true, true, true, false, false]
        );
    }

    #[test]
    fn a_name_stays_in_its_cell() {
        let mut odd = agent("a", "high", "atRisk");
        odd["agentDisplayName"] = json!("x\n\u{1b}[2Jy");
        let mut out = Vec::new();
        write_table(&[&odd], &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(out.contains("x\u{FFFD}\u{FFFD}[2Jy"), "{out}");
    }
}
