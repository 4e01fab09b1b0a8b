//! Room 4, pure: an [`Identified`] call and what is known become a [`Decided`] one.
//!
//! The order: directory (disabled, unknown), kind of caller, policy, scope. Every step can only narrow.
//! Never here: an "allow" that stands for "could not tell", IO, and the reading of a rule.

use std::sync::Arc;

use crate::call::{NonAgents, Received};
use crate::capability::Operation;
use crate::identity::{Agent, Blueprint, Caller, Identified};
use crate::policy::{
    AgentFacts, AgentUserFacts, Evaluation, Facts, HumanFacts, PolicyOutcome, PolicySet,
    ResourceFacts, Subject, Verdict,
};
use crate::risk::{Assessment, RiskSettings, RiskTable};
use crate::types::{Attributes, Effect, PolicyId, Reason, Timestamp};

/// What happens to agents that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownAgents {
    /// Policies judge them: those on `All` agents apply, and attribute filters see no attributes.
    #[default]
    Evaluate,
    /// They are blocked.
    Block,
}

/// How decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionSettings {
    /// Read policies only as Entra does (`product.md` §4).
    pub entra_parity: bool,
    /// Agents that the directory does not know.
    pub unknown_agents: UnknownAgents,
    /// Whether withheld risk fails closed.
    pub risk_required: bool,
}

impl DecisionSettings {
    /// How risk levels combine under these settings.
    #[must_use]
    pub const fn risk(self) -> RiskSettings {
        RiskSettings {
            inherit: !self.entra_parity,
            required: self.risk_required && !self.entra_parity,
        }
    }
}

/// What a decision is made on, beside the call: one snapshot's parts.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// The compiled policies.
    pub policies: &'a Arc<PolicySet>,
    /// What is known of risk.
    pub risk: &'a RiskTable,
    /// How decisions are made.
    pub settings: DecisionSettings,
    /// The generation of the snapshot.
    pub generation: &'a Arc<str>,
}

/// The verdict on one call, with all that a record needs to explain it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Why, which says what too.
    pub reason: Reason,
    /// What the policies said.
    pub evaluation: Evaluation,
    /// The policies that said it.
    pub policies: Arc<PolicySet>,
    /// The caller's risk.
    pub risk: Assessment,
    /// What the call does.
    pub operation: Operation,
    /// The snapshot's generation.
    pub generation: Arc<str>,
    /// When.
    pub at: Timestamp,
}

impl Decision {
    /// The enforced policies that block, in the order of the set.
    #[must_use]
    pub fn blocking_policies(&self) -> Vec<PolicyId> {
        let applied = self.evaluation.applied.iter();
        applied
            .filter(|result| result.outcome == PolicyOutcome::Failure)
            .filter_map(|result| self.policies.policy(result.policy))
            .map(|policy| policy.id.clone())
            .collect()
    }
}

/// A call on which a decision was made. It owns the call, so the verdict cannot be spent on another one.
#[derive(Debug)]
#[must_use]
pub struct Decided {
    identified: Identified,
    decision: Decision,
}

impl Decided {
    /// The call and its caller.
    pub const fn identified(&self) -> &Identified {
        &self.identified
    }

    /// The call.
    pub const fn received(&self) -> &Received {
        self.identified.received()
    }

    /// The verdict.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Whether the call may go on.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.decision.reason.effect()
    }

    /// Takes it apart, for the room that enforces it.
    pub(crate) fn into_parts(self) -> (Identified, Decision) {
        (self.identified, self.decision)
    }
}

/// Decides on one call.
pub fn decide(identified: Identified, knowledge: &Knowledge<'_>, now: Timestamp) -> Decided {
    let caller = identified.caller();
    let operation = Operation::of(identified.received());
    let risk = knowledge.risk.assess(caller, knowledge.settings.risk());
    let facts = facts(&identified, &risk, knowledge.settings, now);
    let evaluation = knowledge.policies.evaluate(&facts);
    let reason = reason(
        &identified,
        &operation,
        evaluation.verdict,
        knowledge.settings,
    );
    let decision = Decision {
        reason,
        evaluation,
        policies: Arc::clone(knowledge.policies),
        risk,
        operation,
        generation: Arc::clone(knowledge.generation),
        at: now,
    };
    Decided {
        identified,
        decision,
    }
}

/// The first reason to block, else the reason to allow.
fn reason(
    identified: &Identified,
    operation: &Operation,
    verdict: Verdict,
    settings: DecisionSettings,
) -> Reason {
    let caller = identified.caller();
    if let Some(reason) = refused_by_directory(caller, settings.unknown_agents) {
        return reason;
    }
    let is_agent = caller.agent().is_some();
    if !is_agent && identified.received().resource().non_agents == NonAgents::Block {
        return Reason::NotAnAgent;
    }
    match verdict {
        Verdict::Block => return Reason::BlockedByPolicy,
        Verdict::BlockOnUnknown => return Reason::FactsUnavailable,
        Verdict::Allow => {}
    }
    let token = identified.token();
    if !operation.is_covered_by(&token.scopes, &token.roles) {
        return Reason::ScopeInsufficient;
    }
    if is_agent {
        Reason::NoPolicyBlocked
    } else {
        Reason::NonAgentForwarded
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

/// Lays out the facts of a call for the evaluator.
fn facts<'a>(
    identified: &'a Identified,
    risk: &Assessment,
    settings: DecisionSettings,
    now: Timestamp,
) -> Facts<'a> {
    let resource = identified.received().resource();
    let subject = match identified.caller() {
        Caller::Autonomous(agent) => Subject::AgentIdentity(agent_facts(agent, risk)),
        Caller::AgentUser { id, entry, agent } => Subject::AgentUser {
            user: AgentUserFacts {
                id: id.as_str(),
                attributes: entry
                    .as_ref()
                    .map_or(NO_ATTRIBUTES, |user| &user.attributes),
                risk: risk.agent_user,
            },
            agent: agent_facts(agent, risk),
        },
        Caller::OnBehalfOf { human, agent } => Subject::OnBehalfOf {
            human: HumanFacts {
                id: human.id.as_str(),
            },
            agent: agent_facts(agent, risk),
        },
        Caller::NotAgent(_) => Subject::NotAgent,
    };
    Facts {
        subject,
        resource: ResourceFacts {
            app_id: resource.app_id.as_str(),
            attributes: &resource.attributes,
            is_agent: resource.is_agent,
        },
        now,
        entra_parity: settings.entra_parity,
    }
}

fn agent_facts<'a>(agent: &'a Agent, risk: &Assessment) -> AgentFacts<'a> {
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
        risk: risk.agent,
    }
}

/// What attribute filters see of an agent that the directory does not know.
static NO_ATTRIBUTES: &Attributes = &Attributes::NONE;

#[cfg(test)]
mod tests {
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
