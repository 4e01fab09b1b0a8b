//! Calls that are open when their caller is blocked are cut, whatever they are, and those of others go on.

mod elsewhere;
mod judging;
mod limits;
mod support;
mod ways;

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::RawClient;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, block};
use support::{Caller, Fed, Held, Holder, end, next, until};
use ways::{BLOCKS, Block};

pub(crate) use ways::confirm_compromised;

/// A gateway that blocks agents at high risk.
fn setup() -> Setup {
    Setup {
        policies: vec![block("on-risk", json!({"agentIdRiskLevels": "high"}))],
        ..Setup::default()
    }
}

const BOTH: [bool; 2] = [false, true];

/// The outcome record of the one call of an agent that was forwarded.
pub(crate) async fn outcome_of(site: &Site, agent: &str) -> Value {
    let find = || {
        let records = site.records();
        let of_agent = |record: &&Value| {
            record["agent"]["agentId"] == agent || record["servicePrincipalId"] == agent
        };
        let id = records.iter().find(of_agent)?["id"].clone();
        let outcome = records
            .into_iter()
            .find(|record| record["id"] == id && record["boomgate"]["outcome"].is_object())?;
        Some(outcome["boomgate"]["outcome"].clone())
    };
    until("the outcome is recorded", || find().is_some()).await;
    find().unwrap()
}

#[tokio::test]
async fn an_open_stream_is_cut_however_its_caller_is_blocked_and_others_go_on() {
    for (http2, how) in BOTH.into_iter().flat_map(|v| BLOCKS.map(|how| (v, how))) {
        let holder = Holder::start(http2).await;
        let site = holder.site(http2, setup()).await;
        let mut callers = [
            Caller::connect(&site, http2).await,
            Caller::connect(&site, http2).await,
        ];
        let [one, other] = &mut callers;
        let token = site.agent_token(AGENT);
        let mut cut = one.get("/hr/events", &token).await.unwrap();
        let token = site.agent_token(OTHER_AGENT);
        let mut goes_on = other.get("/hr/events", &token).await.unwrap();
        assert_eq!(cut.status(), StatusCode::OK);
        let (held, held_on) = (
            holder.call_of(AGENT).await,
            holder.call_of(OTHER_AGENT).await,
        );
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut cut).await, "data: 1\n\n");

        how.block(&site).await;
        assert!(end(cut).await.is_err(), "{how:?}: a clean end");
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        let outcome = outcome_of(&site, AGENT).await;
        assert_eq!(outcome["result"], "cut", "{how:?}: {outcome}");
        assert_eq!(outcome["reason"], how.reason(), "{how:?}");
        assert_eq!(outcome["status"], 200);
        assert_eq!(outcome["bytes"], 9);
        let labels = [("reason", how.reason())];
        assert_eq!(site.count("boomgate_calls_cut_total", &labels).await, 1);
        let labels = [("source", how.source())];
        let delays = "boomgate_enforcement_delay_seconds_count";
        site.until("the delay is measured", async |site| {
            site.count(delays, &labels).await == 1
        })
        .await;

        held_on.answer.send("data: 2\n\n");
        assert_eq!(next(&mut goes_on).await, "data: 2\n\n", "{how:?}");
        held_on.answer.end();
        assert!(end(goes_on).await.is_ok());
        assert_eq!(outcome_of(&site, OTHER_AGENT).await["result"], "completed");
        let labels = [("resource", "hr-api")];
        assert_eq!(site.count("boomgate_open_calls", &labels).await, 0);
        site.app.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_call_whose_token_or_resource_is_no_more_is_cut() {
    for how in [Block::Issuer, Block::Resource] {
        let holder = Holder::start(false).await;
        let site = holder.site(false, setup()).await;
        let mut caller = Caller::connect(&site, true).await;
        let answer = caller
            .get("/hr/events", &site.agent_token(AGENT))
            .await
            .unwrap();
        how.block(&site).await;
        assert!(end(answer).await.is_err(), "{how:?}");
        let outcome = outcome_of(&site, AGENT).await;
        assert_eq!(outcome["reason"], how.reason(), "{how:?}");
    }
}

