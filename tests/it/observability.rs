//! What operators see: every expression of the shipped dashboard and alerts is one that a real Prometheus
//! answers, and names only metrics that the program has.

mod gateway;
mod prometheus;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use boomgate::policy::PolicyOutcome;
use boomgate::telemetry::{ChangeSource, ConnectionTrouble, RecordResult, SignalSource};
use boomgate::types::{Reason, RiskLevel};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use prometheus::{Prometheus, Target};

/// Expressions of the dashboard that may have no answer in the test, each with the reason.
/// An expression is named by a text that it holds.
const MAY_BE_EMPTY: &[(&str, &str)] = &[
    (
        "changes(boomgate_config_last_reload_success_timestamp_seconds",
        "an annotation: it marks reloads, and there may have been none",
    ),
    (
        "boomgate_enforcement_delay_seconds_bucket",
        "no open call was cut, so nothing took any time",
    ),
];

/// One expression of the dashboard and where it stands.
#[derive(Debug)]
struct Expression {
    place: String,
    text: String,
}

impl Expression {
    fn may_be_empty(&self) -> bool {
        MAY_BE_EMPTY
            .iter()
            .any(|(part, _)| self.text.contains(part))
    }
}

fn shipped(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&shipped("deploy/grafana/boomgate.json")).unwrap()
}

fn list<'a>(of: &'a Value, pointer: &str) -> &'a [Value] {
    of.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Every expression of panels and annotations.
fn expressions(dashboard: &Value) -> Vec<Expression> {
    let panels = list(dashboard, "/panels").iter();
    let of_panels = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        let targets = list(panel, "/targets").iter();
        targets.map(move |target| (format!("panel `{title}`"), &target["expr"]))
    });
    let annotations = list(dashboard, "/annotations/list").iter();
    let of_annotations = annotations
        .filter(|annotation| annotation.get("expr").is_some())
        .map(|annotation| {
            (
                format!("annotation {}", annotation["name"]),
                &annotation["expr"],
            )
        });
    let all = of_panels.chain(of_annotations);
    let named = all.map(|(place, text)| (place, text.as_str().unwrap().to_owned()));
    named
        .map(|(place, text)| Expression { place, text })
        .collect()
}

/// Metric and label of each variable that is filled by `label_values(metric, label)`.
fn label_queries(dashboard: &Value) -> Vec<(String, String)> {
    let variables = list(dashboard, "/templating/list").iter();
    let queries = variables.filter_map(|variable| variable["definition"].as_str());
    let inner = queries.map(|query| {
        let inner = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'));
        let (metric, label) = inner.unwrap().split_once(", ").unwrap();
        (metric.to_owned(), label.to_owned())
    });
    inner.collect()
}

/// Asks every expression of the dashboard; gives those without a proper answer, with what came instead.
async fn unanswered(prometheus: &Prometheus, dashboard: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for expression in expressions(dashboard) {
        let Expression { place, text } = &expression;
        let fault = match prometheus.query(text).await {
            Err(answer) => answer,
            Ok(samples) if samples.is_empty() && !expression.may_be_empty() => "nothing".to_owned(),
            Ok(samples) if !samples.is_empty() && samples.iter().all(is_nan) => "NaN".to_owned(),
            Ok(_) => continue,
        };
        faults.push(format!("{place}: `{text}`: {fault}"));
    }
    for (metric, label) in label_queries(dashboard) {
        if prometheus.label_values(&metric, &label).await.is_empty() {
            faults.push(format!("variable: `{metric}` has no label `{label}`"));
        }
    }
    faults
}

fn is_nan(sample: &Value) -> bool {
    sample["value"][1] == "NaN"
}

