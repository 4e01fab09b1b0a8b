//! `Boomgate-Assertion`: what an upstream gets as proof of a decision, verified as an upstream would, by another library.

use std::collections::BTreeSet;

use http::{Method, Request};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::site::{AGENT, BLUEPRINT, HUMAN, Setup, Site};

const KEYS: &str = "/.well-known/boomgate/jwks.json";

async fn site(resource: Vec<&'static str>) -> Site {
    Site::start(Setup {
        resource,
        sections: "assertions: {issuer: 'https://gate.test', lifetime: 30s}".to_owned(),
        ..Setup::default()
    })
    .await
}

/// The public keys, which nobody needs a token for.
async fn keys(site: &Site) -> JwkSet {
    let answer = site.send(Request::get(KEYS)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "max-age=300");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.contains("\"d\""), "a private half: {text}");
    serde_json::from_str(&text).unwrap()
}

/// The claims of the assertion that the last call arrived with.
async fn asserted(site: &Site) -> Value {
    let call = site.upstream.calls().pop().unwrap();
    let token = call.header("boomgate-assertion").unwrap().to_owned();
    let header = decode_header(&token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("boomgate-assertion+jwt"));
    let keys = keys(site).await;
    let key = keys
        .find(&header.kid.unwrap())
        .expect("a key that is published");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["hr-internal"]);
    validation.set_issuer(&["https://gate.test"]);
    let key = DecodingKey::from_jwk(key).unwrap();
    decode::<Value>(&token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn an_upstream_can_verify_who_calls_and_which_decision_let_the_call_through() {
    let site = site(vec!["assertion_audience: hr-internal"]).await;
    let answer = site.get("/hr/people?all=1", &site.agent_token(AGENT)).await;
    assert_eq!(answer.status, 200);
    let claims = asserted(&site).await;
    let record = site.record(answer.header("boomgate-decision-id")).await.0;
    let issued_at = claims["iat"].as_i64().unwrap();
    assert_eq!(
        claims,
        json!({"iss": "https://gate.test", "aud": "hr-internal", "sub": AGENT, "iat": issued_at,
            "exp": issued_at + 30, "jti": answer.header("boomgate-decision-id"),
            "agent_type": "agent_identity", "agent_id": AGENT, "blueprint_id": BLUEPRINT,
            "htm": "GET", "path": "/hr/people",
            "policy_generation": record["boomgate"]["policyGeneration"]})
    );

    let for_human = site.token(
        &json!({"azp": AGENT, "idtyp": "user", "oid": HUMAN, "sub": "pairwise",
        "xms_act_fct": "11 9 3", "xms_sub_fct": "2 3"}),
    );
    let forged = Request::get("/hr/people")
        .header("authorization", format!("Bearer {for_human}"))
        .header("boomgate-assertion", "forged");
    assert_eq!(site.send(forged).await.status, 200);
    let claims = asserted(&site).await;
    assert_eq!(claims["sub"], HUMAN);
    assert_eq!(claims["act"], json!({"sub": AGENT}));
    assert_eq!(claims["agent_type"], "on_behalf_of");
}

#[tokio::test]
async fn an_upstream_that_is_owed_no_assertion_gets_none_and_no_forgery() {
    let site = site(Vec::new()).await;
    let call = Request::get("/hr/people")
        .header(
            "authorization",
            format!("Bearer {}", site.agent_token(AGENT)),
        )
        .header("boomgate-assertion", "forged");
    assert_eq!(site.send(call).await.status, 200);
    assert_eq!(site.upstream.only_call().header("boomgate-assertion"), None);
}

#[tokio::test]
async fn a_reload_of_something_else_keeps_the_keys() {
    let site = site(vec!["assertion_audience: hr-internal"]).await;
    let ids = async |site: &Site| -> BTreeSet<String> {
        let keys = keys(site).await.keys.into_iter();
        keys.map(|key| key.common.key_id.unwrap()).collect()
    };
    let before = ids(&site).await;
    assert_eq!(before.len(), 2, "the one that signs, and the next");
    let text = std::fs::read_to_string(site.path("boomgate.yaml")).unwrap();
    let shorter = text.replace("lifetime: 30s", "lifetime: 10s");
    assert_ne!(shorter, text);
    std::fs::write(site.path("boomgate.yaml"), shorter).unwrap();
    site.until("assertions live for ten seconds", async |site| {
        let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(answer.status, 200);
        let claims = asserted(site).await;
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() == 10
    })
    .await;
    assert_eq!(ids(&site).await, before);
}

#[tokio::test]
async fn keys_of_files_are_shared_by_replicas() {
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let mut sets = Vec::new();
    for _replica in 0..2 {
        let setup = Setup {
            resource: vec!["assertion_audience: hr-internal"],
            sections: "assertions: {issuer: 'https://gate.test', key_files: [one.pem, two.pem]}"
                .to_owned(),
            ..Setup::default()
        };
        let ground = crate::support::site::Ground::lay(&setup).await;
        std::fs::write(ground.path("one.pem"), &pem).unwrap();
        std::fs::write(ground.path("two.pem"), &other).unwrap();
        let site = Site::on(ground);
        assert_eq!(
            site.get("/hr/people", &site.agent_token(AGENT))
                .await
                .status,
            200
        );
        let claims = asserted(&site).await;
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            60
        );
        sets.push(serde_json::to_value(keys(&site).await).unwrap());
    }
    assert_eq!(sets[0], sets[1]);
    assert_eq!(sets[0]["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_assertions_there_are_no_keys_and_no_resource_has_their_path() {
    let site = Site::start(Setup::default()).await;
    for method in [Method::GET, Method::POST] {
        let answer = site.send(Request::builder().method(method).uri(KEYS)).await;
        assert_eq!(answer.status, 404);
    }
    assert!(site.upstream.calls().is_empty());
}
