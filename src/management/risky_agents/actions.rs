//! What an administrator says of agents: compromised, safe, dismissed (`reference/entra.md` §5.2-5.5).
//!
//! All of a request is understood before any of it counts. Recorded first, then stored, in force, and answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::audit;
use crate::management::Control;
use crate::management::actor::Actor;
use crate::management::graph::GraphError;
use crate::management::writes::{Asker, not_recorded, object};
use crate::risk::accounts::ADMINISTRATOR;
use crate::risk::{AccountState, DetectionTiming, RiskDetection, RiskEntry, RiskSubject};
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalKind, SignalResult, SignalSource};
use crate::types::{AgentId, RiskLevel, RiskState};

/// `POST …/riskyAgents/confirmCompromised`
pub(super) async fn confirm_compromised(
    control: State<Arc<Control>>,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(
        &control,
        &asker,
        Action::CONFIRM_COMPROMISED,
        &headers,
        body,
    )
    .await
}

/// `POST …/riskyAgents/confirmSafe`
pub(super) async fn confirm_safe(
    control: State<Arc<Control>>,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(&control, &asker, Action::CONFIRM_SAFE, &headers, body).await
}

/// `POST …/riskyAgents/dismiss`
pub(super) async fn dismiss(
    control: State<Arc<Control>>,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    apply(&control, &asker, Action::DISMISS, &headers, body).await
}

/// What an action makes of an agent's risk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    kind: SignalKind,
    /// What it is called in the audit log.
    pub(super) activity: &'static str,
    pub(super) level: RiskLevel,
    pub(super) state: RiskState,
    detail: &'static str,
}

impl Action {
    const CONFIRM_COMPROMISED: Self = Self {
        kind: SignalKind::ConfirmCompromised,
        activity: "Confirm agent compromised",
        level: RiskLevel::High,
        state: RiskState::ConfirmedCompromised,
        detail: "adminConfirmedAgentCompromised",
    };
    const CONFIRM_SAFE: Self = Self {
        kind: SignalKind::ConfirmSafe,
        activity: "Confirm agent safe",
        level: RiskLevel::None,
        state: RiskState::ConfirmedSafe,
        detail: "adminConfirmedAgentSafe",
    };
    const DISMISS: Self = Self {
        kind: SignalKind::Dismiss,
        activity: "Dismiss risk of agent",
        level: RiskLevel::None,
        state: RiskState::Dismissed,
        detail: "adminDismissedRiskForAgent",
    };
}

async fn apply(
    control: &Arc<Control>,
    asker: &Asker,
    action: Action,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    let count = |result| {
        let metrics = &control.state.metrics;
        metrics.risk_signal(SignalSource::Management, action.kind, result);
    };
    let agents = read(headers, body).inspect_err(|_| count(SignalResult::Refused))?;
    let change = audit::change(control, asker, action, &agents);
    let begun = match control.state.recorder.change(change).await {
        Ok(begun) => Some(begun),
        // To stop an agent must not fail because the disk is full. The log says who did it.
        Err(_unavailable) if action.state.level_counts() => None,
        Err(_unavailable) => {
            count(SignalResult::Failed);
            return Err(not_recorded());
        }
    };
    let made = make(control, asker, action, agents, count).await;
    if let Some(begun) = begun {
        begun.ended(made.as_ref().copied().map_err(GraphError::message));
    }
    made.map(|()| StatusCode::NO_CONTENT)
}

/// Keeps what is said of the agents, all of it or nothing, and puts it in force.
async fn make(
    control: &Arc<Control>,
    asker: &Asker,
    action: Action,
    agents: BTreeSet<AgentId>,
    count: impl Fn(SignalResult),
) -> Result<(), GraphError> {
    let cause = Cause::now(ChangeSource::Management);
    let before = control.state.snapshots.load();
    let said = word(control, &asker.actor, action, agents);
    let said = control
        .state
        .reported
        .say(cause, said)
        .await
        .map_err(|error| {
            tracing::error!(%error, request.id = asker.ids.id(), "risk could not be stored");
            count(SignalResult::Failed);
            let message = "it could not be stored, so nothing was changed here; repeat the request";
            GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
        })?;
    for entry in said {
        let Entry::Risk(entry) = entry else { continue };
        tracing::info!(
            action = action.kind.as_str(),
            agent.id = %entry.id,
            agent.known = subject(control, &before, &entry.id).is_some(),
            by = %asker.actor,
            request.id = asker.ids.id(),
            "an administrator changed an agent's risk"
        );
        count(SignalResult::Applied);
    }
    Ok(())
}

