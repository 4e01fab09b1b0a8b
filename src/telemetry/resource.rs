//! A resource's metrics, bound to their series beforehand: the path of a call looks nothing up by name.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge};

use super::labels::{
    AGENT_TYPES, STATUS_CLASSES, UpstreamEvent, agent_type_index, status_class_index,
    upstream_label,
};
use crate::types::{Reason, ResourceName};

/// The metrics of one resource. Fetch it once per resource, and keep it.
#[derive(Debug)]
pub struct ResourceMetrics {
    pub(super) name: Box<str>,
    pub(super) decisions: IntCounterVec,
    /// One cell per reason and kind of caller, bound when it first counts, so that no empty series shows.
    pub(super) cells: Box<[OnceLock<IntCounter>]>,
    pub(super) decision_duration: Histogram,
    pub(super) upstream_duration: Histogram,
    pub(super) upstream_requests: IntCounterVec,
    /// Calls that were answered, bound with the first.
    pub(super) upstream_ok: OnceLock<IntCounter>,
    pub(super) request_duration: HistogramVec,
    /// One per class of status, bound with its first.
    pub(super) answered: [OnceLock<Histogram>; STATUS_CLASSES.len()],
    pub(super) open_calls: IntGauge,
}

impl ResourceMetrics {
    pub(super) fn empty_cells() -> Box<[OnceLock<IntCounter>]> {
        let count = Reason::ALL.len().saturating_mul(AGENT_TYPES.len());
        (0..count).map(|_| OnceLock::new()).collect()
    }

    /// A decision, or a refusal before one, that took `duration`. `agent_type` is the caller's kind;
    /// any other text counts as `unknown`.
    pub fn decided(&self, reason: Reason, agent_type: &'static str, duration: Duration) {
        self.decision_duration.observe(duration.as_secs_f64());
        let kind = agent_type_index(agent_type);
        let bind = || {
            let kind = AGENT_TYPES.get(kind).copied().unwrap_or("unknown");
            let effect = reason.effect().as_str();
            self.decisions
                .with_label_values(&[&*self.name, effect, reason.as_str(), kind])
        };
        match self.cells.get(cell(reason, kind)) {
            Some(cell) => cell.get_or_init(bind).inc(),
            None => bind().inc(),
        }
    }

    /// The upstream's answer arrived after `duration`.
    pub fn upstream_done(&self, duration: Duration) {
        self.upstream_duration.observe(duration.as_secs_f64());
    }

    /// A call was forwarded, and this came of it.
    pub fn upstream_request(&self, result: Result<(), Reason>) {
        let bind = || {
            self.upstream_requests
                .with_label_values(&[&*self.name, upstream_label(result)])
        };
        match result {
            Ok(()) => self.upstream_ok.get_or_init(bind).inc(),
            Err(_) => bind().inc(),
        }
    }

    /// A call's answer, of this status, began after `duration`.
    pub fn request_done(&self, status: u16, duration: Duration) {
        let class = status_class_index(status);
        let bind = || {
            let class = STATUS_CLASSES.get(class).copied().unwrap_or("5xx");
            self.request_duration
                .with_label_values(&[&*self.name, class])
        };
        let seconds = duration.as_secs_f64();
        match self.answered.get(class) {
            Some(cell) => cell.get_or_init(bind).observe(seconds),
            None => bind().observe(seconds),
        }
    }

    /// Counts a call as open for as long as the guard lives.
    pub fn open_call(&self) -> OpenCall {
        self.open_calls.inc();
        OpenCall(self.open_calls.clone())
    }
}

/// The place of a pair's cell.
fn cell(reason: Reason, kind: usize) -> usize {
    #[expect(clippy::as_conversions, reason = "a discriminant of a small enum")]
    let reason = reason as usize;
    reason
        .saturating_mul(AGENT_TYPES.len())
        .saturating_add(kind)
}

/// Counts what happens to one upstream beside its calls. Bound once; shown from zero on.
#[derive(Debug)]
pub struct UpstreamEvents([IntCounter; UpstreamEvent::ALL.len()]);

impl UpstreamEvents {
    pub(super) fn new(counters: &IntCounterVec, resource: &ResourceName) -> Self {
        let mut events = UpstreamEvent::ALL.iter();
        Self(std::array::from_fn(|_| {
            let event = events.next().map_or("", |event| event.as_str());
            counters.with_label_values(&[resource.as_str(), event])
        }))
    }

    /// One more.
    pub fn count(&self, event: UpstreamEvent) {
        let known = UpstreamEvent::ALL.iter().zip(&self.0);
        for (_, counter) in known.filter(|(known, _)| **known == event) {
            counter.inc();
        }
    }
}

/// The counters of look-ups in the cache of verified tokens, bound beforehand.
#[derive(Debug)]
pub struct TokenLookups {
    pub(super) hits: IntCounter,
    pub(super) misses: IntCounter,
}

impl TokenLookups {
    /// A token was looked up.
    pub fn count(&self, is_hit: bool) {
        if is_hit {
            self.hits.inc();
        } else {
            self.misses.inc();
        }
    }
}

/// A call under way.
#[derive(Debug)]
#[must_use]
pub struct OpenCall(IntGauge);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.dec();
    }
}
