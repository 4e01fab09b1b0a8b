//! One event that makes an agent risky: Graph's `agentRiskDetection` (`reference/entra.md` §5.1, §5.3).
//!
//! Levels follow from what is said of an agent as a whole; a detection is why it was said. Any source may add some.

use std::sync::Arc;

use super::RiskSubject;
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
