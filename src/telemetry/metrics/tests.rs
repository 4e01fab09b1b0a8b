//! The metrics as a scraper sees them, and how many series they can make.

use std::collections::BTreeSet;

use super::*;
use crate::telemetry::labels::{AGENT_TYPES, UpstreamEvent};

fn resource(name: &str) -> ResourceName {
    ResourceName::parse(name).unwrap()
}

/// The lines of the metrics whose name starts with `boomgate_`, without buckets.
fn shown(metrics: &Metrics) -> Vec<String> {
    let text = metrics.encode();
    text.lines()
        .filter(|line| line.starts_with("boomgate_") && !line.contains("_bucket{"))
        .map(ToOwned::to_owned)
        .collect()
}

/// The series' names with labels, without values.
fn series(metrics: &Metrics) -> BTreeSet<String> {
    let lines = shown(metrics).into_iter();
    lines
        .filter_map(|line| line.rsplit_once(' ').map(|(name, _)| name.to_owned()))
        .collect()
}

/// What [`shows_what_was_counted`] counted.
const SHOWN: &[&str] = &[
    r#"boomgate_agents{risk_level="high",type="agent_identity"} 2"#,
    concat!(
        r#"boomgate_build_info{revision="unknown",version=""#,
        env!("CARGO_PKG_VERSION"),
        r#""} 1"#
    ),
    r#"boomgate_calls_cut_total{reason="agent_disabled"} 0"#,
    r#"boomgate_calls_cut_total{reason="blocked_by_policy"} 0"#,
    r#"boomgate_calls_cut_total{reason="blueprint_disabled"} 0"#,
    r#"boomgate_calls_cut_total{reason="facts_unavailable"} 0"#,
    "boomgate_config_last_reload_success_timestamp_seconds 1790858096.25",
    r#"boomgate_config_reloads_total{result="failure"} 1"#,
    r#"boomgate_config_reloads_total{result="success"} 1"#,
    "boomgate_decision_duration_seconds_sum 0.000011",
    "boomgate_decision_duration_seconds_count 4",
    r#"boomgate_decisions_total{agent_type="agent_identity",decision="block",reason="blocked_by_policy",resource="hr-api"} 2"#,
    r#"boomgate_decisions_total{agent_type="on_behalf_of",decision="allow",reason="no_policy_blocked",resource="hr-api"} 1"#,
    r#"boomgate_decisions_total{agent_type="unknown",decision="block",reason="resource_unknown",resource="none"} 1"#,
    "boomgate_detection_agents 0",
    r#"boomgate_enforcement_delay_seconds_sum{source="configuration"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="configuration"} 0"#,
    r#"boomgate_enforcement_delay_seconds_sum{source="detection"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="detection"} 0"#,
    r#"boomgate_enforcement_delay_seconds_sum{source="keys"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="keys"} 0"#,
    r#"boomgate_enforcement_delay_seconds_sum{source="management"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="management"} 0"#,
    r#"boomgate_enforcement_delay_seconds_sum{source="signal"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="signal"} 0"#,
    r#"boomgate_enforcement_delay_seconds_sum{source="store"} 0"#,
    r#"boomgate_enforcement_delay_seconds_count{source="store"} 0"#,
    r#"boomgate_judging_failures_total 0"#,
    r#"boomgate_jwks_age_seconds{issuer="entra"} 1.5"#,
    r#"boomgate_jwks_refreshes_total{issuer="entra",result="failure"} 1"#,
    r#"boomgate_jwks_refreshes_total{issuer="entra",result="success"} 0"#,
    r#"boomgate_open_calls{resource="hr-api"} 1"#,
    r#"boomgate_open_calls{resource="none"} 0"#,
    r#"boomgate_policies{state="enabled"} 3"#,
    r#"boomgate_policy_results_total{policy="p1",result="failure"} 1"#,
    r#"boomgate_policy_results_total{policy="p2",result="reportOnlyFailure"} 0"#,
    r#"boomgate_records_total{result="dropped"} 0"#,
    r#"boomgate_records_total{result="failed"} 0"#,
    r#"boomgate_records_total{result="refused"} 0"#,
    r#"boomgate_records_total{result="written"} 1"#,
    r#"boomgate_request_duration_seconds_sum{resource="hr-api",status_class="4xx"} 0.002"#,
    r#"boomgate_request_duration_seconds_count{resource="hr-api",status_class="4xx"} 1"#,
    r#"boomgate_risk_signals_total{result="applied",source="management",type="dismiss"} 1"#,
    r#"boomgate_signal_age_seconds{source="file"} 7"#,
    r#"boomgate_token_cache_total{result="hit"} 1"#,
    r#"boomgate_token_cache_total{result="miss"} 0"#,
    r#"boomgate_token_verifications_total{issuer="entra",result="ok"} 1"#,
    r#"boomgate_token_verifications_total{issuer="none",result="token_issuer_refused"} 1"#,
    r#"boomgate_upstream_duration_seconds_sum{resource="hr-api"} 0.001"#,
    r#"boomgate_upstream_duration_seconds_count{resource="hr-api"} 1"#,
    r#"boomgate_upstream_duration_seconds_sum{resource="none"} 0"#,
    r#"boomgate_upstream_duration_seconds_count{resource="none"} 0"#,
    r#"boomgate_upstream_endpoints{resource="hr-api",state="ejected"} 1"#,
    r#"boomgate_upstream_events_total{event="ejected",resource="hr-api"} 0"#,
    r#"boomgate_upstream_events_total{event="expired",resource="hr-api"} 0"#,
    r#"boomgate_upstream_events_total{event="failed_over",resource="hr-api"} 0"#,
    r#"boomgate_upstream_events_total{event="resolution_failed",resource="hr-api"} 0"#,
    r#"boomgate_upstream_events_total{event="retried",resource="hr-api"} 1"#,
    r#"boomgate_upstream_events_total{event="retry_refused",resource="hr-api"} 0"#,
    r#"boomgate_upstream_events_total{event="unhealthy",resource="hr-api"} 0"#,
    r#"boomgate_upstream_requests_total{resource="hr-api",result="ok"} 0"#,
    r#"boomgate_upstream_requests_total{resource="hr-api",result="upstream_failed"} 0"#,
    r#"boomgate_upstream_requests_total{resource="hr-api",result="upstream_overloaded"} 0"#,
    r#"boomgate_upstream_requests_total{resource="hr-api",result="upstream_timeout"} 1"#,
    r#"boomgate_upstream_requests_total{resource="hr-api",result="upstream_unreachable"} 0"#,
];

