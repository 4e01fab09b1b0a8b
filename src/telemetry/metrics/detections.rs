//! What is counted of detections, bound once: the detector counts with every call.

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::Metrics;
use super::sharded::{Sharded, ShardedCounter};
use crate::types::RiskLevel;

impl Metrics {
    /// What is counted of detections.
    #[must_use]
    pub fn detections(&self) -> DetectionMetrics {
        DetectionMetrics {
            found: self.detections.clone(),
            observations: self.detection_observations.clone(),
            evictions: self.detection_evictions.with_label_values::<&str>(&[]),
            agents: self.detection_agents.clone(),
        }
    }
}

/// The metrics of detections.
#[derive(Debug, Clone)]
pub struct DetectionMetrics {
    found: IntCounterVec,
    observations: Sharded<IntCounterVec>,
    evictions: IntCounter,
    agents: IntGauge,
}

/// The counters of one detector.
#[derive(Debug, Clone)]
pub struct DetectionCounters {
    /// What the path told and found a place.
    pub taken: ShardedCounter,
    /// What found none.
    pub dropped: ShardedCounter,
    evictions: IntCounter,
    agents: IntGauge,
}

impl DetectionMetrics {
    /// Something of this type was found, which is one of a closed set.
    pub fn found(&self, kind: &'static str, level: RiskLevel) {
        self.found.with_label_values(&[kind, level.as_str()]).inc();
    }

    /// Shows the counter of [`Self::found`] before its first event.
    pub fn show(&self, kind: &'static str, level: RiskLevel) {
        self.found.with_label_values(&[kind, level.as_str()]);
    }

    /// The counters of the detector.
    #[must_use]
    pub fn counters(&self) -> DetectionCounters {
        DetectionCounters {
            taken: self.observations.bind(&["taken"]),
            dropped: self.observations.bind(&["dropped"]),
            evictions: self.evictions.clone(),
            agents: self.agents.clone(),
        }
    }
}

impl DetectionCounters {
    /// The detector remembers so many agents, and has forgotten so many since it began.
    pub fn hold(&self, agents: usize, evicted: u64) {
        self.agents.set(i64::try_from(agents).unwrap_or(i64::MAX));
        // The counter follows the detector's own, which never goes back.
        self.evictions
            .inc_by(evicted.saturating_sub(self.evictions.get()));
    }
}
