//! Transmitters that do not keep to the standards, and others who would be one.

use std::sync::Arc;

use boomgate::identity::settings::Algorithm;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CAEP, PUSH_SECRET, RISC, World, add_streams, high, lay, send, try_send};
use crate::support::client::{RawClient, status_of};
use crate::support::site::{AGENT, Site, now};
use crate::support::transmitter::Transmitter;
use crate::tokens::mint::b64;

fn claims(transmitter: &Transmitter, changes: &Value) -> Value {
    let kind = format!("{CAEP}risk-level-change");
    let subject = json!({"format": "opaque", "id": AGENT});
    let mut claims = transmitter.claims("e", &kind, subject, high());
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[tokio::test]
async fn what_is_no_event_of_the_stream_is_refused_by_the_standards_code_and_does_nothing() {
    let world = World::push("").await;
    let transmitter = &world.transmitter;
    let event = json!({"current_level": "HIGH"});
    let two = json!({format!("{CAEP}risk-level-change"): event, format!("{RISC}opt-in"): {}});
    for (changes, code) in [
        (json!({"iss": "https://somebody.else"}), "invalid_issuer"),
        (json!({"iss": [transmitter.issuer]}), "invalid_issuer"),
        (json!({"iss": null}), "invalid_issuer"),
        (json!({"aud": "https://somebody.else"}), "invalid_audience"),
        (json!({"aud": null}), "invalid_audience"),
        (json!({"sub": AGENT}), "invalid_request"),
        (json!({"exp": now() + 60}), "invalid_request"),
        (json!({"jti": null}), "invalid_request"),
        (json!({"jti": ""}), "invalid_request"),
        (json!({"iat": null}), "invalid_request"),
        (json!({"iat": now() + 3600}), "invalid_request"),
        (json!({"iat": -1}), "invalid_request"),
        (json!({"toe": now() + 3600}), "invalid_request"),
        (json!({"sub_id": null}), "invalid_request"),
        (json!({"sub_id": AGENT}), "invalid_request"),
        (json!({"sub_id": {"format": "opaque"}}), "invalid_request"),
        (json!({"events": null}), "invalid_request"),
        (json!({"events": {}}), "invalid_request"),
        (json!({"events": two}), "invalid_request"),
        (
            json!({"events": {format!("{CAEP}risk-level-change"): {}}}),
            "invalid_request",
        ),
        (
            json!({"events": {format!("{CAEP}risk-level-change"): []}}),
            "invalid_request",
        ),
    ] {
        let answer = world
            .send(&transmitter.sign(&claims(transmitter, &changes)))
            .await;
        assert_eq!(answer.status, 400, "{changes}: {answer:?}");
        assert_eq!(answer.json()["err"], code, "{changes}: {answer:?}");
        assert!(answer.json()["description"].is_string());
        assert_eq!(answer.header("content-language"), "en");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let good = claims(transmitter, &json!({}));
    for (header, code) in [
        (json!({"typ": "JWT"}), "invalid_request"),
        (json!({"typ": "at+jwt"}), "invalid_request"),
        (json!({"alg": "none"}), "invalid_key"),
        (json!({"alg": "HS256"}), "invalid_key"),
        (json!({"kid": "unheard-of"}), "invalid_key"),
        (json!({"jwk": {}}), "invalid_request"),
    ] {
        let mut all = json!({"typ": "secevent+jwt"});
        for (name, value) in header.as_object().unwrap() {
            all[name] = value.clone();
        }
        let answer = world
            .send(&transmitter.sign_with(Algorithm::Rs256, &all, &good))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["err"]),
            (400, &json!(code)),
            "{header}"
        );
    }
    let good = transmitter.sign(&good);
    let (head, _) = good.rsplit_once('.').unwrap();
    for (token, code) in [
        (format!("{head}.{}", b64([7; 256])), "authentication_failed"),
        (head.to_owned(), "invalid_request"),
        (String::new(), "invalid_request"),
        ("x".repeat(100_000), "invalid_request"),
    ] {
        let answer = world.send(&token).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["err"]),
            (400, &json!(code))
        );
    }
    assert_eq!(world.status().await, 200);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_stream_says_which_algorithms_are_good() {
    let world = World::push(", algorithms: [PS256, ES256, EdDSA]").await;
    let transmitter = &world.transmitter;
    let header = json!({"typ": "secevent+jwt"});
    for (algorithm, status) in [
        (Algorithm::Ps256, 202),
        (Algorithm::Es256, 202),
        (Algorithm::EdDsa, 202),
        (Algorithm::Rs256, 400),
        (Algorithm::Rs512, 400),
        (Algorithm::Es384, 400),
    ] {
        let token = transmitter.sign_with(algorithm, &header, &claims(transmitter, &json!({})));
        assert_eq!(world.send(&token).await.status, status, "{algorithm:?}");
    }
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn only_the_transmitter_itself_is_heard() {
    let world = World::push("").await;
    let event = world.high("1");
    for authorization in [None, Some("Bearer wrong"), Some("")] {
        let answer = send(&world.site, "idp", authorization, &event).await;
        assert_eq!(
            answer.json()["err"],
            "authentication_failed",
            "{authorization:?}"
        );
    }
    let answer = send(&world.site, "nobody", Some(PUSH_SECRET), &event).await;
    assert_eq!(answer.status, 404);
    // The paths beside it ask for the administrator.
    for path in ["/signals", "/signals/idp/pause", "/signals/idp/"] {
        let client =
            crate::support::client::Client::http1(&world.site.pki, world.site.app.management())
                .await;
        let request = http::Request::post(path).header("host", "localhost");
        let answer = crate::support::site::exchange(client, request, "").await;
        assert_eq!(answer.status, 401, "{path}");
    }
    assert_eq!(world.status().await, 200);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn no_transmitter_speaks_on_the_stream_of_another_one() {
    let (ground, one) = lay("push: {}").await;
    let other = Transmitter::start(&ground.pki).await;
    let text = std::fs::read_to_string(ground.path("boomgate.yaml")).unwrap();
    let (without, _) = text.split_once("\nsignals:").unwrap();
    std::fs::write(ground.path("boomgate.yaml"), without).unwrap();
    add_streams(
        &ground,
        &[("idp", &one, "push: {}"), ("other", &other, "push: {}")],
    );
    let site = Site::on(ground);
    let told = async |stream: &str, token: &str| {
        let mut last = None;
        site.until("the keys are there", async |site| {
            let answer = send(site, stream, None, token).await;
            let is_told = answer.status != 503;
            last = Some(answer);
            is_told
        })
        .await;
        last.unwrap()
    };
    // Its own event on the other's stream; and one in the other's name.
    let own = one.sign(&claims(&one, &json!({})));
    assert_eq!(told("other", &own).await.json()["err"], "invalid_issuer");
    let forged = one.sign(&claims(&one, &json!({"iss": other.issuer})));
    assert_eq!(
        told("other", &forged).await.json()["err"],
        "authentication_failed"
    );
    assert_eq!(told("idp", &forged).await.json()["err"], "invalid_issuer");
    let token = site.agent_token(AGENT);
    assert_eq!(site.get("/hr/people", &token).await.status, 200);
    assert_eq!(told("idp", &own).await.status, 202);
    assert_eq!(site.get("/hr/people", &token).await.status, 403);
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_flood_of_nonsense_and_a_body_that_does_not_end_hold_up_nobody() {
    let world = World::push("").await;
    let mut slow =
        RawClient::connect(&world.site.pki, world.site.app.management(), "http/1.1").await;
    let head = format!(
        "POST /signals/idp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/secevent+jwt\r\n\
         Authorization: {PUSH_SECRET}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nhalf"
    );
    slow.send(head.as_bytes()).await.unwrap();
    let bad = world
        .transmitter
        .sign(&claims(&world.transmitter, &json!({"aud": "x"})));
    let mut flood = JoinSet::new();
    for _ in 0..100 {
        let (pki, bad) = (Arc::clone(&world.site.pki), bad.clone());
        let address = world.site.app.management();
        flood.spawn(async move { try_send(&pki, address, &bad).await });
    }
    let good = world
        .transmitter
        .sign(&claims(&world.transmitter, &json!({})));
    world
        .site
        .until("the good one is heard among them", async |site| {
            try_send(&site.pki, site.app.management(), &good).await == Some(202)
        })
        .await;
    for status in flood.join_all().await {
        assert!([None, Some(400), Some(503)].contains(&status), "{status:?}");
    }
    assert_eq!(status_of(&slow.read_to_close().await), 400);
    world.site.app.stop().await.unwrap();
}
