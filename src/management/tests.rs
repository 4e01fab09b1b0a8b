//! The control plane as its clients see it: who gets in, what they see, and what their word does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::feeds::reload::channel;
use crate::feeds::signals::SignalContext;
use crate::feeds::status::Source;
use crate::feeds::{KeyFeedContext, StateFeedContext};
use crate::identity::settings::{IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings};
use crate::identity::{
    Agent, AgentIdentity, AgentUser, Blueprint, Caller, Directory, Issuer, Issuers,
};
use crate::policy::OnUnsupported;
use crate::record::settings::{Destination, Overflow, RecordSettings};
use crate::risk::{Rank, RiskEntry};
use crate::snapshot::{Cause, Snapshot};
use crate::spiffe::settings::OwnCertificate;
use crate::store::{Answer, MemoryStore, Sealed, StateStore, StoreError};
use crate::telemetry::ChangeSource;
use crate::types::{
    AgentId, AgentUserId, Attributes, BlueprintId, PrincipalId, RiskLevel, RiskState, Secret,
    Timestamp,
};

const TOKEN: &str = "an-admin-token";
const AGENTS: &str = "/beta/identityProtection/riskyAgents";
const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
const AGENT_USER: &str = "c3c3c3c3-0000-4000-8000-000000000003";
const PRINCIPAL: &str = "b1b1b1b1-0000-4000-8000-0000000000b1";
const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";

/// A clock that stands still.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_790_858_096)
    }
}

fn directory() -> Directory {
    let blueprint = BlueprintId::parse(BLUEPRINT).unwrap();
    Directory::new(
        vec![Blueprint {
            app_id: blueprint.clone(),
            object_id: None,
            principal_id: Some(PrincipalId::parse(PRINCIPAL).unwrap()),
            display_name: "HR agents".into(),
            enabled: true,
            attributes: Attributes::none(),
            sponsors: Vec::new(),
        }],
        vec![
            AgentIdentity {
                id: AgentId::parse(AGENT).unwrap(),
                blueprint: Some(blueprint),
                display_name: "hr-agent-01".into(),
                enabled: true,
                attributes: Attributes::none(),
                sponsors: Vec::new(),
                created_at: None,
            }
            .into(),
        ],
        vec![
            AgentUser {
                id: AgentUserId::parse(AGENT_USER).unwrap(),
                identity_parent: AgentId::parse(AGENT).unwrap(),
                display_name: "hr-agent-user-01".into(),
                user_principal_name: None,
                enabled: false,
                attributes: Attributes::none(),
            }
            .into(),
        ],
    )
}

fn state() -> State {
    let snapshot = Snapshot {
        generation: "g".into(),
        directory: Arc::new(directory()),
        ..Snapshot::default()
    };
    let status = Status::default();
    status.start();
    let (snapshots, status) = (Arc::new(Snapshots::new(snapshot)), Arc::new(status));
    let metrics = Metrics::new().unwrap();
    let keys = Arc::new(KeyFeed::new(KeyFeedContext {
        snapshots: Arc::clone(&snapshots),
        status: Arc::clone(&status),
        metrics: Arc::clone(&metrics),
        clock: Arc::new(Stopped),
    }));
    State {
        signals: Arc::new(SignalFeed::new(context(&snapshots, &metrics))),
        graph: Arc::new(GraphFeed::new(context(&snapshots, &metrics))),
        reported: reported(Arc::new(MemoryStore::default()), &snapshots),
        snapshots,
        metrics,
        status,
        discovered: Arc::default(),
        clock: Arc::new(Stopped),
        settings: Arc::new(ArcSwap::from_pointee(ManagementSettings {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9443)),
            client_ca_file: None,
            certificate: OwnCertificate::Files {
                certificate_file: "management.pem".into(),
                key_file: "management.key".into(),
            },
            admin_token: Secret::new(TOKEN),
            oidc: None,
            allowed_hosts: vec!["boomgate.example.com".to_owned()],
            open_probes: true,
        })),
        folders: Arc::new(ArcSwap::from_pointee(Folders {
            policies: "policies".into(),
            on_unsupported: OnUnsupported::Reject,
            named_locations: None,
            directory: None,
        })),
        authenticator: Arc::new(Authenticator::new(TokenSettings {
            max_bytes: 16_384,
            cache_entries: 0,
            max_proof_age: Duration::from_secs(60),
        })),
        keys,
        reloads: channel().0,
        recorder: recorder(),
        detections: Arc::default(),
    }
}

/// What feeds that hear nothing work with.
fn context(snapshots: &Arc<Snapshots>, metrics: &Arc<Metrics>) -> SignalContext {
    SignalContext {
        state: reported(Arc::new(MemoryStore::default()), snapshots),
        snapshots: Arc::clone(snapshots),
        status: Arc::default(),
        metrics: Arc::clone(metrics),
        clock: Arc::new(Stopped),
    }
}