/// Answers that stream: one to the agent that is going to be blocked, and one to the other, on one connection.
async fn events_of_both(site: &Site, caller: &mut Caller) -> [Response<Incoming>; 2] {
    let of_one = caller.get("/hr/events", &site.agent_token(AGENT)).await;
    let of_other = caller
        .get("/hr/events", &site.agent_token(OTHER_AGENT))
        .await;
    [of_one.unwrap(), of_other.unwrap()]
}

#[tokio::test]
async fn calls_of_one_http2_connection_are_cut_one_by_one() {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut caller = Caller::connect(&site, true).await;
    let [cut, mut goes_on] = events_of_both(&site, &mut caller).await;
    confirm_compromised(&site, AGENT).await;
    assert!(end(cut).await.is_err());
    holder.call_of(OTHER_AGENT).await.answer.send("data: 1\n\n");
    assert_eq!(next(&mut goes_on).await, "data: 1\n\n");
    assert!(!caller.is_closed());
}

#[tokio::test]
async fn a_call_without_an_answer_yet_is_answered_with_the_refusal() {
    for (http2, path) in [
        (false, "upload"),
        (true, "upload"),
        (false, "silent"),
        (true, "silent"),
    ] {
        let holder = Holder::start(http2).await;
        let site = holder.site(http2, setup()).await;
        let mut caller = Caller::connect(&site, http2).await;
        let (body, feeder) = Fed::new(None);
        let token = site.agent_token(AGENT);
        let path = format!("/hr/{path}");
        let calling = caller.send(Request::post("/"), &path, &token, body);
        let cutting = async {
            feeder.send("a part");
            let held = holder.call_of(AGENT).await;
            if path.ends_with("upload") {
                until("a part is there", || {
                    held.received.load(Ordering::SeqCst) == 6
                })
                .await;
            }
            confirm_compromised(&site, AGENT).await;
            held
        };
        let (answer, held) = tokio::join!(calling, cutting);
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(answer.headers().contains_key("boomgate-decision-id"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "53003");
        until("the upload is broken off", || {
            *held.upload.lock() == Some(false)
        })
        .await;
        let outcome = outcome_of(&site, AGENT).await;
        assert_eq!(
            (&outcome["result"], &outcome["status"]),
            (&json!("cut"), &json!(403))
        );
        let labels = [("resource", "hr-api"), ("result", "cut")];
        assert_eq!(
            site.count("boomgate_upstream_requests_total", &labels)
                .await,
            1
        );
    }
}

#[tokio::test]
async fn an_upload_that_outlasts_its_answer_is_cut_too() {
    for http2 in BOTH {
        let holder = Holder::start(http2).await;
        let site = holder.site(http2, setup()).await;
        let mut caller = Caller::connect(&site, true).await;
        let (body, feeder) = Fed::new(None);
        let token = site.agent_token(AGENT);
        let sent = caller
            .send(Request::post("/"), "/hr/events", &token, body)
            .await;
        let mut answer = sent.unwrap();
        let held = holder.call_of(AGENT).await;
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut answer).await, "data: 1\n\n");
        feeder.send("a part");
        until("a part is there", || {
            held.received.load(Ordering::SeqCst) == 6
        })
        .await;
        confirm_compromised(&site, AGENT).await;
        assert!(end(answer).await.is_err());
        until("the upload is broken off", || {
            *held.upload.lock() == Some(false)
        })
        .await;
        until("nobody takes more of it", || feeder.is_gone()).await;
    }
}

