//! Who asks what for: all of a call that directory and policy judge, so that What-If asks in the very words of the path.
//!
//! Its answer is a reason and forwards nothing: only [`decide`](super::decide) makes a decision on a call.
//! Never here: the call's token, and what its scopes allow.

mod facts;

pub use self::facts::agent_facts;

use std::net::IpAddr;

use super::{DecisionSettings, UnknownAgents, lacking_controls};
use crate::call::{NonAgents, Resource};
use crate::capability::Operation;
use crate::identity::{Account, Blueprint, Caller, Credential, Evidence, KnownTarget, Target};
use crate::policy::{Condition, Evaluation, Verdict};
use crate::risk::SignInIds;
use crate::types::{Country, Fact, Reason, TenantId};

/// A caller and what it calls, from where.
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
    /// From where, and what was shown.
    pub session: Session<'a>,
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
}

/// What a call tells of its session.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// What the token shows.
    pub evidence: &'a Evidence,
    /// The token's tenant, where its issuer has such.
    pub tenant: Option<&'a TenantId>,
    /// The token's own id.
    pub token_id: Option<&'a str>,
    /// Where the call comes from.
    pub address: Fact<IpAddr>,
    /// The country of the address.
    pub country: Fact<Option<Country>>,
}

impl<'a> Session<'a> {
    /// The session of a call with this credential.
    #[must_use]
    pub fn of(
        credential: &'a Credential,
        address: Fact<IpAddr>,
        country: Fact<Option<Country>>,
    ) -> Self {
        let token = credential.token();
        Self {
            evidence: credential.evidence(),
            tenant: credential.tenant(),
            token_id: token.and_then(|token| token.token_id.as_deref()),
            address,
            country,
        }
    }

    /// By what the sign-in behind the token is known.
    #[must_use]
    pub fn sign_in(&self) -> SignInIds<'a> {
        SignInIds {
            session: self.evidence.session_id.as_deref(),
            token: self.token_id,
        }
    }
}

impl Question<'_> {
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
            Verdict::Block if !lacking_controls(evaluation).is_empty() => {
                Reason::AuthenticationInsufficient
            }
            Verdict::Block => Reason::BlockedByPolicy,
            Verdict::BlockOnUnknown if evaluation.blocks_on_unknown(Condition::Application) => {
                Reason::TargetUnknown
            }
            Verdict::BlockOnUnknown if self.rests_on_an_unnamed_human(evaluation) => {
                Reason::SubjectUnknown
            }
            Verdict::BlockOnUnknown => Reason::FactsUnavailable,
            Verdict::Allow if is_agent => Reason::NoPolicyBlocked,
            Verdict::Allow => Reason::NonAgentForwarded,
        }
    }

    /// Whether a policy refuses because it may concern the human, and nobody says who that is.
    fn rests_on_an_unnamed_human(self, evaluation: &Evaluation) -> bool {
        let is_unnamed = match self.caller {
            Caller::OnBehalfOf { human, .. } => human.id.is_none(),
            Caller::NotAgent(caller) => matches!(caller.account, Account::Unnamed),
            Caller::Autonomous(_) | Caller::AgentUser { .. } => false,
        };
        let of_humans = [
            Condition::Users,
            Condition::UserRisk,
            Condition::InsiderRisk,
        ];
        is_unnamed
            && of_humans
                .into_iter()
                .any(|condition| evaluation.blocks_on_unknown(condition))
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
        Caller::OnBehalfOf { human, .. } if human.entry.as_ref().is_some_and(|h| !h.enabled) => {
            return Some(Reason::AccountDisabled);
        }
        Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => (agent, true),
        Caller::NotAgent(caller) => {
            let is_enabled = match &caller.account {
                Account::Unnamed => true,
                Account::Human(entry) => entry.as_ref().is_none_or(|entry| entry.enabled),
                Account::Workload(entry) => entry.as_ref().is_none_or(|entry| entry.enabled),
            };
            return if is_disabled(caller.blueprint_entry.as_deref()) {
                Some(Reason::BlueprintDisabled)
            } else {
                (!is_enabled).then_some(Reason::AccountDisabled)
            };
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::identity::NonAgent;
    use crate::types::{Attributes, BlueprintId, ObjectId};

    fn blueprint(enabled: bool) -> Option<Arc<Blueprint>> {
        Some(Arc::new(Blueprint {
            app_id: BlueprintId::parse("b").unwrap(),
            object_id: None,
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
                account: Account::Workload(None),
                blueprint_entry,
                may_be_agent: false,
            });
            for unknown_agents in [UnknownAgents::Evaluate, UnknownAgents::Block] {
                assert_eq!(refused_by_directory(&caller, unknown_agents), expected);
            }
        }
    }
}
