//! Calls for tests, made as the gateway makes them: HTTP, a signed token, the directory, policies, a decision.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::call::{
    AuthorizationHeader, ConnectionFacts, HostPattern, Moment, NonAgents, OperationRule, Received,
    Refused, RequestLimits, Resource, ResourceKind, Resources, receive,
};
use crate::decision::{Decided, DecisionSettings, Knowledge, decide};
use crate::identity::settings::tests::oidc_issuer;
use crate::identity::settings::{IssuerSettings, Profile, TokenSettings};
use crate::identity::{
    AgentIdentity, AgentUser, Authenticator, Blueprint, Directory, Found, Issuer, IssuerKeys,
    Issuers, KeySet, ServicePrincipal,
};
use crate::policy::{NamedLocations, OnUnsupported, PolicySet};
use crate::record::model::{self, Source};
use crate::risk::{Reported, RiskEntry, RiskSubject, RiskTable};
use crate::types::{
    AgentId, AgentUserId, AppId, AttributeValue, Attributes, BlueprintId, Buffer, CallId, ObjectId,
    PrincipalId, ResourceName, RiskLevel, RiskState, TenantId, Timestamp,
};

const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";
const AGENT_USER: &str = "c3c3c3c3-0000-4000-8000-000000000003";
const HUMAN: &str = "d4d4d4d4-0000-4000-8000-000000000004";
const GROUP: &str = "f6f6f6f6-0000-4000-8000-000000000006";
const CLIENT: &str = "c1c1c1c1-0000-4000-8000-000000000001";
const WORKLOAD: &str = "5e5e5e5e-0000-4000-8000-000000000007";
const HR_API: &str = "e5e5e5e5-0000-4000-8000-000000000005";

/// 2026-10-01T12:34:56.123456Z
const NOW: Timestamp = Timestamp::from_micros(1_790_858_096_123_456);

/// Who calls.
#[derive(Clone, Copy)]
pub(in crate::record) enum Who {
    Autonomous,
    AgentUser,
    OnBehalfOf,
    Human,
    Workload,
}

impl Who {
    pub(in crate::record) const ALL: [Self; 5] = [
        Self::Autonomous,
        Self::AgentUser,
        Self::OnBehalfOf,
        Self::Human,
        Self::Workload,
    ];

    /// The claims in which they differ (`reference/entra.md` §2.5).
    fn claims(self) -> Value {
        match self {
            Self::Autonomous => json!({"idtyp": "app", "oid": AGENT, "sub": AGENT,
                "roles": ["People.Read.All"], "xms_act_fct": "9 3 11", "xms_sub_fct": "11 3 9"}),
            Self::AgentUser => json!({"idtyp": "user", "oid": AGENT_USER, "sub": "pairwise-1",
                "scp": "People.Read", "xms_act_fct": "3 9 11", "xms_sub_fct": "13"}),
            Self::OnBehalfOf => json!({"idtyp": "user", "oid": HUMAN, "sub": "pairwise-2",
                "scp": "People.Read openid", "xms_act_fct": "11 9 3", "xms_sub_fct": "2 3",
                "sid": "session-1", "groups": [GROUP], "wids": [], "acct": 1, "amr": ["pwd", "mfa"],
                "idp": "https://sts.windows.net/99999999-0000-4000-8000-000000000009/"}),
            Self::Human => {
                json!({"idtyp": "user", "oid": HUMAN, "sub": "pairwise-3", "azp": CLIENT,
                "scp": "People.Read", "xms_par_app_azp": null, "hasgroups": true})
            }
            Self::Workload => {
                json!({"idtyp": "app", "oid": WORKLOAD, "sub": WORKLOAD, "azp": CLIENT,
                "roles": ["People.Read.All"], "xms_par_app_azp": null})
            }
        }
    }
}

