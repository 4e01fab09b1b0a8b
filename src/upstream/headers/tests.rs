//! What an upstream is told of a call, whatever the caller said.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::call::{ConnectionFacts, RequestLimits};
use crate::identity::{Account, Agent, Human, NonAgent};
use crate::telemetry::Metrics;
use crate::types::{AgentId, BlueprintId, CallId, ObjectId, Timestamp};
use crate::upstream::settings::UpstreamSettings;
use crate::upstream::table::UpstreamTable;

const CALLER_TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn upstream(protocol: UpstreamProtocol, preserve_host: bool) -> Arc<Upstream> {
    let settings = UpstreamSettings {
        protocol,
        preserve_host,
        ..UpstreamSettings::at("hr.internal", 8080)
    };
    let name = crate::types::ResourceName::parse("hr").unwrap();
    let (metrics, none) = (Metrics::new().unwrap(), UpstreamTable::default());
    let settings = [(name.clone(), settings)].into();
    let table = UpstreamTable::load(&settings, &metrics, &Arc::default(), &none).unwrap();
    Arc::clone(table.upstream(&name).unwrap())
}

fn context(client: &str) -> CallContext {
    let client: IpAddr = client.parse().unwrap();
    CallContext {
        id: CallId::from_uuid(uuid::Uuid::from_u128(7)),
        trace_id: *b"0af7651916cd43dd8448eb211c80319c",
        received_at: Timestamp::from_seconds(0),
        started: Instant::now(),
        connection: Arc::new(ConnectionFacts {
            limits: RequestLimits::COMMON,
            listener: "main".into(),
            peer: SocketAddr::new(client, 5),
            client,
            proxies: Arc::default(),
            local: "127.0.0.1:8443".parse().unwrap(),
            server_name: None,
            tls: true,
            http2: true,
            client_certificate_sha256: None,
            tls_client: None,
        }),
        client_address: client,
        version: Version::HTTP_2,
        method: None,
        host: None,
        port: None,
        path: None,
        resource: None,
        user_agent: None,
    }
}

fn agent() -> Agent {
    Agent {
        id: AgentId::parse("agent-1").unwrap(),
        blueprint: Some(BlueprintId::parse("blueprint-1").unwrap()),
        entry: None,
        blueprint_entry: None,
    }
}

