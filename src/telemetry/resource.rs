//! A resource's metrics, bound to their series beforehand: the path of a call looks nothing up by name.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::labels::{
    AGENT_TYPES, STATUS_CLASSES, UpstreamEvent, agent_type_index, status_class_index,
    upstream_label,
};
use super::metrics::sharded::{Sharded, ShardedCounter};
use crate::types::{PerThread, Reason, ResourceName};

/// The metrics of one resource. Fetch it once per resource, and keep it.
#[derive(Debug)]
pub struct ResourceMetrics {
    of: Declarations,
    bound: PerThread<OnceLock<Bound>>,
}

/// What a resource's metrics are bound of.
#[derive(Debug)]
pub(super) struct Declarations {
    pub(super) name: Box<str>,
    pub(super) decisions: Sharded<IntCounterVec>,
    pub(super) decision_duration: Sharded<Histogram>,
    pub(super) upstream_duration: Sharded<HistogramVec>,
    pub(super) upstream_requests: Sharded<IntCounterVec>,
    pub(super) request_duration: Sharded<HistogramVec>,
    pub(super) open_calls: Sharded<IntGaugeVec>,
}

/// A thread's own handles, bound with its first call.
#[derive(Debug)]
struct Bound {
    /// One cell per reason and kind of caller, bound when it first counts, so that no empty series shows.
    decisions: Box<[OnceLock<IntCounter>]>,
    upstream_duration: Histogram,
    /// Calls that were answered, bound with the first.
    upstream_ok: OnceLock<IntCounter>,
    /// One per class of status, bound with its first.
    answered: [OnceLock<Histogram>; STATUS_CLASSES.len()],
    open_calls: IntGauge,
}

impl Bound {
    fn of(declared: &Declarations) -> Self {
        let cells = Reason::ALL.len().saturating_mul(AGENT_TYPES.len());
        let labels = [&*declared.name];
        Self {
            decisions: (0..cells).map(|_| OnceLock::new()).collect(),
            upstream_duration: declared.upstream_duration.mine().with_label_values(&labels),
            upstream_ok: OnceLock::new(),
            answered: Default::default(),
            open_calls: declared.open_calls.mine().with_label_values(&labels),
        }
    }
}

impl ResourceMetrics {
    /// Shows from now on what does not wait for its first event.
    pub(super) fn new(of: Declarations) -> Self {
        let bound = PerThread::new(OnceLock::new);
        let metrics = Self { of, bound };
        metrics.mine();
        metrics
    }

    fn mine(&self) -> &Bound {
        self.bound.mine().get_or_init(|| Bound::of(&self.of))
    }

    /// A decision, or a refusal before one, that took `duration`. `agent_type` is the caller's kind;
    /// any other text counts as `unknown`.
    pub fn decided(&self, reason: Reason, agent_type: &'static str, duration: Duration) {
        let seconds = duration.as_secs_f64();
        self.of.decision_duration.mine().observe(seconds);
        let kind = agent_type_index(agent_type);
        let bind = || {
            let kind = AGENT_TYPES.get(kind).copied().unwrap_or("unknown");
            let effect = reason.effect().as_str();
            let labels = [&*self.of.name, effect, reason.as_str(), kind];
            self.of.decisions.mine().with_label_values(&labels)
        };
        match self.mine().decisions.get(cell(reason, kind)) {
            Some(cell) => cell.get_or_init(bind).inc(),
            None => bind().inc(),
        }
    }

    /// The upstream's answer arrived after `duration`.
    pub fn upstream_done(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        self.mine().upstream_duration.observe(seconds);
    }

    /// A call was forwarded, and this came of it.
    pub fn upstream_request(&self, result: Result<(), Reason>) {
        let bind = || {
            let labels = [&*self.of.name, upstream_label(result)];
            self.of.upstream_requests.mine().with_label_values(&labels)
        };
        match result {
            Ok(()) => self.mine().upstream_ok.get_or_init(bind).inc(),
            Err(_) => bind().inc(),
        }
    }

    /// A call's answer, of this status, began after `duration`.
    pub fn request_done(&self, status: u16, duration: Duration) {
        let class = status_class_index(status);
        let bind = || {
            let class = STATUS_CLASSES.get(class).copied().unwrap_or("5xx");
            let labels = [&*self.of.name, class];
            self.of.request_duration.mine().with_label_values(&labels)
        };
        let seconds = duration.as_secs_f64();
        match self.mine().answered.get(class) {
            Some(cell) => cell.get_or_init(bind).observe(seconds),
            None => bind().observe(seconds),
        }
    }

    /// Counts a call as open for as long as the guard lives.
    pub fn open_call(&self) -> OpenCall {
        let open_calls = &self.mine().open_calls;
        open_calls.inc();
        OpenCall(open_calls.clone())
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
    pub(super) hits: ShardedCounter,
    pub(super) misses: ShardedCounter,
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
