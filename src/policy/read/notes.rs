//! Warnings about policies that are well formed and never apply: such a policy looks like protection and is none.

use serde_json::Value;

use super::reading::{Reading, member, steps};
use crate::policy::model::ConditionSet;
use crate::policy::{Condition, Principal};

/// Warns where a policy includes nobody or nothing, or nobody who can meet its conditions.
pub(super) fn write(reading: &mut Reading<'_>, policy: &Value, conditions: &ConditionSet) {
    if !reading.is_understood() {
        // Whom it includes is among what was not understood, and that was said.
        return;
    }
    let client_applications = "conditions.clientApplications";
    let has_client_applications = member(policy, client_applications).is_some();
    let included = conditions.included_principals();
    if has_client_applications && conditions.named_principals().is_empty() {
        reading.warn(
            &steps(client_applications),
            "names no agent, so the policy never applies; v1.0 exports lose the members for agents, beta has them",
        );
    } else if included.is_empty() {
        reading.warn(
            &steps("conditions"),
            "includes no agent identity, agent user, human or service principal, so the policy never applies",
        );
    } else if !conditions.includes_a_resource() {
        reading.warn(
            &steps("conditions.applications"),
            "includes no resource, so the policy never applies",
        );
    } else if !conditions.can_be_met() {
        for principal in included.iter() {
            for condition in conditions.never_met_by(principal).iter() {
                let message = format!(
                    "is never met by {}, so the policy does not apply to any",
                    plural(principal)
                );
                reading.warn(&steps(path(condition)), message);
            }
        }
    }
}

const fn plural(principal: Principal) -> &'static str {
    match principal {
        Principal::AgentIdentity => "agent identities",
        Principal::AgentUser => "agent users",
        Principal::Human => "humans",
        Principal::Workload => "service principals",
    }
}

/// Where a condition is configured.
const fn path(condition: Condition) -> &'static str {
    match condition {
        Condition::Application => "conditions.applications",
        Condition::Users => "conditions.users",
        Condition::ServicePrincipals => "conditions.clientApplications",
        Condition::DevicePlatform => "conditions.platforms",
        Condition::Location => "conditions.locations",
        Condition::ClientType => "conditions.clientAppTypes",
        Condition::SignInRisk => "conditions.signInRiskLevels",
        Condition::UserRisk => "conditions.userRiskLevels",
        Condition::DeviceState => "conditions.devices",
        Condition::ServicePrincipalRisk => "conditions.servicePrincipalRiskLevels",
        Condition::AuthenticationFlows => "conditions.authenticationFlows",
        Condition::InsiderRisk => "conditions.insiderRiskLevels",
        Condition::AgentIdRisk => "conditions.agentIdRiskLevels",
        Condition::AgentContext => "conditions.agentContext",
    }
}
