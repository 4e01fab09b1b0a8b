//! Who asks what for: all of a call that directory and policy judge, so that What-If asks in the very words of the path.
//!
//! Its answer is a reason and forwards nothing: only [`decide`](super::decide) makes a decision on a call.
//! Never here: the call's token, and what its scopes allow.

use super::{DecisionSettings, UnknownAgents};
use crate::call::{NonAgents, Resource};
use crate::capability::Operation;
use crate::identity::{Agent, Blueprint, Caller, Credential, Identified, KnownTarget, Target};
use crate::policy::{
    AgentFacts, AgentUserFacts, Condition, Evaluation, Facts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, Verdict,
};
use crate::risk::Assessment;
use crate::types::{Attributes, Fact, ObjectId, Reason, RiskLevel, Timestamp};

/// A caller and what it calls.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What for.
    pub resource: Asked<'a>,
    /// Which operation of it.
    pub operation: &'a Operation,
    /// What happens to callers that are not agents.
    pub non_agents: NonAgents,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// This resource.
    Resource(&'a Resource),
    /// The resource of this appId, of which nothing else is known.
    AppId(&'a str),
    /// A resource that nobody can tell.
    Any,
}

impl<'a> Asked<'a> {
    /// What a token is asked for.
    #[must_use]
    pub fn of(target: &'a Target) -> Self {
        match &target.known {
            KnownTarget::Resource(resource) => Self::Resource(resource),
            other => other.app_id().map_or(Self::Any, Self::AppId),
        }
    }

    /// What policies read of it. FAIL-CLOSED: what is not known may be what they ask for.
    fn facts(self, operation: &'a Operation) -> ResourceFacts<'a> {
        let (app_id, attributes, is_agent) = match self {
            Self::Resource(resource) => (
                Fact::Known(resource.app_id.as_str()),
                Fact::Known(&resource.attributes),
                Fact::Known(resource.is_agent),
            ),
            Self::AppId(id) => (
                Fact::Known(id),
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
            ),
            Self::Any => (
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
            ),
        };
        ResourceFacts {
            app_id,
            attributes,
            is_agent,
            authentication_contexts: operation.authentication_contexts(),
        }
    }
}

impl<'a> Question<'a> {
    /// What a call asks that performs this operation; of a request for a token, what it asks of this target.
    pub(super) fn of(identified: &'a Identified, target: usize, operation: &'a Operation) -> Self {
        let addressed = identified.received().resource();
        Self {
            caller: identified.caller(),
            resource: match identified.credential() {
                Credential::Token(_) => Asked::Resource(addressed),
                Credential::Request(request) => {
                    request.targets.get(target).map_or(Asked::Any, Asked::of)
                }
            },
            operation,
            non_agents: addressed.non_agents,
        }
    }

    /// The facts for the evaluator, with this risk.
    #[must_use]
    pub fn facts(self, risk: &Assessment, settings: DecisionSettings, now: Timestamp) -> Facts<'a> {
        Facts {
            subject: subject(self.caller, risk),
            resource: self.resource.facts(self.operation),
            session: SessionFacts::UNKNOWN,
            now,
            entra_parity: settings.entra_parity,
        }
    }

    /// The first reason to block, else the reason to allow as far as the scopes of the token do.
    #[must_use]
    pub fn reason(self, evaluation: &Evaluation, settings: DecisionSettings) -> Reason {
        if let Some(reason) = self.refused_by_directory(settings) {
            return reason;
        }
        let is_agent = self.caller.agent().is_some();
        if !is_agent && self.non_agents == NonAgents::Block {
            return Reason::NotAnAgent;
        }
        match evaluation.verdict {
            Verdict::Block => Reason::BlockedByPolicy,
            Verdict::BlockOnUnknown if evaluation.blocks_on_unknown(Condition::Application) => {
                Reason::TargetUnknown
            }
            Verdict::BlockOnUnknown => Reason::FactsUnavailable,
            Verdict::Allow if is_agent => Reason::NoPolicyBlocked,
            Verdict::Allow => Reason::NonAgentForwarded,
        }
    }

    /// What the directory alone refuses.
    pub(super) fn refused_by_directory(self, settings: DecisionSettings) -> Option<Reason> {
        refused_by_directory(self.caller, settings.unknown_agents)
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
            human: HumanFacts::unknown(subject_id(human.id.as_ref())),
            agent: agent_facts(agent, risk.agent),
        },
        Caller::NotAgent(caller) => {
            Subject::Human(HumanFacts::unknown(subject_id(caller.id.as_ref())))
        }
    }
}

/// FAIL-CLOSED: a human whom a request for a token does not name may be anybody.
fn subject_id(id: Option<&ObjectId>) -> Fact<&str> {
    id.map_or(Fact::RequiredUnknown, |id| Fact::Known(id.as_str()))
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
    use crate::types::BlueprintId;

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
                id: Some(ObjectId::parse("bp").unwrap()),
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
