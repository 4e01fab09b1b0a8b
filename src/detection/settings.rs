//! What an operator says of detections. Built by `config`, already checked.

use std::time::Duration;

use super::Kind;
use crate::types::RiskLevel;

/// What happens with a kind of detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It raises the agent's risk.
    #[default]
    Enforce,
    /// It is shown and counted, and raises nothing.
    ReportOnly,
    /// It is not looked for.
    Off,
}

/// How one kind of detection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What happens with it.
    pub mode: Mode,
    /// The level that it stands for.
    pub level: RiskLevel,
    /// How long it counts, if nobody says anything of it.
    pub expiry: Duration,
    /// How much it takes: what is counted is the kind's own, see [`DetectionSettings::rule`].
    pub threshold: u32,
}

/// How detections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetectionSettings {
    /// For so long an agent is only watched, but for what needs no habit to compare with.
    pub learning: Duration,
    /// The most agents that have a profile.
    pub max_agents: usize,
    /// Token replay: how often a token goes to and fro between two clients of one name and place that begin TLS otherwise;
    /// 0: how they begin TLS does not matter.
    pub tls_threshold: u32,
    /// A rule per kind, in the order of [`Kind::ALL`].
    pub rules: [Rule; Kind::ALL.len()],
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

impl Default for DetectionSettings {
    fn default() -> Self {
        Self {
            learning: Duration::from_secs(7 * DAY),
            max_agents: 100_000,
            tls_threshold: 4,
            rules: Kind::ALL.map(Rule::default_of),
        }
    }
}

impl DetectionSettings {
    /// The rule of a kind. Its threshold counts, of one agent and within one hour unless it says otherwise:
    /// - unfamiliar resource access: calls of the first day, those from a new place or at an unusual hour weighing more;
    /// - sign-in spike: how many times its usual number of calls;
    /// - failed access attempt: different things that it may not reach;
    /// - early life malicious activity: patterns at once;
    /// - token replay: how often a token goes to and fro between two places, where nothing else speaks against it;
    /// - reconnaissance: different things that are not there;
    /// - off-hours activity: calls.
    #[must_use]
    pub fn rule(&self, kind: Kind) -> Rule {
        let mut rules = Kind::ALL.into_iter().zip(self.rules);
        let found = rules.find_map(|(known, rule)| (known == kind).then_some(rule));
        // INVARIANT: there is a rule of each kind.
        found.unwrap_or(Rule::default_of(kind))
    }

    /// With this rule for a kind.
    #[must_use]
    pub fn with(mut self, kind: Kind, rule: Rule) -> Self {
        let rules = Kind::ALL.into_iter().zip(&mut self.rules);
        for (_, of) in rules.filter(|(known, _)| *known == kind) {
            *of = rule;
        }
        self
    }
}

impl Rule {
    /// What is good for most; `docs/detections.md` says why.
    #[must_use]
    pub const fn default_of(kind: Kind) -> Self {
        let (level, days, threshold) = match kind {
            Kind::UnfamiliarResourceAccess => (RiskLevel::Medium, 3, 24),
            Kind::SignInSpike => (RiskLevel::Medium, 1, 5),
            Kind::FailedAccessAttempt => (RiskLevel::Medium, 3, 5),
            Kind::EarlyLifeMaliciousActivity => (RiskLevel::High, 7, 2),
            Kind::TokenReplay => (RiskLevel::High, 7, 4),
            Kind::Reconnaissance => (RiskLevel::Medium, 3, 12),
            Kind::OffHoursActivity => (RiskLevel::Low, 1, 20),
        };
        Self {
            mode: Mode::Enforce,
            level,
            expiry: Duration::from_secs(days * DAY),
            threshold,
        }
    }
}
