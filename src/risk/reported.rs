//! What was reported beside levels of risk: revoked tokens, disabled accounts, detections, and who was heard of.
//!
//! Never here: an order of arrival.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Accounts, Detections, Revocations, Seen};
use crate::types::Timestamp;

/// What was reported beside levels of risk. Copies share their entries.
#[derive(Debug, Clone, Default)]
pub struct Reported {
    /// Which tokens are refused although they are valid.
    pub revocations: Revocations,
    /// Which accounts sources disabled.
    pub accounts: Accounts,
    /// Why agents are risky. For people: decisions rest on the levels.
    pub detections: Detections,
    /// When sources that say so themselves were last heard of, at any replica.
    pub heard: Heard,
    /// Which reports were taken before, of sources that may send one anew.
    pub seen: Seen,
    /// The required sources that are silent: not heard of yet, or not for longer than allowed.
    pub silent: Arc<BTreeSet<Arc<str>>>,
}

impl Reported {
    /// With all that the other one says too. Who is silent, only this process knows.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self {
            revocations: self.revocations.joined(&other.revocations),
            accounts: self.accounts.joined(&other.accounts),
            detections: self.detections.joined(&other.detections),
            heard: self.heard.joined(&other.heard),
            seen: self.seen.joined(&other.seen),
            silent: Arc::clone(&self.silent),
        }
    }

    /// Whether every required source was heard of lately.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.silent.is_empty()
    }

    /// With this required source silent, or not.
    #[must_use]
    pub fn with_silent(&self, source: &Arc<str>, is_silent: bool) -> Self {
        let mut silent = BTreeSet::clone(&self.silent);
        if is_silent {
            silent.insert(Arc::clone(source));
        } else {
            silent.remove(source);
        }
        Self {
            silent: Arc::new(silent),
            ..self.clone()
        }
    }
}

/// When sources were last heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard(imbl::OrdMap<Arc<str>, Timestamp>);

impl Heard {
    /// Notes that a source was heard of; the latest time stands.
    pub fn note(&mut self, source: &Arc<str>, at: Timestamp) {
        if self.of(source).is_none_or(|known| known < at) {
            self.0.insert(Arc::clone(source), at);
        }
    }

    /// When this one was last heard of.
    #[must_use]
    pub fn of(&self, source: &str) -> Option<Timestamp> {
        self.0.get(source).copied()
    }

    /// Every source that was heard of.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, Timestamp)> {
        self.0.iter().map(|(source, at)| (source, *at))
    }

    fn joined(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (source, at) in other.iter() {
            all.note(source, at);
        }
        all
    }
}
