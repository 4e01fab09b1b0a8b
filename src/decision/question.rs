//! Who asks what for: all of a call that directory and policy judge, so that What-If asks in the very words of the path.
//!
//! Its answer is a reason and forwards nothing: only [`decide`](super::decide) makes a decision on a call.
//! Never here: the call's token, and what its scopes allow.

use super::{DecisionSettings, UnknownAgents};
use crate::call::{NonAgents, Resource};
use crate::capability::Operation;
use crate::identity::{Agent, Blueprint, Caller, Identified};
use crate::policy::{
    AgentFacts, AgentUserFacts, Facts, HumanFacts, ResourceFacts, SessionFacts, Subject, Verdict,
};
use crate::risk::Assessment;
use crate::types::{Attributes, Fact, Reason, RiskLevel, Timestamp};

/// A caller and what it calls.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What for.
    pub resource: &'a Resource,
    /// Which operation of it.
    pub operation: &'a Operation,
}

impl<'a> Question<'a> {
    /// What a call asks that performs this operation.
    pub(super) fn of(identified: &'a Identified, operation: &'a Operation) -> Self {
        Self {
            caller: identified.caller(),
            resource: identified.received().resource(),
            operation,
        }
    }

    /// The facts for the evaluator, with this risk.
    #[must_use]
    pub fn facts(self, risk: &Assessment, settings: DecisionSettings, now: Timestamp) -> Facts<'a> {
        Facts {
            subject: subject(self.caller, risk),
            resource: ResourceFacts {
                app_id: Fact::Known(self.resource.app_id.as_str()),
                attributes: Fact::Known(&self.resource.attributes),
                is_agent: Fact::Known(self.resource.is_agent),
                authentication_contexts: self.operation.authentication_contexts(),
            },
            session: SessionFacts::UNKNOWN,
            now,
            entra_parity: settings.entra_parity,
        }
    }

    /// The first reason to block, else the reason to allow as far as the scopes of the token do.
    #[must_use]
    pub fn reason(self, verdict: Verdict, settings: DecisionSettings) -> Reason {
        if let Some(reason) = refused_by_directory(self.caller, settings.unknown_agents) {
            return reason;
        }
        let is_agent = self.caller.agent().is_some();
        if !is_agent && self.resource.non_agents == NonAgents::Block {
            return Reason::NotAnAgent;
        }
        match verdict {
            Verdict::Block => Reason::BlockedByPolicy,
            Verdict::BlockOnUnknown => Reason::FactsUnavailable,
            Verdict::Allow if is_agent => Reason::NoPolicyBlocked,
            Verdict::Allow => Reason::NonAgentForwarded,
        }
    }
}

/// What the directory alone refuses: whatever policies say.
fn refused_by_directory(caller: &Caller, unknown_agents: UnknownAgents) -> Option<Reason> {
    let (agent, user_known) = match caller {
        Caller::AgentUser {
            entry: Some(user), ..
        } if !user.enabled => {
            return Some(Reason::AgentDisabled);
        }
        Caller::AgentUser { entry, agent, .. } => (agent, entry.is_some()),
        Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => (agent, true),
        Caller::NotAgent(caller) => {
            return is_disabled(caller.blueprint_entry.as_deref())
                .then_some(Reason::BlueprintDisabled);
        }
    };
    if agent.entry.as_ref().is_some_and(|entry| !entry.enabled) {
        return Some(Reason::AgentDisabled);
    }
    if is_disabled(agent.blueprint_entry.as_deref()) {
        return Some(Reason::BlueprintDisabled);
    }
    let known = agent.entry.is_some() && user_known;
    match unknown_agents {
        UnknownAgents::Block if !known => Some(Reason::AgentUnknown),
        UnknownAgents::Block | UnknownAgents::Evaluate => None,
    }
}

fn is_disabled(blueprint: Option<&Blueprint>) -> bool {
    blueprint.is_some_and(|blueprint| !blueprint.enabled)
}

fn subject<'a>(caller: &'a Caller, risk: &Assessment) -> Subject<'a> {
    match caller {
        Caller::Autonomous(agent) => Subject::AgentIdentity(agent_facts(agent, risk.agent)),
        Caller::AgentUser { id, entry, agent } => Subject::AgentUser {
            user: AgentUserFacts {
                id: id.as_str(),
                attributes: entry
                    .as_ref()
                    .map_or(NO_ATTRIBUTES, |user| &user.attributes),
                risk: risk.agent_user,
            },
            agent: agent_facts(agent, risk.agent),
        },
        Caller::OnBehalfOf { human, agent } => Subject::OnBehalfOf {
            human: HumanFacts::unknown(Fact::Known(human.id.as_str())),
            agent: agent_facts(agent, risk.agent),
        },
        Caller::NotAgent(caller) => {
            Subject::Human(HumanFacts::unknown(Fact::Known(caller.id.as_str())))
        }
    }
}

/// What policies may read of an agent identity with this risk.
#[must_use]
pub fn agent_facts(agent: &Agent, risk: Fact<RiskLevel>) -> AgentFacts<'_> {
    let principal = agent
        .blueprint_entry
        .as_ref()
        .and_then(|b| b.principal_id.as_ref());
    AgentFacts {
        id: agent.id.as_str(),
        blueprint_app_id: agent.blueprint.as_ref().map(|id| id.as_str()),
        blueprint_principal_id: principal.map(|id| id.as_str()),
        attributes: agent
            .entry
            .as_ref()
            .map_or(NO_ATTRIBUTES, |entry| &entry.attributes),
        risk,
    }
}

/// What attribute filters see of an agent that the directory does not know.
static NO_ATTRIBUTES: &Attributes = &Attributes::NONE;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::identity::NonAgent;
    use crate::types::{BlueprintId, ObjectId};

    fn blueprint(enabled: bool) -> Option<Arc<Blueprint>> {
        Some(Arc::new(Blueprint {
            app_id: BlueprintId::parse("b").unwrap(),
            principal_id: None,
            display_name: "b".into(),
            enabled,
            attributes: Attributes::none(),
            sponsors: Vec::new(),
        }))
    }

    #[test]
    fn a_disabled_blueprint_is_refused_when_it_calls_itself() {
        for (blueprint_entry, expected) in [
            (None, None),
            (blueprint(true), None),
            (blueprint(false), Some(Reason::BlueprintDisabled)),
        ] {
            let caller = Caller::NotAgent(NonAgent {
                id: ObjectId::parse("bp").unwrap(),
                client: None,
                blueprint_entry,
                may_be_agent: false,
            });
            for unknown_agents in [UnknownAgents::Evaluate, UnknownAgents::Block] {
                assert_eq!(refused_by_directory(&caller, unknown_agents), expected);
            }
        }
    }
}