/// A call that was decided on: `agent_risk` is what an administrator said of the agent identity.
pub(in crate::record) async fn decided(
    who: Who,
    path: &str,
    agent_risk: Option<RiskLevel>,
) -> Decided {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let request = Request::get(path)
        .header("host", "hr.example.com")
        .header("user-agent", "agent/1.0")
        .header(
            "authorization",
            format!("Bearer {}", token(&key, who.claims())),
        )
        .body(Full::default())
        .unwrap();
    let received = receive_one(request).await.unwrap();
    let authenticator = Authenticator::new(TokenSettings {
        max_bytes: 16 * 1024,
        cache_entries: 0,
        max_proof_age: Duration::from_secs(60),
    });
    let (identified, _) =
        authenticator.identify(received, &issuers(&key), &Arc::new(directory()), NOW);
    let (policies, faults) = crate::policy::read::read(
        "policies.json",
        include_bytes!("policies.json"),
        OnUnsupported::Reject,
    );
    assert!(!faults.has_errors(), "{faults:?}");
    let knowledge = Knowledge {
        policies: &Arc::new(PolicySet::compile(policies, &NamedLocations::default())),
        risk: &agent_risk
            .into_iter()
            .map(risk_entry)
            .collect::<RiskTable>(),
        reported: &Reported::default(),
        settings: DecisionSettings::default(),
        generation: &"0f1e2d3c".into(),
        countries: None,
    };
    let Found::Whole(identified) = identified.unwrap() else {
        panic!("a bearer token")
    };
    decide(identified, &knowledge, NOW)
}

/// A call without a credential.
pub(in crate::record) async fn refused() -> Refused {
    let request = Request::get("/hr/people/4711?secret=1")
        .header("host", "hr.example.com")
        .body(Full::default())
        .unwrap();
    let received = receive_one(request).await.unwrap();
    let authenticator = Authenticator::new(TokenSettings {
        max_bytes: 16 * 1024,
        cache_entries: 0,
        max_proof_age: Duration::from_secs(60),
    });
    let (identified, _) =
        authenticator.identify(received, &Issuers::default(), &Arc::default(), NOW);
    identified.unwrap_err()
}

/// What the gateway makes of one request.
async fn receive_one(request: Request<Full<Bytes>>) -> Result<Received, Refused> {
    let connection = Arc::new(ConnectionFacts {
        limits: RequestLimits::COMMON,
        listener: "public".into(),
        peer: SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 50_000)),
        client: Ipv4Addr::new(198, 51, 100, 7).into(),
        proxies: Arc::default(),
        local: SocketAddr::from((Ipv4Addr::LOCALHOST, 443)),
        server_name: Some("hr.example.com".into()),
        tls: true,
        http2: false,
        client_certificate_sha256: None,
        tls_client: Some("0123456789abcdef".into()),
    });
    let limits = RequestLimits {
        max_uri_bytes: 8192,
        max_header_bytes: 32 * 1024,
        max_headers: 100,
        body_timeout: Duration::from_secs(30),
    };
    let moment = Moment {
        now: NOW,
        started: Instant::now(),
        id: CallId::from_uuid(uuid::Uuid::from_u128(
            0x0199_9f4e_0000_7000_8000_0000_0000_0001,
        )),
        trace_id: *b"4bf92f3577b34da6a3ce929d0e0e4736",
    };
    let resources = Resources::new(vec![Arc::new(hr_api())]);
    receive(
        incoming(request).await,
        &connection,
        &resources,
        &limits,
        moment,
    )
}

/// Sends a request over a connection in memory, and gives it as hyper's server hands it on.
pub(in crate::record) async fn incoming(request: Request<Full<Bytes>>) -> Request<Incoming> {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let (hand_on, mut handed_on) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            hand_on.send(request).unwrap();
            std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
        });
        let builder = hyper::server::conn::http1::Builder::new();
        drop(
            builder
                .serve_connection(TokioIo::new(server), service)
                .await,
        );
    });
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client))
        .await
        .unwrap();
    tokio::spawn(connection);
    tokio::spawn(async move { drop(sender.send_request(request).await) });
    handed_on.recv().await.unwrap()
}

/// A token of the tenant with these claims.
fn token(key: &rcgen::KeyPair, claims: Value) -> String {
    let mut all = json!({
        "aud": HR_API,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "iat": NOW.as_seconds() - 60, "nbf": NOW.as_seconds() - 60, "exp": NOW.as_seconds() + 3_540,
        "tid": TENANT, "azp": AGENT, "azpacr": "2", "ver": "2.0", "uti": "token-1",
        "xms_par_app_azp": BLUEPRINT,
    });
    let Value::Object(claims) = claims else {
        panic!("claims are an object");
    };
    let all_claims = all.as_object_mut().unwrap();
    all_claims.extend(claims);
    all_claims.retain(|_, value| !value.is_null());
    let header = jsonwebtoken::Header {
        kid: Some("key-1".to_owned()),
        typ: Some("JWT".to_owned()),
        ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256)
    };
    let signing = jsonwebtoken::EncodingKey::from_ec_der(&key.serialize_der());
    jsonwebtoken::encode(&header, &all, &signing).unwrap()
}