/// Asks every alert's expression; gives those that Prometheus could not evaluate.
async fn broken_rules(prometheus: &mut Prometheus) -> Vec<String> {
    let mut faults = Vec::new();
    for rule in prometheus.rules().await {
        let asked = prometheus.query(rule["query"].as_str().unwrap()).await;
        if rule["health"] != "ok" || asked.is_err() {
            faults.push(format!(
                "{}: {}, {asked:?}",
                rule["name"], rule["lastError"]
            ));
        }
    }
    faults
}

/// The metrics that a text names, without the suffixes of a histogram's series.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("boomgate_") {
        let rest = &text[at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        let series = ["_seconds_bucket", "_seconds_sum", "_seconds_count"];
        let base = match series.iter().find_map(|suffix| name.strip_suffix(suffix)) {
            Some(histogram) => format!("{histogram}_seconds"),
            None => name.to_owned(),
        };
        if !is_inside_a_name(text, at) {
            names.insert(base);
        }
    }
    names
}

fn is_inside_a_name(text: &str, at: usize) -> bool {
    text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// The values that a text asks labels of closed sets for, in selectors: `reason="a"`, `result=~"b|c.*"`.
fn label_values_in(text: &str) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for label in ["decision", "reason", "result", "source", "risk_level"] {
        for (at, _) in text.match_indices(label) {
            let behind = text[at + label.len()..].trim_start_matches(['=', '~', '!']);
            let quoted = behind.strip_prefix('"').and_then(|q| q.split_once('"'));
            if let Some((quoted, _)) = quoted.filter(|_| !is_inside_a_name(text, at)) {
                values.extend(quoted.split('|').map(ToOwned::to_owned));
            }
        }
    }
    values
}

/// Every value that those labels can have.
fn known_label_values() -> Vec<&'static str> {
    let fixed = [
        "allow",
        "block",
        "success",
        "failure",
        "hit",
        "miss",
        "ok",
        "client_failed",
        "cut",
    ];
    let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
    let outcomes = PolicyOutcome::ALL.map(PolicyOutcome::as_str);
    let records = RecordResult::ALL.iter().map(|result| result.as_str());
    let sources = SignalSource::ALL.iter().map(|source| source.as_str());
    let changes = ChangeSource::ALL.iter().map(|source| source.as_str());
    let levels = RiskLevel::ALL.map(RiskLevel::as_str);
    let all = fixed.into_iter().chain(reasons).chain(outcomes);
    let connections = ConnectionTrouble::ALL
        .iter()
        .map(|trouble| trouble.as_str());
    let all = all.chain(records).chain(sources).chain(changes);
    let all = all.chain(connections);
    all.chain(levels).collect()
}

/// Serves one exposition to whoever knows the token: a listener that has only what it is given.
async fn serve(listener: TcpListener, tls: TlsAcceptor, token: &'static str, text: &'static str) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = tls.accept(stream).await else {
            continue;
        };
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap_or(0);
        let head = String::from_utf8_lossy(&request[..length]).into_owned();
        let known = head.contains(&format!("Bearer {token}"));
        let (status, body) = if known {
            ("200 OK", text)
        } else {
            ("401 Unauthorized", "")
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _sent = stream.write_all(answer.as_bytes()).await;
        let _closed = stream.shutdown().await;
    }
}

