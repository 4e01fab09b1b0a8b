//! A control plane without a gateway: its state, a clock that stands still, and the requests that tests send.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::clock::Clock;
use crate::feeds::graph::GraphFeed;
use crate::feeds::reload::channel;
use crate::feeds::signals::{SignalContext, SignalFeed};
use crate::feeds::{KeyFeed, KeyFeedContext, StateFeed, StateFeedContext, Status};
use crate::identity::settings::TokenSettings;
use crate::identity::{AgentIdentity, AgentUser, Authenticator, Blueprint, Directory};
use crate::management::settings::{Folders, ManagementSettings};
use crate::management::{State, router};
use crate::policy::OnUnsupported;
use crate::record::Recorder;
use crate::record::settings::{Destination, Overflow, RecordSettings};
use crate::snapshot::{Snapshot, Snapshots};
use crate::spiffe::settings::OwnCertificate;
use crate::store::{MemoryStore, StateStore};
use crate::telemetry::Metrics;
use crate::types::{
    AgentId, AgentUserId, Attributes, BlueprintId, PrincipalId, RiskLevel, Secret, Timestamp,
};

pub(super) const TOKEN: &str = "an-admin-token";
pub(super) const AGENTS: &str = "/beta/identityProtection/riskyAgents";
pub(super) const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
pub(super) const AGENT_USER: &str = "c3c3c3c3-0000-4000-8000-000000000003";
pub(super) const PRINCIPAL: &str = "b1b1b1b1-0000-4000-8000-0000000000b1";
pub(super) const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";

/// A clock that stands still.
#[derive(Debug)]
pub(super) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_790_858_096)
    }
}

pub(super) fn directory() -> Directory {
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

pub(super) fn state() -> State {
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
pub(super) fn context(snapshots: &Arc<Snapshots>, metrics: &Arc<Metrics>) -> SignalContext {
    SignalContext {
        state: reported(Arc::new(MemoryStore::default()), snapshots),
        snapshots: Arc::clone(snapshots),
        status: Arc::default(),
        metrics: Arc::clone(metrics),
        clock: Arc::new(Stopped),
    }
}

pub(super) fn reported(store: Arc<dyn StateStore>, snapshots: &Arc<Snapshots>) -> Arc<StateFeed> {
    let context = StateFeedContext {
        store,
        snapshots: Arc::clone(snapshots),
        status: Arc::default(),
        clock: Arc::new(Stopped),
    };
    Arc::new(StateFeed::new(context, Vec::new()))
}

/// One that writes to nowhere.
pub(super) fn recorder() -> Recorder {
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
pub(super) fn change_settings(state: &State, change: impl Fn(&mut ManagementSettings)) {
    let mut settings = ManagementSettings::clone(&state.settings.load());
    change(&mut settings);
    state.settings.store(Arc::new(settings));
}

pub(super) fn get(path: &str) -> http::request::Builder {
    Request::get(path)
        .header("host", "127.0.0.1:9443")
        .header("authorization", format!("Bearer {TOKEN}"))
}

pub(super) async fn send(
    state: &State,
    request: http::request::Builder,
    body: &str,
) -> Response<Body> {
    let request = request.body(Body::from(body.to_owned())).unwrap();
    router(state.clone()).oneshot(request).await.unwrap()
}

pub(super) async fn status_of(state: &State, request: http::request::Builder) -> u16 {
    send(state, request, "").await.status().as_u16()
}

pub(super) async fn json_of(response: Response<Body>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// Posts ids to an action, and gives status and body's error message.
pub(super) async fn post(state: &State, action: &str, ids: &[&str]) -> u16 {
    let body = json!({"agentIds": ids}).to_string();
    let request = get(&format!("{AGENTS}/{action}"))
        .method(Method::POST)
        .header("content-type", "application/json");
    send(state, request, &body).await.status().as_u16()
}

pub(super) fn effective(state: &State, id: &str) -> Option<RiskLevel> {
    let snapshot = state.snapshots.load();
    snapshot
        .risk
        .get(id)
        .and_then(|entry| entry.effective_level())
}
