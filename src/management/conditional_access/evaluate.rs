//! `…/evaluate`, What-If: which policies would apply to a sign-in that nobody makes, and why each other would not.
//!
//! Asked by the evaluator of the path, on the snapshot that calls are judged by. What the question does not tell is
//! unknown, and a condition on it does not hold, as in Entra; only the country of an address is looked up, where there is
//! a database of that. Never here: a rule of its own.

mod call;
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

use self::call::{CALL, CallQuestion};
use self::question::{Question, UserAction};
use self::who::Who;
use super::versions;
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, apart};
use crate::management::writes::object;
use crate::policy::analysis::to_graph;
use crate::policy::model::ApplicationTarget;
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
    let body = object(&headers, body)?;
    let context = asked.context_of("Collection(microsoft.graph.whatIfAnalysisResult)");
    if body.contains_key(CALL) {
        let question = CallQuestion::read(&body, asked.version)?;
        return apart(move || {
            let snapshot = control.state.snapshots.load();
            let now = control.state.clock.now();
            let mut answer = question.answer(&snapshot, now, asked.version)?;
            if let Some(members) = answer.as_object_mut() {
                members.insert("@odata.context".to_owned(), context.into());
            }
            Ok(Json(answer).into_response())
        })
        .await;
    }
    let question = Question::read(&body, asked.version)?;
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let subject = Who::find(&question, &snapshot, |id| {
            control.state.discovered.get(id).is_some()
        })?;
        let now = control.state.clock.now();
        let results = answer(&question, &subject, &snapshot, now);
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
            session: question.session(snapshot.countries.as_deref()),
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
    let include = &policy.model().conditions.applications.include;
    let names = |action: UserAction| {
        let urn = action.urn();
        let is_it = |target: &ApplicationTarget| matches!(target, ApplicationTarget::UserAction(name) if **name == *urn);
        include.iter().any(is_it)
    };
    if reason != AnalysisReason::PolicyNotEnabled && action.is_some_and(names) {
        AnalysisReason::NotEnoughInformation
    } else {
        reason
    }
}
