//! Who calls, in the words of a sign-in: accounts, and Graph's `agentSignIn` (`reference/entra.md` §7.2).

use serde::Serialize;

use crate::decision::Decision;
use crate::identity::{self, Agent, Caller, NonAgent, User};
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
    pub(super) risk: Fact<RiskLevel>,
}

impl<'a> Account<'a> {
    const SERVICE_PRINCIPAL: &'static [&'static str] = &["servicePrincipal"];
    const USER: &'static [&'static str] = &["nonInteractiveUser"];

    pub(super) fn of(caller: &'a Caller, decision: &Decision) -> Self {
        let risk = &decision.risk;
        match caller {
            Caller::Autonomous(agent) => Self {
                service_principal_id: Some(agent.id.as_str()),
                event_types: Self::SERVICE_PRINCIPAL,
                ..Self::of_agent(agent, risk.agent)
            },
            Caller::OnBehalfOf { human, agent } => Self {
                user_id: human.id.as_ref().map(AsRef::as_ref),
                ..Self::of_agent(agent, risk.sign_in).named(human.entry.as_deref())
            },
            Caller::AgentUser { id, entry, agent } => Self {
                user_id: Some(id.as_str()),
                user_name: entry.as_ref().map(|user| &*user.display_name),
                user_principal_name: entry
                    .as_ref()
                    .and_then(|user| user.user_principal_name.as_deref()),
                ..Self::of_agent(agent, risk.agent_user)
            },
            Caller::NotAgent(caller) => Self::of_non_agent(caller, decision),
        }
    }

    /// A user's account that is used through the agent.
    fn of_agent(agent: &'a Agent, risk: Fact<RiskLevel>) -> Self {
        Self {
            event_types: Self::USER,
            app_id: Some(agent.id.as_str()),
            app_name: agent.entry.as_ref().map(|entry| &*entry.display_name),
            service_principal_id: None,
            user_id: None,
            user_name: None,
            user_principal_name: None,
            risk,
        }
    }

    fn of_non_agent(caller: &'a NonAgent, decision: &Decision) -> Self {
        let client = Self {
            event_types: Self::USER,
            app_id: caller.client.as_ref().map(AsRef::as_ref),
            app_name: None,
            service_principal_id: None,
            user_id: None,
            user_name: None,
            user_principal_name: None,
            risk: decision.risk.sign_in,
        };
        match &caller.account {
            identity::Account::Unnamed => client,
            identity::Account::Human(entry) => Self {
                user_id: Some(caller.id.as_str()),
                ..client.named(entry.as_deref())
            },
            identity::Account::Workload(entry) => Self {
                event_types: Self::SERVICE_PRINCIPAL,
                app_name: entry.as_ref().map(|entry| &*entry.display_name),
                // The entry may have been found by the client's id.
                service_principal_id: Some(
                    entry
                        .as_ref()
                        .map_or(&caller.id, |entry| &entry.id)
                        .as_str(),
                ),
                risk: decision.risk.service_principal,
                ..client
            },
        }
    }

    /// With the names of a human that the directory knows.
    fn named(self, user: Option<&'a User>) -> Self {
        Self {
            user_name: user.map(|user| &*user.display_name),
            user_principal_name: user.and_then(|user| user.user_principal_name.as_deref()),
            ..self
        }
    }
}
