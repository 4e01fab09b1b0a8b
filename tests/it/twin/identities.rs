//! Whom and what a policy concerns, slowly.

use boomgate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Filter, FilterMode, UserTarget, WorkloadTarget,
};
use boomgate::policy::{Facts, HumanFacts, Policy, Subject};
use boomgate::types::{Attributes, Fact, GuestType};

use super::Answer::{No, RequiredUnknown, Yes};
use super::{Answer, Who, filter};

/// Whether the policy's identities concern this principal.
pub(super) fn concerned(policy: &Policy, who: Who, facts: &Facts<'_>) -> Answer {
    let conditions = &policy.conditions;
    match (who, facts.subject) {
        (Who::Agent, Subject::AgentIdentity(agent) | Subject::OnBehalfOf { agent, .. }) => {
            let attributes = Fact::Known(agent.attributes);
            assigned(&conditions.agent_identities, attributes, |target| {
                Answer::of(match target {
                    AgentTarget::All => true,
                    AgentTarget::None => false,
                    AgentTarget::Id(id) => {
                        let id = id.as_str();
                        id == agent.id
                            || Some(id) == agent.blueprint_app_id
                            || Some(id) == agent.blueprint_principal_id
                    }
                })
            })
        }
        (Who::AgentUser, Subject::AgentUser { user, .. }) => {
            let attributes = Fact::Known(user.attributes);
            assigned(&conditions.agent_users, attributes, |target| {
                Answer::of(match target {
                    AgentTarget::All => true,
                    AgentTarget::None => false,
                    AgentTarget::Id(id) => id.as_str() == user.id,
                })
            })
        }
        (Who::Human, Subject::Human(human) | Subject::OnBehalfOf { human, .. }) => {
            assigned(&conditions.users, Fact::Unknown, |target| {
                is_human(target, &human)
            })
        }
        (Who::Workload, Subject::Workload(workload)) => assigned(
            &conditions.workloads,
            workload.attributes,
            |target| match target {
                WorkloadTarget::None => No,
                WorkloadTarget::InMyTenant => Answer::ask(workload.in_tenant, |yes| yes),
                WorkloadTarget::Id(id) => Answer::of(id.as_str() == workload.id),
            },
        ),
        (who, subject) => panic!("{who:?} is not judged in {subject:?}"),
    }
}

fn is_human(target: &UserTarget, human: &HumanFacts<'_>) -> Answer {
    match target {
        UserTarget::All => Yes,
        UserTarget::None => No,
        UserTarget::Id(id) => Answer::ask(human.id, |human| human == id.as_str()),
        UserTarget::Group(id) => Answer::ask(human.groups, |groups| {
            groups.iter().any(|group| &**group == id.as_str())
        }),
        UserTarget::Role(id) => Answer::ask(human.roles, |roles| {
            roles.iter().any(|role| &**role == id.as_str())
        }),
        UserTarget::GuestsOrExternalUsers => Answer::ask(human.guest, |guest| guest.is_some()),
        UserTarget::Guests(wanted) => match human.guest {
            Fact::Known(Some(guest)) if !wanted.kinds.contains(&guest.kind) => No,
            Fact::Known(Some(guest)) => match (&wanted.tenants, guest.home_tenant) {
                (None, _) => Yes,
                (Some(tenants), Some(home)) => {
                    Answer::of(tenants.iter().any(|tenant| tenant.as_str() == home))
                }
                (Some(_), None) if guest.kind == GuestType::InternalGuest => No,
                (Some(_), None) => RequiredUnknown,
            },
            other => Answer::ask(other, |_| false),
        },
    }
}

pub(super) fn resource(policy: &Policy, facts: &Facts<'_>) -> Answer {
    let resource = &facts.resource;
    assigned(
        &policy.conditions.applications,
        resource.attributes,
        |target| match target {
            ApplicationTarget::All => Yes,
            ApplicationTarget::None
            | ApplicationTarget::Group(_)
            | ApplicationTarget::UserAction(_) => No,
            ApplicationTarget::AllAgentIdResources => Answer::ask(resource.is_agent, |yes| yes),
            ApplicationTarget::Id(id) => Answer::ask(resource.app_id, |app| app == id.as_str()),
            ApplicationTarget::AuthenticationContext(wanted) => {
                Answer::of(resource.authentication_contexts.contains(wanted))
            }
        },
    )
}

/// Include less exclude, with what the filter takes in or out.
fn assigned<T>(
    assignment: &Assignment<T>,
    attributes: Fact<&Attributes>,
    is: impl Fn(&T) -> Answer,
) -> Answer {
    let answers = |list: &[T]| list.iter().map(&is).collect::<Vec<_>>();
    let matches =
        |filter: &Filter| Answer::ask(attributes, |attributes| filter::matches(filter, attributes));
    let mut included = Answer::any(&answers(&assignment.include));
    let mut excluded = answers(&assignment.exclude);
    match &assignment.filter {
        Some(filter) if filter.mode == FilterMode::Include => {
            let by_list = if assignment.include.is_empty() {
                Yes
            } else {
                included
            };
            included = Answer::all(&[by_list, matches(filter)]);
        }
        Some(filter) => excluded.push(matches(filter)),
        None => {}
    }
    Answer::all(&[included, Answer::none(&excluded)])
}
