//! The live tail: one small value per decision, for whoever watches. It is not the record.

use std::sync::Arc;
use std::time::Duration;

use super::model::Source;
use super::redact;
use crate::call::Refused;
use crate::identity::Caller;
use crate::types::{CallId, Effect, Reason, ResourceName, Timestamp};

/// One decision, as a watcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionLine {
    /// The call's id.
    pub id: CallId,
    /// When.
    pub at: Timestamp,
    /// The kind of caller; `None` if nobody was identified.
    pub caller_kind: Option<&'static str>,
    /// The caller's display name, or its id.
    pub caller: Option<Arc<str>>,
    /// The resource, if there is one under this host and path.
    pub resource: Option<ResourceName>,
    /// The method, if it is one.
    pub method: Option<http::Method>,
    /// The operation's template, or the redacted path.
    pub path: Option<String>,
    /// What happened to the call.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// The display names of the enforced policies that block.
    pub policies: Vec<Arc<str>>,
    /// How long the decision took.
    pub duration: Duration,
}

impl DecisionLine {
    pub(super) fn of_decision(source: &Source<'_>) -> Self {
        let decision = source.decision;
        Self {
            id: source.context.id,
            at: decision.at,
            caller_kind: Some(source.caller.kind()),
            caller: Some(name(source.caller)),
            resource: Some(source.resource.name.clone()),
            method: Some(source.method.clone()),
            path: Some(source.shown_path()),
            effect: decision.reason.effect(),
            reason: decision.reason,
            policies: source.blocking_policy_names(),
            duration: source.context.started.elapsed(),
        }
    }

    pub(super) fn of_refusal(refused: &Refused) -> Self {
        let context = &refused.context;
        Self {
            id: context.id,
            at: context.received_at,
            caller_kind: None,
            caller: None,
            resource: context.resource.as_ref().map(|r| r.name.clone()),
            method: context.method.clone(),
            path: context.path.as_deref().map(redact::path),
            effect: refused.reason.effect(),
            reason: refused.reason,
            policies: Vec::new(),
            duration: context.started.elapsed(),
        }
    }
}

/// What a person calls the caller: the account that acts, by its name if the directory has one.
fn name(caller: &Caller) -> Arc<str> {
    match caller {
        Caller::AgentUser { id, entry, .. } => entry
            .as_ref()
            .map_or_else(|| id.to_shared(), |user| Arc::clone(&user.display_name)),
        Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => {
            agent.entry.as_ref().map_or_else(
                || agent.id.to_shared(),
                |entry| Arc::clone(&entry.display_name),
            )
        }
        Caller::NotAgent(caller) => caller.id.to_shared(),
    }
}
