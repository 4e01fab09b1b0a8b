//! What was reported of agents outlives the gateway, however it ends.

mod bounds;
mod disk;
mod echo;
mod kill;
mod shared;

use http::Method;
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::pki::Pki;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, block};

const AGENTS: &str = "/beta/identityProtection/riskyAgents";
const CONFIRM: &str = "/beta/identityProtection/riskyAgents/confirmCompromised";
const REVOKE: &str = "/global-token-revocation";

/// A gateway that blocks at high risk.
fn setup() -> Setup {
    Setup {
        policies: vec![block("high", json!({"agentIdRiskLevels": "high"}))],
        ..Setup::default()
    }
}

fn agents(ids: &[&str]) -> String {
    json!({"agentIds": ids}).to_string()
}

#[tokio::test]
async fn an_agent_that_was_confirmed_compromised_is_blocked_after_a_restart_too() {
    let site = Site::start(setup()).await;
    let token = site.agent_token(AGENT);
    let other = site.agent_token(OTHER_AGENT);
    let subject = json!({"sub_id": {"format": "opaque", "id": OTHER_AGENT}}).to_string();
    for (path, body) in [(CONFIRM, agents(&[AGENT])), (REVOKE, subject)] {
        let answer = site.manage(Method::POST, path, &body).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    assert_eq!(site.get("/hr/people", &token).await.status, 403);
    assert_eq!(site.get("/hr/people", &other).await.status, 401);

    let site = site.restart().await;
    assert_eq!(site.get("/hr/people", &token).await.status, 403);
    let refused = site.get("/hr/people", &other).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (401, &json!("token_revoked"))
    );
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_issued_after_the_revocation_is_good() {
    let site = Site::start(setup()).await;
    let old = site.token(&json!({"iat": crate::support::site::now() - 5}));
    let subject = json!({"sub_id": {"format": "opaque", "id": AGENT}}).to_string();
    let answer = site.manage(Method::POST, REVOKE, &subject).await;
    assert_eq!(answer.status, 204);
    assert_eq!(site.get("/hr/people", &old).await.status, 401);
    // `iat` has whole seconds: one of the second of the revocation may have been issued before it.
    site.until("a token is issued in a later second", async |site| {
        let new = site.agent_token(AGENT);
        site.get("/hr/people", &new).await.status == 200
    })
    .await;
    let labels = [
        ("source", "management"),
        ("type", "revoke_tokens"),
        ("result", "applied"),
    ];
    assert_eq!(site.count("boomgate_risk_signals_total", &labels).await, 1);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_revocation_that_is_not_understood_revokes_nothing() {
    let site = Site::start(setup()).await;
    for (body, status) in [
        (json!({}), 400),
        (
            json!({"sub_id": {"format": "phone_number", "phone_number": "+1"}}),
            400,
        ),
        (
            json!({"sub_id": {"format": "opaque", "id": AGENT}, "scope": "some"}),
            400,
        ),
        (
            json!({"sub_id": {"format": "email", "email": "nobody@example.com"}}),
            404,
        ),
        (
            json!({"sub_id": {"format": "iss_sub", "iss": "https://other.example", "sub": AGENT}}),
            404,
        ),
    ] {
        let answer = site.manage(Method::POST, REVOKE, &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let token = site.agent_token(AGENT);
    assert_eq!(site.get("/hr/people", &token).await.status, 200);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn state_in_memory_alone_is_a_choice_that_is_warned_of_and_ends_with_the_process() {
    let mut setup = setup();
    setup.sections = "store: {dangerous_memory_only: true}".to_owned();
    let site = Site::start(setup).await;
    let token = site.agent_token(AGENT);
    let answer = site.manage(Method::POST, CONFIRM, &agents(&[AGENT])).await;
    assert_eq!(answer.status, 204);
    assert_eq!(site.get("/hr/people", &token).await.status, 403);
    assert!(!site.path("state").exists());
    let site = site.restart().await;
    assert_eq!(site.get("/hr/people", &token).await.status, 200);
    site.app.stop().await.unwrap();
}

/// Asks a gateway that runs as a process.
async fn confirm(gateway: &Gateway, pki: &Pki, ids: &[&str]) -> u16 {
    let answer = gateway
        .manage(pki, Method::POST, CONFIRM, &agents(ids))
        .await;
    answer.status.as_u16()
}