fn reported(store: Arc<dyn StateStore>, snapshots: &Arc<Snapshots>) -> Arc<StateFeed> {
    let context = StateFeedContext {
        store,
        snapshots: Arc::clone(snapshots),
        status: Arc::default(),
        clock: Arc::new(Stopped),
    };
    Arc::new(StateFeed::new(context, Vec::new()))
}

/// One that writes to nowhere.
fn recorder() -> Recorder {
    let settings = RecordSettings {
        destination: Destination::File("/dev/null".into()),
        queue: 16,
        wait: Duration::from_secs(1),
        overflow: Overflow::Refuse,
        list_not_applied: false,
        recent: 100,
    };
    let (recorder, _thread) = Recorder::start(&settings, Metrics::new().unwrap()).unwrap();
    recorder
}

/// What a reload does.
fn change_settings(state: &State, change: impl Fn(&mut ManagementSettings)) {
    let mut settings = ManagementSettings::clone(&state.settings.load());
    change(&mut settings);
    state.settings.store(Arc::new(settings));
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path)
        .header("host", "127.0.0.1:9443")
        .header("authorization", format!("Bearer {TOKEN}"))
}

async fn send(state: &State, request: http::request::Builder, body: &str) -> Response<Body> {
    let request = request.body(Body::from(body.to_owned())).unwrap();
    router(state.clone()).oneshot(request).await.unwrap()
}

async fn status_of(state: &State, request: http::request::Builder) -> u16 {
    send(state, request, "").await.status().as_u16()
}

async fn json_of(response: Response<Body>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// Posts ids to an action, and gives status and body's error message.
async fn post(state: &State, action: &str, ids: &[&str]) -> u16 {
    let body = json!({"agentIds": ids}).to_string();
    let request = get(&format!("{AGENTS}/{action}"))
        .method(Method::POST)
        .header("content-type", "application/json");
    send(state, request, &body).await.status().as_u16()
}

fn effective(state: &State, id: &str) -> Option<RiskLevel> {
    let snapshot = state.snapshots.load();
    snapshot
        .risk
        .get(id)
        .and_then(|entry| entry.effective_level())
}

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

#[tokio::test]
async fn a_compromised_agent_is_listed_in_graphs_shape_until_it_is_dismissed() {
    let state = state();
    assert_eq!(
        post(&state, "confirmCompromised", &[AGENT, PRINCIPAL]).await,
        204
    );
    let listed = json_of(send(&state, get(AGENTS), "").await).await;
    let agent = json!({
        "@odata.type": "#microsoft.graph.riskyAgentIdentity",
        "id": AGENT,
        "agentDisplayName": "hr-agent-01",
        "identityType": "agentIdentity",
        "blueprintId": BLUEPRINT,
        "isDeleted": false, "isEnabled": true, "isProcessing": false,
        "riskLevel": "high",
        "riskState": "confirmedCompromised",
        "riskDetail": "adminConfirmedAgentCompromised",
        "riskLastModifiedDateTime": "2026-10-01T12:34:56Z",
    });
    assert_eq!(
        listed["@odata.context"],
        "https://graph.microsoft.com/beta/$metadata#identityProtection/riskyAgents"
    );
    assert_eq!(listed["value"][0], agent);
    assert_eq!(
        listed["value"][1]["@odata.type"],
        "#microsoft.graph.riskyAgentIdentityBlueprintPrincipal"
    );
    assert_eq!(listed["value"][1]["identityType"], "unknownFutureValue");
    let preferring =
        get(&format!("{AGENTS}/{PRINCIPAL}")).header("prefer", "include-unknown-enum-members");
    let principal = json_of(send(&state, preferring, "").await).await;
    assert_eq!(principal["identityType"], "agentIdentityBlueprintPrincipal");
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::High));

    assert_eq!(post(&state, "dismiss", &[AGENT]).await, 204);
    let one = json_of(
        send(
            &state,
            get(&format!("{AGENTS}/{}", AGENT.to_uppercase())),
            "",
        )
        .await,
    )
    .await;
    assert_eq!(one["riskState"], "dismissed");
    assert_eq!(one["riskDetail"], "adminDismissedRiskForAgent");
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::None));

    assert_eq!(post(&state, "confirmSafe", &[AGENT_USER]).await, 204);
    let user = json_of(send(&state, get(&format!("{AGENTS}/{AGENT_USER}")), "").await).await;
    assert_eq!(user["@odata.type"], "#microsoft.graph.riskyAgentUser");
    assert_eq!(user["riskState"], "confirmedSafe");
    assert_eq!(user["riskDetail"], "adminConfirmedAgentSafe");
    assert_eq!(user["isEnabled"], false);
    assert_eq!(user["blueprintId"], BLUEPRINT);

    let metrics = state.metrics.encode();
    assert!(metrics.contains(
        r#"boomgate_risk_signals_total{result="applied",source="management",type="confirm_compromised"} 2"#
    ));
}

