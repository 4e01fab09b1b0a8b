//! Events that are pushed (RFC 8935): what they do, and that they stay done.

use http::Method;
use serde_json::json;

use super::{CAEP, PUSH_SECRET, RISC, World, high, lay};
use crate::support::client::Client;
use crate::support::gateway::Gateway;
use crate::support::site::{AGENT, ISSUER, exchange, now};

#[tokio::test]
async fn an_agent_whose_risk_is_high_is_blocked_at_its_next_call_and_after_a_restart() {
    let world = World::push("").await;
    assert_eq!(world.status().await, 200);
    let event = world.high("e-1");
    let answer = world.send(&event).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.len()),
        (202, 0),
        "{answer:?}"
    );
    assert_eq!(world.status().await, 403);
    assert_eq!(world.counted("risk-level-change.high", "applied").await, 1);
    let token = world.site.agent_token(AGENT);
    let blocked = world.site.get("/hr/people", &token).await;
    let (record, _) = world
        .site
        .record(blocked.header("boomgate-decision-id"))
        .await;
    let input = &record["boomgate"]["riskInputs"][0];
    assert_eq!(input["source"], "idp:risk-level-change", "{record}");

    // The same once more is accepted, and does nothing.
    assert_eq!(world.send(&event).await.status, 202);
    assert_eq!(world.counted("risk-level-change.high", "applied").await, 1);
    assert_eq!(
        world.counted("risk-level-change.high", "duplicate").await,
        1
    );

    let path = "/beta/identityProtection/agentRiskDetections";
    let shown = world.site.manage(Method::GET, path, "").await.json();
    let detections = shown["value"].as_array().unwrap();
    assert_eq!(detections.len(), 1, "{shown}");
    assert_eq!(detections[0]["riskEventType"], "risk-level-change.high");
    assert_eq!(detections[0]["riskEvidence"], "seen elsewhere");

    let World { site, transmitter } = world;
    let world = World {
        site: site.restart().await,
        transmitter,
    };
    assert_eq!(world.status().await, 403);
    // And it is known still that it was heard.
    assert_eq!(world.send(&event).await.status, 202);
    assert_eq!(
        world.counted("risk-level-change.high", "duplicate").await,
        1
    );
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn every_event_does_what_the_table_says() {
    let device = json!({"previous_status": "compliant", "current_status": "not-compliant"});
    let credential = json!({"credential_type": "x509", "change_type": "revoke"});
    for (kind, event, status, code) in [
        (
            format!("{CAEP}session-revoked"),
            json!({}),
            401,
            "token_revoked",
        ),
        (
            format!("{CAEP}token-claims-change"),
            json!({"claims": {}}),
            401,
            "token_revoked",
        ),
        (
            format!("{CAEP}credential-change"),
            credential,
            401,
            "token_revoked",
        ),
        (
            format!("{CAEP}assurance-level-change"),
            json!({}),
            401,
            "token_revoked",
        ),
        (
            format!("{CAEP}device-compliance-change"),
            device,
            403,
            "53003",
        ),
        (format!("{CAEP}session-established"), json!({}), 200, ""),
        (format!("{CAEP}session-presented"), json!({}), 200, ""),
        (format!("{CAEP}risk-level-change"), high(), 403, "53003"),
        (
            format!("{RISC}account-credential-change-required"),
            json!({}),
            403,
            "53003",
        ),
        (
            format!("{RISC}account-purged"),
            json!({}),
            403,
            "agent_disabled",
        ),
        (
            format!("{RISC}account-disabled"),
            json!({"reason": "hijacking"}),
            403,
            "agent_disabled",
        ),
        (format!("{RISC}account-enabled"), json!({}), 200, ""),
        (format!("{RISC}identifier-changed"), json!({}), 200, ""),
        (
            format!("{RISC}identifier-recycled"),
            json!({}),
            401,
            "token_revoked",
        ),
        (
            format!("{RISC}credential-compromise"),
            json!({"credential_type": "x509"}),
            403,
            "53003",
        ),
        (format!("{RISC}opt-in"), json!({}), 200, ""),
        (format!("{RISC}opt-out-initiated"), json!({}), 200, ""),
        (format!("{RISC}opt-out-cancelled"), json!({}), 200, ""),
        (format!("{RISC}opt-out-effective"), json!({}), 200, ""),
        (format!("{RISC}recovery-activated"), json!({}), 200, ""),
        (
            format!("{RISC}recovery-information-changed"),
            json!({}),
            200,
            "",
        ),
        (
            format!("{RISC}sessions-revoked"),
            json!({}),
            401,
            "token_revoked",
        ),
        (
            "https://example.com/event-type/unheard-of".to_owned(),
            json!({}),
            200,
            "",
        ),
    ] {
        let world = World::push("").await;
        // A token of a while ago, so that a revocation of now hits it.
        let token = world.site.token(&json!({"iat": now() - 10}));
        let answer = world.send(&world.event("e", &kind, event)).await;
        assert_eq!(answer.status, 202, "{kind}: {answer:?}");
        let call = world.site.get("/hr/people", &token).await;
        assert_eq!(call.status, status, "{kind}: {call:?}");
        if !code.is_empty() {
            assert_eq!(call.json()["code"], code, "{kind}");
        }
        world.site.app.stop().await.unwrap();
    }
}

