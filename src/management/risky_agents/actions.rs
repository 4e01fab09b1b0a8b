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
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::management::Control;
use crate::management::actor::Actor;
use crate::management::graph::{GraphError, RequestIds};
use crate::management::writes::object;
use crate::risk::{RiskEntry, RiskSubject};
use crate::snapshot::Snapshot;
use crate::store::Entry;
use crate::telemetry::{SignalKind, SignalResult, SignalSource};
use crate::types::{AgentId, RiskLevel, RiskState};

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
    .await
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
    .await
}

/// `POST …/riskyAgents/dismiss`
pub(super) async fn dismiss(
    control: State<Arc<Control>>,
    ids: Extension<RequestIds>,
    actor: Extension<Actor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    let by = (&*ids, &*actor);
    apply(&control, by, Action::DISMISS, &headers, body).await
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

async fn apply(
    control: &Arc<Control>,
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
    let before = control.state.snapshots.load();
    let clock = Arc::clone(control);
    let word = move |snapshot: &Snapshot| {
        let entries = agents.iter().map(|id| entry(&clock, snapshot, id, action));
        entries.map(Entry::Risk).collect()
    };
    let said = control.state.reported.say(word).await.map_err(|error| {
        tracing::error!(%error, request.id = ids.id(), "risk could not be stored");
        count(SignalResult::Failed);
        let message = "nothing was changed, for it could not be stored; repeat the request";
        GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    for entry in said {
        let Entry::Risk(entry) = entry else { continue };
        tracing::info!(
            action = action.kind.as_str(),
            agent.id = %entry.id,
            agent.known = subject(control, &before, &entry.id).is_some(),
            by = %actor,
            request.id = ids.id(),
            "an administrator changed an agent's risk"
        );
        count(SignalResult::Applied);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The ids of `{"agentIds": ["…"]}`.
fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<BTreeSet<AgentId>, GraphError> {
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    let members = object(headers, body)?;
    let ids = members.get("agentIds").and_then(Value::as_array);
    let ids = ids
        .filter(|_| members.len() == 1)
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

/// The new entry of an agent.
fn entry(control: &Control, snapshot: &Snapshot, id: &AgentId, action: Action) -> RiskEntry {
    let known = subject(control, snapshot, id.as_str());
    // What was said before may be dated ahead of our clock; the word that is said now comes after it all the same.
    let before = snapshot.risk.last_said(id.as_str());
    let earliest = before.map(|at| at.after(Duration::from_micros(1)));
    let now = control.state.clock.now();
    RiskEntry {
        id: id.to_shared(),
        subject: known.unwrap_or(RiskSubject::AgentIdentity),
        level: Some(action.level),
        state: action.state,
        detail: action.detail.into(),
        last_modified: earliest.map_or(now, |earliest| earliest.max(now)),
        source: SignalSource::Management.as_str().into(),
    }
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
