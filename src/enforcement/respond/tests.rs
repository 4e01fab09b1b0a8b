use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::call::{
    AuthorizationHeader, CallContext, ConnectionFacts, Moment, NonAgents, RequestLimits, Resource,
    ResourceKind,
};
use crate::types::{AppId, Attributes, CallId, ResourceName, Timestamp};

/// A call of `hr.example.com` behind a load balancer: our own port is another one.
fn context(port: Option<u16>) -> CallContext {
    let connection = Arc::new(ConnectionFacts {
        limits: RequestLimits::COMMON,
        listener: "public".into(),
        peer: "198.51.100.7:5".parse().unwrap(),
        client: "198.51.100.7".parse().unwrap(),
        proxies: Arc::default(),
        local: "10.0.0.1:8443".parse().unwrap(),
        server_name: None,
        tls: true,
        http2: true,
        client_certificate_sha256: None,
        tls_client: None,
    });
    let moment = Moment {
        now: Timestamp::from_seconds(1),
        started: Instant::now(),
        id: CallId::from_uuid(uuid::Uuid::from_u128(7)),
        trace_id: [b'a'; 32],
    };
    let (head, ()) = http::Request::new(()).into_parts();
    CallContext {
        host: Some("hr.example.com".into()),
        port,
        resource: Some(Arc::new(Resource {
            kind: ResourceKind::default(),
            name: ResourceName::parse("hr").unwrap(),
            app_id: AppId::parse("app").unwrap(),
            service_principal_id: None,
            display_name: "HR".into(),
            attributes: Attributes::none(),
            is_agent: false,
            hosts: Vec::new(),
            path_prefixes: vec!["/hr".into()],
            audiences: Arc::default(),
            non_agents: NonAgents::Block,
            authorization: AuthorizationHeader::Forward,
            assertion_audience: None,
            requires_bound_tokens: false,
            operations: Vec::new(),
            max_body_bytes: 0,
            upgrades: Vec::new(),
            trailers: crate::call::TrailerNames::default(),
        })),
        ..CallContext::begin(&head, &connection, moment)
    }
}

fn challenge(reason: Reason, port: Option<u16>, scopes: &[&str]) -> String {
    let mut denial = Denial::after_permit(context(port), reason);
    denial.scopes = scopes.iter().map(|scope| Arc::from(*scope)).collect();
    let response = respond(&denial, &ResponseSettings::default());
    let value = response.headers().get(WWW_AUTHENTICATE).unwrap();
    value.to_str().unwrap().to_owned()
}

#[test]
fn a_challenge_leads_to_where_the_caller_can_reach_us() {
    assert_eq!(
        challenge(Reason::CredentialMissing, None, &[]),
        "Bearer realm=\"boomgate\", \
         resource_metadata=\"https://hr.example.com/.well-known/oauth-protected-resource/hr\""
    );
    let with_port = challenge(Reason::CredentialMissing, Some(8443), &[]);
    assert!(with_port.contains("\"https://hr.example.com:8443/.well-known/"));
}

#[test]
fn a_challenge_names_scopes_where_there_are_any() {
    let of_scopes = challenge(Reason::ScopeInsufficient, None, &["a", "b"]);
    assert!(of_scopes.ends_with("error=\"insufficient_scope\", scope=\"a b\""));
    let of_roles = challenge(Reason::ScopeInsufficient, None, &[]);
    assert!(of_roles.ends_with("error=\"insufficient_scope\""));
}
