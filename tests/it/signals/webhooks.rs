//! Reports as signed JSON: what they do, that they stay done, and that nobody else's are heard.

use aws_lc_rs::hmac;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::gateway::Gateway;
use crate::support::site::{
    AGENT, Answer, Ground, ISSUER, OTHER_AGENT, Setup, Site, block, exchange, now,
};

pub(crate) const SECRET: &str = "a-webhook-secret-of-forty-characters-here";

/// What the webhook's configuration says beside its signature.
const MAPPING: &str = "id: /alert/id, subject: /agent, value: /alert/severity, evidence: /alert/title, max_size: 2KiB, \
    effects: {critical: {risk: high, revoke_tokens: true}, high: {risk: high}, '3': {risk: medium}, fine: {}, \
    contained: {account: disable}, resolved: {risk: none, account: enable}}";

/// A ground whose configuration has a webhook, and blocks at medium and high risk.
async fn lay(more: &str) -> Ground {
    lay_with(Vec::new(), more).await
}

/// The same with this upstream.
pub(crate) async fn lay_with(upstream: Vec<String>, more: &str) -> Ground {
    let ground = Ground::lay(&Setup {
        policies: vec![block("risky", json!({"agentIdRiskLevels": "medium,high"}))],
        upstream,
        ..Setup::default()
    })
    .await;
    let webhook = webhook(&ground, more);
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        path,
        format!("{text}\nsignals: {{webhooks: [{webhook}]}}\n"),
    )
    .unwrap();
    ground
}

/// The webhook `edr` as the configuration has it, with the secret that it names.
pub(crate) fn webhook(ground: &Ground, more: &str) -> String {
    std::fs::write(ground.path("edr-secret"), SECRET).unwrap();
    let signature = "signature: {secrets: ['file:edr-secret'], prefix: 'sha256='}";
    format!("{{name: edr, {signature}, {MAPPING}{more}}}")
}

async fn start(more: &str) -> Site {
    Site::on(lay(more).await)
}

pub(crate) fn report(id: &str, agent: &str, severity: impl Into<Value>) -> String {
    json!({"alert": {"id": id, "severity": severity.into(), "title": "a beacon"}, "agent": agent})
        .to_string()
}

fn signature(secret: &str, at: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let digits: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={digits}")
}

/// The request of a report that was signed with this secret at this time.
pub(crate) fn signed(secret: &str, at: i64, body: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri("/signals/edr")
        .header("host", "localhost")
        .header(CONTENT_TYPE, "application/json")
        .header("boomgate-timestamp", at.to_string())
        .header("boomgate-signature", signature(secret, at, body))
}

async fn post(site: &Site, request: http::request::Builder, body: &str) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    exchange(client, request, body).await
}

/// Sends a report as it should be, now.
async fn send(site: &Site, body: &str) -> u16 {
    let answer = post(site, signed(SECRET, now(), body), body).await;
    answer.status.as_u16()
}

async fn status(site: &Site, agent: &str) -> u16 {
    let token = site.agent_token(agent);
    site.get("/hr/people", &token).await.status.as_u16()
}

async fn counted(site: &Site, kind: &str, result: &str) -> u64 {
    let labels = [("source", "edr"), ("type", kind), ("result", result)];
    site.count("boomgate_risk_signals_total", &labels).await
}

