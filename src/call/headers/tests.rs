//! What of a caller's headers is refused, and what never gets through.

use super::*;

const LIMITS: RequestLimits = RequestLimits {
    max_uri_bytes: 100,
    max_header_bytes: 1_000,
    max_headers: 10,
    body_timeout: Duration::from_secs(30),
};

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        })
        .collect()
}

fn append(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn refuses_what_could_be_read_in_two_ways() {
    for (name, value) in [
        ("boomgate_agent_id", "a"),
        ("boomgate-agent_id", "a"),
        ("boomgate.agent.id", "a"),
        ("x_forwarded_for", "1.2.3.4"),
        ("x-forwarded_proto", "http"),
        ("x.forwarded.host", "evil"),
        ("x_original_url", "/admin"),
        ("content_length", "7"),
        ("content.type", "text/html"),
        ("transfer_encoding", "chunked"),
        ("x_http_method_override", "DELETE"),
        ("remote_user", "root"),
        ("x~forwarded~for", "1.2.3.4"),
        ("transfer-encoding", "gzip, chunked"),
        ("transfer-encoding", "chunked, chunked"),
        ("transfer-encoding", ",chunked"),
        ("transfer-encoding", "identity"),
        ("x-a", "caf\u{e9}"),
        ("connection", "authorization"),
        ("connection", "close, Authorization"),
        ("connection", "HOST"),
        ("connection", "content-length"),
        ("connection", "Boomgate-Agent-Id"),
        ("connection", "boomgate_agent_id"),
        ("connection", "X-Forwarded-For"),
        ("connection", "forwarded"),
        ("connection", "cookie"),
        ("connection", "traceparent"),
        ("connection", "a b"),
    ] {
        assert_eq!(
            check(&map(&[(name, value)]), &LIMITS),
            Err(Reason::RequestMalformed),
            "{name}: {value}"
        );
    }
    for twice in [
        [
            ("transfer-encoding", "chunked"),
            ("transfer-encoding", "chunked"),
        ],
        [("content-length", "1"), ("content-length", "2")],
        [("content-length", "1"), ("transfer-encoding", "chunked")],
    ] {
        assert_eq!(
            check(&append(&twice), &LIMITS),
            Err(Reason::RequestMalformed)
        );
    }
    let mut led_by_a_blank = HeaderMap::new();
    led_by_a_blank.insert("x-a", HeaderValue::from_bytes(b" b").unwrap());
    assert_eq!(
        check(&led_by_a_blank, &LIMITS),
        Err(Reason::RequestMalformed)
    );
}

#[test]
fn lets_ordinary_headers_be() {
    let headers = append(&[
        ("authorization", "Bearer a"),
        ("authorization", "Bearer b"),
        ("x_custom", "a"),
        ("x.custom", "b"),
        ("connection", "keep-alive, Upgrade, TE"),
        ("transfer-encoding", "Chunked"),
        ("x-a", "a\tb"),
    ]);
    assert_eq!(check(&headers, &LIMITS), Ok(()));
    let mut headers = headers;
    strip(&mut headers);
    assert_eq!(headers.get_all("authorization").iter().count(), 2);
    assert!(headers.contains_key("x_custom"));
}

#[test]
fn refuses_more_than_the_limits() {
    let many: Vec<(String, &str)> = (0..11).map(|n| (format!("x-{n}"), "a")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    assert_eq!(check(&map(&many), &LIMITS), Err(Reason::HeadersTooLarge));
    assert_eq!(
        check(&map(&[("x-a", &"a".repeat(1_000))]), &LIMITS),
        Err(Reason::HeadersTooLarge)
    );
}

#[test]
fn takes_away_what_no_upstream_may_get() {
    let mut headers = append(&[
        ("connection", "x-hop, close"),
        ("x-hop", "a"),
        ("keep-alive", "timeout=5"),
        ("te", "gzip;q=0.5, Trailers"),
        ("trailer", "x-end"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic a"),
        ("boomgate-agent-id", "forged"),
        ("boomgate-anything", "forged"),
        ("forwarded", "for=1.2.3.4"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-prefix", "/admin"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-envoy-original-path", "/admin"),
        ("x-http-method-override", "DELETE"),
        ("x-real-ip", "1.2.3.4"),
        ("traceparent", "broken"),
        ("tracestate", "a=b"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("accept", "*/*"),
    ]);
    strip(&mut headers);
    let left: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let mut left = left;
    left.sort_unstable();
    assert_eq!(
        left,
        [
            ("accept", "*/*"),
            ("cookie", "a=1; b=2"),
            ("te", "trailers")
        ]
    );
}

#[test]
fn a_trailer_neither_frames_nor_names_an_identity() {
    let may = |name| may_be_trailer(&HeaderName::from_static(name));
    assert!(may("grpc-status") && may("x-checksum"));
    for name in [
        "boomgate-agent-id",
        "boomgate_agent_id",
        "dpop",
        "x-forwarded-for",
        "content-length",
        "transfer-encoding",
        "host",
        "authorization",
        "set-cookie",
        "connection",
    ] {
        assert!(!may(name), "{name}");
    }
}

#[test]
fn trailers_that_nobody_allowed_do_not_go_on() {
    let mut trailers = HeaderMap::new();
    for name in ["grpc-status", "x-checksum", "grpc-status", "x-other"] {
        trailers.append(name, HeaderValue::from_static("a"));
    }
    keep_trailers(&mut trailers, &[HeaderName::from_static("grpc-status")]);
    assert_eq!(trailers.keys_len(), 1);
    assert_eq!(trailers.get_all("grpc-status").iter().count(), 2);
}
