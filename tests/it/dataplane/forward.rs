//! Whole calls through a whole gateway: what reaches the upstream, and that nothing does which was not permitted.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::support::client::{Client, text};
use crate::support::gate::{AGENT, BLOCKED_AGENT, BLUEPRINT, Gate};
use crate::support::pki::Pki;
use crate::support::upstream::Upstream;

/// A call with everything forged that a caller can forge.
fn forged(is_http2: bool, authorization: &str) -> Request<Full<Bytes>> {
    let target = "/hr/%70eople/7?next=/../admin";
    let mut request = if is_http2 {
        Request::post(format!("https://localhost{target}"))
    } else {
        Request::post(target).header("host", "localhost")
    };
    for name in [
        "boomgate-agent-id",
        "boomgate-blueprint-id",
        "boomgate-agent-type",
        "boomgate-on-behalf-of",
        "boomgate-decision-id",
        "boomgate-assertion",
        "x-forwarded-for",
        "x-forwarded-prefix",
        "x-forwarded-client-cert",
        "forwarded",
        "x-original-url",
        "x-rewrite-url",
        "x-envoy-original-path",
        "x-http-method-override",
        "x-real-ip",
    ] {
        request = request.header(name, "forged");
    }
    let body = Full::new(Bytes::from_static(b"a body"));
    let request = request.header("authorization", authorization).body(body);
    request.unwrap()
}

fn settings(upstream: &Upstream, scheme: &str, more: &str) -> String {
    format!(
        "      url: {scheme}://localhost:{}\n{more}",
        upstream.address.port()
    )
}

async fn clients(pki: &Pki, gate: &Gate) -> [Client; 2] {
    [
        Client::http1(pki, gate.address).await,
        Client::http2(pki, gate.address).await,
    ]
}

#[tokio::test]
async fn the_upstream_learns_who_calls_from_the_gateway_only() {
    let pki = Pki::new();
    let ca = format!(
        "      tls: {{ ca_file: {} }}\n",
        pki.path("ca.pem").display()
    );
    for alpn in ["http/1.1", "h2"] {
        let protocol = if alpn == "h2" { "http2" } else { "http1" };
        for is_http2 in [false, true] {
            let upstream = Upstream::tls(pki.pair(&["localhost"]), alpn).await;
            let more = format!("{ca}      protocol: {protocol}");
            let gate = Gate::start(&pki, &settings(&upstream, "https", &more), "").await;
            let [mut http1, mut http2] = clients(&pki, &gate).await;
            let client = if is_http2 { &mut http2 } else { &mut http1 };
            let claims = json!({ "agent": AGENT, "blueprint": BLUEPRINT, "act_for": "human-1" });
            let bearer = format!("Bearer {}", gate.token(&claims));
            let response = client.send(forged(is_http2, &bearer)).await.unwrap();

            assert_eq!(response.status(), 200, "{alpn} {is_http2}");
            assert_eq!(response.headers()["x-upstream"], "yes");
            assert!(!response.headers().contains_key("alt-svc"));
            let decision = response.headers()["boomgate-decision-id"].clone();
            assert_ne!(decision, "forged");
            assert_eq!(text(response).await, "a body");

            let call = upstream.only_call();
            assert_eq!(
                (call.method.as_str(), &*call.body),
                ("POST", &b"a body"[..])
            );
            assert_eq!(call.target, "/hr/people/7?next=/../admin");
            let decision = decision.to_str().unwrap();
            for (name, expected) in [
                ("boomgate-decision-id", Some(decision)),
                ("boomgate-agent-id", Some(AGENT)),
                ("boomgate-blueprint-id", Some(BLUEPRINT)),
                ("boomgate-agent-type", Some("on_behalf_of")),
                ("boomgate-on-behalf-of", Some("human-1")),
                ("boomgate-assertion", None),
                ("authorization", Some(bearer.as_str())),
                ("x-forwarded-for", Some("127.0.0.1")),
                ("x-forwarded-proto", Some("https")),
                ("x-forwarded-host", Some("localhost")),
                (
                    "forwarded",
                    Some("for=127.0.0.1;host=\"localhost\";proto=https"),
                ),
            ] {
                assert_eq!(call.header(name), expected, "{name}");
            }
            let values: Vec<&HeaderValue> = call.headers.values().collect();
            assert!(!values.iter().any(|value| *value == "forged"), "{values:?}");
            let host = call.authority.as_deref().or(call.header("host"));
            assert_eq!(host, Some("localhost"));
            gate.stop().await;
        }
    }
}

