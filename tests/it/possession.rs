//! Tokens that are bound to their callers' keys (RFC 9449): who has the token alone gets nothing, and a proof counts once.

mod proof;
mod replay;

use std::pin::Pin;

use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::site::{AGENT, Answer, OTHER_AGENT, Setup, Site, block, now};
use proof::{Maker, bound_claims};

const PATH: &str = "/hr/people";

/// Calls with a token and a proof.
async fn call(site: &Site, token: &str, proof: &str) -> Answer {
    site.send(with(Request::get(PATH), token).header("dpop", proof))
        .await
}

fn with(request: http::request::Builder, token: &str) -> http::request::Builder {
    request.header("authorization", format!("DPoP {token}"))
}

/// A gateway in the second after that in which it started: what was made in that one may have been made before.
async fn start(setup: Setup) -> Site {
    let site = Site::start(setup).await;
    let second = now();
    site.until("the next second has begun", async |_| now() > second)
        .await;
    site
}

/// A call with a proof that was used for another one.
pub(crate) fn replayed(site: &Site) -> Pin<Box<dyn Future<Output = Answer> + '_>> {
    Box::pin(async move {
        let maker = Maker::new();
        let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
        let proof = maker.proof(&token, &json!({"iat": now() + 2}));
        assert_eq!(call(site, &token, &proof).await.status, StatusCode::OK);
        call(site, &token, &proof).await
    })
}

