//! Whom a policy can concern at all, by what is configured. Never here: a call.

use super::{AgentTarget, ApplicationTarget, Assignment, ConditionSet, UserTarget, WorkloadTarget};
use crate::policy::scope::Scope;
use crate::policy::{Condition, Conditions, Principal, Principals};

impl ConditionSet {
    /// The kinds of principal of which somebody is included.
    #[must_use]
    pub fn included_principals(&self) -> Principals {
        Principals::NONE
            .with_if(
                includes_agents(&self.agent_identities),
                Principal::AgentIdentity,
            )
            .with_if(includes_agents(&self.agent_users), Principal::AgentUser)
            .with_if(self.includes_humans(), Principal::Human)
            .with_if(self.includes_workloads(), Principal::Workload)
    }

    /// The kinds of principal that the policy speaks of, even if only to exclude them.
    #[must_use]
    pub fn named_principals(&self) -> Principals {
        let is_somebody = |target: &UserTarget| *target != UserTarget::None;
        let mut users = self.users.include.iter().chain(&self.users.exclude);
        Principals::NONE
            .with_if(!self.agent_identities.is_empty(), Principal::AgentIdentity)
            .with_if(!self.agent_users.is_empty(), Principal::AgentUser)
            .with_if(users.any(is_somebody), Principal::Human)
            .with_if(!self.workloads.is_empty(), Principal::Workload)
    }

    /// Whether a resource, or an operation of one, is included.
    #[must_use]
    pub fn includes_a_resource(&self) -> bool {
        let names = |target: &ApplicationTarget| match target {
            ApplicationTarget::All
            | ApplicationTarget::AllAgentIdResources
            | ApplicationTarget::AuthenticationContext(_)
            | ApplicationTarget::Id(_) => true,
            ApplicationTarget::None
            | ApplicationTarget::Group(_)
            | ApplicationTarget::UserAction(_) => false,
        };
        let applications = &self.applications;
        !applications.exclude.contains(&ApplicationTarget::All)
            && (applications.include.iter().any(names)
                || applications.is_included_by_filter_alone())
    }

    /// The conditions that are configured, beside identity and resource.
    #[must_use]
    pub fn configured(&self) -> Conditions {
        Conditions::NONE
            .with_if(self.agent_risk.is_some(), Condition::AgentIdRisk)
            .with_if(self.user_risk.is_some(), Condition::UserRisk)
            .with_if(self.sign_in_risk.is_some(), Condition::SignInRisk)
            .with_if(
                self.service_principal_risk.is_some(),
                Condition::ServicePrincipalRisk,
            )
            .with_if(self.insider_risk.is_some(), Condition::InsiderRisk)
            .with_if(self.platforms.is_some(), Condition::DevicePlatform)
            .with_if(self.locations.is_some(), Condition::Location)
            .with_if(self.device_filter.is_some(), Condition::DeviceState)
            .with_if(self.agent_contexts.is_some(), Condition::AgentContext)
            .with_if(
                self.transfer_methods.is_some(),
                Condition::AuthenticationFlows,
            )
            .with_if(self.client_app_types.is_some(), Condition::ClientType)
    }

    /// The configured conditions that this kind of principal never meets, under any reading.
    #[must_use]
    pub fn never_met_by(&self, principal: Principal) -> Conditions {
        let configured = self.configured();
        configured
            .iter()
            .filter(|condition| condition.scope(principal) == Scope::Never)
            .collect()
    }

    /// Whether a kind of principal is included that can meet every configured condition.
    #[must_use]
    pub fn can_be_met(&self) -> bool {
        let mut included = self.included_principals().iter();
        included.any(|principal| self.never_met_by(principal).is_empty())
    }

    fn includes_humans(&self) -> bool {
        let names = |target: &UserTarget| match target {
            UserTarget::All
            | UserTarget::GuestsOrExternalUsers
            | UserTarget::Id(_)
            | UserTarget::Group(_)
            | UserTarget::Role(_)
            | UserTarget::Guests(_) => true,
            UserTarget::None => false,
        };
        !self.users.exclude.contains(&UserTarget::All) && self.users.include.iter().any(names)
    }

    fn includes_workloads(&self) -> bool {
        let names = |target: &WorkloadTarget| match target {
            WorkloadTarget::InMyTenant | WorkloadTarget::Id(_) => true,
            WorkloadTarget::None => false,
        };
        self.workloads.include.iter().any(names) || self.workloads.is_included_by_filter_alone()
    }
}

fn includes_agents(agents: &Assignment<AgentTarget>) -> bool {
    let names = |target: &AgentTarget| match target {
        AgentTarget::All | AgentTarget::Id(_) => true,
        AgentTarget::None => false,
    };
    !agents.exclude.contains(&AgentTarget::All)
        && (agents.include.iter().any(names) || agents.is_included_by_filter_alone())
}