/// What is said of the agents, on what is known: of each its level, and what that makes of its detections.
fn word(
    control: &Arc<Control>,
    actor: &Actor,
    action: Action,
    agents: BTreeSet<AgentId>,
) -> impl Fn(&Snapshot) -> Vec<Entry> + Send + 'static {
    let control = Arc::clone(control);
    let evidence: Arc<str> = format!("confirmed by {actor}").into();
    // Made once, so that what is said again is the same.
    let named = |agent| (agent, uuid::Uuid::now_v7().simple().to_string());
    let agents: Vec<(AgentId, String)> = agents.into_iter().map(named).collect();
    move |snapshot| {
        let of_agent = agents.iter().flat_map(|(agent, detection)| {
            let entry = entry(&control, snapshot, agent, action);
            let mut said = settled(snapshot, &entry);
            if entry.state == RiskState::ConfirmedCompromised {
                said.push(confirmed(&entry, detection, &evidence));
            }
            if entry.state == RiskState::ConfirmedSafe && may_be_let_in(snapshot, &entry.id) {
                said.push(enabled(&entry));
            }
            said.push(Entry::Risk(entry));
            said
        });
        of_agent.collect()
    }
}

/// A confirmed compromise is a detection too.
fn confirmed(entry: &RiskEntry, id: &str, evidence: &Arc<str>) -> Entry {
    Entry::Detection(RiskDetection {
        id: id.into(),
        identity_id: Arc::clone(&entry.id),
        subject: entry.subject,
        event_type: Arc::clone(&entry.detail),
        level: entry.level,
        state: entry.state,
        detail: Arc::clone(&entry.detail),
        activity_at: entry.last_modified,
        detected_at: entry.last_modified,
        last_modified: entry.last_modified,
        timing: DetectionTiming::Offline,
        evidence: Some(Arc::clone(evidence)),
        correlation_id: None,
        request_id: None,
        source: Arc::clone(&entry.source),
    })
}

/// Whether other sources spoke of the account. An administrator who disabled it takes that back by its own name.
fn may_be_let_in(snapshot: &Snapshot, id: &str) -> bool {
    let accounts = &snapshot.reported.accounts;
    let is_ours = |state: &Arc<AccountState>| *state.source == *ADMINISTRATOR;
    accounts.knows(id)
        && !accounts
            .of(id)
            .any(|state| is_ours(state) && !state.enabled)
}

/// Who is safe is let in again, whatever source disabled the account; the directory's word stays.
fn enabled(entry: &RiskEntry) -> Entry {
    Entry::Account(AccountState {
        id: Arc::clone(&entry.id),
        enabled: true,
        at: entry.last_modified,
        source: Arc::clone(&entry.source),
    })
}

/// Any other word settles the detections that there are.
fn settled(snapshot: &Snapshot, entry: &RiskEntry) -> Vec<Entry> {
    if entry.state == RiskState::ConfirmedCompromised {
        return Vec::new();
    }
    let detections = snapshot.reported.detections.iter();
    let open = detections.filter(|one| one.identity_id == entry.id && one.state.level_counts());
    let settled = open.map(|detection| RiskDetection {
        state: entry.state,
        detail: Arc::clone(&entry.detail),
        last_modified: entry.last_modified,
        ..RiskDetection::clone(detection)
    });
    settled.map(Entry::Detection).collect()
}

/// The ids of `{"agentIds": ["…"]}`.
fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<BTreeSet<AgentId>, GraphError> {
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    let body = object(headers, body)?;
    let ids = body.get("agentIds").and_then(Value::as_array);
    let ids = ids
        .filter(|_| body.len() == 1)
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
pub(super) fn subject(control: &Control, snapshot: &Snapshot, id: &str) -> Option<RiskSubject> {
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
