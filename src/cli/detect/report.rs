//! What was found, as tables for people and as JSON for scripts. Never here: counting.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::tally::{OfAgent, Tally};
use crate::cli::management::printable;
use crate::cli::records::progress::in_bytes;
use crate::cli::table::{align_right, table, thousands, write_table};
use crate::detection::{DetectionSettings, Finding, Holdings, Kind, Mode};
use crate::risk::RiskSubject;
use crate::types::{RiskLevel, Timestamp};

/// All that there is to tell.
pub(super) struct Found<'a> {
    pub(super) tally: &'a Tally,
    pub(super) settings: &'a DetectionSettings,
    pub(super) holdings: Holdings,
    pub(super) files: &'a [PathBuf],
    pub(super) bytes: u64,
    pub(super) top: usize,
}

impl Found<'_> {
    /// For people.
    pub(super) fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        self.write_head(to)?;
        let mut kinds = table();
        kinds.add_row(["DETECTION", "LEVEL", "MODE", "FINDINGS", "AGENTS", "FIRST"]);
        for kind in Kind::ALL {
            let rule = self.settings.rule(kind);
            let of = self.tally.kinds.get(&kind);
            let first = of.and_then(|of| of.first);
            kinds.add_row([
                kind.as_str().to_owned(),
                rule.level.as_str().to_owned(),
                mode(rule.mode).to_owned(),
                thousands(of.map_or(0, |of| of.findings)),
                of.map_or(0, |of| of.agents.len()).to_string(),
                first.map_or("-".to_owned(), |at| at.to_string()),
            ]);
        }
        align_right(&mut kinds, 3);
        align_right(&mut kinds, 4);
        writeln!(to)?;
        write_table(kinds, to)?;
        self.write_agents(to)
    }

    fn write_head(&self, to: &mut dyn Write) -> io::Result<()> {
        let tally = self.tally;
        let mut head = table();
        let files = match self.files {
            [file] => file.display().to_string(),
            files => format!("{} files", files.len()),
        };
        let records = format!(
            "{files}, {}, {} lines; {} calls of {} agents",
            in_bytes(self.bytes),
            thousands(tally.lines),
            thousands(tally.calls),
            self.holdings.agents
        );
        head.add_row(["records", &printable(&records)]);
        if let Some((first, last)) = tally.period {
            head.add_row(["period", &format!("{first} to {last}")]);
        }
        if let Some((reason, (file, line))) = &tally.first_unreadable {
            let count = thousands(tally.unreadable);
            let file = self.files.get(*file).map(|file| file.display().to_string());
            let file = file.unwrap_or_default();
            let unread = format!("{count} lines, the first is {file}:{line}: {reason}");
            head.add_row(["not read", &printable(&unread)]);
        }
        if self.holdings.evicted > 0 {
            let evicted = thousands(self.holdings.evicted);
            let message =
                format!("{evicted} agents, to make room: `detections.max_agents` is too small");
            head.add_row(["forgotten", &message]);
        }
        write_table(head, to)
    }

    fn write_agents(&self, to: &mut dyn Write) -> io::Result<()> {
        let ranked = self.tally.ranked();
        if ranked.is_empty() {
            return writeln!(to, "\nNothing was found.");
        }
        let mut agents = table();
        agents.add_row([
            "AGENT",
            "DETECTION",
            "FINDINGS",
            "FIRST",
            "EVIDENCE OF THE FIRST",
        ]);
        for (id, of) in ranked.iter().take(self.top) {
            let kinds: Vec<_> = of.kinds.keys().map(|kind| kind.as_str()).collect();
            agents.add_row([
                printable(id),
                kinds.join(", "),
                of.findings().to_string(),
                of.first.at.to_string(),
                format!("{}: {}", of.first.kind, printable(&of.first.evidence)),
            ]);
        }
        align_right(&mut agents, 2);
        writeln!(to)?;
        write_table(agents, to)?;
        match ranked.len().saturating_sub(self.top) {
            0 => Ok(()),
            more => writeln!(to, "and {more} more agents (--top)"),
        }
    }

    /// For scripts.
    pub(super) fn write_json(&self, to: &mut dyn Write) -> io::Result<()> {
        let tally = self.tally;
        let report = Report {
            lines: tally.lines,
            not_read: tally.unreadable,
            calls: tally.calls,
            agents_seen: self.holdings.agents,
            agents_forgotten: self.holdings.evicted,
            first: tally.period.map(|(first, _)| first),
            last: tally.period.map(|(_, last)| last),
            detections: Kind::ALL.map(|kind| self.kind(kind)).into(),
            agents: tally
                .ranked()
                .into_iter()
                .map(|(id, of)| agent(id, of))
                .collect(),
        };
        serde_json::to_writer_pretty(&mut *to, &report)?;
        writeln!(to)
    }

    fn kind(&self, kind: Kind) -> KindMember {
        let of = self.tally.kinds.get(&kind);
        let rule = self.settings.rule(kind);
        KindMember {
            risk_event_type: kind.as_str(),
            risk_level: rule.level,
            mode: mode(rule.mode),
            findings: of.map_or(0, |of| of.findings),
            agents: of.map_or(0, |of| of.agents.len()),
            first: of.and_then(|of| of.first),
        }
    }
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::ReportOnly => "report_only",
        Mode::Off => "off",
    }
}

fn agent<'a>(id: &'a str, of: &'a OfAgent) -> AgentMember<'a> {
    let Finding {
        kind,
        at,
        evidence,
        call,
        ..
    } = &of.first;
    AgentMember {
        id,
        identity_type: of.first.subject,
        findings: of.findings(),
        detections: of
            .kinds
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect(),
        first: First {
            risk_event_type: kind.as_str(),
            activity_date_time: *at,
            risk_evidence: evidence,
            request_id: call.map(|id| id.to_string()),
        },
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    lines: u64,
    not_read: u64,
    calls: u64,
    agents_seen: usize,
    agents_forgotten: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    detections: Vec<KindMember>,
    agents: Vec<AgentMember<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KindMember {
    risk_event_type: &'static str,
    risk_level: RiskLevel,
    mode: &'static str,
    findings: u64,
    agents: usize,
    first: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentMember<'a> {
    id: &'a str,
    identity_type: RiskSubject,
    findings: u64,
    detections: BTreeMap<&'static str, u64>,
    first: First<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct First<'a> {
    risk_event_type: &'static str,
    activity_date_time: Timestamp,
    risk_evidence: &'a str,
    request_id: Option<String>,
}
