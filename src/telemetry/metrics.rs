//! Every metric of the program, with its help text, unit and labels: `product.md` §5.6.
//!
//! Methods take typed values only. A metric is declared here or nowhere.

mod declare;
pub mod detections;
mod enforcement;
pub(super) mod sharded;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Registry, TextEncoder,
};

use declare::{
    counter, counters, gauge, gauges, histograms, real_gauge, real_gauges, sharded_counters,
    sharded_gauges, sharded_histogram, sharded_histograms,
};
pub use detections::{DetectionCounters, DetectionMetrics};
use sharded::Sharded;

use super::connections::ConnectionMetrics;
use super::labels::{
    EndpointState, NONE, RecordResult, SignalKind, SignalResult, SignalSource, SubjectKind,
    UPSTREAM_FAULTS, result_label, upstream_label,
};
use super::process::ProcessFacts;
use super::resource::{Declarations, ResourceMetrics, TokenLookups, UpstreamEvents};
use crate::types::{PolicyId, Reason, ResourceName, Timestamp};

/// From one microsecond to ten milliseconds: a decision is pure computation.
const DECISION_BUCKETS: [f64; 13] = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
];

/// From one millisecond to a minute: a request waits for its upstream.
const REQUEST_BUCKETS: [f64; 15] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
];

