//! One event that makes an agent risky: Graph's `agentRiskDetection` (`reference/entra.md` §5.1, §5.3).
//!
//! Levels follow from what is said of an agent as a whole; a detection is why it was said. Any source may add some.

mod read;

use std::sync::Arc;

use super::RiskSubject;
use super::rank::{self, Rank};
use crate::types::{RiskLevel, RiskState, Timestamp};

/// How long after the event it was detected: Graph's `riskDetectionTimingType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetectionTiming {
    /// While the call was made.
    Realtime,
    /// Minutes after it.
    NearRealtime,
    /// Later, or apart from any call.
    Offline,
}

impl DetectionTiming {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Realtime, Self::NearRealtime, Self::Offline];

    /// Reads Graph's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Graph's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::NearRealtime => "nearRealtime",
            Self::Offline => "offline",
        }
    }
}

/// One detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskDetection {
    /// Its own id. Ids are in the order of time.
    pub id: Arc<str>,
    /// The agent's id.
    pub identity_id: Arc<str>,
    /// What kind of agent.
    pub subject: RiskSubject,
    /// `riskEventType`, an open set: `adminConfirmedAgentCompromised`, `unfamiliarResourceAccess`, …
    pub event_type: Arc<str>,
    /// The level that it stands for; `None`: withheld.
    pub level: Option<RiskLevel>,
    /// What became of it.
    pub state: RiskState,
    /// Graph's `riskDetail`.
    pub detail: Arc<str>,
    /// When the agent did it.
    pub activity_at: Timestamp,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// When its state last changed.
    pub last_modified: Timestamp,
    /// How soon.
    pub timing: DetectionTiming,
    /// In words, for people.
    pub evidence: Option<Arc<str>>,
    /// The call that showed it, by its `correlationId`.
    pub correlation_id: Option<Arc<str>>,
    /// The call that showed it, by its id.
    pub request_id: Option<Arc<str>>,
    /// Who says so: `management`, …
    pub source: Arc<str>,
}

impl RiskDetection {
    /// Which of two words on one detection stands: the later one.
    #[must_use]
    pub fn rank(&self) -> Rank {
        Rank {
            at: self.last_modified,
            weight: rank::weight(self.level),
            tie: rank::tie(&[self.state.as_str(), &self.detail, &self.event_type]),
        }
    }
}

impl rank::Word for RiskDetection {
    fn id(&self) -> &str {
        &self.id
    }

    fn rank(&self) -> Rank {
        self.rank()
    }
}

/// How many detections are kept.
const MAX_DETECTIONS: usize = 10_000;

/// The newest detections, by id. Copies share their entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detections(imbl::OrdMap<Arc<str>, Arc<RiskDetection>>);

impl Detections {
    /// Takes one, in place of an older state of it. When there are too many, the oldest is forgotten: whatever the
    /// order in which they come, the same ones are left.
    pub fn insert(&mut self, detection: Arc<RiskDetection>) {
        let known = self.0.get(&detection.id);
        if known.is_none_or(|known| known.rank() < detection.rank()) {
            self.0.insert(Arc::clone(&detection.id), detection);
        }
        if self.0.len() > MAX_DETECTIONS
            && let Some((oldest, _)) = self.0.get_min().cloned()
        {
            self.0.remove(&oldest);
        }
    }

    /// Whether this was said before, or something later, or there is no room for it any more.
    #[must_use]
    pub fn holds(&self, detection: &RiskDetection) -> bool {
        match self.0.get(&detection.id) {
            Some(known) => known.rank() >= detection.rank(),
            None => {
                let oldest = self.0.get_min().map(|(id, _)| id);
                self.0.len() >= MAX_DETECTIONS && oldest.is_some_and(|id| detection.id < *id)
            }
        }
    }

    /// Without these, unless something later was said of them.
    #[must_use]
    pub fn without(&self, over: &[Arc<RiskDetection>]) -> Self {
        Self(rank::without(&self.0, over))
    }

    /// With all of the other ones too.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for detection in other.iter() {
            all.insert(Arc::clone(detection));
        }
        all
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<RiskDetection>> {
        self.0.get(id)
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RiskDetection>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests;
