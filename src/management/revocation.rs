//! `POST /global-token-revocation`: every token of a subject that was issued before now is refused from now on.
//!
//! The form is the one of the Global Token Revocation draft (draft-parecki-oauth-global-token-revocation), which
//! identity platforms call when they log somebody out everywhere. Never here: a subject that is taken for another.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, StatusCode};

use super::Control;
use super::graph::GraphError;
use super::writes::{Asker, object};
use crate::identity::subject::SubjectId;
use crate::record::change::{Change, Target};
use crate::risk::Revocation;
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalKind, SignalResult, SignalSource};
use crate::types::ObjectId;

/// The endpoint.
pub(super) async fn revoke(
    State(control): State<Arc<Control>>,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, GraphError> {
    let count = |result| {
        let metrics = &control.state.metrics;
        metrics.risk_signal(SignalSource::Management, SignalKind::RevokeTokens, result);
    };
    let snapshot = control.state.snapshots.load();
    let subjects =
        subjects(&headers, body, &snapshot).inspect_err(|_| count(SignalResult::Refused))?;
    // To stop an agent must not fail because the disk is full. The log says who did it.
    let change = change(&control, &asker, &subjects);
    let begun = control.state.recorder.change(change).await.ok();
    let made = make(&control, &asker, subjects, count).await;
    if let Some(begun) = begun {
        begun.ended(made.as_ref().copied().map_err(GraphError::message));
    }
    made.map(|()| StatusCode::NO_CONTENT)
}

/// The change that is about to be made, for the audit log.
fn change(control: &Control, asker: &Asker, subjects: &BTreeSet<ObjectId>) -> Change {
    let targets = subjects.iter().map(|id| Target {
        id: id.to_string(),
        display_name: None,
        kind: "Other",
        modified_properties: Vec::new(),
    });
    Change {
        id: uuid::Uuid::now_v7().to_string(),
        correlation_id: asker.ids.id().to_owned(),
        activity_date_time: control.state.clock.now(),
        activity_display_name: "Revoke tokens",
        category: "Other",
        operation_type: "Update",
        initiated_by: asker.actor.initiator(),
        target_resources: targets.collect(),
    }
}

/// Keeps the cut-offs and puts them in force.
async fn make(
    control: &Control,
    asker: &Asker,
    subjects: BTreeSet<ObjectId>,
    count: impl Fn(SignalResult),
) -> Result<(), GraphError> {
    let cause = Cause::now(ChangeSource::Management);
    let now = control.state.clock.now();
    let word = move |_: &Snapshot| {
        let entries = subjects.iter().map(|id| {
            Entry::Revocation(Revocation {
                id: id.to_shared(),
                issued_until: now,
                source: SignalSource::Management.as_str().into(),
            })
        });
        entries.collect()
    };
    let said = control.state.reported.say(cause, word).await.map_err(|error| {
        tracing::error!(%error, request.id = asker.ids.id(), "a revocation could not be stored");
        count(SignalResult::Failed);
        let message = "it could not be stored, so nothing was revoked here; repeat the request";
        GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    for entry in said {
        let Entry::Revocation(revocation) = entry else {
            continue;
        };
        tracing::info!(
            subject.id = %revocation.id,
            issued_until = %revocation.issued_until,
            by = %asker.actor,
            request.id = asker.ids.id(),
            "an administrator revoked the tokens of a subject"
        );
        count(SignalResult::Applied);
    }
    Ok(())
}

/// Our ids of the subject of `{"sub_id": {…}}`.
fn subjects(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    snapshot: &Snapshot,
) -> Result<BTreeSet<ObjectId>, GraphError> {
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    let members = object(headers, body)?;
    let subject = members.get("sub_id").filter(|_| members.len() == 1);
    let subject = subject.ok_or_else(|| {
        refused("expected `{\"sub_id\": {\"format\": …}}` and nothing else".to_owned())
    })?;
    let subject = SubjectId::read(subject).map_err(|fault| refused(fault.to_string()))?;
    let ids = subject.ids(&snapshot.issuers, &snapshot.directory);
    if ids.is_empty() {
        let message = "the subject leads to no id that a token could carry";
        return Err(GraphError::new(StatusCode::NOT_FOUND, message));
    }
    Ok(ids)
}