fn issuers(key: &rcgen::KeyPair) -> Issuers {
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    let set = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "key-1", "x": text(x), "y": text(y)}
    ]});
    let settings = IssuerSettings {
        name: "entra".into(),
        issuers: vec![format!("https://login.microsoftonline.com/{TENANT}/v2.0").into()],
        profile: Profile::Entra {
            tenant: TenantId::parse(TENANT).unwrap(),
        },
        types: vec!["jwt".into()],
        leeway: Duration::from_secs(60),
        max_lifetime: Duration::from_secs(86_400),
        ..oidc_issuer()
    };
    Issuers::new(vec![Issuer {
        settings: Arc::new(settings),
        keys: Some(Arc::new(IssuerKeys {
            set: KeySet::parse(set.to_string().as_bytes()).unwrap(),
            loaded_at: NOW,
        })),
    }])
}

fn directory() -> Directory {
    let blueprint = Blueprint {
        app_id: BlueprintId::parse(BLUEPRINT).unwrap(),
        object_id: None,
        principal_id: Some(PrincipalId::parse("b1b1b1b1-0000-4000-8000-0000000000b1").unwrap()),
        display_name: "HR agents".into(),
        enabled: true,
        attributes: Attributes::none(),
        sponsors: Vec::new(),
    };
    let agent = AgentIdentity {
        id: AgentId::parse(AGENT).unwrap(),
        blueprint: Some(BlueprintId::parse(BLUEPRINT).unwrap()),
        display_name: "hr-agent-01".into(),
        enabled: true,
        attributes: Attributes::none(),
        sponsors: Vec::new(),
        created_at: None,
    };
    let user = AgentUser {
        id: AgentUserId::parse(AGENT_USER).unwrap(),
        identity_parent: AgentId::parse(AGENT).unwrap(),
        display_name: "hr-agent-user-01".into(),
        user_principal_name: Some("hr-agent-user-01@example.com".into()),
        enabled: true,
        attributes: Attributes::none(),
    };
    let attributes = [(
        "WorkloadAttributes_Team".into(),
        AttributeValue::One("payroll".into()),
    )];
    let workload = ServicePrincipal {
        id: ObjectId::parse(WORKLOAD).unwrap(),
        app_id: AppId::parse(CLIENT).ok(),
        display_name: "payroll".into(),
        enabled: true,
        owner_tenant: TenantId::parse(TENANT).ok(),
        attributes: Some(Attributes::from_pairs(attributes)),
    };
    Directory::new(vec![blueprint], vec![agent.into()], vec![user.into()])
        .with_accounts(Vec::new(), vec![workload.into()])
}

fn hr_api() -> Resource {
    Resource {
        kind: ResourceKind::default(),
        name: ResourceName::parse("hr-api").unwrap(),
        app_id: AppId::parse(HR_API).unwrap(),
        service_principal_id: Some(
            ObjectId::parse("e5e5e5e5-0000-4000-8000-0000000000a5").unwrap(),
        ),
        display_name: "HR API".into(),
        attributes: Attributes::none(),
        is_agent: false,
        hosts: vec![HostPattern::Exact("hr.example.com".into())],
        path_prefixes: vec!["/hr".into()],
        audiences: [HR_API.into()].into(),
        non_agents: NonAgents::Block,
        authorization: AuthorizationHeader::Strip,
        assertion_audience: None,
        requires_bound_tokens: false,
        operations: vec![Arc::new(OperationRule {
            name: "/hr/people/{person}".into(),
            methods: vec![http::Method::GET],
            segments: vec![Some("hr".into()), Some("people".into()), None],
            open_ended: false,
            scopes: vec!["People.Read".into()],
            roles: vec!["People.Read.All".into()],
            authentication_contexts: vec!["c1".into()],
        })],
        max_body_bytes: 1024,
        upgrades: Vec::new(),
        trailers: crate::call::TrailerNames::default(),
    }
}

fn risk_entry(level: RiskLevel) -> RiskEntry {
    RiskEntry {
        id: AGENT.into(),
        subject: RiskSubject::AgentIdentity,
        level: Some(level),
        state: RiskState::ConfirmedCompromised,
        detail: "adminConfirmedAgentCompromised".into(),
        last_modified: Timestamp::from_seconds(1_790_856_000),
        source: "management".into(),
    }
}

/// The line of a decision.
pub(in crate::record) fn line(source: &Source<'_>, list_not_applied: bool) -> Vec<u8> {
    let mut line = Buffer::default();
    model::decision(&mut line, source, list_not_applied).unwrap();
    line.bytes().to_vec()
}
