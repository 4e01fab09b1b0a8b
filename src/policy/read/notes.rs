//! Warnings about policies that are well formed and never apply: such a policy looks like protection and is none.

use serde_json::Value;

use super::reading::{Reading, member, steps};
use crate::policy::model::{AgentTarget, ApplicationTarget, Assignment, ConditionSet};

/// Warns where a policy includes nobody or nothing.
pub(super) fn write(reading: &mut Reading<'_>, policy: &Value, conditions: &ConditionSet) {
    let client_applications = "conditions.clientApplications";
    let agents_are_configured =
        !conditions.agent_identities.is_empty() || !conditions.agent_users.is_empty();
    if !reading.is_understood() {
        // Whom it includes is among what was not understood, and that was said.
    } else if member(policy, client_applications).is_some() && !agents_are_configured {
        reading.warn(
            &steps(client_applications),
            "names no agent, so the policy never applies; v1.0 exports lose the members for agents, beta has them",
        );
    } else if !includes_agents(&conditions.agent_identities)
        && !includes_agents(&conditions.agent_users)
    {
        reading.warn(
            &steps("conditions"),
            "includes no agent identity and no agent user, so the policy never applies",
        );
    } else if !includes_applications(&conditions.applications) {
        reading.warn(
            &steps("conditions.applications"),
            "includes no resource, so the policy never applies",
        );
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

fn includes_applications(applications: &Assignment<ApplicationTarget>) -> bool {
    let names = |target: &ApplicationTarget| match target {
        ApplicationTarget::All
        | ApplicationTarget::AllAgentIdResources
        | ApplicationTarget::Id(_) => true,
        ApplicationTarget::None | ApplicationTarget::Group(_) => false,
    };
    !applications.exclude.contains(&ApplicationTarget::All)
        && (applications.include.iter().any(names) || applications.is_included_by_filter_alone())
}