/// What an answer says is wrong.
fn code(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn whoever_holds_the_key_is_let_in_with_a_proof_of_every_algorithm() {
    let site = start(Setup::default()).await;
    let maker = Maker::new();
    for algorithm in boomgate::identity::settings::Algorithm::ALL {
        let token = site.token(&bound_claims(&maker.thumbprint(algorithm)));
        let proof = maker.by(algorithm).proof(&token, &json!({}));
        let answer = call(&site, &token, &proof).await;
        assert_eq!(answer.status, StatusCode::OK, "{algorithm:?} {answer:?}");
        let (record, _) = site.record(answer.header("boomgate-decision-id")).await;
        assert_eq!(record["boomgate"]["tokenBinding"], "dpop");
        assert!(
            !record.to_string().contains("eyJ"),
            "a credential: {record}"
        );
    }
    // The same address in other words.
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    for address in [
        "https://localhost:443/hr/people",
        "HTTPS://LOCALHOST/hr/people",
        "https://localhost/hr/people?page=2#top",
        "https://localhost/hr/%70eople",
    ] {
        let proof = maker.proof(&token, &json!({"htu": address}));
        let answer = call(&site, &token, &proof).await;
        assert_eq!(answer.status, StatusCode::OK, "{address} {answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_proof_of_this_call_with_this_token_is_refused() {
    let site = start(Setup::default()).await;
    let maker = Maker::new();
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let other = site.token(&bound_claims("another-key"));
    let stranger = Maker::new();
    let claims = [
        ("another method", json!({"htm": "POST"})),
        ("a method in lower case", json!({"htm": "get"})),
        ("no method", json!({"htm": null})),
        (
            "another host",
            json!({"htu": "https://other.example/hr/people"}),
        ),
        (
            "another port",
            json!({"htu": "https://localhost:8443/hr/people"}),
        ),
        (
            "another scheme",
            json!({"htu": "http://localhost/hr/people"}),
        ),
        ("another path", json!({"htu": "https://localhost/hr"})),
        (
            "a path that is not in normal form",
            json!({"htu": "https://localhost/hr/x/../people"}),
        ),
        (
            "a user in the address",
            json!({"htu": "https://me@localhost/hr/people"}),
        ),
        ("no address", json!({"htu": null})),
        ("no absolute address", json!({"htu": "/hr/people"})),
        ("another token", json!({"ath": proof::hash(&other)})),
        ("no token", json!({"ath": null})),
        ("no id", json!({"jti": null})),
        ("an empty id", json!({"jti": ""})),
        ("an id that is too long", json!({"jti": "x".repeat(257)})),
        ("an id that is a number", json!({"jti": 1})),
        ("no time", json!({"iat": null})),
        ("a time that is text", json!({"iat": now().to_string()})),
        ("a time long ago", json!({"iat": now() - 120})),
        ("a time to come", json!({"iat": now() + 120})),
    ];
    let mut proofs: Vec<(&str, String)> = claims
        .into_iter()
        .map(|(what, claims)| (what, maker.proof(&token, &claims)))
        .collect();
    let headers = [
        ("another type", json!({"typ": "JWT"})),
        ("no type", json!({"typ": null})),
        ("no algorithm", json!({"alg": "none"})),
        ("a secret's algorithm", json!({"alg": "HS256"})),
        ("the algorithm of another key", json!({"alg": "RS256"})),
        ("no key", json!({"jwk": null})),
        ("a key that is text", json!({"jwk": "x"})),
        (
            "an address of a key",
            json!({"jku": "https://keys.example"}),
        ),
        ("what has to be understood", json!({"crit": ["exp"]})),
        ("another one's key", json!({"jwk": stranger.jwk()})),
        ("a private key", json!({"jwk": {"kty": "oct", "k": "AAAA"}})),
    ];
    proofs.extend(
        headers
            .into_iter()
            .map(|(what, header)| (what, maker.proof_with(&token, &header, &json!({})))),
    );
    let good = maker.proof(&token, &json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    proofs.extend([
        ("another one's proof", stranger.proof(&token, &json!({}))),
        ("the token itself", token.clone()),
        ("no JWT", "x".to_owned()),
        ("too large a proof", "x".repeat(9_000)),
        ("no signature", format!("{signed}.")),
        ("another signature", format!("{signed}.{}", "A".repeat(86))),
    ]);
    for (what, proof) in &proofs {
        let answer = call(&site, &token, proof).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(code(&answer), "invalid_dpop_proof", "{what}");
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with("DPoP realm=\"boomgate\", ")
                && challenge.contains("error=\"invalid_dpop_proof\", algs=\"RS256 "),
            "{challenge}"
        );
    }
    let twice = with(Request::get(PATH), &token)
        .header("dpop", &good)
        .header("dpop", &good);
    assert_eq!(code(&site.send(twice).await), "invalid_dpop_proof");
    // None of them has used up the good one.
    assert_eq!(call(&site, &token, &good).await.status, StatusCode::OK);
    assert_eq!(site.upstream.calls().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_bound_is_no_bearer_token() {
    let site = start(Setup {
        management: vec!["oidc: {issuer: entra, audience: 'api://boomgate-management'}"],
        ..Setup::default()
    })
    .await;
    let maker = Maker::new();
    let mut claims = bound_claims(&maker.thumbprint(maker.algorithm()));
    let token = site.token(&claims);
    let answer = site.get(PATH, &token).await;
    assert_eq!(
        (answer.status.as_u16(), code(&answer)),
        (401, "proof_missing".into())
    );
    assert!(answer.header("www-authenticate").starts_with("DPoP "));
    let unproved = site.send(with(Request::get(PATH), &token)).await;
    assert_eq!(code(&unproved), "proof_missing");

    // The management API asks for no proof, and so takes no such token.
    claims["aud"] = "api://boomgate-management".into();
    claims["roles"] = json!(["admin"]);
    let status = async |claims: &Value| {
        let client = crate::support::client::Client::http1(&site.pki, site.app.management()).await;
        let request = Request::get("/beta/identityProtection/riskyAgents")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", site.token(claims)));
        crate::support::site::exchange(client, request, "")
            .await
            .status
    };
    assert_eq!(status(&claims).await, StatusCode::UNAUTHORIZED);
    claims["cnf"] = Value::Null;
    assert_eq!(status(&claims).await, StatusCode::OK);

    // Nor can whoever has a bearer token make it a bound one.
    let bearer = site.agent_token(AGENT);
    let proof = maker.proof(&bearer, &json!({}));
    assert_eq!(
        code(&call(&site, &bearer, &proof).await),
        "invalid_dpop_proof"
    );
    assert_eq!(site.get(PATH, &bearer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_binding_that_cannot_be_checked_is_not_taken_for_none() {
    let site = start(Setup::default()).await;
    let maker = Maker::new();
    let thumbprint = maker.thumbprint(maker.algorithm());
    for confirmation in [
        json!({"x5t#S256": thumbprint}),
        json!({"jkt": thumbprint, "x5t#S256": thumbprint}),
        json!({"jwk": maker.jwk()}),
        json!({"jkt": 1}),
        json!({}),
        json!([]),
        json!("x"),
    ] {
        let token = site.token(&json!({"cnf": confirmation}));
        for answer in [
            site.get(PATH, &token).await,
            call(&site, &token, &maker.proof(&token, &json!({}))).await,
        ] {
            assert_eq!(code(&answer), "invalid_token", "{confirmation}");
            let (record, _) = site.record(answer.header("boomgate-decision-id")).await;
            assert_eq!(record["boomgate"]["reason"], "token_claims_refused");
        }
    }
    assert_eq!(site.upstream.calls().len(), 0);
}

#[tokio::test]
async fn a_resource_can_take_bound_tokens_alone_and_says_so() {
    let site = start(Setup {
        resource: vec!["dpop_bound_access_tokens_required: true"],
        ..Setup::default()
    })
    .await;
    let answer = site.get(PATH, &site.agent_token(AGENT)).await;
    assert_eq!(code(&answer), "proof_missing");
    let maker = Maker::new();
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let proof = maker.proof(&token, &json!({}));
    assert_eq!(call(&site, &token, &proof).await.status, StatusCode::OK);
    let metadata = site
        .send(Request::get("/.well-known/oauth-protected-resource/hr"))
        .await
        .json();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
    let algorithms = metadata["dpop_signing_alg_values_supported"].as_array();
    assert!(algorithms.unwrap().contains(&json!("ES256")));
}

#[tokio::test]
async fn the_upstream_gets_the_proof_with_the_token_or_neither() {
    for (rule, is_there) in [("forward", true), ("strip", false)] {
        let line = if is_there {
            "authorization_header: forward"
        } else {
            "authorization_header: strip"
        };
        let site = start(Setup {
            resource: vec![line],
            ..Setup::default()
        })
        .await;
        let maker = Maker::new();
        let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
        let proof = maker.proof(&token, &json!({}));
        assert_eq!(call(&site, &token, &proof).await.status, StatusCode::OK);
        let seen = site.upstream.only_call();
        assert_eq!(seen.header("dpop").is_some(), is_there, "{rule}");
        assert_eq!(seen.header("authorization").is_some(), is_there, "{rule}");
    }
}

/// The control that Entra greys out for agents: a strength of authentication.
#[tokio::test]
async fn a_policy_can_demand_of_agents_that_their_tokens_are_bound() {
    const STRENGTH: &str = "57e3d3f1-0000-4000-8000-000000000001";
    let (name, mut policy) = block("bound", json!({}));
    policy["grantControls"] = json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": STRENGTH}});
    let site = start(Setup {
        policies: vec![(name, policy)],
        ..Setup::default()
    })
    .await;
    // Nothing tells of the strength: nobody can say who has it.
    let maker = Maker::new();
    let token = site.token(&bound_claims(&maker.thumbprint(maker.algorithm())));
    let answer = call(&site, &token, &maker.proof(&token, &json!({}))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");

    let config = site.path("boomgate.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let line =
        format!("    grant_controls_of_bound_tokens: ['authenticationStrength:{STRENGTH}']\n");
    let text = text.replace(
        "    keys: {file: keys.json}\n",
        &format!("    keys: {{file: keys.json}}\n{line}"),
    );
    std::fs::write(&config, text).unwrap();
    site.until("the strength counts", async |site| {
        call(site, &token, &maker.proof(&token, &json!({})))
            .await
            .status
            == StatusCode::OK
    })
    .await;
    let bearer = site.get(PATH, &site.agent_token(OTHER_AGENT)).await;
    assert_eq!(bearer.status, StatusCode::FORBIDDEN, "{bearer:?}");
}