#[tokio::test]
async fn nothing_reaches_the_upstream_without_a_permit() {
    let pki = Pki::new();
    let upstream = Upstream::plain().await;
    let gate = Gate::start(&pki, &settings(&upstream, "http", ""), "").await;
    let forged_token = {
        let bearer = gate.bearer(AGENT);
        let (signed, _) = bearer.rsplit_once('.').unwrap();
        format!("{signed}.{}", "A".repeat(86))
    };
    for (authorization, status) in [
        (Some(gate.bearer(BLOCKED_AGENT)), 403),
        (Some(forged_token), 401),
        (Some("Basic YTpi".to_owned()), 401),
        (Some("Bearer a b".to_owned()), 400),
        (None, 401),
    ] {
        for mut client in clients(&pki, &gate).await {
            let is_http2 = matches!(client, Client::Http2(_));
            let mut request = forged(is_http2, "-");
            match &authorization {
                Some(value) => {
                    let value = HeaderValue::from_str(value).unwrap();
                    request.headers_mut().insert("authorization", value);
                }
                None => {
                    request.headers_mut().remove("authorization");
                }
            }
            let response = client.send(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{authorization:?}");
            assert_ne!(response.headers()["boomgate-decision-id"], "forged");
            let problem = text(response).await;
            assert!(problem.contains("\"decisionId\""), "{problem}");
        }
    }
    assert!(upstream.calls().is_empty(), "{:?}", upstream.calls());
    let records = gate.records.clone();
    gate.stop().await;
    let records = std::fs::read_to_string(records).unwrap();
    assert!(!records.contains("Bearer") && !records.contains("YTpi"));
    assert!(records.contains("\"blocked_by_policy\""), "{records}");
}

#[tokio::test]
async fn a_verdict_is_for_one_call_on_a_shared_connection() {
    let pki = Pki::new();
    let upstream = Upstream::plain().await;
    let gate = Gate::start(&pki, &settings(&upstream, "http", ""), "").await;
    for mut client in clients(&pki, &gate).await {
        let is_http2 = matches!(client, Client::Http2(_));
        for (agent, status) in [(AGENT, 200), (BLOCKED_AGENT, 403), (AGENT, 200)] {
            let request = forged(is_http2, &gate.bearer(agent));
            let response = client.send(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            text(response).await;
        }
    }
    let calls = upstream.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .iter()
            .all(|call| call.header("boomgate-agent-id") == Some(AGENT))
    );
}

#[tokio::test]
async fn the_credential_stays_here_and_the_host_is_the_upstreams_where_the_resource_says_so() {
    let pki = Pki::new();
    let upstream = Upstream::plain().await;
    let own_host = settings(&upstream, "http", "      preserve_host: false");
    let strip = "    authorization_header: strip";
    let gate = Gate::start(&pki, &own_host, strip).await;
    let mut client = Client::http2(&pki, gate.address).await;
    let response = client
        .send(forged(true, &gate.bearer(AGENT)))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let call = upstream.only_call();
    assert_eq!(call.header("authorization"), None);
    let own = format!("localhost:{}", upstream.address.port());
    assert_eq!(call.header("host"), Some(own.as_str()));
    assert_eq!(call.header("x-forwarded-host"), Some("localhost"));
    assert_eq!(call.trailers, None);
}

#[tokio::test]
async fn an_upstream_of_another_ca_gets_nothing() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let upstream = Upstream::tls(foreign.pair(&["localhost"]), "http/1.1").await;
    let ca = format!("      tls: {{ ca_file: {} }}", pki.path("ca.pem").display());
    let gate = Gate::start(&pki, &settings(&upstream, "https", &ca), "").await;
    let mut client = Client::http1(&pki, gate.address).await;
    let response = client
        .send(forged(false, &gate.bearer(AGENT)))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    let problem = text(response).await;
    assert!(
        !problem.contains("certificate"),
        "nothing of the inside: {problem}"
    );
    assert!(upstream.calls().is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_its_decision() {
    let pki = Pki::new();
    let upstream = Upstream::plain().await;
    let gate = Gate::start(&pki, &settings(&upstream, "http", ""), "").await;
    for mut client in clients(&pki, &gate).await {
        let is_http2 = matches!(client, Client::Http2(_));
        let (parts, _) = forged(is_http2, &gate.bearer(AGENT)).into_parts();
        let body = Full::new(Bytes::from(vec![b'x'; 2000]));
        let response = client.send(Request::from_parts(parts, body)).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(response.headers().contains_key("boomgate-decision-id"));
    }
    assert!(upstream.calls().is_empty());
}