/// Why the metrics could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("a metric cannot be declared")]
pub struct MetricsError(#[from] prometheus::Error);

/// The state of the moment, computed by whoever is scraped.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// How many subjects of a kind have a risk level (its name, or `unknown`).
    pub agents: Vec<(SubjectKind, &'static str, u64)>,
    /// How many policies are in a state (Graph's name of it).
    pub policies: Vec<(&'static str, u64)>,
    /// How long ago each source of risk last spoke.
    pub signal_ages: Vec<(Arc<str>, Duration)>,
    /// How old each configured issuer's keys are.
    pub key_ages: Vec<(Arc<str>, Duration)>,
    /// How many endpoints of each resource's upstream are in a state.
    pub endpoints: Vec<(ResourceName, EndpointState, u64)>,
}

/// Counts records of one fate.
#[derive(Debug, Clone)]
pub struct RecordCounter(pub(super) IntCounter);

impl RecordCounter {
    /// So many more.
    pub fn add(&self, count: usize) {
        self.0.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.get()
    }
}

macro_rules! metrics {
    ($($field:ident: $kind:ty = $declare:ident($name:literal, $help:literal $(, $details:expr)*);)*) => {
        /// All metrics.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            /// Held while gauges are replaced and while they are read, so that no scrape sees half of them.
            scrape: Mutex<()>,
            $($field: $kind,)*
        }

        impl Metrics {
            /// Declares all metrics.
            ///
            /// # Errors
            /// [`MetricsError`] if a declaration is not one that Prometheus allows; the tests hold that none is.
            pub fn new() -> Result<Arc<Self>, MetricsError> {
                let registry = Registry::new();
                $(let $field = $declare(&registry, $name, $help $(, $details)*)?;)*
                let metrics = Self { registry, scrape: Mutex::new(()), $($field,)* };
                let revision = option_env!("BOOMGATE_REVISION").unwrap_or("unknown");
                metrics.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
                metrics.begin_at_zero();
                Ok(Arc::new(metrics))
            }
        }
    };
}

metrics! {
    decisions: Sharded<IntCounterVec> = sharded_counters("boomgate_decisions_total", "Calls that were decided on or refused.", &["resource", "decision", "reason", "agent_type"]);
    policy_results: Sharded<IntCounterVec> = sharded_counters("boomgate_policy_results_total", "Results of policies that applied, enforced or report-only.", &["policy", "result"]);
    token_verifications: IntCounterVec = counters("boomgate_token_verifications_total", "Tokens checked, by configured issuer.", &["issuer", "result"]);
    detections: IntCounterVec = counters("boomgate_detections_total", "Detections in the traffic of agents.", &["type", "level"]);
    detection_observations: Sharded<IntCounterVec> = sharded_counters("boomgate_detection_observations_total", "Calls and answers of agents that detections looked at, or passed over.", &["result"]);
    detection_evictions: IntCounterVec = counters("boomgate_detection_evictions_total", "Agents whose habits were forgotten to make room.", &[]);
    detection_agents: IntGauge = gauge("boomgate_detection_agents", "Agents whose habits are remembered.");
    token_cache: Sharded<IntCounterVec> = sharded_counters("boomgate_token_cache_total", "Look-ups in the cache of verified tokens.", &["result"]);
    risk_signals: IntCounterVec = counters("boomgate_risk_signals_total", "Reports of risk, by source.", &["source", "type", "result"]);
    config_reloads: IntCounterVec = counters("boomgate_config_reloads_total", "Loads of configuration, policies and directory.", &["result"]);
    jwks_refreshes: IntCounterVec = counters("boomgate_jwks_refreshes_total", "Refreshes of an issuer's keys.", &["issuer", "result"]);
    records: IntCounterVec = counters("boomgate_records_total", "Decision records.", &["result"]);
    upstream_requests: Sharded<IntCounterVec> = sharded_counters("boomgate_upstream_requests_total", "Calls that were forwarded, and what came of it.", &["resource", "result"]);
    connections_refused: IntCounterVec = counters("boomgate_connections_refused_total", "Connections of calls that were refused or cut, by listener and reason.", &["listener", "reason"]);
    decision_duration: Sharded<Histogram> = sharded_histogram("boomgate_decision_duration_seconds", "Time from a call's head to the decision on it, records excluded.", &DECISION_BUCKETS);
    request_duration: Sharded<HistogramVec> = sharded_histograms("boomgate_request_duration_seconds", "Time from a call's head to the head of its answer.", &REQUEST_BUCKETS, &["resource", "status_class"]);
    upstream_endpoints: IntGaugeVec = gauges("boomgate_upstream_endpoints", "Endpoints of upstreams by state.", &["resource", "state"]);
    upstream_events: IntCounterVec = counters("boomgate_upstream_events_total", "What happened beside the calls that were forwarded.", &["resource", "event"]);
    upstream_duration: Sharded<HistogramVec> = sharded_histograms("boomgate_upstream_duration_seconds", "Time from forwarding a call to the head of its answer.", &REQUEST_BUCKETS, &["resource"]);
    open_calls: Sharded<IntGaugeVec> = sharded_gauges("boomgate_open_calls", "Calls under way.", &["resource"]);
    calls_cut: IntCounterVec = counters("boomgate_calls_cut_total", "Calls that were cut while they were open.", &["reason"]);
    judging_failures: IntCounterVec = counters("boomgate_judging_failures_total", "Times that judging the open calls again failed, so that they were cut.", &[]);
    enforcement_delay: HistogramVec = histograms("boomgate_enforcement_delay_seconds", "Time from the arrival of a change to the end of the last open call that it cuts.", &enforcement::DELAY_BUCKETS, &["source"]);
    agents: IntGaugeVec = gauges("boomgate_agents", "Agents by kind and effective risk level.", &["type", "risk_level"]);
    policies: IntGaugeVec = gauges("boomgate_policies", "Loaded policies by state.", &["state"]);
    signal_age: GaugeVec = real_gauges("boomgate_signal_age_seconds", "Time since a source of risk was last heard.", &["source"]);
    jwks_age: GaugeVec = real_gauges("boomgate_jwks_age_seconds", "Age of an issuer's keys.", &["issuer"]);
    last_reload: Gauge = real_gauge("boomgate_config_last_reload_success_timestamp_seconds", "When configuration was last loaded, in seconds since the epoch.");
    build_info: IntGaugeVec = gauges("boomgate_build_info", "The running build; always 1.", &["version", "revision"]);
    process_cpu: Counter = counter("process_cpu_seconds_total", "User and system time of the process in seconds.");
    process_resident: IntGauge = gauge("process_resident_memory_bytes", "Resident memory of the process in bytes.");
    process_open_fds: IntGauge = gauge("process_open_fds", "Open file descriptors of the process.");
    process_max_fds: IntGauge = gauge("process_max_fds", "File descriptors that the process may open.");
    process_start: Gauge = real_gauge("process_start_time_seconds", "When the process started, in seconds since the epoch.");
}

impl Metrics {
    /// Shows the counters of closed sets before anything counts. A counter that appears with its first event shows
    /// no increase: an alert would miss the first failure.
    fn begin_at_zero(&self) {
        for success in [true, false] {
            self.config_reloads
                .with_label_values(&[success_label(success)]);
        }
        for hit in [true, false] {
            self.token_cache.mine().with_label_values(&[hit_label(hit)]);
        }
        for result in RecordResult::ALL {
            self.records.with_label_values(&[result.as_str()]);
        }
        self.begin_enforcement_at_zero();
    }

    /// Shows the counters of [`Self::jwks_refresh`] before its first event.
    pub fn show_issuer(&self, issuer: &str) {
        for success in [true, false] {
            self.jwks_refreshes
                .with_label_values(&[issuer, success_label(success)]);
        }
    }

    /// Shows the counter of [`Self::policy_result`] before its first event.
    pub fn show_policy_result(&self, policy: &PolicyId, result: &'static str) {
        self.policy_results
            .mine()
            .with_label_values(&[policy.as_str(), result]);
    }

    /// Binds the metrics of a resource. `None` is the resource of calls that addressed none.
    #[must_use]
    pub fn resource(&self, resource: Option<&ResourceName>) -> ResourceMetrics {
        let name = resource_label(resource);
        if resource.is_some() {
            for result in UPSTREAM_FAULTS.map(Err).into_iter().chain([Ok(())]) {
                self.upstream_requests
                    .mine()
                    .with_label_values(&[name, upstream_label(result)]);
            }
        }
        ResourceMetrics::new(Declarations {
            name: name.into(),
            decisions: self.decisions.clone(),
            decision_duration: self.decision_duration.clone(),
            upstream_duration: self.upstream_duration.clone(),
            upstream_requests: self.upstream_requests.clone(),
            request_duration: self.request_duration.clone(),
            open_calls: self.open_calls.clone(),
        })
    }

    /// Binds the metrics of a listener of calls.
    #[must_use]
    pub fn listener(&self, name: &str) -> ConnectionMetrics {
        ConnectionMetrics::new(&self.connections_refused, name)
    }

    /// What a policy that applied said: Graph's name of the result, which is one of a closed set.
    pub fn policy_result(&self, policy: &PolicyId, result: &'static str) {
        self.policy_results
            .mine()
            .with_label_values(&[policy.as_str(), result])
            .inc();
    }

    /// A token was checked. `issuer` is the configured name of the issuer that it names, whether or not its keys proved it.
    pub fn token_verified(&self, issuer: Option<&str>, result: Result<(), Reason>) {
        self.token_verifications
            .with_label_values(&[issuer.unwrap_or(NONE), result_label(result)])
            .inc();
    }

    /// Binds the counters of look-ups in the cache of verified tokens.
    #[must_use]
    pub fn token_lookups(&self) -> TokenLookups {
        let counter = |hit| self.token_cache.bind(&[hit_label(hit)]);
        TokenLookups {
            hits: counter(true),
            misses: counter(false),
        }
    }

    /// Somebody reported a risk.
    pub fn risk_signal(&self, source: SignalSource, kind: SignalKind, result: SignalResult) {
        self.risk_signals(source, kind, result, 1);
    }

    /// Somebody made this many reports of risk, of all of which the same became.
    pub fn risk_signals(
        &self,
        source: SignalSource,
        kind: SignalKind,
        result: SignalResult,
        times: usize,
    ) {
        self.risk_signals
            .with_label_values(&[source.as_str(), kind.as_str(), result.as_str()])
            .inc_by(u64::try_from(times).unwrap_or(u64::MAX));
    }

    /// An event came by the stream of this configured name. `kind` is one of a closed set: the standards' names of events.
    pub fn stream_signal(&self, stream: &str, kind: &str, result: SignalResult) {
        self.risk_signals
            .with_label_values(&[stream, kind, result.as_str()])
            .inc();
    }

    /// Configuration was loaded, or was not, at this time.
    pub fn config_reload(&self, success: bool, at: Timestamp) {
        self.config_reloads
            .with_label_values(&[success_label(success)])
            .inc();
        if success {
            self.last_reload.set(seconds_since_epoch(at));
        }
    }

    /// Keys of the issuer of this configured name were refreshed, or were not.
    pub fn jwks_refresh(&self, issuer: &str, success: bool) {
        self.jwks_refreshes
            .with_label_values(&[issuer, success_label(success)])
            .inc();
    }

    /// The counter of one fate of records, bound once by whoever counts many.
    #[must_use]
    pub fn records(&self, result: RecordResult) -> RecordCounter {
        RecordCounter(self.records.with_label_values(&[result.as_str()]))
    }

    /// Binds what is counted of a resource's upstream beside its calls.
    #[must_use]
    pub fn upstream_events(&self, resource: &ResourceName) -> UpstreamEvents {
        UpstreamEvents::new(&self.upstream_events, resource)
    }

    /// Replaces the gauges that show the state of the moment. What `observation` does not name is gone.
    pub fn observe(&self, observation: &Observation) {
        let _scrape = self.scrape.lock();
        self.agents.reset();
        for (kind, level, count) in &observation.agents {
            let gauge = self.agents.with_label_values(&[kind.as_str(), *level]);
            gauge.set(gauge_value(*count));
        }
        self.policies.reset();
        for (state, count) in &observation.policies {
            let gauge = self.policies.with_label_values(&[*state]);
            gauge.set(gauge_value(*count));
        }
        self.signal_age.reset();
        for (source, age) in &observation.signal_ages {
            let gauge = self.signal_age.with_label_values(&[source]);
            gauge.set(age.as_secs_f64());
        }
        self.jwks_age.reset();
        for (issuer, age) in &observation.key_ages {
            let gauge = self.jwks_age.with_label_values(&[issuer]);
            gauge.set(age.as_secs_f64());
        }
        self.upstream_endpoints.reset();
        for (resource, state, count) in &observation.endpoints {
            let of = [resource.as_str(), state.as_str()];
            let gauge = self.upstream_endpoints.with_label_values(&of);
            gauge.set(gauge_value(*count));
        }
    }

    /// All metrics in Prometheus' text format, the process' own read anew.
    #[must_use]
    pub fn encode(&self) -> String {
        let _scrape = self.scrape.lock();
        self.observe_process(&ProcessFacts::read());
        let mut text = String::new();
        if let Err(fault) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%fault, "metrics cannot be encoded");
        }
        text
    }

    fn observe_process(&self, facts: &ProcessFacts) {
        if let Some(seconds) = facts.cpu_seconds {
            // The counter follows the kernel's, which never goes back.
            self.process_cpu
                .inc_by((seconds - self.process_cpu.get()).max(0.0));
        }
        let gauges = [
            (&self.process_resident, facts.resident_bytes),
            (&self.process_open_fds, facts.open_fds),
            (&self.process_max_fds, facts.max_fds),
        ];
        for (gauge, value) in gauges {
            if let Some(value) = value {
                gauge.set(gauge_value(value));
            }
        }
        if let Some(seconds) = facts.start_seconds {
            self.process_start.set(seconds);
        }
    }
}

fn resource_label(resource: Option<&ResourceName>) -> &str {
    resource.map_or(NONE, ResourceName::as_str)
}

const fn success_label(success: bool) -> &'static str {
    if success { "success" } else { "failure" }
}

const fn hit_label(hit: bool) -> &'static str {
    if hit { "hit" } else { "miss" }
}

fn gauge_value(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "milliseconds since the epoch are exact in 53 bits"
)]
fn seconds_since_epoch(at: Timestamp) -> f64 {
    (at.as_micros() / 1_000) as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
