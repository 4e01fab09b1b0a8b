//! A proof counts once: at one gateway, after its restart, and at all replicas.

use http::{Request, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

use super::proof::{Maker, bound_claims};
use super::{PATH, call, code, start, with};
use crate::support::client::Client;
use crate::support::gateway::Gateway;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::{Answer, Ground, Setup, exchange};

#[tokio::test]
async fn a_proof_counts_once() {
    let site = start(Setup::default()).await;
    let maker = Maker::new();
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let proof = maker.proof(&token, &json!({}));
    // Many at once: one of them is the first.
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let client = Client::http1(&site.pki, site.address()).await;
        let request = with(Request::get(PATH), &token).header("host", "localhost");
        calls.spawn(exchange(client, request.header("dpop", &proof), ""));
    }
    let answers = calls.join_all().await;
    let good = answers.iter().filter(|one| one.status == StatusCode::OK);
    assert_eq!(good.count(), 1);
    for answer in answers.iter().filter(|one| one.status != StatusCode::OK) {
        assert_eq!(
            (answer.status.as_u16(), code(answer)),
            (401, "invalid_dpop_proof".into())
        );
        let (record, _) = site.record(answer.header("boomgate-decision-id")).await;
        assert_eq!(record["boomgate"]["reason"], "proof_replayed");
    }
    assert_eq!(site.upstream.calls().len(), 1);

    // Another one with the same id, signed anew, is the same; with another key it is another.
    let same = json!({"jti": "one"});
    for (expected, maker) in [(200, &maker), (401, &maker), (200, &Maker::new())] {
        let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
        let answer = call(&site, &token, &maker.proof(&token, &same)).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn a_proof_that_was_made_before_a_start_may_have_been_used() {
    let site = start(Setup::default()).await;
    let maker = Maker::new();
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let (used, unused) = (
        maker.proof(&token, &json!({})),
        maker.proof(&token, &json!({})),
    );
    assert_eq!(call(&site, &token, &used).await.status, StatusCode::OK);
    let site = site.restart().await;
    for proof in [used, unused] {
        assert_eq!(
            code(&call(&site, &token, &proof).await),
            "invalid_dpop_proof"
        );
    }
    // Whoever makes a new one is let in, as soon as a second has passed: proofs say no less.
    site.until("a new proof counts", async |site| {
        let answer = call(site, &token, &maker.proof(&token, &json!({}))).await;
        answer.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_proof_that_one_replica_has_seen_counts_at_none_of_them() {
    let Some(binary) = binary() else { return };
    let mut redis = Redis::start(&binary, "").await;
    let ground = Ground::lay(&Setup::default()).await;
    let mut gateways = Vec::new();
    for name in ["a", "b"] {
        let more = "dangerous_plaintext: true, required: false";
        gateways.push(Gateway::start(&with_redis(&ground, name, redis.address, more)).await);
    }
    let maker = Maker::new();
    let token = ground.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let send = async |gateway: &Gateway, proof: &str| -> Answer {
        let client = Client::http1(&ground.pki, gateway.public).await;
        let request = with(Request::get(PATH), &token).header("host", "localhost");
        exchange(client, request.header("dpop", proof), "").await
    };
    for round in 0..10 {
        let proof = maker.proof(&token, &json!({}));
        let (first, second) = (&gateways[round % 2], &gateways[(round + 1) % 2]);
        assert_eq!(send(first, &proof).await.status, StatusCode::OK);
        let answer = send(second, &proof).await;
        assert_eq!(code(&answer), "invalid_dpop_proof", "{answer:?}");
    }

    // Nobody can tell: nobody with a proof is let in. Bearer tokens need none.
    redis.kill();
    let answer = send(&gateways[0], &maker.proof(&token, &json!({}))).await;
    assert_eq!(
        (answer.status.as_u16(), code(&answer)),
        (503, "facts_unavailable".into())
    );
    let bearer = ground.agent_token(crate::support::site::AGENT);
    let answer = gateways[0].get(&ground.pki, PATH, &bearer).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");

    redis.start_again().await;
    let answer = send(&gateways[0], &maker.proof(&token, &json!({}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}
