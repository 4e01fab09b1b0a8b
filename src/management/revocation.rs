//! `POST /global-token-revocation`: every token of a subject that was issued before now is refused from now on.
//!
//! The form is the one of the Global Token Revocation draft (draft-parecki-oauth-global-token-revocation), which
//! identity platforms call when they log somebody out everywhere. Never here: a subject that is taken for another.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, StatusCode};

use super::Control;
use super::actor::Actor;
use super::graph::{GraphError, RequestIds};
use super::writes::object;
use crate::identity::subject::SubjectId;
use crate::risk::Revocation;
use crate::snapshot::Snapshot;
use crate::store::Entry;
use crate::telemetry::{SignalKind, SignalResult, SignalSource};
use crate::types::ObjectId;

/// The endpoint.
pub(super) async fn revoke(
    State(control): State<Arc<Control>>,
    Extension(ids): Extension<RequestIds>,
    Extension(actor): Extension<Actor>,
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
    let said = control.state.reported.say(word).await.map_err(|error| {
        tracing::error!(%error, request.id = ids.id(), "a revocation could not be stored");
        count(SignalResult::Failed);
        let message = "nothing was revoked, for it could not be stored; repeat the request";
        GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    for entry in said {
        let Entry::Revocation(revocation) = entry else {
            continue;
        };
        tracing::info!(
            subject.id = %revocation.id,
            issued_until = %revocation.issued_until,
            by = %actor,
            request.id = ids.id(),
            "an administrator revoked the tokens of a subject"
        );
        count(SignalResult::Applied);
    }
    Ok(StatusCode::NO_CONTENT)
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
