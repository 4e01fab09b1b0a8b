//! The live tail: one small value per decision, for whoever watches. It is not the record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::broadcast;

use super::model::Source;
use super::redact;
use crate::call::Refused;
use crate::identity::Caller;
use crate::types::{CallId, Effect, Reason, ResourceName, Timestamp};

/// How many decisions a slow follower may lag behind before it misses the oldest.
pub(super) const LINES: usize = 256;

/// Tells those who follow.
#[derive(Debug)]
pub(super) struct Tail {
    lines: broadcast::Sender<Arc<DecisionLine>>,
    /// Whether somebody may follow. How many do is known under a lock that all workers share.
    is_followed: AtomicBool,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            lines: broadcast::Sender::new(LINES),
            is_followed: AtomicBool::new(false),
        }
    }
}

impl Tail {
    /// Follows the decisions from now on. A follower that is too slow misses the oldest; no call waits for it.
    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<DecisionLine>> {
        let follower = self.lines.subscribe();
        self.is_followed.store(true, Ordering::Release);
        follower
    }

    /// Tells of a decision, if anybody follows.
    pub(super) fn tell(&self, line: impl FnOnce() -> DecisionLine) {
        if self.is_followed.load(Ordering::Acquire) && !self.is_deserted() {
            // An error says that the last follower has just left.
            drop(self.lines.send(Arc::new(line())));
        }
    }

    /// Whether the last follower has left, so that nobody need look until there is another.
    fn is_deserted(&self) -> bool {
        let nobody = || self.lines.receiver_count() == 0;
        if !nobody() {
            return false;
        }
        self.is_followed.store(false, Ordering::Release);
        // Who came before that was said is counted by now, and who comes later says otherwise.
        let is_deserted = nobody();
        if !is_deserted {
            self.is_followed.store(true, Ordering::Release);
        }
        is_deserted
    }
}

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
            path: Some(source.shown_path.to_string()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> DecisionLine {
        DecisionLine {
            id: CallId::from_uuid(uuid::Uuid::nil()),
            at: Timestamp::default(),
            caller_kind: None,
            caller: None,
            resource: None,
            method: None,
            path: None,
            effect: Effect::Block,
            reason: Reason::Overloaded,
            policies: Vec::new(),
            duration: Duration::ZERO,
        }
    }

    #[test]
    fn a_line_is_made_only_while_somebody_follows_who_then_gets_it() {
        let tail = Tail::default();
        let nobody = || -> DecisionLine { panic!("nobody follows") };
        tail.tell(nobody);
        for _ in 0..3 {
            let [mut one, mut other] = [tail.follow(), tail.follow()];
            tail.tell(line);
            assert_eq!(*one.try_recv().unwrap(), line());
            drop(one);
            tail.tell(line);
            assert_eq!(*other.try_recv().unwrap(), line());
            drop(other);
            tail.tell(nobody);
            tail.tell(nobody);
        }
    }
}
