//! How an answer is printed: a table and the verdict in words, or Graph's list of results.
//!
//! Never here: a verdict of its own.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::subject::NOBODY;
use super::{Answer, Line};
use crate::cli::table::{table, write_table};
use crate::identity::{Agent, Caller};
use crate::policy::analysis::to_graph;
use crate::policy::{PolicyOutcome, PolicyState};
use crate::types::{Effect, Fact, Reason, RiskLevel};

/// Graph's answer to `conditionalAccess/evaluate`.
#[derive(Serialize)]
struct Collection {
    #[serde(rename = "@odata.context")]
    context: &'static str,
    value: Vec<Map<String, Value>>,
}

/// Writes Graph's list of `whatIfAnalysisResult`.
pub(super) fn write_json(answer: &Answer<'_>, to: &mut dyn Write) -> io::Result<()> {
    let lines = answer.lines.iter();
    let collection = Collection {
        context: "https://graph.microsoft.com/beta/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)",
        value: lines
            .map(|line| to_graph(line.policy, line.reason))
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *to, &collection)?;
    writeln!(to)
}

/// Writes what was asked, as it was understood.
pub(super) fn write_question(
    caller: &Caller,
    call: &Call,
    answer: &Answer<'_>,
    is_assumed: bool,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut table = table();
    table.add_row(["caller", &in_words(caller)]);
    let resource = &call.resource;
    table.add_row([
        "resource",
        &format!("{} ({})", resource.name, resource.app_id),
    ]);
    if let Some((method, path)) = &call.request {
        let operation = &call.operation;
        let name = operation.name().unwrap_or("none that is configured");
        table.add_row(["call", &format!("{method} {path}, operation {name}")]);
        let wanted: Vec<&str> = operation
            .scopes()
            .iter()
            .chain(operation.roles())
            .map(AsRef::as_ref)
            .collect();
        if !wanted.is_empty() {
            let wanted = wanted.join(" or ");
            table.add_row([
                "",
                &format!("its token must have {wanted}, which is not judged here"),
            ]);
        }
    }
    let level = match caller {
        Caller::NotAgent(_) => None,
        Caller::AgentUser { .. } => Some(answer.risk.agent_user),
        Caller::Autonomous(_) | Caller::OnBehalfOf { .. } => Some(answer.risk.agent),
    };
    if let Some(level) = level {
        let source = if is_assumed {
            "assumed"
        } else {
            "what is known, inheritance included"
        };
        table.add_row(["risk", &format!("{} ({source})", risk_in_words(level))]);
    }
    write_table(table, to)?;
    writeln!(to)
}

fn risk_in_words(level: Fact<RiskLevel>) -> &'static str {
    match level {
        Fact::Known(level) => level.as_str(),
        Fact::Unknown => "unknown",
        Fact::RequiredUnknown => "unknown, and required",
    }
}

fn in_words(caller: &Caller) -> String {
    match caller {
        Caller::Autonomous(agent) => agent_in_words(agent),
        Caller::AgentUser { id, entry, agent } => {
            let name = entry.as_ref().map_or("", |user| &user.display_name);
            format!("agent user {name} ({id}) of {}", agent_in_words(agent))
        }
        Caller::OnBehalfOf { human, agent } => {
            let human = human.id.as_ref().map_or("nobody knows", |id| id.as_str());
            format!("{} for the human {human}", agent_in_words(agent))
        }
        Caller::NotAgent(_) => "not an agent".to_owned(),
    }
}

fn agent_in_words(agent: &Agent) -> String {
    let own = match &agent.entry {
        Some(entry) => format!("agent identity {} ({})", entry.display_name, agent.id),
        None if agent.id.as_str() == NOBODY => {
            "an agent identity that does not exist yet".to_owned()
        }
        None => format!(
            "agent identity {}, which the directory does not know",
            agent.id
        ),
    };
    match (&agent.blueprint, &agent.blueprint_entry) {
        (Some(id), Some(entry)) => format!("{own}, blueprint {} ({id})", entry.display_name),
        (Some(id), None) => format!("{own}, blueprint {id}"),
        (None, _) => own,
    }
}

