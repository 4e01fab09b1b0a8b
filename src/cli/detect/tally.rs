//! What was found, counted by kind and by agent. Never here: how it is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::detection::{Finding, Kind};
use crate::types::Timestamp;

/// All that was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Lines that are not empty.
    pub(super) lines: u64,
    /// Calls of agents among them.
    pub(super) calls: u64,
    /// Lines that are no records, and the first of them: why, and which line of which file.
    pub(super) unreadable: u64,
    pub(super) first_unreadable: Option<(String, (usize, u64))>,
    /// The times of the first and the last call.
    pub(super) period: Option<(Timestamp, Timestamp)>,
    pub(super) kinds: BTreeMap<Kind, OfKind>,
    pub(super) agents: BTreeMap<Arc<str>, OfAgent>,
}

/// What was found of one kind.
#[derive(Debug, Default)]
pub(super) struct OfKind {
    pub(super) findings: u64,
    pub(super) agents: BTreeSet<Arc<str>>,
    pub(super) first: Option<Timestamp>,
}

/// What was found of one agent.
#[derive(Debug)]
pub(super) struct OfAgent {
    pub(super) kinds: BTreeMap<Kind, u64>,
    pub(super) first: Finding,
}

impl OfAgent {
    pub(super) fn findings(&self) -> u64 {
        self.kinds.values().sum()
    }
}

impl Tally {
    pub(super) fn call(&mut self, at: Timestamp) {
        self.calls += 1;
        let (first, last) = self.period.unwrap_or((at, at));
        self.period = Some((first.min(at), last.max(at)));
    }

    pub(super) fn found(&mut self, finding: Finding) {
        let of_kind = self.kinds.entry(finding.kind).or_default();
        of_kind.findings += 1;
        of_kind.agents.insert(Arc::clone(&finding.agent));
        of_kind.first.get_or_insert(finding.at);
        let kind = finding.kind;
        let agent = self
            .agents
            .entry(Arc::clone(&finding.agent))
            .or_insert_with(|| OfAgent {
                kinds: BTreeMap::new(),
                first: finding,
            });
        *agent.kinds.entry(kind).or_default() += 1;
    }

    /// The agents of whom anything was found, those with the most findings first.
    pub(super) fn ranked(&self) -> Vec<(&Arc<str>, &OfAgent)> {
        let mut agents: Vec<_> = self.agents.iter().collect();
        agents.sort_by_key(|(_, of)| std::cmp::Reverse(of.findings()));
        agents
    }
}
