//! What an administrator says of agents: compromised, safe, dismissed (`reference/entra.md` §5.2-5.5).
//!
//! All of a request is understood before any of it counts. Stored first, then in force, then answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::management::Control;
use crate::management::actor::Actor;
use crate::management::graph::{GraphError, RequestIds};
use crate::risk::{RiskEntry, RiskSubject};
use crate::snapshot::Snapshot;
use crate::telemetry::{SignalKind, SignalResult, SignalSource};
use crate::types::{AgentId, RiskLevel, RiskState, json};

/// `POST …/riskyAgents/confirmCompromised`
pub(super) async fn confirm_compromised(
    control: State<Arc<Control>>,
    ids: Extension<RequestIds>,
    actor: Extension<Actor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(
        &control,
        (&ids, &actor),
        Action::CONFIRM_COMPROMISED,
        &headers,
        body,
    )
}

/// `POST …/riskyAgents/confirmSafe`
pub(super) async fn confirm_safe(
    control: State<Arc<Control>>,
    ids: Extension<RequestIds>,
    actor: Extension<Actor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(
        &control,
        (&ids, &actor),
        Action::CONFIRM_SAFE,
        &headers,
        body,
    )
}

/// `POST …/riskyAgents/dismiss`
pub(super) async fn dismiss(
    control: State<Arc<Control>>,
    ids: Extension<RequestIds>,
    actor: Extension<Actor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(&control, (&ids, &actor), Action::DISMISS, &headers, body)
}

/// What an action makes of an agent's risk.
#[derive(Debug, Clone, Copy)]
struct Action {
    kind: SignalKind,
    level: RiskLevel,
    state: RiskState,
    detail: &'static str,
}

impl Action {
    const CONFIRM_COMPROMISED: Self = Self {
        kind: SignalKind::ConfirmCompromised,
        level: RiskLevel::High,
        state: RiskState::ConfirmedCompromised,
        detail: "adminConfirmedAgentCompromised",
    };
    const CONFIRM_SAFE: Self = Self {
        kind: SignalKind::ConfirmSafe,
        level: RiskLevel::None,
        state: RiskState::ConfirmedSafe,
        detail: "adminConfirmedAgentSafe",
    };
    const DISMISS: Self = Self {
        kind: SignalKind::Dismiss,
        level: RiskLevel::None,
        state: RiskState::Dismissed,
        detail: "adminDismissedRiskForAgent",
    };
}

fn apply(
    control: &Control,
    (ids, actor): (&RequestIds, &Actor),
    action: Action,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    let count = |result| {
        let metrics = &control.state.metrics;
        metrics.risk_signal(SignalSource::Management, action.kind, result);
    };
    let agents = read(headers, body).inspect_err(|_| count(SignalResult::Refused))?;
    let _write = control.writes.lock();
    let snapshot = control.state.snapshots.load();
    let mut stored = Vec::new();
    let mut fault = None;
    for id in &agents {
        let (entry, known) = entry(control, &snapshot, id, action);
        if let Err(error) = control.state.store.put(entry.clone()) {
            tracing::error!(%error, request.id = ids.id(), "risk could not be stored");
            count(SignalResult::Failed);
            let message = "not every change could be stored; repeat the request";
            fault = Some(GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message));
            break;
        }
        tracing::info!(
            action = action.kind.as_str(),
            agent.id = %entry.id,
            agent.known = known,
            by = %actor,
            request.id = ids.id(),
            "an administrator changed an agent's risk"
        );
        count(SignalResult::Applied);
        stored.push(entry);
    }
    // What is stored is in force, whatever became of the rest: the store and the snapshot never differ.
    control.state.snapshots.update(|current| {
        let entries = stored.iter().cloned();
        Snapshot {
            risk: entries.fold(current.risk.clone(), |risk, entry| risk.with(entry)),
            ..current.clone()
        }
    });
    fault.map_or(Ok(StatusCode::NO_CONTENT), Err)
}

/// The ids of `{"agentIds": ["…"]}`.
fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<BTreeSet<AgentId>, GraphError> {
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    let media_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    // A form that another site sends from a browser cannot have this type without asking first.
    if !media_type.is_some_and(|of| of.trim().eq_ignore_ascii_case("application/json")) {
        let message = "expected `Content-Type: application/json`";
        return Err(GraphError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = body.map_err(|fault| {
        let status = fault.into_response().status();
        GraphError::new(status, "the body cannot be read")
    })?;
    let body = json::parse(&body).map_err(|fault| {
        let (line, column) = (fault.line, fault.column);
        refused(format!("line {line}, column {column}: {fault}"))
    })?;
    let ids = match body.as_object() {
        Some(members) if members.len() == 1 => members.get("agentIds").and_then(Value::as_array),
        Some(_) | None => None,
    };
    let ids = ids
        .filter(|ids| !ids.is_empty())
        .ok_or_else(|| refused("expected `{\"agentIds\": [\"…\"]}` with at least one id".into()))?;
    ids.iter()
        .enumerate()
        .map(|(at, id)| {
            let id = id
                .as_str()
                .ok_or_else(|| refused(format!("`agentIds[{at}]` is not a text")))?;
            AgentId::parse(id).map_err(|fault| refused(format!("`agentIds[{at}]`: {fault}")))
        })
        .collect()
}

/// The new entry of an agent, and whether anything knew the agent before.
fn entry(
    control: &Control,
    snapshot: &Snapshot,
    id: &AgentId,
    action: Action,
) -> (RiskEntry, bool) {
    let known = subject(control, snapshot, id.as_str());
    // A file's entry may be dated ahead of our clock; the word that is said now comes after it all the same,
    // or the next reload would take it back.
    let before = snapshot.risk.get(id.as_str());
    let earliest = before.map(|entry| entry.last_modified.after(Duration::from_micros(1)));
    let now = control.state.clock.now();
    let entry = RiskEntry {
        id: id.to_shared(),
        subject: known.unwrap_or(RiskSubject::AgentIdentity),
        level: Some(action.level),
        state: action.state,
        detail: action.detail.into(),
        last_modified: earliest.map_or(now, |earliest| earliest.max(now)),
        source: SignalSource::Management.as_str().into(),
    };
    (entry, known.is_some())
}

/// What the id names: by the directory, by what was reported before, or by what was seen in tokens.
fn subject(control: &Control, snapshot: &Snapshot, id: &str) -> Option<RiskSubject> {
    let directory = &snapshot.directory;
    if directory.agent(id).is_some() {
        Some(RiskSubject::AgentIdentity)
    } else if directory.agent_user(id).is_some() {
        Some(RiskSubject::AgentUser)
    } else if directory.blueprint_of_principal(id).is_some() || directory.blueprint(id).is_some() {
        Some(RiskSubject::AgentIdentityBlueprintPrincipal)
    } else {
        let reported = snapshot.risk.get(id).map(|entry| entry.subject);
        reported.or_else(|| control.state.discovered.get(id).map(|agent| agent.subject))
    }
}
