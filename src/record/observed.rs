//! What detections are made from: an agent's call and its answer, as the gateway sees them, and as a record tells them.
//!
//! Both ways give the same; a test holds that. The live way leaves each where it waits to be looked at: when there is no
//! room it is counted and passed over, and no call waits. Never here: a token, a path, and a detection.

mod read;
mod waiting;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::StatusCode;

use super::model::Source;
use crate::detection::{Answer, Call, DetectionSettings, Doer, Fate, Mark};
use crate::identity::Caller;
use crate::risk::RiskSubject;
use crate::types::{CallId, Effect, Fact, Reason, RiskLevel, Timestamp};

pub use read::ObservedReader;
pub(super) use waiting::Part;
pub use waiting::{Looker, Observations};

/// What an agent did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It made a call, which was decided on.
    Call(Call),
    /// A call of its was forwarded and has been answered.
    Answer(Answer),
}

/// Takes what is observed on the path to whoever looks at it.
#[derive(Debug)]
pub struct Observer {
    /// What is looked for; while that is nothing, nothing is observed.
    pub looks_for: Arc<ArcSwapOption<DetectionSettings>>,
    /// Where it waits.
    pub observations: Observations,
}

impl Observer {
    /// Where to leave what is observed, if anything is looked for.
    pub(super) fn mine(&self) -> Option<&Arc<Part>> {
        let looks = self.looks_for.load().is_some();
        looks.then(|| self.observations.mine())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.observations.finish();
    }
}

/// An agent's call that has not been answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered {
    doer: Doer,
    at: Timestamp,
    target: Mark,
    id: CallId,
}

impl Unanswered {
    fn of(call: &Call, id: CallId) -> Option<Self> {
        (call.fate == Fate::Forwarded).then(|| Self {
            doer: call.doer.clone(),
            at: call.at,
            target: call.target,
            id,
        })
    }

    /// Now it has been.
    pub(super) fn answered(self, status: StatusCode) -> Observed {
        Observed::Answer(Answer {
            doer: self.doer,
            at: self.at,
            target: self.target,
            status: status.as_u16(),
            id: Some(self.id),
        })
    }
}

/// The call of a decision, if an agent made it, and what is left to tell of it.
pub(super) fn observe(source: &Source<'_>) -> Option<(Observed, Option<Unanswered>)> {
    let (context, decision) = (source.context, source.decision);
    let (agent, doer) = match source.caller {
        Caller::Autonomous(agent) => (agent, (agent.id.to_shared(), RiskSubject::AgentIdentity)),
        Caller::OnBehalfOf { agent, .. } => {
            (agent, (agent.id.to_shared(), RiskSubject::AgentIdentity))
        }
        Caller::AgentUser { id, agent, .. } => (agent, (id.to_shared(), RiskSubject::AgentUser)),
        Caller::NotAgent(_) => return None,
    };
    let doer = Doer {
        agent: doer.0,
        subject: doer.1,
        on_behalf: matches!(source.caller, Caller::OnBehalfOf { .. }),
    };
    let levels = match source.caller {
        Caller::AgentUser { .. } => [decision.risk.agent, decision.risk.agent_user],
        _ => [decision.risk.agent; 2],
    };
    let is_harmless = levels == [Fact::Known(RiskLevel::None); 2];
    let resource = &source.resource.name;
    let token = source.credential.token();
    let token = token.and_then(|token| Some((&*token.issuer, token.token_id.as_deref()?)));
    let call = Call {
        doer,
        at: decision.at,
        blueprint: agent.blueprint.as_ref().map(|of| of.to_shared()),
        resource: resource.to_shared(),
        target: target(
            resource.as_str(),
            source.method.as_str(),
            &source.shown_path,
        ),
        token: token.map(|(issuer, id)| token_mark(issuer, id)),
        address: context.client_address.to_canonical(),
        client: client(context.user_agent.as_deref()),
        tls: context.connection.tls_client.as_deref().map(tls_mark),
        fate: fate(decision.reason, is_harmless),
        id: Some(context.id),
    };
    let unanswered = Unanswered::of(&call, context.id);
    Some((Observed::Call(call), unanswered))
}

fn target(resource: &str, method: &str, path: &str) -> Mark {
    Mark::of(&[resource.as_bytes(), method.as_bytes(), path.as_bytes()])
}

fn token_mark(issuer: &str, id: &str) -> Mark {
    Mark::of(&[issuer.as_bytes(), id.as_bytes()])
}

fn client(user_agent: Option<&str>) -> Mark {
    Mark::of(&[user_agent.unwrap_or_default().as_bytes()])
}

fn tls_mark(print: &str) -> Mark {
    Mark::of(&[print.as_bytes()])
}

/// Whether a refusal is for what the agent may not do, or for what is held of it.
fn fate(reason: Reason, is_harmless: bool) -> Fate {
    match reason.effect() {
        Effect::Allow => Fate::Forwarded,
        Effect::Block if is_harmless && is_of_rights(reason) => Fate::Refused,
        Effect::Block => Fate::Withheld,
    }
}

fn is_of_rights(reason: Reason) -> bool {
    matches!(reason, Reason::BlockedByPolicy | Reason::ScopeInsufficient)
}

/// Shared text out of a record.
type Text = Arc<str>;

#[cfg(test)]
mod tests;