#[tokio::test]
async fn grpc_says_why_in_its_trailers() {
    for (how, status) in [(Block::Risk, "7"), (Block::Issuer, "16")] {
        let holder = Holder::start(true).await;
        let site = holder.site(true, setup()).await;
        let mut caller = Caller::connect(&site, true).await;
        let (body, feeder) = Fed::new(None);
        let token = site.agent_token(AGENT);
        let sent = caller
            .send(Request::post("/"), "/hr/grpc", &token, body)
            .await;
        let mut answer = sent.unwrap();
        let held = holder.call_of(AGENT).await;
        held.answer.send(&b"\0\0\0\0\x02hi"[..]);
        assert_eq!(next(&mut answer).await, &b"\0\0\0\0\x02hi"[..]);
        how.block(&site).await;
        let trailers = end(answer).await.unwrap().expect("trailers");
        assert_eq!(trailers["grpc-status"], status);
        assert_eq!(trailers["grpc-message"], how.reason());
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        until("nobody takes more of the upload", || feeder.is_gone()).await;
        assert_eq!(outcome_of(&site, AGENT).await["result"], "cut");
    }
}

#[tokio::test]
async fn whoever_does_not_read_is_cut_as_well_and_gets_nothing_more() {
    for http2 in BOTH {
        let holder = Holder::start(false).await;
        let site = holder.site(false, setup()).await;
        let mut caller = Caller::connect(&site, http2).await;
        let token = site.agent_token(AGENT);
        // Held, and not read.
        let answer = caller.get("/hr/events", &token).await.unwrap();
        let held = holder.call_of(AGENT).await;
        for _ in 0..2_000 {
            held.answer.send(vec![b'x'; 16 * 1024]);
        }
        let sent = async |site: &Site| outcome_of(site, AGENT).await["bytes"].as_u64().unwrap();
        confirm_compromised(&site, AGENT).await;
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        assert!(sent(&site).await < 32_000_000, "it has read it all");
        assert!(end(answer).await.is_err());
    }
}

#[tokio::test]
async fn an_idle_connection_of_the_blocked_agent_is_closed_and_others_stay() {
    for http2 in BOTH {
        idle_connections(http2).await;
    }
}

async fn idle_connections(http2: bool) {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut callers = [
        Caller::connect(&site, http2).await,
        Caller::connect(&site, http2).await,
    ];
    for (caller, agent) in callers.iter_mut().zip([AGENT, OTHER_AGENT]) {
        let answer = caller
            .get("/hr/events", &site.agent_token(agent))
            .await
            .unwrap();
        holder.call_of(agent).await.answer.end();
        assert!(end(answer).await.is_ok());
    }
    assert!(!callers[0].is_closed());
    confirm_compromised(&site, AGENT).await;
    until("its connection is closed", || callers[0].is_closed()).await;
    let token = site.agent_token(OTHER_AGENT);
    let answer = callers[1].get("/hr/events", &token).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "on the same connection");
    // Nothing was cut: the call was over.
    assert_eq!(outcome_of(&site, AGENT).await["result"], "completed");
    let labels = [("reason", "blocked_by_policy")];
    assert_eq!(site.count("boomgate_calls_cut_total", &labels).await, 0);
}

#[tokio::test]
async fn an_idle_connection_that_others_use_as_well_stays() {
    for http2 in BOTH {
        let holder = Holder::start(false).await;
        let site = holder.site(false, setup()).await;
        let mut caller = Caller::connect(&site, http2).await;
        for agent in [OTHER_AGENT, AGENT] {
            let token = site.agent_token(agent);
            let answer = caller.get("/hr/events", &token).await.unwrap();
            holder.call_of(agent).await.answer.end();
            assert!(end(answer).await.is_ok());
        }
        confirm_compromised(&site, AGENT).await;
        for (agent, status) in [(AGENT, 403), (OTHER_AGENT, 200), (AGENT, 403)] {
            let token = site.agent_token(agent);
            let answer = caller.get("/hr/quick", &token).await.unwrap();
            assert_eq!(answer.status(), status, "on the same connection");
            assert!(end(answer).await.is_ok());
        }
    }
}