#[test]
fn shows_what_was_counted() {
    let metrics = Metrics::new().unwrap();
    let hr = resource("hr-api");
    let bound = metrics.resource(Some(&hr));
    let micros = Duration::from_micros;
    bound.decided(Reason::BlockedByPolicy, "agent_identity", micros(3));
    bound.decided(Reason::BlockedByPolicy, "agent_identity", micros(3));
    bound.decided(Reason::NoPolicyBlocked, "on_behalf_of", micros(4));
    let nowhere = metrics.resource(None);
    nowhere.decided(Reason::ResourceUnknown, "an agent's own idea", micros(1));
    metrics.policy_result(&PolicyId::parse("p1").unwrap(), "failure");
    metrics.show_policy_result(&PolicyId::parse("p2").unwrap(), "reportOnlyFailure");
    metrics.token_verified(Some("entra"), Ok(()));
    metrics.token_verified(None, Err(Reason::TokenIssuerRefused));
    metrics.token_lookups().count(true);
    metrics.risk_signal(
        SignalSource::Management,
        SignalKind::Dismiss,
        SignalResult::Applied,
    );
    metrics.config_reload(true, Timestamp::from_micros(1_790_858_096_250_000));
    metrics.config_reload(false, Timestamp::from_seconds(1));
    metrics.show_issuer("entra");
    metrics.jwks_refresh("entra", false);
    metrics.records(RecordResult::Written).add(1);
    bound.upstream_request(Err(Reason::UpstreamTimeout));
    bound.request_done(403, Duration::from_millis(2));
    bound.upstream_done(Duration::from_millis(1));
    let open = bound.open_call();
    metrics.upstream_events(&hr).count(UpstreamEvent::Retried);
    metrics.observe(&Observation {
        agents: vec![(SubjectKind::AgentIdentity, "high", 2)],
        policies: vec![("enabled", 3)],
        signal_ages: vec![(SignalSource::File.as_str().into(), Duration::from_secs(7))],
        key_ages: vec![("entra".into(), Duration::from_millis(1500))],
        endpoints: vec![(hr, EndpointState::Ejected, 1)],
    });
    let mut shown = shown(&metrics);
    let sum = shown
        .iter_mut()
        .find(|line| line.starts_with("boomgate_decision_duration_seconds_sum"))
        .unwrap();
    // A sum of floats: its last digit is not part of the promise.
    assert!(sum.contains(" 0.00001"), "{sum}");
    *sum = "boomgate_decision_duration_seconds_sum 0.000011".to_owned();
    assert_eq!(shown, SHOWN);
    drop(open);
    assert!(
        metrics
            .encode()
            .contains("boomgate_open_calls{resource=\"hr-api\"} 0")
    );
}

#[test]
fn every_metric_has_help_and_a_type_and_the_process_is_shown() {
    let metrics = Metrics::new().unwrap();
    let text = metrics.encode();
    for name in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "boomgate_decision_duration_seconds",
        "boomgate_build_info",
    ] {
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    assert!(text.contains("# TYPE process_cpu_seconds_total counter"));
}

#[test]
fn the_number_of_series_does_not_depend_on_what_arrives() {
    let metrics = Metrics::new().unwrap();
    let hr = resource("hr-api");
    let everything_once = || {
        let bound = metrics.resource(Some(&hr));
        for reason in Reason::ALL {
            for kind in AGENT_TYPES {
                bound.decided(*reason, kind, Duration::ZERO);
            }
            metrics.token_verified(None, Err(*reason));
            bound.upstream_request(Err(*reason));
        }
        for status in [99, 100, 200, 302, 404, 500] {
            bound.request_done(status, Duration::ZERO);
        }
    };
    everything_once();
    let before = series(&metrics);
    everything_once();
    let bound = metrics.resource(Some(&hr));
    for number in 0..10_000_u16 {
        let id: &'static str = Box::leak(format!("agent-{number}").into_boxed_str());
        bound.decided(Reason::NoPolicyBlocked, id, Duration::from_nanos(1));
        bound.request_done(number, Duration::ZERO);
    }
    assert_eq!(series(&metrics), before);
}

#[test]
fn an_observation_replaces_the_one_before() {
    let metrics = Metrics::new().unwrap();
    let observation = |issuer: &str| Observation {
        key_ages: vec![(issuer.into(), Duration::ZERO)],
        ..Observation::default()
    };
    metrics.observe(&observation("old"));
    metrics.observe(&observation("new"));
    let text = metrics.encode();
    assert!(text.contains(r#"boomgate_jwks_age_seconds{issuer="new"} 0"#));
    assert!(!text.contains(r#"issuer="old""#));
}
