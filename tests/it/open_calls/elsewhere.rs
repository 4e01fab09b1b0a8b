//! Calls are cut by what comes from elsewhere: another system, another replica, and what is found in the traffic itself.

use http::Method;
use serde_json::json;

use super::support::{Caller, Holder, end, next, until};
use super::{outcome_of, setup};
use crate::detections::theft;
use crate::signals::{CAEP, lay_with, try_send, webhooks};
use crate::support::client::{Client, PATIENCE};
use crate::support::gateway::Gateway;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::{AGENT, Ground, ISSUER, OTHER_AGENT, Site, exchange, now};
use crate::support::transmitter::Transmitter;

const DELAYS: &str = "boomgate_enforcement_delay_seconds_count";
const PUSH: &str = "push: {authorization: 'file:push-secret'}";

/// The signed event that the default agent's risk is high.
fn event(transmitter: &Transmitter, id: &str) -> String {
    let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": AGENT});
    let high = json!({"current_level": "HIGH"});
    let kind = format!("{CAEP}risk-level-change");
    transmitter.sign(&transmitter.claims(id, &kind, subject, high))
}

/// Pushes it, again while the gateway does not have the keys.
async fn push(ground: &Ground, management: std::net::SocketAddr, event: &str) {
    let pushing = async {
        loop {
            match try_send(&ground.pki, management, event).await {
                Some(202) => return,
                Some(503) | None => tokio::task::yield_now().await,
                Some(status) => panic!("{status}"),
            }
        }
    };
    let pushed = tokio::time::timeout(PATIENCE * 3, pushing).await;
    pushed.expect("the event is taken");
}

#[tokio::test]
async fn a_security_event_cuts_an_open_call_and_says_that_it_did() {
    for http2 in [false, true] {
        let holder = Holder::start(http2).await;
        let (ground, transmitter) = lay_with(holder.upstream(http2), PUSH).await;
        let site = Site::on(ground);
        let mut one = Caller::connect(&site, http2).await;
        let mut other = Caller::connect(&site, http2).await;
        let token = site.agent_token(AGENT);
        let mut cut = one.get("/hr/events", &token).await.unwrap();
        let token = site.agent_token(OTHER_AGENT);
        let mut goes_on = other.get("/hr/events", &token).await.unwrap();
        let held = holder.call_of(AGENT).await;
        let held_on = holder.call_of(OTHER_AGENT).await;
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut cut).await, "data: 1\n\n");

        push(&site, site.app.management(), &event(&transmitter, "e")).await;
        assert!(end(cut).await.is_err(), "a clean end");
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        let outcome = outcome_of(&site, AGENT).await;
        assert_eq!(outcome["result"], "cut", "{outcome}");
        assert_eq!(outcome["reason"], "blocked_by_policy");
        site.until("the delay is measured", async |site| {
            site.count(DELAYS, &[("source", "signal")]).await == 1
        })
        .await;
        held_on.answer.send("data: 2\n\n");
        assert_eq!(next(&mut goes_on).await, "data: 2\n\n");
        site.app.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_report_to_a_webhook_cuts_an_open_call_and_says_that_it_did() {
    let holder = Holder::start(true).await;
    let ground = webhooks::lay_with(holder.upstream(true), "").await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    for (round, (agent, http2)) in [(AGENT, true), (OTHER_AGENT, false)]
        .into_iter()
        .enumerate()
    {
        let mut caller = Caller::connect_to(&ground.pki, gateway.public, http2).await;
        let token = ground.agent_token(agent);
        let mut open = caller.get("/hr/events", &token).await.unwrap();
        let held = holder.call_of(agent).await;
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut open).await, "data: 1\n\n");

        let body = webhooks::report(&format!("a-{round}"), agent, "high");
        let client = Client::http1(&ground.pki, gateway.management).await;
        let report = webhooks::signed(webhooks::SECRET, now(), &body);
        assert_eq!(exchange(client, report, &body).await.status, 202);
        assert!(end(open).await.is_err(), "a clean end");
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        let counted = format!("{DELAYS}{{source=\"signal\"}} {}", round + 1);
        until_metrics_have(&gateway, &ground, &counted).await;
    }
}

/// Waits until the metrics of a gateway have this line.
async fn until_metrics_have(gateway: &Gateway, ground: &Ground, line: &str) {
    let measured = async {
        loop {
            let metrics = gateway
                .manage(&ground.pki, Method::GET, "/metrics", "")
                .await;
            let metrics = String::from_utf8(metrics.body).unwrap();
            if metrics.lines().any(|one| one == line) {
                return;
            }
        }
    };
    let measured = tokio::time::timeout(PATIENCE * 3, measured).await;
    assert!(measured.is_ok(), "waited in vain for {line:?}");
}

#[tokio::test]
async fn a_detection_cuts_an_open_call_and_says_that_it_did() {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut caller = Caller::connect(&site, true).await;
    let open = caller.get("/hr/events", &site.agent_token(AGENT)).await;
    let token = theft::token(&site, "stolen");
    for answer in theft::by_both(&site, "/hr/quick", &token).await {
        assert_eq!(answer.status, 200);
    }
    assert!(end(open.unwrap()).await.is_err(), "a clean end");
    site.until("the delay is measured", async |site| {
        site.count(DELAYS, &[("source", "detection")]).await == 1
            && site.count(DELAYS, &[("source", "management")]).await == 0
    })
    .await;
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_one_replica_is_told_cuts_the_open_calls_of_another() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let holder = Holder::start(true).await;
    let (ground, transmitter) = lay_with(holder.upstream(true), PUSH).await;
    let config = |name| with_redis(&ground, name, redis.address, "dangerous_plaintext: true");
    let told = Gateway::start(&config("told")).await;
    let other = Gateway::start(&config("other")).await;
    for (round, http2) in [false, true].into_iter().enumerate() {
        let token = ground.agent_token(AGENT);
        let mut caller = Caller::connect_to(&ground.pki, other.public, http2).await;
        let open = async {
            loop {
                let answer = caller.get("/hr/events", &token).await;
                match answer {
                    Ok(answer) if answer.status() == 200 => return answer,
                    // It was just let in again, or an idle connection was closed when it was not.
                    _ => caller = Caller::connect_to(&ground.pki, other.public, http2).await,
                }
            }
        };
        let mut open = tokio::time::timeout(PATIENCE * 3, open)
            .await
            .expect("open");
        let held = holder.calls().pop().unwrap();
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut open).await, "data: 1\n\n");

        push(
            &ground,
            told.management,
            &event(&transmitter, &format!("e-{round}")),
        )
        .await;
        assert!(end(open).await.is_err(), "a clean end");
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        let counted = format!("{DELAYS}{{source=\"store\"}} {}", round + 1);
        until_metrics_have(&other, &ground, &counted).await;

        let safe = json!({"agentIds": [AGENT]}).to_string();
        let path = "/beta/identityProtection/riskyAgents/confirmSafe";
        let answer = told.manage(&ground.pki, Method::POST, path, &safe).await;
        assert_eq!(answer.status, 204);
        // Events say whole seconds: one of this second would be from before the administrator's word.
        let second = now();
        until("the next second has begun", || now() > second).await;
    }
}