#[tokio::test]
async fn an_account_that_was_disabled_is_let_in_when_the_stream_or_an_administrator_says_so() {
    let world = World::push("").await;
    let disabled = format!("{RISC}account-disabled");
    let enabled = format!("{RISC}account-enabled");
    let said = |id: &str, kind: &str, at: i64| {
        let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": AGENT});
        let mut claims = world.transmitter.claims(id, kind, subject, json!({}));
        claims["toe"] = at.into();
        world.transmitter.sign(&claims)
    };
    assert_eq!(
        world.send(&said("1", &disabled, now() - 30)).await.status,
        202
    );
    assert_eq!(world.status().await, 403);
    // What is older comes too late.
    assert_eq!(
        world.send(&said("2", &enabled, now() - 40)).await.status,
        202
    );
    assert_eq!(world.status().await, 403);
    assert_eq!(
        world.send(&said("3", &enabled, now() - 20)).await.status,
        202
    );
    assert_eq!(world.status().await, 200);
    assert_eq!(
        world.send(&said("4", &disabled, now() - 10)).await.status,
        202
    );
    assert_eq!(world.status().await, 403);
    let safe = json!({"agentIds": [AGENT]}).to_string();
    let path = "/beta/identityProtection/riskyAgents/confirmSafe";
    assert_eq!(
        world.site.manage(Method::POST, path, &safe).await.status,
        204
    );
    assert_eq!(world.status().await, 200);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_operators_table_stands_in_place_of_the_default() {
    let world = World::push(
        ", effects: {session-revoked: {risk: high}, risk-level-change.high: {}, account-disabled: {}}",
    )
    .await;
    assert_eq!(world.send(&world.high("1")).await.status, 202);
    assert_eq!(world.counted("risk-level-change.high", "ignored").await, 1);
    assert_eq!(world.status().await, 200);
    let event = world.event("2", &format!("{CAEP}session-revoked"), json!({}));
    assert_eq!(world.send(&event).await.status, 202);
    assert_eq!(world.status().await, 403);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_is_killed_right_after_its_answer_has_forgotten_nothing() {
    let (ground, transmitter) = lay("push: {authorization: 'file:push-secret'}").await;
    let config = ground.path("boomgate.yaml");
    for round in 0..5 {
        let mut gateway = Gateway::start(&config).await;
        let agent = format!("d{round}d9a9a9-0000-4000-8000-000000000002");
        let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": agent});
        let kind = format!("{CAEP}risk-level-change");
        let id = format!("e-{round}");
        let event = transmitter.sign(&transmitter.claims(&id, &kind, subject, high()));
        let mut status = 503;
        // The keys may not be there yet.
        while status == 503 {
            let client = Client::http1(&ground.pki, gateway.management).await;
            let request = http::Request::post("/signals/idp")
                .header("host", "localhost")
                .header("content-type", "application/secevent+jwt")
                .header("authorization", PUSH_SECRET);
            status = exchange(client, request, &event).await.status.as_u16();
        }
        gateway.process.signal("KILL");
        assert_eq!(status, 202);
        gateway.process.end().await;

        let mut gateway = Gateway::start(&config).await;
        let token = ground.agent_token(&agent);
        assert_eq!(
            gateway.get(&ground.pki, "/hr/people", &token).await.status,
            403
        );
        gateway.process.signal("TERM");
        assert_eq!(gateway.process.end().await.code(), Some(0));
    }
}

#[tokio::test]
async fn keys_that_the_transmitter_has_changed_are_found_when_an_event_names_one() {
    let world = World::push("").await;
    assert_eq!(world.send(&world.high("1")).await.status, 202);
    world.transmitter.rotate();
    let mut last = 0;
    world
        .site
        .until("the new keys are there", async |_| {
            last = world.send(&world.high("2")).await.status.as_u16();
            last == 202
        })
        .await;
    assert_eq!(last, 202);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_required_stream_that_is_not_heard_of_stops_calls_until_it_is() {
    let world = World::push(", required: true, max_age: 5s").await;
    let refused = world
        .site
        .get("/hr/people", &world.site.agent_token(AGENT))
        .await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["code"], "facts_unavailable");
    let ready = world.site.manage(Method::GET, "/readyz", "").await.json();
    assert!(
        ready["status"] == "not_ready" && ready.to_string().contains("idp"),
        "{ready}"
    );
    let event = world.event("1", &format!("{CAEP}session-presented"), json!({}));
    assert_eq!(world.send(&event).await.status, 202);
    assert_eq!(world.status().await, 200);
    let age = world
        .site
        .gauge("boomgate_signal_age_seconds", &[("source", "idp")])
        .await;
    assert!(age < 60.0, "{age}");
    world
        .site
        .until("it was silent for too long", async |_| {
            world.status().await == 503
        })
        .await;
    world.site.app.stop().await.unwrap();
}