#[tokio::test]
async fn a_report_blocks_the_agent_at_its_next_call_and_every_place_says_who_reported() {
    let site = start("").await;
    assert_eq!(status(&site, AGENT).await, 200);
    assert_eq!(send(&site, &report("a-1", AGENT, "high")).await, 202);
    let blocked = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(blocked.status, 403);
    let (record, _) = site.record(blocked.header("boomgate-decision-id")).await;
    assert_eq!(record["boomgate"]["riskInputs"][0]["source"], "edr");
    assert_eq!(status(&site, OTHER_AGENT).await, 200);
    assert_eq!(counted(&site, "high", "applied").await, 1);

    let path = "/beta/identityProtection/agentRiskDetections";
    let detections = site.manage(Method::GET, path, "").await.json();
    let detection = &detections["value"][0];
    assert_eq!(detection["riskEventType"], "high", "{detection}");
    assert_eq!(detection["riskEvidence"], "a beacon");
    let list = site.manage(Method::GET, "/signals", "").await.json();
    assert_eq!(
        (&list[0]["delivery"], &list[0]["status"]),
        (&json!("webhook"), &json!("ok"))
    );
    let age = site
        .gauge("boomgate_signal_age_seconds", &[("source", "edr")])
        .await;
    assert!(age < 60.0, "{age}");

    // What it reported is over once it says so, and stays so after a restart.
    assert_eq!(send(&site, &report("a-2", AGENT, "resolved")).await, 202);
    let site = site.restart().await;
    assert_eq!(status(&site, AGENT).await, 200);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_table_says_what_a_value_does() {
    for (severity, call, code, result) in [
        (json!("critical"), 403, "53003", "applied"),
        (json!(3), 403, "53003", "applied"),
        (json!("contained"), 403, "agent_disabled", "applied"),
        (json!("fine"), 200, "", "ignored"),
        (json!("unheard of"), 200, "", "unmapped"),
    ] {
        let site = start("").await;
        assert_eq!(
            send(&site, &report("a", AGENT, severity.clone())).await,
            202
        );
        let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(answer.status, call, "{severity}");
        if !code.is_empty() {
            assert_eq!(answer.json()["code"], code);
        }
        let labels = [("source", "edr"), ("result", result)];
        assert_eq!(
            site.count("boomgate_risk_signals_total", &labels).await,
            1,
            "{severity}"
        );
        site.app.stop().await.unwrap();
    }
    let site = start(", otherwise: {revoke_tokens: true}").await;
    let token = site.token(&json!({"iat": now() - 10}));
    assert_eq!(send(&site, &report("a", AGENT, "unheard of")).await, 202);
    assert_eq!(site.get("/hr/people", &token).await.status, 401);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_signed_now_by_who_has_the_secret_is_refused_and_does_nothing() {
    let site = start("").await;
    let body = report("a", AGENT, "high");
    let bare = || {
        Request::post("/signals/edr")
            .header("host", "localhost")
            .header(CONTENT_TYPE, "application/json")
    };
    let at = now();
    let stale = at - 400;
    for (what, request) in [
        (
            "another secret",
            signed("another-secret-of-forty-characters-here-", at, &body),
        ),
        (
            "another body",
            signed(SECRET, at, &report("a", OTHER_AGENT, "high")),
        ),
        ("too old", signed(SECRET, stale, &body)),
        ("not yet", signed(SECRET, at + 400, &body)),
        // A replay with a new time: that is signed too.
        (
            "an old signature with a new time",
            bare()
                .header("boomgate-timestamp", at.to_string())
                .header("boomgate-signature", signature(SECRET, stale, &body)),
        ),
        (
            "no signature",
            bare().header("boomgate-timestamp", at.to_string()),
        ),
        (
            "no time",
            bare().header("boomgate-signature", signature(SECRET, at, &body)),
        ),
        (
            "two signatures",
            signed(SECRET, at, &body).header("boomgate-signature", "sha256=00"),
        ),
        (
            "an administrator's token",
            bare().header(
                "authorization",
                "Bearer an-admin-token-of-forty-characters-here",
            ),
        ),
    ] {
        let answer = post(&site, request, &body).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.json()["err"], "authentication_failed", "{what}");
    }
    assert_eq!(status(&site, AGENT).await, 200);
    assert_eq!(counted(&site, "other", "refused").await, 9);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_report_that_comes_again_does_nothing_even_with_a_new_signature() {
    let site = start("").await;
    let body = report("a-1", AGENT, "high");
    let sent = now() - 2;
    for _ in 0..2 {
        let answer = post(&site, signed(SECRET, sent, &body), &body).await;
        assert_eq!(answer.status, 202);
    }
    assert_eq!(counted(&site, "high", "applied").await, 1);
    assert_eq!(counted(&site, "high", "duplicate").await, 1);
    let safe = json!({"agentIds": [AGENT]}).to_string();
    let path = "/beta/identityProtection/riskyAgents/confirmSafe";
    assert_eq!(site.manage(Method::POST, path, &safe).await.status, 204);
    assert_eq!(status(&site, AGENT).await, 200);
    // The tool sends it once more, later than the administrator's word; also after a restart.
    assert_eq!(send(&site, &body).await, 202);
    let site = site.restart().await;
    assert_eq!(send(&site, &body).await, 202);
    assert_eq!(counted(&site, "high", "duplicate").await, 1);
    assert_eq!(status(&site, AGENT).await, 200);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_mapping_does_not_find_is_told_and_whom_nobody_knows_is_counted() {
    let site = start("").await;
    for (status, body) in [
        (400, "nonsense".to_owned()),
        (400, r#"{"agent": "a", "agent": "b"}"#.to_owned()),
        (
            422,
            json!({"alert": {"id": "a", "severity": "high"}}).to_string(),
        ),
        (422, report("", AGENT, "high")),
        (422, report("a", AGENT, Value::Null)),
        (422, report(&"x".repeat(600), AGENT, "high")),
    ] {
        let answer = post(&site, signed(SECRET, now(), &body), &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert_eq!(answer.json()["err"], "invalid_request");
    }
    let body = json!({"alert": {"id": "a", "severity": "high"}}).to_string();
    let answer = post(&site, signed(SECRET, now(), &body), &body).await;
    let why = answer.json()["description"].to_string();
    assert!(why.contains("`subject` (`/agent`)"), "{why}");

    let large = report("a", AGENT, "x".repeat(4_000));
    let answer = post(&site, signed(SECRET, now(), &large), &large).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["err"]),
        (413, &json!("too_large"))
    );
    let body = report("a", AGENT, "high");
    let mut request = signed(SECRET, now(), &body);
    request
        .headers_mut()
        .unwrap()
        .insert(CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(post(&site, request, &body).await.status, 415);
    assert_eq!(status(&site, AGENT).await, 200);

    assert_eq!(send(&site, &report("a", "nobody", "high")).await, 202);
    assert_eq!(counted(&site, "high", "unknown_subject").await, 1);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn subjects_of_an_issuer_and_the_tools_own_time_are_understood() {
    let site = start(&format!(", subject_issuer: '{ISSUER}', time: /at")).await;
    let unknown = "f0f0f0f0-0000-4000-8000-000000000077";
    let said = |id: &str, severity: &str, at: Value| {
        let alert = json!({"id": id, "severity": severity});
        json!({"alert": alert, "agent": unknown, "at": at}).to_string()
    };
    assert_eq!(
        send(&site, &said("1", "high", json!(now() - 30))).await,
        202
    );
    assert_eq!(status(&site, unknown).await, 403);
    // What happened earlier comes too late, whenever it was sent.
    assert_eq!(
        send(&site, &said("2", "resolved", json!((now() - 60) * 1_000))).await,
        202
    );
    assert_eq!(status(&site, unknown).await, 403);
    assert_eq!(
        send(&site, &said("3", "resolved", json!(now() - 10))).await,
        202
    );
    assert_eq!(status(&site, unknown).await, 200);
    assert_eq!(send(&site, &said("4", "high", json!("soon"))).await, 422);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_required_webhook_that_is_not_heard_of_stops_calls_until_it_is() {
    let site = start(", required: true, max_age: 1h").await;
    assert_eq!(status(&site, AGENT).await, 503);
    let ready = site.manage(Method::GET, "/readyz", "").await.json();
    assert_eq!(ready["status"], "not_ready", "{ready}");
    let body = report("a", AGENT, "fine");
    let forged = signed("another-secret-of-forty-characters-here-", now(), &body);
    assert_eq!(post(&site, forged, &body).await.status, 401);
    assert_eq!(status(&site, AGENT).await, 503);
    assert_eq!(send(&site, &body).await, 202);
    assert_eq!(status(&site, AGENT).await, 200);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_is_killed_right_after_its_answer_has_forgotten_no_report() {
    let ground = lay("").await;
    let config = ground.path("boomgate.yaml");
    for round in 0..3 {
        let mut gateway = Gateway::start(&config).await;
        let (agent, severity) = [
            (AGENT, "high"),
            (AGENT, "resolved"),
            (OTHER_AGENT, "contained"),
        ][round];
        let body = report(&format!("a-{round}"), agent, severity);
        let client = Client::http1(&ground.pki, gateway.management).await;
        let answer = exchange(client, signed(SECRET, now(), &body), &body).await;
        gateway.process.signal("KILL");
        assert_eq!(answer.status, 202);
        gateway.process.end().await;

        let mut gateway = Gateway::start(&config).await;
        let token = ground.agent_token(agent);
        let status = gateway.get(&ground.pki, "/hr/people", &token).await.status;
        assert_eq!(status, [403, 200, 403][round]);
        gateway.process.signal("TERM");
        assert_eq!(gateway.process.end().await.code(), Some(0));
    }
}
