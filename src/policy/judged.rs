//! Whom policies judge in a call: one principal, or behind an on-behalf-of call two. Never here: a policy.

use super::{AgentFacts, AgentUserFacts, Facts, HumanFacts, Principal, Subject, WorkloadFacts};
use crate::types::{Fact, InsiderRiskLevel, RiskLevel};

/// One principal with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judged<'a> {
    AgentIdentity(&'a AgentFacts<'a>),
    AgentUser(&'a AgentUserFacts<'a>),
    Human(&'a HumanFacts<'a>),
    Workload(&'a WorkloadFacts<'a>),
}

impl<'a> Judged<'a> {
    /// Whom a call's policies judge, and whom as well. An agent user's agent identity is not judged.
    pub(super) const fn of(facts: &'a Facts<'a>) -> (Self, Option<Self>) {
        match &facts.subject {
            Subject::AgentIdentity(agent) => (Self::AgentIdentity(agent), None),
            Subject::AgentUser { user, .. } => (Self::AgentUser(user), None),
            Subject::OnBehalfOf { human, agent } => {
                let agent = if facts.entra_parity {
                    None
                } else {
                    Some(Self::AgentIdentity(agent))
                };
                (Self::Human(human), agent)
            }
            Subject::Human(human) => (Self::Human(human), None),
            Subject::Workload(workload) => (Self::Workload(workload), None),
        }
    }

    pub(super) const fn principal(self) -> Principal {
        match self {
            Self::AgentIdentity(_) => Principal::AgentIdentity,
            Self::AgentUser(_) => Principal::AgentUser,
            Self::Human(_) => Principal::Human,
            Self::Workload(_) => Principal::Workload,
        }
    }

    pub(super) const fn agent_risk(self) -> Fact<RiskLevel> {
        match self {
            Self::AgentIdentity(agent) => agent.risk,
            Self::AgentUser(user) => user.risk,
            Self::Human(_) | Self::Workload(_) => Fact::Unknown,
        }
    }

    pub(super) const fn user_risk(self) -> Fact<RiskLevel> {
        match self {
            Self::Human(human) => human.user_risk,
            Self::AgentIdentity(_) | Self::AgentUser(_) | Self::Workload(_) => Fact::Unknown,
        }
    }

    pub(super) const fn sign_in_risk(self) -> Fact<RiskLevel> {
        match self {
            Self::Human(human) => human.sign_in_risk,
            Self::AgentIdentity(_) | Self::AgentUser(_) | Self::Workload(_) => Fact::Unknown,
        }
    }

    pub(super) const fn insider_risk(self) -> Fact<InsiderRiskLevel> {
        match self {
            Self::Human(human) => human.insider_risk,
            Self::AgentIdentity(_) | Self::AgentUser(_) | Self::Workload(_) => Fact::Unknown,
        }
    }

    pub(super) const fn workload_risk(self) -> Fact<RiskLevel> {
        match self {
            Self::Workload(workload) => workload.risk,
            Self::AgentIdentity(_) | Self::AgentUser(_) | Self::Human(_) => Fact::Unknown,
        }
    }
}