/// Writes what each policy says, and what comes of it.
pub(super) fn write_answer(answer: &Answer<'_>, to: &mut dyn Write) -> io::Result<()> {
    let mut table = table();
    table.add_row(["POLICY", "STATE", "APPLIES", "OUTCOME"]);
    for line in &answer.lines {
        let style = outcome_style(line.result.outcome);
        // Colour only in the last column: the width of the others would count it.
        let outcome = format!("{style}{}{style:#}", line.result.outcome.as_str());
        let name = line.policy.display_name.to_string();
        table.add_row([
            name,
            state_in_words(line.policy.state).to_owned(),
            applies(line),
            outcome,
        ]);
    }
    if !answer.lines.is_empty() {
        write_table(table, to)?;
        writeln!(to)?;
    }
    for line in &answer.lines {
        let model = line.policy.model();
        if !model.is_understood() && line.policy.state != PolicyState::Disabled {
            let members = model.not_understood.join(", ");
            writeln!(
                to,
                "`{}` is never enforced: not honoured of it: {members}",
                model.display_name
            )?;
        }
    }
    let (effect, style) = match answer.reason.effect() {
        Effect::Allow => ("allow", AnsiColor::Green.on_default().bold()),
        Effect::Block => ("block", AnsiColor::Red.on_default().bold()),
    };
    writeln!(
        to,
        "{style}{effect}{style:#} ({}){}",
        answer.reason,
        why(answer)
    )
}

fn applies(line: &Line<'_>) -> String {
    if line.reason.applies() {
        "yes".to_owned()
    } else {
        format!("no: {}", line.reason.as_str())
    }
}

/// The state in the words of `boomgate check`.
pub(in crate::cli) const fn state_in_words(state: PolicyState) -> &'static str {
    match state {
        PolicyState::Enabled => "enforced",
        PolicyState::EnabledForReportingButNotEnforced => "report-only",
        PolicyState::Disabled => "disabled",
    }
}

const fn outcome_style(outcome: PolicyOutcome) -> Style {
    match outcome {
        PolicyOutcome::Failure => AnsiColor::Red.on_default(),
        PolicyOutcome::ReportOnlyFailure
        | PolicyOutcome::ReportOnlyInterrupted
        | PolicyOutcome::Unknown => AnsiColor::Yellow.on_default(),
        PolicyOutcome::Success | PolicyOutcome::ReportOnlySuccess => AnsiColor::Green.on_default(),
        PolicyOutcome::NotApplied
        | PolicyOutcome::NotEnabled
        | PolicyOutcome::ReportOnlyNotApplied => Style::new().dimmed(),
    }
}

/// The reasons that a question can have, in words.
const WORDS: &[(Reason, &str)] = &[
    (
        Reason::NoPolicyBlocked,
        "no enforced policy blocks the agent",
    ),
    (
        Reason::NonAgentForwarded,
        "not an agent, and the resource has `non_agents: forward`",
    ),
    (
        Reason::NotAnAgent,
        "not an agent, and the resource has `non_agents: block`",
    ),
    (Reason::BlockedByPolicy, "policy blocks the agent"),
    (
        Reason::FactsUnavailable,
        "the risk is unknown and required, which counts as met",
    ),
    (
        Reason::AgentDisabled,
        "the agent is disabled in the directory, whatever policies say",
    ),
    (
        Reason::BlueprintDisabled,
        "its blueprint is disabled in the directory, whatever policies say",
    ),
    (
        Reason::AgentUnknown,
        "the directory does not know it, and has `unknown_agents: block`",
    ),
];

/// The reason in words, with the policies that block where it is they who do.
fn why(answer: &Answer<'_>) -> String {
    let words = WORDS.iter().find(|(reason, _)| *reason == answer.reason);
    let words = words.map_or_else(String::new, |(_, words)| format!(": {words}"));
    if !matches!(
        answer.reason,
        Reason::BlockedByPolicy | Reason::FactsUnavailable
    ) {
        return words;
    }
    let lines = answer.lines.iter();
    let failures = lines.filter(|line| line.result.outcome == PolicyOutcome::Failure);
    let names: Vec<_> = failures
        .map(|line| format!("`{}`", line.policy.display_name))
        .collect();
    format!("{words}: {}", names.join(", "))
}
