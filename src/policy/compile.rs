//! A policy made ready to be evaluated, and its evaluation (`reference/entra.md` §4).
//!
//! It applies when identity, resource and every configured condition hold; in a list it is OR, and exclude
//! beats include. Never here: an allocation during an evaluation, and what other policies say.

use std::sync::Arc;

use super::assignment::{Matched, Matcher};
use super::model::Policy;
use super::{
    AgentFacts, AgentUserFacts, Condition, Conditions, Facts, PolicyOutcome, PolicyResult,
    PolicyState, ResourceFacts, Rules, Subject,
};
use crate::types::{Fact, PolicyId, RiskLevel};

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
    pub(super) agent_identities: Matcher,
    pub(super) agent_users: Matcher,
    pub(super) applications: Matcher,
}

impl CompiledPolicy {
    pub(super) fn new(model: Policy) -> Self {
        let conditions = &model.conditions;
        Self {
            id: model.id.clone(),
            display_name: Arc::clone(&model.display_name),
            state: model.state,
            agent_identities: Matcher::of_agents(&conditions.agent_identities),
            agent_users: Matcher::of_agents(&conditions.agent_users),
            applications: Matcher::of_applications(&conditions.applications),
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

    /// What the policy says of a call. `place` is its own in the set.
    pub(super) fn judge(
        &self,
        place: u32,
        judged: Judged<'_>,
        resource: &ResourceFacts<'_>,
    ) -> PolicyResult {
        let mut result = PolicyResult {
            policy: place,
            outcome: PolicyOutcome::NotEnabled,
            satisfied: Conditions::NONE,
            not_satisfied: Conditions::NONE,
            unknown: Conditions::NONE,
            included_by: Rules::NONE,
            excluded_by: Rules::NONE,
        };
        if !self.is_evaluated() {
            return result;
        }
        self.judge_identity(judged, &mut result);
        let matched = self.applications.judge_resource(resource);
        self.note_matched(Condition::Application, &matched, &mut result);
        self.judge_risk(judged, &mut result);
        result.outcome = self.outcome(result.not_satisfied.is_empty());
        result
    }

    fn judge_identity(&self, judged: Judged<'_>, result: &mut PolicyResult) {
        match judged {
            Judged::AgentIdentity(agent) => {
                let matched = self.agent_identities.judge_agent(agent);
                self.note_matched(Condition::ServicePrincipals, &matched, result);
            }
            Judged::AgentUser(user) => {
                let matched = self.agent_users.judge_user(user);
                self.note_matched(Condition::Users, &matched, result);
            }
            Judged::Nobody => {
                // INVARIANT: one of the two always fails, so that no policy applies.
                let agents = !self.model.conditions.agent_identities.is_empty();
                let users = !self.model.conditions.agent_users.is_empty();
                result.not_satisfied = result
                    .not_satisfied
                    .with_if(agents, Condition::ServicePrincipals)
                    .with_if(users || !agents, Condition::Users);
            }
        }
    }

    fn judge_risk(&self, judged: Judged<'_>, result: &mut PolicyResult) {
        let Some(levels) = self.model.conditions.agent_risk else {
            return;
        };
        let holds = match judged.risk() {
            Fact::Known(level) => Fact::Known(levels.contains(level)),
            Fact::Unknown => Fact::Unknown,
            Fact::RequiredUnknown => Fact::RequiredUnknown,
        };
        self.note(Condition::AgentIdRisk, holds, result);
    }

    /// Notes whether a configured condition holds.
    fn note(&self, condition: Condition, holds: Fact<bool>, result: &mut PolicyResult) {
        match holds {
            Fact::Known(true) => result.satisfied = result.satisfied.with(condition),
            // FAIL-CLOSED: a source that must answer and does not may be hiding what blocks.
            Fact::RequiredUnknown if self.model.grant_controls.block => {
                result.unknown = result.unknown.with(condition);
            }
            Fact::Known(false) | Fact::Unknown | Fact::RequiredUnknown => {
                result.not_satisfied = result.not_satisfied.with(condition);
            }
        }
    }

    /// Notes what an assignment said.
    fn note_matched(&self, condition: Condition, matched: &Matched, result: &mut PolicyResult) {
        self.note(condition, matched.holds, result);
        result.included_by = result.included_by.and(matched.included_by);
        result.excluded_by = result.excluded_by.and(matched.excluded_by);
    }

    const fn outcome(&self, applies: bool) -> PolicyOutcome {
        let block = self.model.grant_controls.block;
        match self.state {
            PolicyState::Disabled => PolicyOutcome::NotEnabled,
            PolicyState::Enabled if !applies => PolicyOutcome::NotApplied,
            PolicyState::EnabledForReportingButNotEnforced if !applies => {
                PolicyOutcome::ReportOnlyNotApplied
            }
            _ if !self.model.not_understood.is_empty() => PolicyOutcome::Unknown,
            PolicyState::Enabled if block => PolicyOutcome::Failure,
            PolicyState::Enabled => PolicyOutcome::Success,
            PolicyState::EnabledForReportingButNotEnforced if block => {
                PolicyOutcome::ReportOnlyFailure
            }
            PolicyState::EnabledForReportingButNotEnforced => PolicyOutcome::ReportOnlySuccess,
        }
    }
}

/// Whom policies for agents judge in a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judged<'a> {
    /// An agent identity: on its own, or acting for a human.
    AgentIdentity(&'a AgentFacts<'a>),
    /// An agent user; its agent identity is not judged.
    AgentUser(&'a AgentUserFacts<'a>),
    /// No agent is judged.
    Nobody,
}

impl<'a> Judged<'a> {
    pub(super) const fn of(facts: &'a Facts<'a>) -> Self {
        match &facts.subject {
            Subject::AgentIdentity(agent) => Self::AgentIdentity(agent),
            Subject::AgentUser { user, .. } => Self::AgentUser(user),
            Subject::OnBehalfOf { agent, .. } if !facts.entra_parity => Self::AgentIdentity(agent),
            Subject::OnBehalfOf { .. } | Subject::Human(_) | Subject::Workload(_) => Self::Nobody,
        }
    }

    const fn risk(self) -> Fact<RiskLevel> {
        match self {
            Self::AgentIdentity(agent) => agent.risk,
            Self::AgentUser(user) => user.risk,
            Self::Nobody => Fact::Unknown,
        }
    }
}
