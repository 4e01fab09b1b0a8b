//! How an answer is printed: a table and the verdict in words, or Graph's list of results.
//!
//! Never here: a verdict of its own.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::management::printable;
use crate::cli::table::{table, write_table};
use crate::decision::supposed::{Said, Verdict};
use crate::policy::{AnalysisReason, PolicyOutcome, PolicyState};
use crate::types::Reason;

/// An answer, whoever gave it.
pub(super) struct Found {
    verdict: Verdict,
    /// Graph's result of each policy, and what else it says; those that are disabled come last.
    results: Vec<(Map<String, Value>, Said)>,
}

/// Graph's answer to `conditionalAccess/evaluate`.
#[derive(Serialize)]
struct Collection<'a> {
    #[serde(rename = "@odata.context")]
    context: &'static str,
    value: Vec<&'a Map<String, Value>>,
}

impl Found {
    pub(super) fn new(verdict: Verdict, mut results: Vec<(Map<String, Value>, Said)>) -> Self {
        results.sort_by_key(|(_, said)| said.state == PolicyState::Disabled.as_str());
        Self { verdict, results }
    }

    /// Writes Graph's list of `whatIfAnalysisResult`.
    pub(super) fn write_json(&self, to: &mut dyn Write) -> io::Result<()> {
        let collection = Collection {
            context: "https://graph.microsoft.com/beta/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)",
            value: self.results.iter().map(|(result, _)| result).collect(),
        };
        serde_json::to_writer_pretty(&mut *to, &collection)?;
        writeln!(to)
    }

    /// Writes what was asked, what each policy says, and what comes of it.
    pub(super) fn write_text(&self, is_risk_assumed: bool, to: &mut dyn Write) -> io::Result<()> {
        self.write_question(is_risk_assumed, to)?;
        if !self.results.is_empty() {
            self.write_policies(to)?;
        }
        self.write_verdict(to)
    }

    /// What was asked, as it was understood.
    fn write_question(&self, is_risk_assumed: bool, to: &mut dyn Write) -> io::Result<()> {
        let asked = &self.verdict;
        let mut table = table();
        table.add_row(["caller", &printable(&asked.caller)]);
        let resource = format!("{} ({})", asked.resource, asked.app_id);
        table.add_row(["resource", &printable(&resource)]);
        if let Some(call) = &asked.call {
            table.add_row(["call", &printable(call)]);
        }
        if !asked.needs_one_of.is_empty() {
            let wanted = asked.needs_one_of.join(" or ");
            let wanted = format!("its token must have {wanted}, which is not judged here");
            table.add_row(["", &printable(&wanted)]);
        }
        if let Some(from) = &asked.from {
            table.add_row(["from", &printable(from)]);
        }
        if let Some(level) = &asked.risk {
            let source = if is_risk_assumed {
                "assumed"
            } else {
                "what is known, inheritance included"
            };
            table.add_row(["risk", &printable(&format!("{level} ({source})"))]);
        }
        write_table(table, to)?;
        writeln!(to)
    }

    fn write_policies(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut table = table();
        table.add_row(["POLICY", "STATE", "APPLIES", "OUTCOME"]);
        for (result, said) in &self.results {
            let style = outcome_style(&said.outcome);
            // Colour only in the last column: the width of the others would count it.
            let outcome = format!("{style}{}{style:#}", printable(&said.outcome));
            table.add_row([
                name_of(result),
                state_of(said),
                printable(&applies(&said.reason)),
                outcome,
            ]);
        }
        write_table(table, to)?;
        writeln!(to)?;
        for (result, said) in &self.results {
            if !said.not_honoured.is_empty() && said.state != PolicyState::Disabled.as_str() {
                let members = printable(&said.not_honoured.join(", "));
                let name = name_of(result);
                writeln!(
                    to,
                    "`{name}` is never enforced: not honoured of it: {members}"
                )?;
            }
        }
        Ok(())
    }

    fn write_verdict(&self, to: &mut dyn Write) -> io::Result<()> {
        let Verdict { effect, reason, .. } = &self.verdict;
        let colour = if effect == "allow" {
            AnsiColor::Green
        } else {
            AnsiColor::Red
        };
        let style = colour.on_default().bold();
        let (effect, reason) = (printable(effect), printable(reason));
        writeln!(to, "{style}{effect}{style:#} ({reason}){}", self.why())
    }

    /// The reason in words, with the policies that block where it is they who do.
    fn why(&self) -> String {
        let reason = &self.verdict.reason;
        let is_it = |known: &Reason| known.as_str() == reason;
        let words = WORDS.iter().find(|(known, _)| is_it(known));
        let words = words.map_or_else(String::new, |(_, words)| format!(": {words}"));
        let of_policy = [Reason::BlockedByPolicy, Reason::FactsUnavailable];
        if !of_policy.iter().any(is_it) {
            return words;
        }
        let fails = |said: &Said| said.outcome == PolicyOutcome::Failure.as_str();
        let failures = self.results.iter().filter(|(_, said)| fails(said));
        let names: Vec<_> = failures
            .map(|(result, _)| format!("`{}`", name_of(result)))
            .collect();
        if names.is_empty() {
            return words;
        }
        format!("{words}: {}", names.join(", "))
    }
}

fn name_of(result: &Map<String, Value>) -> String {
    let name = result.get("displayName").and_then(Value::as_str);
    printable(name.unwrap_or_default())
}

fn state_of(said: &Said) -> String {
    match PolicyState::parse(&said.state) {
        Some(state) => state_in_words(state).to_owned(),
        None => printable(&said.state),
    }
}

fn applies(reason: &str) -> String {
    if reason == AnalysisReason::NotSet.as_str() {
        "yes".to_owned()
    } else {
        format!("no: {reason}")
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

fn outcome_style(outcome: &str) -> Style {
    let known = PolicyOutcome::ALL;
    match known.iter().find(|known| known.as_str() == outcome) {
        Some(PolicyOutcome::Failure) => AnsiColor::Red.on_default(),
        Some(
            PolicyOutcome::ReportOnlyFailure
            | PolicyOutcome::ReportOnlyInterrupted
            | PolicyOutcome::Unknown,
        ) => AnsiColor::Yellow.on_default(),
        Some(PolicyOutcome::Success | PolicyOutcome::ReportOnlySuccess) => {
            AnsiColor::Green.on_default()
        }
        Some(
            PolicyOutcome::NotApplied
            | PolicyOutcome::NotEnabled
            | PolicyOutcome::ReportOnlyNotApplied,
        ) => Style::new().dimmed(),
        None => Style::new(),
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
