//! A policy made ready to be evaluated, and its evaluation (`reference/entra.md` §4).
//!
//! It applies when identity, resource and every configured condition hold; in a list it is OR, and exclude
//! beats include. Never here: an allocation during an evaluation, and what other policies say.

use std::sync::Arc;

use super::assignment::{Matched, Matcher, Targets};
use super::judged::Judged;
use super::locations::NamedLocations;
use super::model::Policy;
use super::reads;
use super::truth::Truth;
use super::users::Humans;
use super::when::{View, When};
use super::{
    Condition, ControlResults, FactNames, PolicyOutcome, PolicyResult, PolicyState, Principal,
    Principals,
};
use crate::types::PolicyId;

/// A compiled policy.
#[derive(Debug)]
pub struct CompiledPolicy {
    /// Its id.
    pub id: PolicyId,
    /// For people.
    pub display_name: Arc<str>,
    /// How it counts.
    pub state: PolicyState,
    model: Policy,
    pub(super) agent_identities: Matcher<Targets>,
    pub(super) agent_users: Matcher<Targets>,
    pub(super) humans: Matcher<Humans>,
    pub(super) workloads: Matcher<Targets>,
    pub(super) applications: Matcher<Targets>,
    pub(super) when: When,
    /// The kinds of principal that it speaks of.
    named: Principals,
}

impl CompiledPolicy {
    pub(super) fn new(model: Policy, named_locations: &NamedLocations) -> Self {
        let conditions = &model.conditions;
        Self {
            id: model.id.clone(),
            display_name: Arc::clone(&model.display_name),
            state: model.state,
            agent_identities: Matcher::of_agents(&conditions.agent_identities),
            agent_users: Matcher::of_agents(&conditions.agent_users),
            humans: Matcher::of_users(&conditions.users),
            workloads: Matcher::of_workloads(&conditions.workloads),
            applications: Matcher::of_applications(&conditions.applications),
            when: When::new(conditions, named_locations),
            named: conditions.named_principals(),
            model,
        }
    }

    /// The policy that it was compiled from.
    #[must_use]
    pub const fn model(&self) -> &Policy {
        &self.model
    }

    /// Whether calls are judged by it.
    pub(super) fn is_evaluated(&self) -> bool {
        self.state != PolicyState::Disabled
    }

    /// The facts that it reads, beside those that are always at hand.
    pub(super) fn reads(&self) -> FactNames {
        reads::of(&self.model, &self.when)
    }

    /// What the policy says of one principal of a call. `place` is its own in the set.
    pub(super) fn judge(&self, place: u32, view: &View<'_>) -> PolicyResult {
        let principal = view.judged.principal();
        let mut result = PolicyResult::bare(place, PolicyOutcome::NotEnabled, principal);
        if !self.is_evaluated() {
            return result;
        }
        let controls = self.model.grant_controls.judge(view.facts, principal);
        let (condition, matched) = self.judge_identity(view.judged);
        note(condition, &matched, controls.fails, &mut result);
        let matched = self.applications.judge_resource(&view.facts.resource);
        note(
            Condition::Application,
            &matched,
            controls.fails,
            &mut result,
        );
        let conditions = &self.model.conditions;
        for condition in self.when.configured().iter() {
            let said = self.when.judge(condition, conditions, view);
            note(condition, &said, controls.fails, &mut result);
        }
        let applies = result.not_satisfied.is_empty();
        if applies {
            result.controls = controls;
            result.principals = Principals::NONE.with(principal);
        }
        result.outcome = self.outcome(applies, &controls);
        result
    }

    fn judge_identity(&self, judged: Judged<'_>) -> (Condition, Matched) {
        match judged {
            Judged::AgentIdentity(agent) => (
                Condition::ServicePrincipals,
                self.agent_identities.judge_agent(agent),
            ),
            Judged::AgentUser(user) => (Condition::Users, self.agent_users.judge_agent_user(user)),
            Judged::Human(human) => (Condition::Users, self.humans.judge_human(human)),
            Judged::Workload(workload) => (
                Condition::ServicePrincipals,
                self.workloads.judge_workload(workload),
            ),
        }
    }

    const fn outcome(&self, applies: bool, controls: &ControlResults) -> PolicyOutcome {
        match self.state {
            PolicyState::Disabled => PolicyOutcome::NotEnabled,
            PolicyState::Enabled if !applies => PolicyOutcome::NotApplied,
            PolicyState::EnabledForReportingButNotEnforced if !applies => {
                PolicyOutcome::ReportOnlyNotApplied
            }
            _ if !self.model.not_understood.is_empty() => PolicyOutcome::Unknown,
            PolicyState::Enabled if controls.fails => PolicyOutcome::Failure,
            PolicyState::Enabled => PolicyOutcome::Success,
            PolicyState::EnabledForReportingButNotEnforced if !controls.fails => {
                PolicyOutcome::ReportOnlySuccess
            }
            PolicyState::EnabledForReportingButNotEnforced
                if !controls.could_be_met_by.is_empty() =>
            {
                PolicyOutcome::ReportOnlyInterrupted
            }
            PolicyState::EnabledForReportingButNotEnforced => PolicyOutcome::ReportOnlyFailure,
        }
    }

    /// What the policy says of a call with two principals: it applies if it applies to either, and the sterner result
    /// stands. Where it applies to neither, that of the principal whom it concerns rather stands.
    pub(super) fn joined(&self, one: PolicyResult, other: PolicyResult) -> PolicyResult {
        let principals = one.principals.and(other.principals);
        let sterner = if self.weight(&other) > self.weight(&one) {
            other
        } else {
            one
        };
        PolicyResult {
            principals,
            ..sterner
        }
    }

    /// By what one result outweighs another of the same policy.
    fn weight(&self, result: &PolicyResult) -> (u8, bool, bool) {
        let outcome = match result.outcome {
            PolicyOutcome::NotApplied
            | PolicyOutcome::NotEnabled
            | PolicyOutcome::ReportOnlyNotApplied => 0,
            PolicyOutcome::Success | PolicyOutcome::ReportOnlySuccess => 1,
            PolicyOutcome::Unknown => 2,
            PolicyOutcome::ReportOnlyInterrupted => 3,
            PolicyOutcome::Failure | PolicyOutcome::ReportOnlyFailure => {
                if result.rests_on_unknown() {
                    4
                } else if result.controls.could_be_met_by.is_empty() {
                    6
                } else {
                    5
                }
            }
        };
        let concerns = match result.principal {
            Principal::AgentIdentity | Principal::Workload => Condition::ServicePrincipals,
            Principal::AgentUser | Principal::Human => Condition::Users,
        };
        let is_concerned = result.satisfied.and(result.unknown).contains(concerns);
        (outcome, is_concerned, self.named.contains(result.principal))
    }
}

/// Notes what a configured condition said. FAIL-CLOSED: where the policy would refuse, a required fact that nobody told
/// may be hiding the value that it asks for, so the condition counts as met.
fn note(condition: Condition, said: &Matched, refuses: bool, result: &mut PolicyResult) {
    let to = match said.holds {
        Truth::True => &mut result.satisfied,
        Truth::RequiredUnknown if refuses => &mut result.unknown,
        Truth::False | Truth::Unknown | Truth::RequiredUnknown => &mut result.not_satisfied,
    };
    *to = to.with(condition);
    result.included_by = result.included_by.and(said.included_by);
    result.excluded_by = result.excluded_by.and(said.excluded_by);
}
