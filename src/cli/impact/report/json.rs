//! What was found, as JSON. Never here: counting.

use std::io::{self, Write};

use serde::Serialize;

use super::{Found, Row};
use crate::cli::impact::tally::Examples;
use crate::types::Timestamp;

impl Found<'_> {
    /// For scripts.
    pub(in crate::cli::impact) fn write_json(&self, to: &mut dyn Write) -> io::Result<()> {
        let tally = self.tally;
        let [policies, agents, blueprints, resources] = self.tables().map(|(_, _, rows, _)| rows);
        let refusals = tally.refusals().into_iter();
        let report = Report {
            lines: tally.lines,
            without_decision: tally.without_decision,
            replayed: tally.replayed(),
            not_replayable: refusals
                .map(|(reason, count, place)| Refusal {
                    reason,
                    count,
                    first: self.place(place),
                })
                .collect(),
            first: tally.first,
            last: tally.last,
            allowed_as_before: tally.allowed_as_before,
            blocked_as_before: tally.blocked_as_before,
            newly_blocked: tally.changes.newly_blocked,
            newly_blocked_on_unknown_facts: tally.changes.on_unknown,
            newly_allowed: tally.changes.newly_allowed,
            policies,
            agents,
            blueprints,
            resources,
            examples: ExampleLists {
                newly_blocked: self.shown(&tally.newly_blocked),
                newly_allowed: self.shown(&tally.newly_allowed),
            },
        };
        serde_json::to_writer_pretty(&mut *to, &report)?;
        writeln!(to)
    }

    fn shown<'e>(&self, examples: &'e Examples) -> Vec<ShownExample<'e>> {
        let first = examples.iter().take(self.top);
        first
            .map(|(place, example)| ShownExample {
                created_date_time: example.at,
                id: &example.decision_id,
                agent: &example.agent,
                user: example.user.as_deref(),
                method: &example.method,
                path: &example.path,
                resource: &example.resource,
                policies: &example.policies,
                on_unknown_facts: example.is_on_unknown,
                place: self.place(place),
            })
            .collect()
    }
}

/// What `--output json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    lines: u64,
    without_decision: u64,
    replayed: u64,
    not_replayable: Vec<Refusal<'a>>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    allowed_as_before: u64,
    blocked_as_before: u64,
    newly_blocked: u64,
    newly_blocked_on_unknown_facts: u64,
    newly_allowed: u64,
    policies: Vec<Row>,
    agents: Vec<Row>,
    blueprints: Vec<Row>,
    resources: Vec<Row>,
    examples: ExampleLists<'a>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    reason: &'a str,
    count: u64,
    first: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExampleLists<'a> {
    newly_blocked: Vec<ShownExample<'a>>,
    newly_allowed: Vec<ShownExample<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownExample<'a> {
    created_date_time: Timestamp,
    id: &'a str,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    resource: &'a str,
    policies: &'a [String],
    on_unknown_facts: bool,
    place: String,
}