#[tokio::test]
async fn an_agent_that_nobody_knows_can_be_stopped_too() {
    let state = state();
    let stranger = "spiffe://example.org/agents/stranger";
    assert_eq!(post(&state, "confirmCompromised", &[stranger]).await, 204);
    assert_eq!(effective(&state, stranger), Some(RiskLevel::High));
    let path = format!("{AGENTS}/spiffe%3A%2F%2Fexample.org%2Fagents%2Fstranger");
    assert_eq!(
        json_of(send(&state, get(&path), "").await).await["agentDisplayName"],
        Value::Null
    );
    let user = AgentUserId::parse("seen-user").unwrap();
    let agent = Agent {
        id: AgentId::parse("seen-agent").unwrap(),
        blueprint: None,
        entry: None,
        blueprint_entry: None,
    };
    let caller = Caller::AgentUser {
        id: user,
        entry: None,
        agent,
    };
    state.discovered.seen(&caller, Timestamp::default());
    assert_eq!(
        post(&state, "confirmCompromised", &["seen-user"]).await,
        204
    );
    let shown = json_of(send(&state, get(&format!("{AGENTS}/seen-user")), "").await).await;
    assert_eq!(shown["identityType"], "agentUser");
}

#[tokio::test]
async fn an_administrators_word_is_the_newest_whatever_the_file_is_dated() {
    let state = state();
    let ahead = Stopped.now().after(Duration::from_hours(1));
    state
        .snapshots
        .update(Cause::now(ChangeSource::Management), |current| {
            let of_file = RiskEntry {
                id: AGENT.into(),
                subject: crate::risk::RiskSubject::AgentIdentity,
                level: Some(RiskLevel::None),
                state: RiskState::ConfirmedSafe,
                detail: "none".into(),
                last_modified: ahead,
                source: "file".into(),
            };
            Snapshot {
                risk: current.risk.with(of_file),
                ..current.clone()
            }
        });
    assert_eq!(post(&state, "confirmCompromised", &[AGENT]).await, 204);
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::High));
    let snapshot = state.snapshots.load();
    let said = snapshot.risk.of(AGENT).map(|entry| &*entry.source);
    assert_eq!(said.collect::<Vec<_>>(), ["management", "file"]);
}