#[tokio::test]
async fn changes_that_block_nobody_cut_nothing() {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut caller = Caller::connect(&site, true).await;
    let mut answer = caller
        .get("/hr/events", &site.agent_token(AGENT))
        .await
        .unwrap();
    let held: std::sync::Arc<Held> = holder.call_of(AGENT).await;
    for _ in 0..3 {
        confirm_compromised(&site, OTHER_AGENT).await;
        ways::reload(&site).await;
    }
    held.answer.send("data: 1\n\n");
    assert_eq!(next(&mut answer).await, "data: 1\n\n");
    held.answer.end();
    assert!(end(answer).await.is_ok());
    assert_eq!(outcome_of(&site, AGENT).await["result"], "completed");
    assert_eq!(holder.calls().len(), 1);
}

#[tokio::test]
async fn curl_sees_that_a_cut_answer_is_not_whole() {
    for (version, path) in [
        ("--http1.1", "events"),
        ("--http1.1", "download"),
        ("--http1.0 --no-alpn", "events"),
        ("--http2", "events"),
        ("--http2", "download"),
    ] {
        let holder = Holder::start(false).await;
        let site = holder.site(false, setup()).await;
        let token = site.agent_token(AGENT);
        let curl = curl(&site, version, path, &token).spawn().unwrap();
        let held = holder.call_of(AGENT).await;
        held.answer.send("data: 1\n\n");
        let reading = tokio::task::spawn_blocking(|| curl.wait_with_output());
        let cutting = async {
            // The first piece is on its way before the rest is cut off.
            site.until("the answer has begun", async |site| {
                let class = [("resource", "hr-api"), ("status_class", "2xx")];
                site.count("boomgate_request_duration_seconds_count", &class)
                    .await
                    == 1
            })
            .await;
            confirm_compromised(&site, AGENT).await;
        };
        let (output, ()) = tokio::join!(reading, cutting);
        let output = output.unwrap().unwrap();
        assert!(!output.status.success(), "{version} {path}: {output:?}");
    }
}

/// curl with a call of an agent.
fn curl(site: &Site, version: &str, path: &str, token: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--no-buffer"])
        .args(version.split(' '))
        .arg("--cacert")
        .arg(site.pki.path("ca.pem"))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .arg(format!(
            "https://localhost:{}/hr/{path}",
            site.address().port()
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    curl
}

#[tokio::test]
async fn a_cut_answer_in_http1_has_no_end() {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut raw = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let token = site.agent_token(AGENT);
    let request = format!(
        "GET /hr/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    raw.0.write_all(request.as_bytes()).await.unwrap();
    holder.call_of(AGENT).await.answer.send("data: 1\n\n");
    let mut seen = Vec::new();
    while !seen.ends_with(b"data: 1\n\n\r\n") {
        seen.push(raw.0.read_u8().await.unwrap());
    }
    confirm_compromised(&site, AGENT).await;
    let error = raw.0.read_u8().await.unwrap_err();
    // Reset: neither the last chunk, nor the end of TLS, nor that of TCP.
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
}

#[tokio::test]
async fn a_drain_lets_open_calls_end_and_cuts_the_blocked_all_the_same() {
    let holder = Holder::start(false).await;
    let site = holder.site(false, setup()).await;
    let mut caller = Caller::connect(&site, true).await;
    let [cut, mut ends] = events_of_both(&site, &mut caller).await;
    confirm_compromised(&site, AGENT).await;
    assert!(end(cut).await.is_err());
    let held = holder.call_of(OTHER_AGENT).await;
    let stopping = site.app.stop();
    let ending = async {
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut ends).await, "data: 1\n\n");
        held.answer.end();
        assert!(end(ends).await.is_ok());
    };
    let (stopped, ()) = tokio::join!(stopping, ending);
    stopped.unwrap();
}