fn forged() -> HeaderMap {
    let fields = [
        ("host", "hr.example.com:8443"),
        ("authorization", "Bearer secret"),
        ("boomgate-decision-id", "forged"),
        ("boomgate-agent-id", "forged"),
        ("boomgate-blueprint-id", "forged"),
        ("boomgate-agent-type", "forged"),
        ("boomgate-on-behalf-of", "forged"),
        ("boomgate-assertion", "forged"),
        ("forwarded", "for=6.6.6.6"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-prefix", "/admin"),
        ("x-original-url", "/admin"),
        ("via", "1.1 caller"),
        ("traceparent", CALLER_TRACE),
        ("tracestate", "vendor=1"),
        ("te", "trailers"),
        ("upgrade", "websocket"),
        ("accept", "*/*"),
    ];
    fields
        .into_iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

fn rewritten(caller: &Caller, rule: AuthorizationHeader, upstream: &Upstream) -> HeaderMap {
    let mut headers = forged();
    let passport = Passport::new(caller, rule);
    rewrite(&mut headers, passport, &context("192.0.2.7"), upstream);
    headers
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    assert!(
        name == "via" || values.next().is_none(),
        "{name} is given twice"
    );
    value.to_str().ok()
}

#[test]
fn names_the_agent_and_the_human_and_nothing_of_the_caller() {
    let caller = Caller::OnBehalfOf {
        human: Human {
            id: Some(ObjectId::parse("human-1").unwrap()),
            entry: None,
        },
        agent: agent(),
    };
    let headers = rewritten(
        &caller,
        AuthorizationHeader::Forward,
        &upstream(UpstreamProtocol::Http1, true),
    );
    for (name, expected) in [
        (
            "boomgate-decision-id",
            Some("00000000-0000-0000-0000-000000000007"),
        ),
        ("boomgate-agent-id", Some("agent-1")),
        ("boomgate-blueprint-id", Some("blueprint-1")),
        ("boomgate-agent-type", Some("on_behalf_of")),
        ("boomgate-on-behalf-of", Some("human-1")),
        ("boomgate-assertion", None),
        ("authorization", Some("Bearer secret")),
        (
            "forwarded",
            Some("for=192.0.2.7;host=\"hr.example.com:8443\";proto=https"),
        ),
        ("x-forwarded-for", Some("192.0.2.7")),
        ("x-forwarded-proto", Some("https")),
        ("x-forwarded-host", Some("hr.example.com:8443")),
        ("x-forwarded-prefix", None),
        ("x-original-url", None),
        ("upgrade", None),
        ("host", Some("hr.example.com:8443")),
        ("tracestate", Some("vendor=1")),
        ("te", Some("trailers")),
        ("connection", Some("te")),
        ("accept", Some("*/*")),
    ] {
        assert_eq!(text(&headers, name), expected, "{name}");
    }
    let via: Vec<_> = headers.get_all("via").iter().collect();
    assert_eq!(via, ["1.1 caller", "2 boomgate"]);
}

#[test]
fn a_header_without_a_value_is_removed_rather_than_left() {
    let caller = Caller::NotAgent(NonAgent {
        blueprint_entry: None,
        id: ObjectId::parse("human-1").unwrap(),
        client: None,
        account: Account::Human(None),
        may_be_agent: false,
    });
    let headers = rewritten(
        &caller,
        AuthorizationHeader::Strip,
        &upstream(UpstreamProtocol::Http2, false),
    );
    for name in [
        "boomgate-agent-id",
        "boomgate-blueprint-id",
        "boomgate-on-behalf-of",
        "authorization",
        "connection",
    ] {
        assert_eq!(text(&headers, name), None, "{name}");
    }
    assert_eq!(text(&headers, "boomgate-agent-type"), Some("not_agent"));
    assert_eq!(text(&headers, "host"), Some("hr.internal:8080"));
    assert_eq!(
        text(&headers, "x-forwarded-host"),
        Some("hr.example.com:8443")
    );
}

#[test]
fn the_trace_goes_on_under_a_new_parent() {
    let caller = Caller::Autonomous(agent());
    let upstream = upstream(UpstreamProtocol::Http1, true);
    let parents = [(); 2].map(|()| {
        let headers = rewritten(&caller, AuthorizationHeader::Forward, &upstream);
        let trace_parent = text(&headers, "traceparent").unwrap().to_owned();
        assert!(trace_parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert!(trace_parent.ends_with("-00"), "the caller did not sample");
        assert!(TraceParent::of(&headers).is_some());
        trace_parent
    });
    assert_ne!(parents[0], parents[1]);
    assert_ne!(parents[0], CALLER_TRACE);
}

#[test]
fn an_address_of_version_6_is_quoted() {
    let mut headers = HeaderMap::new();
    let passport = Passport::new(&Caller::Autonomous(agent()), AuthorizationHeader::Forward);
    let upstream = upstream(UpstreamProtocol::Http1, true);
    rewrite(&mut headers, passport, &context("2001:db8::1"), &upstream);
    assert_eq!(
        text(&headers, "forwarded"),
        Some("for=\"[2001:db8::1]\";proto=https")
    );
    assert_eq!(text(&headers, "x-forwarded-for"), Some("2001:db8::1"));
}

#[test]
fn no_two_ids_look_alike() {
    let encoded = |id| id_value(id).unwrap();
    assert_eq!(encoded("spiffe://t/a"), "spiffe://t/a");
    assert_eq!(encoded("\u{fc}"), "%C3%BC");
    assert_eq!(encoded("%C3%BC"), "%25C3%25BC");
}

#[test]
fn an_answer_loses_what_is_of_the_upstreams_connection() {
    let fields = [
        ("connection", "x-hop"),
        ("x-hop", "a"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("boomgate-decision-id", "forged"),
        ("alt-svc", "h3=\":443\""),
        ("content-type", "text/plain"),
        ("trailer", "x-end"),
    ];
    let mut headers: HeaderMap = fields
        .into_iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    clean_response(&mut headers);
    let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["content-type", "trailer"]);
}
