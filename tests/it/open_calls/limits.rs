//! Calls on which nothing moves any more, or that take too long in all, end by the limits of their upstream.

use std::time::{Duration, Instant};

use http::{Request, StatusCode};

use super::outcome_of;
use super::support::{Caller, Fed, Holder, end, next, until};
use super::{BOTH, setup};
use crate::support::site::{AGENT, Setup, Site};

/// A gateway in front of `holder`, with this further setting of its upstream.
async fn site(holder: &Holder, http2: bool, setting: &str) -> Site {
    let protocol = if http2 { "http2" } else { "http1" };
    Site::start(Setup {
        upstream: vec![
            format!("url: http://{}", holder.address),
            format!("protocol: {protocol}"),
            setting.to_owned(),
        ],
        ..setup()
    })
    .await
}

/// That the call's answer broke off by a limit, is recorded and counted so.
async fn has_expired(site: &Site) {
    let outcome = outcome_of(site, AGENT).await;
    assert_eq!(outcome["result"], "upstream_failed", "{outcome}");
    assert_eq!(outcome["reason"], "upstream_timeout");
    let labels = [("event", "expired")];
    let events = site.count("boomgate_upstream_events_total", &labels).await;
    assert_eq!(events, 1);
}

#[tokio::test]
async fn an_answer_on_which_nothing_moves_breaks_off_after_its_time() {
    for http2 in BOTH {
        let holder = Holder::start(http2).await;
        let site = site(&holder, http2, "stream_idle_timeout: 300ms").await;
        let mut caller = Caller::connect(&site, http2).await;
        let token = site.agent_token(AGENT);
        let mut answer = caller.get("/hr/events", &token).await.unwrap();
        let held = holder.call_of(AGENT).await;
        held.answer.send("data: 1\n\n");
        assert_eq!(next(&mut answer).await, "data: 1\n\n");
        assert!(end(answer).await.is_err(), "a clean end");
        until("the upstream's side is closed", || held.answer.is_gone()).await;
        has_expired(&site).await;
    }
}

#[tokio::test]
async fn what_the_caller_sends_keeps_a_silent_answer_open() {
    for http2 in BOTH {
        let holder = Holder::start(http2).await;
        let site = site(&holder, http2, "stream_idle_timeout: 1s").await;
        let mut caller = Caller::connect(&site, http2).await;
        let (body, feeder) = Fed::new(None);
        let token = site.agent_token(AGENT);
        let call = Request::post("/");
        let answer = caller.send(call, "/hr/events", &token, body).await.unwrap();
        let held = holder.call_of(AGENT).await;
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(3) {
            feeder.send("x");
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(!held.answer.is_gone(), "after {:?}", started.elapsed());
        }
        held.answer.end();
        feeder.end();
        assert!(end(answer).await.is_ok());
        assert_eq!(outcome_of(&site, AGENT).await["result"], "completed");
    }
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_up_however_much_moves() {
    for http2 in BOTH {
        let holder = Holder::start(http2).await;
        let site = site(&holder, http2, "total_timeout: 500ms").await;
        let mut caller = Caller::connect(&site, http2).await;
        let token = site.agent_token(AGENT);
        let answer = caller.get("/hr/events", &token).await.unwrap();
        let held = holder.call_of(AGENT).await;
        let feeding = async {
            while !held.answer.is_gone() {
                held.answer.send("data: more\n\n");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (answer, ()) = tokio::join!(end(answer), feeding);
        assert!(answer.is_err(), "a clean end");
        has_expired(&site).await;
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_a_504_when_its_time_is_up() {
    let holder = Holder::start(false).await;
    let site = site(&holder, false, "total_timeout: 300ms").await;
    let mut caller = Caller::connect(&site, true).await;
    let token = site.agent_token(AGENT);
    let answer = caller.get("/hr/silent", &token).await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    let outcome = outcome_of(&site, AGENT).await;
    assert_eq!(outcome["reason"], "upstream_timeout");
}
