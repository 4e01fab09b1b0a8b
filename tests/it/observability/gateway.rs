//! A gateway under traffic, watched by a real Prometheus with the shipped rules.

use std::fs;
use std::time::Duration;

use boomgate::demo::issuer::Issuer;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::prometheus::{self, Prometheus, Target};
use super::{broken_rules, dashboard, unanswered};
use crate::support::client::PATIENCE;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, agent_claims, block};

/// A gateway with a policy that blocks one agent, and one that only reports on all.
async fn site() -> Site {
    let agents = json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    let (name, mut reporting) = block("reporting", json!({}));
    reporting["state"] = json!("enabledForReportingButNotEnforced");
    Site::start(Setup {
        policies: vec![block("one-agent", agents), (name, reporting)],
        ..Setup::default()
    })
    .await
}

/// Some of everything: calls that are forwarded, blocked and refused, and an administrator's word.
async fn traffic(site: &Site, tokens: &[String; 3]) {
    let [one, other, forged] = tokens;
    assert_eq!(site.get("/hr/people", one).await.status, StatusCode::OK);
    let blocked = site.get("/hr/people", other).await;
    assert_eq!(blocked.status, StatusCode::FORBIDDEN);
    let refused = site.get("/hr/people", forged).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let refused = site.send(Request::get("/hr/people")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let unknown = site.get("/nowhere", one).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let path = "/beta/identityProtection/riskyAgents/confirmSafe";
    let body = json!({"agentIds": [AGENT]}).to_string();
    let confirmed = site.manage(Method::POST, path, &body).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);
}

/// The states of the alert of this name: none, or `pending` or `firing`.
async fn states(prometheus: &mut Prometheus, alert: &str) -> Vec<Value> {
    let rules = prometheus.rules().await;
    let rule = rules.iter().find(|rule| rule["name"] == alert).unwrap();
    let alerts = rule["alerts"].as_array().unwrap();
    alerts.iter().map(|alert| alert["state"].clone()).collect()
}

#[tokio::test]
async fn every_expression_is_answered_and_the_first_failed_reload_raises_its_alert() {
    let Some(binary) = prometheus::binary() else {
        return;
    };
    let site = site().await;
    let forger = Issuer::new().unwrap();
    let tokens = [
        site.agent_token(AGENT),
        site.agent_token(OTHER_AGENT),
        forger.sign(&agent_claims(AGENT)).unwrap(),
    ];
    let (ca_file, token_file) = (site.pki.path("ca.pem"), site.path("admin-token"));
    let target = Target {
        address: site.app.management(),
        ca_file: &ca_file,
        token_file: &token_file,
    };
    let mut prometheus = Prometheus::start(&binary, target).await;
    prometheus
        .scrape(4, async || traffic(&site, &tokens).await)
        .await;
    let faults = unanswered(&prometheus, &dashboard()).await;
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(broken_rules(&mut prometheus).await, Vec::<String>::new());

    let alert = "BoomgateReloadFailed";
    assert_eq!(states(&mut prometheus, alert).await, Vec::<Value>::new());
    fs::write(site.path("policies/bad.json"), "{").unwrap();
    let raised = async {
        while states(&mut prometheus, alert).await != ["firing"] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let raised = tokio::time::timeout(PATIENCE, raised).await;
    assert!(raised.is_ok(), "{alert} is not raised");
}
