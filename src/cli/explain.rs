//! `boomgate explain`: one decision in words, or why an agent has its level, as a running gateway tells it.
//!
//! An id is asked for among the newest decisions first, then among agents. Never here: a level or a verdict that this
//! command worked out for itself.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use clap::builder::styling::AnsiColor;
use serde_json::Value;

use super::management::{Common, Management, printable};
use super::table::{table, write_table};
use super::{EXIT_FINE, Output};
use crate::types::{AgentId, percent_encoded};

/// What to explain.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The id of a decision (`Boomgate-Decision-Id`), or of an agent identity, an agent user or a blueprint
    #[arg(value_parser = AgentId::parse)]
    id: AgentId,
    #[command(flatten)]
    common: Common,
}

/// What the gateway says.
enum Explained {
    Decision(Value),
    Agent(Value),
}

/// Asks the gateway, and prints what it says.
///
/// # Errors
/// When a file cannot be used (exit code 65), or the gateway cannot be asked, refuses, or knows nothing of the id.
pub(super) fn explain(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { id, common } = arguments;
    let question = async |gateway| ask(&gateway, &id).await;
    let explained = common.access.ask(question)?;
    let mut out = anstream::stdout().lock();
    match (&explained, common.output) {
        (Explained::Decision(value) | Explained::Agent(value), Output::Json) => {
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out)?;
        }
        (Explained::Decision(record), Output::Text) => write_decision(record, &mut out)?,
        (Explained::Agent(agent), Output::Text) => write_agent(agent, &mut out)?,
    }
    Ok(ExitCode::from(EXIT_FINE))
}

async fn ask(gateway: &Management, id: &AgentId) -> anyhow::Result<Explained> {
    let id = percent_encoded(id.as_str());
    let record = format!("/beta/auditLogs/signIns/{id}");
    if let Some(record) = gateway.find(&record).await? {
        return Ok(Explained::Decision(record));
    }
    let agent = format!("/beta/identityProtection/riskyAgents/{id}/boomgate.explain");
    match gateway.find(&agent).await? {
        Some(agent) => Ok(Explained::Agent(agent)),
        None => bail!(
            "the gateway knows no decision and no agent with this id; it remembers the newest decisions only (`records.recent`)"
        ),
    }
}

/// A member as text that stays on its line.
fn text(of: &Value, pointer: &str) -> String {
    match of.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(value) => printable(&value.to_string()),
    }
}

fn items<'a>(of: &'a Value, pointer: &str) -> &'a [Value] {
    let items = of.pointer(pointer).and_then(Value::as_array);
    items.map_or(&[], Vec::as_slice)
}

fn write_agent(agent: &Value, to: &mut dyn Write) -> io::Result<()> {
    let level = text(agent, "/riskLevel");
    let mut head = table();
    head.add_row([
        "agent",
        &format!("{} ({})", text(agent, "/displayName"), text(agent, "/id")),
    ]);
    head.add_row(["kind", &text(agent, "/identityType")]);
    head.add_row(["enabled", &text(agent, "/isEnabled")]);
    head.add_row(["level", &level]);
    write_table(head, to)?;
    writeln!(to)?;
    let subjects = items(agent, "/subjects");
    let mut sources = table();
    sources.add_row([
        "SOURCE",
        "OF",
        "SAYS",
        "STATE",
        "COUNTS AS",
        "AGE",
        "EXPIRES",
    ]);
    let mut any = false;
    for subject in subjects {
        for source in items(subject, "/sources") {
            any = true;
            let counts = match source.get("counts").and_then(Value::as_bool) {
                Some(true) => text(source, "/effectiveRiskLevel"),
                Some(false) | None => "overruled".to_owned(),
            };
            sources.add_row([
                text(source, "/source"),
                text(subject, "/relation"),
                text(source, "/riskLevel"),
                text(source, "/riskState"),
                counts,
                age(source),
                text(source, "/expirationDateTime"),
            ]);
        }
    }
    if any {
        write_table(sources, to)?;
    } else {
        writeln!(
            to,
            "Nothing was ever said of it, nor of anyone that it inherits from."
        )?;
    }
    write_words(subjects, to)?;
    let inherits = agent.get("inherits").and_then(Value::as_bool) == Some(true);
    let rule = if inherits {
        "the highest level that counts, of its own and of those that it inherits from"
    } else {
        "the highest level that counts of its own; nothing is inherited (`evaluation.entra_parity`)"
    };
    let style = match level.as_str() {
        "none" | "low" => AnsiColor::Green.on_default().bold(),
        "medium" | "hidden" => AnsiColor::Yellow.on_default().bold(),
        _ => AnsiColor::Red.on_default().bold(),
    };
    writeln!(to, "\n{style}{level}{style:#}: {rule}")
}