/// A certificate for 127.0.0.1 that is its own CA, as PEM, and a server that shows it.
fn self_signed() -> (String, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[test]
fn dashboard_and_alerts_name_metrics_that_exist() {
    let declared = metrics_in(&shipped("src/telemetry/metrics.rs"));
    assert!(declared.len() > 10, "{declared:?}");
    for path in [
        "deploy/grafana/boomgate.json",
        "deploy/prometheus/rules.yaml",
        "deploy/prometheus/rules.test.yaml",
    ] {
        let unknown: Vec<_> = metrics_in(&shipped(path))
            .difference(&declared)
            .cloned()
            .collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
    }
}

#[test]
fn dashboard_and_alerts_ask_for_values_that_labels_can_have() {
    let known = known_label_values();
    let mut asked = label_values_in(&shipped("deploy/prometheus/rules.yaml"));
    for expression in expressions(&dashboard()) {
        asked.extend(label_values_in(&expression.text));
    }
    assert!(asked.len() > 8, "{asked:?}");
    for value in asked {
        let can_be = match value.strip_suffix(".*") {
            Some(prefix) => known.iter().any(|known| known.starts_with(prefix)),
            None => known.contains(&value.as_str()),
        };
        assert!(can_be, "no label is ever `{value}`");
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    let shown = metrics_in(&shipped("deploy/grafana/boomgate.json"));
    let declared = metrics_in(&shipped("src/telemetry/metrics.rs"));
    let missing: Vec<_> = declared.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names_of_metrics_are_found_in_expressions() {
    let text = "rate(boomgate_a_seconds_bucket{x=\"y\"}[5m]) / not_boomgate_b + boomgate_c_total";
    let names: Vec<_> = metrics_in(text).into_iter().collect();
    assert_eq!(names, ["boomgate_a_seconds", "boomgate_c_total"]);
}

#[test]
fn panels_have_a_place_of_their_own() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39);
    let panels = list(&dashboard, "/panels");
    let ids: BTreeSet<_> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len(), "two panels have one id");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let edge = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(
            edge("x") + edge("w") <= 24,
            "{} is too wide",
            panel["title"]
        );
        for x in edge("x")..edge("x") + edge("w") {
            for y in edge("y")..edge("y") + edge("h") {
                assert!(taken.insert((x, y)), "{} covers another", panel["title"]);
            }
        }
        let is_row = panel["type"] == "row";
        let sources = list(panel, "/targets").iter().all(|target| {
            target["datasource"]["uid"] == "${datasource}"
                && panel["datasource"]["type"] == "prometheus"
        });
        assert!(
            sources && (is_row || !list(panel, "/targets").is_empty()),
            "{}",
            panel["title"]
        );
        assert!(
            is_row || panel["description"].is_string(),
            "{} says nothing",
            panel["title"]
        );
    }
}

#[tokio::test]
async fn an_expression_that_nothing_answers_is_found() {
    let Some(binary) = prometheus::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (ca_file, token_file) = (folder.path().join("ca.pem"), folder.path().join("token"));
    let (ca, tls) = self_signed();
    fs::write(&ca_file, ca).unwrap();
    fs::write(&token_file, "scraper").unwrap();
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let text = "boomgate_open_calls{resource=\"hr\"} 1\nboomgate_build_info{version=\"1\"} NaN\n";
    tokio::spawn(serve(listener, tls, "scraper", text));
    let target = Target {
        address,
        ca_file: &ca_file,
        token_file: &token_file,
    };
    let mut prometheus = Prometheus::start(&binary, target).await;
    prometheus.scrape(2, async || ()).await;

    let target = |expr: &str| serde_json::json!({ "expr": expr });
    let dashboard = serde_json::json!({
        "panels": [{ "title": "t", "targets": [
            target("boomgate_open_calls{resource=~\"$resource\"}"),
            target("rate(boomgate_open_calls[$__rate_interval])"),
            target("boomgate_nothing"),
            target("boomgate_build_info"),
            target("sum(("),
        ]}],
        "templating": { "list": [
            { "definition": "label_values(boomgate_open_calls, resource)" },
            { "definition": "label_values(boomgate_open_calls, nothing)" },
        ]},
    });
    let faults = unanswered(&prometheus, &dashboard).await;
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(
        faults[0].contains("`boomgate_nothing`: nothing"),
        "{}",
        faults[0]
    );
    assert!(
        faults[1].contains("`boomgate_build_info`: NaN"),
        "{}",
        faults[1]
    );
    assert!(faults[2].contains("parse error"), "{}", faults[2]);
    assert!(faults[3].contains("no label `nothing`"), "{}", faults[3]);
    assert_eq!(broken_rules(&mut prometheus).await, Vec::<String>::new());
}
