//! Who calls, in the words of a sign-in: accounts, and Graph's `agentSignIn` (`reference/entra.md` §7.2).

use serde::Serialize;

use crate::decision::Decision;
use crate::identity::{Agent, Caller, Credential, NonAgent};
use crate::types::{Fact, RiskLevel};

/// Graph's `agentSignIn`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentSignIn<'a> {
    agent_type: &'static str,
    parent_app_id: Option<&'a str>,
    agent_subject_type: &'static str,
    agent_subject_parent_id: Option<&'a str>,
}

impl<'a> AgentSignIn<'a> {
    /// The table of `reference/entra.md` §7.2.
    pub(super) fn of(caller: &'a Caller) -> Self {
        let (agent_type, agent_subject_type, agent_subject_parent_id) = match caller {
            Caller::Autonomous(_) => ("agenticAppInstance", "agenticAppInstance", None),
            Caller::OnBehalfOf { .. } => ("agenticAppInstance", "notAgentic", None),
            Caller::AgentUser { agent, .. } => {
                ("agenticAppInstance", "agentIDuser", Some(agent.id.as_str()))
            }
            Caller::NotAgent(_) => ("notAgentic", "notAgentic", None),
        };
        let blueprint = caller.agent().and_then(|agent| agent.blueprint.as_ref());
        Self {
            agent_type,
            parent_app_id: blueprint.map(AsRef::as_ref),
            agent_subject_type,
            agent_subject_parent_id,
        }
    }
}

/// Whose account it is, in the words of a sign-in.
pub(super) struct Account<'a> {
    pub(super) event_types: &'static [&'static str],
    pub(super) app_id: Option<&'a str>,
    pub(super) app_name: Option<&'a str>,
    pub(super) service_principal_id: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) user_name: Option<&'a str>,
    pub(super) user_principal_name: Option<&'a str>,
    is_agent_user: bool,
}

impl<'a> Account<'a> {
    const SERVICE_PRINCIPAL: &'static [&'static str] = &["servicePrincipal"];
    const USER: &'static [&'static str] = &["nonInteractiveUser"];

    pub(super) fn of(caller: &'a Caller, credential: &Credential) -> Self {
        match caller {
            Caller::Autonomous(agent) => Self {
                service_principal_id: Some(agent.id.as_str()),
                event_types: Self::SERVICE_PRINCIPAL,
                ..Self::of_agent(agent)
            },
            Caller::OnBehalfOf { human, agent } => Self {
                user_id: human.id.as_ref().map(AsRef::as_ref),
                ..Self::of_agent(agent)
            },
            Caller::AgentUser { id, entry, agent } => Self {
                user_id: Some(id.as_str()),
                user_name: entry.as_ref().map(|user| &*user.display_name),
                user_principal_name: entry
                    .as_ref()
                    .and_then(|user| user.user_principal_name.as_deref()),
                is_agent_user: true,
                ..Self::of_agent(agent)
            },
            Caller::NotAgent(caller) => Self::of_non_agent(caller, credential),
        }
    }

    /// A user's account that is used through the agent.
    fn of_agent(agent: &'a Agent) -> Self {
        Self {
            event_types: Self::USER,
            app_id: Some(agent.id.as_str()),
            app_name: agent.entry.as_ref().map(|entry| &*entry.display_name),
            service_principal_id: None,
            user_id: None,
            user_name: None,
            user_principal_name: None,
            is_agent_user: false,
        }
    }

    /// Without markers only the delegated scopes tell a user's token from an application's; a request is for a user
    /// unless it is for its own client.
    fn of_non_agent(caller: &'a NonAgent, credential: &Credential) -> Self {
        let id = caller.id.as_ref().map(AsRef::as_ref);
        let is_user = match credential {
            Credential::Token(token) => !token.scopes.is_empty(),
            Credential::Request(request) => id != Some(request.client.as_str()),
        };
        Self {
            event_types: if is_user {
                Self::USER
            } else {
                Self::SERVICE_PRINCIPAL
            },
            app_id: caller.client.as_ref().map(AsRef::as_ref),
            app_name: None,
            service_principal_id: if is_user { None } else { id },
            user_id: if is_user { id } else { None },
            user_name: None,
            user_principal_name: None,
            is_agent_user: false,
        }
    }

    pub(super) const fn risk(&self, decision: &Decision) -> Fact<RiskLevel> {
        if self.is_agent_user {
            decision.risk.agent_user
        } else {
            decision.risk.agent
        }
    }
}
