//! `…/evaluate`, What-If: which policies would apply to a sign-in that nobody makes, and why each other would not.
//!
//! Asked by the evaluator of the path, on the snapshot that calls are judged by. What the question does not tell is
//! unknown, and a condition on it does not hold, as in Entra. Never here: a verdict, and a rule of its own.

mod question;
mod who;

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde_json::{Value, json};

use self::question::{Question, UserAction};
use self::who::Who;
use super::versions;
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, apart};
use crate::management::writes::object;
use crate::policy::analysis::to_graph;
use crate::policy::{AnalysisReason, CompiledPolicy, Facts};
use crate::snapshot::Snapshot;
use crate::types::Timestamp;

/// `POST …/evaluate`
pub(super) async fn evaluate(
    State(control): State<Arc<Control>>,
    asked: Asked,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, GraphError> {
    let question = Question::read(&object(&headers, body)?, asked.version)?;
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let subject = Who::find(&question, &snapshot, |id| {
            control.state.discovered.get(id).is_some()
        })?;
        let now = control.state.clock.now();
        let results = answer(&question, &subject, &snapshot, now);
        let context = asked.context_of("Collection(microsoft.graph.whatIfAnalysisResult)");
        let shown = results
            .into_iter()
            .filter(|(_, reason)| reason.applies() || !question.applied_only)
            .map(|(policy, reason)| versions::shown(to_graph(policy, reason), asked.version))
            .map(Value::Object);
        let body = json!({"@odata.context": context, "value": shown.collect::<Vec<_>>()});
        Ok(Json(body).into_response())
    })
    .await
}

/// What each policy says. Of several resources one is enough, for a policy to apply.
fn answer<'s>(
    question: &Question,
    who: &Who,
    snapshot: &'s Snapshot,
    now: Timestamp,
) -> Vec<(&'s CompiledPolicy, AnalysisReason)> {
    let mut reasons: Vec<Option<AnalysisReason>> = Vec::new();
    for resource in question.resources(&snapshot.resources) {
        let facts = Facts {
            subject: who.facts(question),
            resource,
            session: question.session(),
            now,
            entra_parity: snapshot.decisions.entra_parity,
        };
        let results = snapshot.policies.evaluate_all(&facts);
        let results = snapshot.policies.iter().zip(&results);
        let found = results.map(|(policy, result)| AnalysisReason::of(policy, result));
        reasons = match reasons.as_slice() {
            [] => found.map(Some).collect(),
            before => before
                .iter()
                .zip(found)
                .map(|(before, found)| before.filter(|before| before.applies()).or(Some(found)))
                .collect(),
        };
    }
    let reasons = reasons.into_iter().flatten();
    let policies = snapshot.policies.iter().zip(reasons);
    policies
        .map(|(policy, reason)| (policy, of_action(policy, reason, question.user_action())))
        .collect()
}

/// Whether a policy on an action of users would apply is known to the issuer alone.
fn of_action(
    policy: &CompiledPolicy,
    reason: AnalysisReason,
    action: Option<UserAction>,
) -> AnalysisReason {
    let actions = policy
        .model()
        .source
        .get("conditions")
        .and_then(|conditions| conditions.get("applications"))
        .and_then(|applications| applications.get("includeUserActions"))
        .and_then(Value::as_array);
    let names = |action: UserAction| {
        let mut actions = actions.into_iter().flatten();
        actions.any(|name| name.as_str() == Some(action.urn()))
    };
    if reason != AnalysisReason::PolicyNotEnabled && action.is_some_and(names) {
        AnalysisReason::NotEnoughInformation
    } else {
        reason
    }
}