/// What was said of accounts, and why sources said what they said.
fn write_words(subjects: &[Value], to: &mut dyn Write) -> io::Result<()> {
    for subject in subjects {
        let relation = text(subject, "/relation");
        for said in items(subject, "/accounts") {
            let enabled = said.get("accountEnabled").and_then(Value::as_bool);
            let what = if enabled == Some(true) {
                "enabled"
            } else {
                "disabled"
            };
            let (source, at) = (text(said, "/source"), text(said, "/lastModifiedDateTime"));
            writeln!(to, "\naccount {what} by {source} at {at} (of {relation})")?;
        }
        for source in items(subject, "/sources") {
            for detection in items(source, "/detections") {
                let what = text(detection, "/riskEventType");
                let when = text(detection, "/activityDateTime");
                let state = text(detection, "/riskState");
                let evidence = text(detection, "/riskEvidence");
                writeln!(to, "\n{what} at {when} ({state}): {evidence}")?;
            }
        }
    }
    Ok(())
}

/// An age as people say it.
fn age(source: &Value) -> String {
    let seconds = source.get("ageSeconds").and_then(Value::as_u64);
    let Some(seconds) = seconds else {
        return "-".to_owned();
    };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn write_decision(record: &Value, to: &mut dyn Write) -> io::Result<()> {
    let mut head = table();
    let who = ["/userId", "/appId"].map(|at| text(record, at));
    let [user, app] = who;
    let caller = text(record, "/boomgate/caller");
    head.add_row(["decision", &text(record, "/id")]);
    head.add_row(["at", &text(record, "/createdDateTime")]);
    head.add_row([
        "caller",
        &format!(
            "{caller} {} ({app}), account {user}",
            text(record, "/appDisplayName")
        ),
    ]);
    head.add_row([
        "from",
        &format!(
            "{}, {}",
            text(record, "/ipAddress"),
            text(record, "/userAgent")
        ),
    ]);
    let call =
        ["/boomgate/method", "/boomgate/path", "/boomgate/resource"].map(|at| text(record, at));
    head.add_row(["call", &call.join(" ")]);
    head.add_row(["risk", &text(record, "/riskLevelDuringSignIn")]);
    head.add_row(["answer", &text(record, "/boomgate/outcome/status")]);
    write_table(head, to)?;
    let policies = items(record, "/appliedConditionalAccessPolicies");
    if !policies.is_empty() {
        let mut applied = table();
        applied.add_row(["POLICY", "RESULT"]);
        for policy in policies {
            applied.add_row([text(policy, "/displayName"), text(policy, "/result")]);
        }
        writeln!(to)?;
        write_table(applied, to)?;
    }
    let inputs = items(record, "/boomgate/riskInputs");
    if !inputs.is_empty() {
        let mut risk = table();
        risk.add_row(["RISK SOURCE", "OF", "LEVEL", "STATE", "SAID AT"]);
        for input in inputs {
            let is_inherited = input.get("inherited").and_then(Value::as_bool) == Some(true);
            let of = format!(
                "{}{}",
                text(input, "/id"),
                if is_inherited { " (inherited)" } else { "" }
            );
            risk.add_row([
                text(input, "/source"),
                of,
                text(input, "/riskLevel"),
                text(input, "/riskState"),
                text(input, "/riskLastModifiedDateTime"),
            ]);
        }
        writeln!(to)?;
        write_table(risk, to)?;
    }
    let decision = text(record, "/boomgate/decision");
    let style = match decision.as_str() {
        "allow" => AnsiColor::Green.on_default().bold(),
        _ => AnsiColor::Red.on_default().bold(),
    };
    let skipped = text(record, "/boomgate/notAppliedPolicies");
    writeln!(
        to,
        "\n{style}{decision}{style:#} ({}); {skipped} policies did not apply",
        text(record, "/boomgate/reason")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_agent_is_explained_by_every_word_and_what_became_of_it() {
        let agent = json!({"id": "a", "displayName": "hr\u{1b}[2J", "identityType": "agentIdentity", "isEnabled": true,
            "riskLevel": "high", "inherits": true, "subjects": [{"id": "a", "relation": "self", "sources": [
                {"source": "boomgate:tokenReplay", "riskLevel": "high", "riskState": "atRisk", "counts": true,
                 "effectiveRiskLevel": "high", "ageSeconds": 7_200, "expirationDateTime": "2026-10-01T12:00:00Z",
                 "detections": [{"riskEventType": "tokenReplay", "activityDateTime": "t", "riskState": "atRisk",
                                 "riskEvidence": "two places"}]},
                {"source": "file", "riskLevel": "low", "riskState": "atRisk", "counts": false, "ageSeconds": 5,
                 "effectiveRiskLevel": "none", "expirationDateTime": null, "detections": []}]}]});
        let mut out = Vec::new();
        write_agent(&agent, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        for told in [
            "boomgate:tokenReplay  self  high  atRisk  high",
            "2 h",
            "overruled",
            "5 s",
            "two places",
        ] {
            assert!(out.contains(told), "{told} in:\n{out}");
        }
        assert!(!out.contains("\u{1b}[2J"), "it steers no terminal");
    }
}