#[tokio::test]
async fn a_request_that_is_not_understood_whole_changes_nothing() {
    let state = state();
    let action = |body: String| {
        let state = state.clone();
        async move {
            let request = get(&format!("{AGENTS}/confirmCompromised"))
                .method(Method::POST)
                .header("content-type", "application/json; charset=utf-8");
            send(&state, request, &body).await.status().as_u16()
        }
    };
    for refused in [
        "",
        "{}",
        "[]",
        r#"{"agentIds": []}"#,
        r#"{"agentIds": "a"}"#,
        r#"{"agentIds": [7]}"#,
        r#"{"agentIds": ["a", ""]}"#,
        r#"{"agentIds": ["a", "b c"]}"#,
        r#"{"agentIds": ["a"], "agentIds": ["b"]}"#,
        r#"{"agentIds": ["a"], "force": true}"#,
        r#"{"AgentIds": ["a"]}"#,
    ] {
        assert_eq!(action(refused.to_owned()).await, 400, "{refused}");
    }
    let huge = format!(r#"{{"agentIds": ["{}"]}}"#, "a".repeat(MAX_BODY_BYTES));
    assert_eq!(action(huge).await, 413);
    let form = get(&format!("{AGENTS}/dismiss"))
        .method(Method::POST)
        .header("content-type", "text/plain");
    assert_eq!(
        send(&state, form, r#"{"agentIds": ["a"]}"#).await.status(),
        415
    );
    assert!(state.snapshots.load().risk.is_empty());
    assert_eq!(
        status_of(&state, get(&format!("{AGENTS}?$filter=x"))).await,
        400
    );
}

/// A store whose disk is full.
#[derive(Debug)]
struct Full;

impl StateStore for Full {
    fn put(&self, _: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        let error = StoreError::Unavailable("no room".to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    fn forget(&self, _: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn what_is_not_stored_is_an_error_and_not_in_force() {
    let mut state = state();
    state.reported = reported(Arc::new(Full), &state.snapshots);
    assert_eq!(post(&state, "confirmCompromised", &["a", "b"]).await, 503);
    assert_eq!(effective(&state, "a"), None);
    assert_eq!(effective(&state, "b"), None);
    let failed = r#"boomgate_risk_signals_total{result="failed",source="management",type="confirm_compromised"} 1"#;
    assert!(state.metrics.encode().contains(failed));
}

#[tokio::test]
async fn a_list_comes_in_pages_that_lead_to_each_other() {
    let state = state();
    assert_eq!(
        post(&state, "confirmCompromised", &["a", "b/ä", "c"]).await,
        204
    );
    let mut path = format!("{AGENTS}?$top=2");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let page = json_of(send(&state, get(&path), "").await).await;
        let agents = page["value"].as_array().unwrap().clone();
        ids.extend(
            agents
                .into_iter()
                .map(|agent| agent["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["@odata.nextLink"].as_str() else {
            break;
        };
        path = next
            .strip_prefix("https://127.0.0.1:9443")
            .unwrap()
            .to_owned();
    }
    assert_eq!(ids, ["a", "b/ä", "c"]);
    assert_eq!(
        status_of(&state, get(&format!("{AGENTS}?$top=0"))).await,
        400
    );
}

#[tokio::test]
async fn readiness_says_what_is_wrong_and_tells_degraded_from_not_ready() {
    let state = state();
    let ready = || async {
        let response = send(&state, get("/readyz"), "").await;
        (response.status().as_u16(), json_of(response).await)
    };
    assert_eq!(
        ready().await,
        (200, json!({"status": "ready", "reasons": []}))
    );

    let at = Timestamp::from_seconds(1_790_858_000);
    let fault = "policies/block.json:3:5: error: state: expected `enabled`";
    state.status.succeeded(Source::Configuration, at);
    state
        .status
        .failed(Source::Configuration, at, vec![fault.to_owned()]);
    let (code, body) = ready().await;
    assert_eq!((code, &body["status"]), (200, &json!("degraded")));
    assert_eq!(
        body["reasons"][0],
        json!({"severity": "degraded", "source": "configuration", "messages": [fault],
            "failedAt": "2026-10-01T12:33:20Z", "lastSuccess": "2026-10-01T12:33:20Z"})
    );

    state
        .snapshots
        .update(Cause::now(ChangeSource::Management), |current| Snapshot {
            issuers: Arc::new(Issuers::new(vec![Issuer {
                settings: Arc::new(issuer()),
                keys: None,
            }])),
            ..current.clone()
        });
    let (code, body) = ready().await;
    assert_eq!((code, &body["status"]), (503, &json!("not_ready")));
    assert_eq!(body["reasons"][0]["source"], "keys/entra");
    assert_eq!(
        body["reasons"][0]["messages"][0],
        "the keys of issuer `entra` were never loaded"
    );

    state.status.drain();
    let (_, body) = ready().await;
    assert_eq!(
        body["reasons"][0]["messages"][0],
        "the process is about to end"
    );

    let starting = State {
        status: Arc::default(),
        ..state
    };
    assert_eq!(status_of(&starting, get("/startupz")).await, 503);
    assert_eq!(status_of(&starting, get("/readyz")).await, 503);
    assert_eq!(status_of(&starting, get("/healthz")).await, 200);
}

fn issuer() -> IssuerSettings {
    IssuerSettings {
        name: "entra".into(),
        issuers: vec!["https://issuer.example".into()],
        profile: Profile::Oidc(Arc::default()),
        algorithms: Vec::new(),
        types: Vec::new(),
        type_may_be_missing: false,
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_secs(3_600),
        vouched: Arc::default(),
        keys: KeySettings {
            origin: KeyOrigin::File("keys.json".into()),
            ca_file: None,
            refresh_interval: Duration::from_secs(3_600),
            min_refresh_interval: Duration::from_secs(300),
            stale_after: Duration::from_secs(86_400),
            timeout: Duration::from_secs(5),
            max_bytes: 1024,
        },
    }
}

#[tokio::test]
async fn metrics_show_agents_by_effective_risk() {
    let state = state();
    // The blueprint's risk is its agent's and the agent's user's too.
    assert_eq!(post(&state, "confirmCompromised", &[BLUEPRINT]).await, 204);
    let response = send(&state, get("/metrics"), "").await;
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    for line in [
        r#"boomgate_agents{risk_level="high",type="agent_identity"} 1"#,
        r#"boomgate_agents{risk_level="high",type="agent_user"} 1"#,
        r#"boomgate_agents{risk_level="high",type="blueprint"} 1"#,
        r#"boomgate_policies{state="enabled"} 0"#,
        r#"boomgate_signal_age_seconds{source="management"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let entry = state.snapshots.load().risk.get(BLUEPRINT).cloned().unwrap();
    assert_eq!(entry.state, RiskState::ConfirmedCompromised);
}
