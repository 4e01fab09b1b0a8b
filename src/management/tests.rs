//! The control plane as its clients see it: who gets in, what they see, and what their word does.

mod fixture;
mod observe;
mod risk;

use http::{Method, Request};
use serde_json::json;

use self::fixture::{AGENT, AGENTS, TOKEN, change_settings, get, json_of, send, state, status_of};
use crate::types::Secret;

#[tokio::test]
async fn only_the_admin_token_opens_what_is_not_a_probe() {
    let state = state();
    let bare = || Request::get(AGENTS).header("host", "localhost:9443");
    let with = |value: &str| bare().header("authorization", value);
    for (request, status) in [
        (with(&format!("Bearer {TOKEN}")), 200),
        (with(&format!("bearer {TOKEN}")), 200),
        (bare(), 401),
        (with("Bearer an-admin-toke"), 401),
        (with("Bearer an-admin-token2"), 401),
        (with("Bearer "), 401),
        (with("Bearer"), 401),
        (with(&format!("Basic {TOKEN}")), 401),
        (with(TOKEN), 401),
        (
            with(&format!("Bearer {TOKEN}")).header("authorization", "Bearer x"),
            401,
        ),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(status_of(&state, request).await, status, "{shown}");
    }
    let by_query =
        Request::get(format!("{AGENTS}?access_token={TOKEN}")).header("host", "localhost");
    assert_eq!(status_of(&state, by_query).await, 401);
    let unknown = Request::get("/nothing/here").header("host", "localhost");
    assert_eq!(
        status_of(&state, unknown).await,
        401,
        "what exists is not told"
    );
    let challenge = send(&state, with("Bearer wrong"), "").await;
    assert_eq!(
        challenge.headers()["www-authenticate"],
        "Bearer realm=\"boomgate management\", error=\"invalid_token\""
    );
}

#[tokio::test]
async fn an_empty_admin_token_lets_nobody_in() {
    let state = state();
    change_settings(&state, |settings| settings.admin_token = Secret::new(""));
    let request = Request::get(AGENTS)
        .header("host", "localhost")
        .header("authorization", "Bearer ");
    assert_eq!(status_of(&state, request).await, 401);
}

#[tokio::test]
async fn probes_are_open_only_if_the_operator_says_so() {
    let state = state();
    for path in ["/healthz", "/readyz", "/startupz", "/metrics"] {
        let request = || Request::get(path).header("host", "10.1.2.3:9443");
        change_settings(&state, |settings| settings.open_probes = true);
        assert_eq!(status_of(&state, request()).await, 200, "{path}");
        change_settings(&state, |settings| settings.open_probes = false);
        assert_eq!(status_of(&state, request()).await, 401, "{path}");
    }
}

#[tokio::test]
async fn another_name_or_another_site_is_refused_before_anything_else() {
    let state = state();
    let to = |host: &str| {
        Request::get("/healthz")
            .header("host", host)
            .header("authorization", format!("Bearer {TOKEN}"))
    };
    for (request, status) in [
        (to("127.0.0.1:9443"), 200),
        (to("[::1]:9443"), 200),
        (to("localhost"), 200),
        (to("Boomgate.example.com:9443"), 200),
        (to("evil.example.com:9443"), 421),
        (to("boomgate.example.com.evil.example"), 421),
        (to("127.0.0.1.evil.example"), 421),
        (to("localhost").header("host", "evil.example.com"), 400),
        (to("a@localhost"), 400),
        (Request::get("/healthz"), 400),
        (
            to("localhost:9443").header("origin", "https://localhost:9443"),
            200,
        ),
        (
            to("localhost:9443").header("origin", "https://localhost:3000"),
            403,
        ),
        (
            to("localhost:9443").header("origin", "http://localhost:9443"),
            403,
        ),
        (
            to("localhost:9443").header("origin", "https://evil.example.com"),
            403,
        ),
        (to("localhost:9443").header("origin", "null"), 403),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(status_of(&state, request).await, status, "{shown}");
    }
}

#[tokio::test]
async fn errors_have_graphs_form_and_answers_name_the_request() {
    let state = state();
    let client = "0f9e8d7c-0000-4000-8000-0000000000c1";
    let request = get(&format!("{AGENTS}/{AGENT}")).header("client-request-id", client);
    let response = send(&state, request, "").await;
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["client-request-id"], client);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let id = response.headers()["request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        json_of(response).await,
        json!({"error": {
            "code": "ResourceNotFound",
            "message": "no risk was ever reported of an agent with this id",
            "innerError": {"date": "2026-10-01T12:34:56Z", "request-id": id, "client-request-id": client},
        }})
    );
    let response = send(&state, get("/v1.0/elsewhere"), "").await;
    assert_eq!(response.status(), 404);
    let response = send(&state, get(AGENTS).method(Method::DELETE), "").await;
    assert_eq!(response.status(), 405);
    assert_eq!(json_of(response).await["error"]["code"], "MethodNotAllowed");
}
