//! Who may do what: every role at every kind of request, and nobody without a credential that holds.

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::error;
use crate::support::client::Client;
use crate::support::site::{AGENT, Answer, HUMAN, Setup, Site, agent_claims, block, exchange, now};

const AUDIENCE: &str = "api://boomgate-management";
const RISKY: &str = "/beta/identityProtection/riskyAgents";
const POLICIES: &str = "/v1.0/identity/conditionalAccess/policies";

async fn site() -> Site {
    let agents = json!({"clientApplications": {"includeAgentIdServicePrincipals": ["a9a9a9a9-0000-4000-8000-0000000000ff"]}});
    Site::start(Setup {
        management: vec!["oidc: {issuer: entra, audience: 'api://boomgate-management'}"],
        policies: vec![block("10000000-0000-4000-8000-000000000001", agents)],
        ..Setup::default()
    })
    .await
}

/// A person's token for the management API.
fn token(site: &Site, changes: &Value) -> String {
    let mut claims = json!({"aud": AUDIENCE, "idtyp": "user", "oid": HUMAN, "sub": HUMAN, "azp": "console", "scp": "x",
        "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    site.token(&claims)
}

async fn ask(site: &Site, method: Method, path: &str, token: Option<&str>, body: &str) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    exchange(client, request, body).await
}

/// Requests of each kind: the least role, and what it gets then.
fn requests() -> Vec<(usize, Method, String, String, u16)> {
    let agent = format!("/v1.0/servicePrincipals/{AGENT}");
    let ids = json!({"agentIds": [AGENT]}).to_string();
    let (_, mut policy) = block(
        "unused",
        json!({"clientApplications": {
        "includeAgentIdServicePrincipals": ["a9a9a9a9-0000-4000-8000-0000000000fe"]}}),
    );
    policy.as_object_mut().unwrap().remove("id");
    let beta = "/beta/identity/conditionalAccess/policies".to_owned();
    let first = format!("{POLICIES}/10000000-0000-4000-8000-000000000001");
    vec![
        (0, Method::GET, "/metrics".to_owned(), String::new(), 200),
        (0, Method::GET, RISKY.to_owned(), String::new(), 200),
        (
            0,
            Method::GET,
            "/v1.0/servicePrincipals".to_owned(),
            String::new(),
            200,
        ),
        (
            0,
            Method::GET,
            "/beta/auditLogs/signIns".to_owned(),
            String::new(),
            200,
        ),
        (0, Method::GET, POLICIES.to_owned(), String::new(), 200),
        (0, Method::HEAD, POLICIES.to_owned(), String::new(), 200),
        (
            1,
            Method::POST,
            format!("{RISKY}/confirmCompromised"),
            ids.clone(),
            204,
        ),
        (
            1,
            Method::POST,
            format!("{RISKY}/dismiss"),
            ids.clone(),
            204,
        ),
        (1, Method::POST, format!("{RISKY}/confirmSafe"), ids, 204),
        (
            1,
            Method::PATCH,
            agent.clone(),
            json!({"accountEnabled": true}).to_string(),
            204,
        ),
        (
            2,
            Method::PATCH,
            agent,
            json!({"customSecurityAttributes": {"A": {"B": "c"}}}).to_string(),
            204,
        ),
        (2, Method::POST, beta, policy.to_string(), 201),
        (
            2,
            Method::PATCH,
            first.clone(),
            json!({"displayName": "x"}).to_string(),
            204,
        ),
        (2, Method::DELETE, first, String::new(), 204),
        (2, Method::PUT, "/nothing".to_owned(), String::new(), 404),
    ]
}

#[tokio::test]
async fn every_role_may_do_what_it_says_and_no_more() {
    let site = site().await;
    let roles = ["reader", "operator", "admin"];
    for (least, method, path, body, status) in requests() {
        let nobody = ask(&site, method.clone(), &path, None, &body).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        if method != Method::HEAD {
            assert_eq!(error(&nobody).0, "InvalidAuthenticationToken");
        }
        let without = token(&site, &json!({"roles": ["Reader", "owner"]}));
        let without = ask(&site, method.clone(), &path, Some(&without), &body).await;
        assert_eq!(without.status, StatusCode::FORBIDDEN, "{method} {path}");
        for (rank, role) in roles.iter().enumerate() {
            let token = token(&site, &json!({"roles": ["other", role]}));
            let answer = ask(&site, method.clone(), &path, Some(&token), &body).await;
            let shown = format!("{role}: {method} {path}: {}", answer.json());
            if rank < least {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{shown}");
                assert_eq!(error(&answer).0, "Forbidden", "{shown}");
            } else if rank == least || method != Method::DELETE {
                assert_eq!(answer.status.as_u16(), status, "{shown}");
            }
        }
    }
    let mut changes = site.records();
    changes.retain(|record| record["boomgate"]["change"] == "begun");
    let done: Vec<_> = changes
        .iter()
        .map(|change| change["initiatedBy"]["user"]["roles"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        done,
        [["operator", "admin"].repeat(4), vec!["admin"; 4],].concat(),
        "what was refused is on no record, for nothing was changed"
    );
    assert_eq!(changes[0]["initiatedBy"]["user"]["id"], HUMAN);
    assert_eq!(
        changes[0]["initiatedBy"]["user"]["displayName"],
        format!("{HUMAN} of issuer entra")
    );
}

#[tokio::test]
async fn the_highest_of_several_roles_counts() {
    let site = site().await;
    let several = token(&site, &json!({"roles": ["reader", "admin"]}));
    let path = format!("{POLICIES}/10000000-0000-4000-8000-000000000001");
    let name = json!({"displayName": "x"}).to_string();
    let answer = ask(&site, Method::PATCH, &path, Some(&several), &name).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_nobodys() {
    let site = site().await;
    let admin = json!({"roles": ["admin"]});
    let with = |name: &str, value: Value| {
        let mut claims = admin.clone();
        claims[name] = value;
        token(&site, &claims)
    };
    let of_call = {
        let mut claims = agent_claims(AGENT);
        claims["roles"] = json!(["admin"]);
        site.issuer.sign(&claims).unwrap()
    };
    let whole = token(&site, &admin);
    assert_eq!(
        ask(&site, Method::GET, RISKY, Some(&whole), "")
            .await
            .status,
        StatusCode::OK
    );
    for (what, token) in [
        ("for an API", of_call),
        ("for nobody", with("aud", json!("api://elsewhere"))),
        (
            "of another issuer",
            with("iss", json!("https://evil.example")),
        ),
        (
            "of another tenant",
            with("tid", json!("7a1d0c52-0000-4b1b-9a51-0c8d5e2f1a00")),
        ),
        ("expired", with("exp", json!(now() - 3_600))),
        (
            "damaged",
            whole.strip_suffix(|_: char| true).unwrap().to_owned(),
        ),
        ("not one", "x.y.z".to_owned()),
    ] {
        let answer = ask(&site, Method::GET, RISKY, Some(&token), "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(error(&answer).1, "the token was not accepted", "{what}");
        assert!(
            answer.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
    }
}
