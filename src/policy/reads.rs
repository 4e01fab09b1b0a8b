//! Which facts a policy reads, so that the path of a call gathers none in vain. Never here: what they say.

use super::model::{ApplicationTarget, Policy, UserTarget, WorkloadTarget};
use super::when::When;
use super::{Condition, Control, FactName, FactNames};

/// The facts that a policy reads, beside those that are always at hand.
pub(super) fn of(policy: &Policy, when: &When) -> FactNames {
    let conditions = when.configured().iter();
    let controls = policy.grant_controls.controls.iter();
    of_identities(policy)
        .and(of_locations(when))
        .and(conditions.filter_map(of_condition).collect())
        .and(controls.filter_map(of_control).collect())
}

fn of_identities(policy: &Policy) -> FactNames {
    let conditions = &policy.conditions;
    let users = &conditions.users;
    let users = users.include.iter().chain(&users.exclude);
    let workloads = &conditions.workloads;
    let in_tenant = workloads.include.contains(&WorkloadTarget::InMyTenant)
        || workloads.exclude.contains(&WorkloadTarget::InMyTenant);
    let applications = &conditions.applications;
    let listed = applications.include.iter().chain(&applications.exclude);
    let of_resource: FactNames = listed
        .filter_map(|target| match target {
            ApplicationTarget::Id(_) => Some(FactName::Resource),
            ApplicationTarget::AllAgentIdResources => Some(FactName::ResourceIsAgent),
            ApplicationTarget::AuthenticationContext(_) => Some(FactName::AuthenticationContexts),
            ApplicationTarget::All
            | ApplicationTarget::None
            | ApplicationTarget::Group(_)
            | ApplicationTarget::UserAction(_) => None,
        })
        .collect();
    let of_users: FactNames = users
        .filter_map(|target| match target {
            UserTarget::Group(_) => Some(FactName::Groups),
            UserTarget::Role(_) => Some(FactName::Roles),
            UserTarget::GuestsOrExternalUsers | UserTarget::Guests(_) => Some(FactName::Guest),
            UserTarget::Id(_) => Some(FactName::Human),
            UserTarget::All | UserTarget::None => None,
        })
        .collect();
    of_users
        .with_if(in_tenant, FactName::InTenant)
        .with_if(
            workloads.filter.is_some(),
            FactName::ServicePrincipalAttributes,
        )
        .with_if(applications.filter.is_some(), FactName::ResourceAttributes)
        .and(of_resource)
}

fn of_locations(when: &When) -> FactNames {
    let Some((include, exclude)) = when.locations() else {
        return FactNames::NONE;
    };
    let by_address = !include.by_address.is_empty() || !exclude.by_address.is_empty();
    let by_country = !include.by_country.is_empty() || !exclude.by_country.is_empty();
    FactNames::NONE
        .with_if(by_address, FactName::Address)
        .with_if(by_country, FactName::Country)
}

const fn of_condition(condition: Condition) -> Option<FactName> {
    match condition {
        Condition::DevicePlatform => Some(FactName::Platform),
        Condition::ClientType => Some(FactName::ClientAppType),
        Condition::SignInRisk => Some(FactName::SignInRisk),
        Condition::UserRisk => Some(FactName::UserRisk),
        Condition::DeviceState => Some(FactName::Device),
        Condition::ServicePrincipalRisk => Some(FactName::ServicePrincipalRisk),
        Condition::AuthenticationFlows => Some(FactName::TransferMethod),
        Condition::InsiderRisk => Some(FactName::InsiderRisk),
        Condition::AgentIdRisk => Some(FactName::AgentRisk),
        Condition::AgentContext => Some(FactName::AgentContexts),
        // What these read is told by what they name.
        Condition::Application
        | Condition::Users
        | Condition::ServicePrincipals
        | Condition::Location => None,
    }
}

const fn of_control(control: Control) -> Option<FactName> {
    match control {
        Control::Block => None,
        Control::Mfa => Some(FactName::Mfa),
        Control::CompliantDevice | Control::DomainJoinedDevice => Some(FactName::Device),
        Control::ApprovedApplication => Some(FactName::ApprovedApplication),
        Control::CompliantApplication => Some(FactName::CompliantApplication),
        Control::PasswordChange => Some(FactName::PasswordChange),
        Control::RiskRemediation => Some(FactName::RiskRemediation),
        Control::AuthenticationStrength => Some(FactName::AuthenticationStrengths),
        Control::TermsOfUse => Some(FactName::TermsOfUse),
        Control::CustomAuthenticationFactors => Some(FactName::CustomFactors),
    }
}
