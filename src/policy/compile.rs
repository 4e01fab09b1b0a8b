//! A policy made ready to be evaluated, and its evaluation (`reference/entra.md` §4).
//!
//! It applies when identity, resource and every configured condition hold; in a list it is OR, and exclude
//! beats include. Never here: an allocation during an evaluation, and what other policies say.

use std::sync::Arc;

use super::filter::FilterRule;
use super::model::{AgentTarget, ApplicationTarget, Assignment, FilterMode, Policy};
use super::{
    AgentFacts, AgentUserFacts, Condition, Conditions, Facts, PolicyOutcome, PolicyResult,
    PolicyState, ResourceFacts, Rule, Rules, Subject,
};
use crate::types::{Attributes, Fact, PolicyId, RiskLevel};

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
        let matched = self
            .applications
            .judge(resource.attributes, Rule::AppFilter, |targets| {
                targets.rules_of_resource(resource)
            });
        matched.note(Condition::Application, &mut result);
        self.judge_risk(judged, &mut result);
        result.outcome = self.outcome(result.not_satisfied.is_empty());
        result
    }

    fn judge_identity(&self, judged: Judged<'_>, result: &mut PolicyResult) {
        match judged {
            Judged::AgentIdentity(agent) => {
                let matched = self.agent_identities.judge(
                    agent.attributes,
                    Rule::AgentIdentityFilter,
                    |targets| targets.rules_of_agent(agent),
                );
                matched.note(Condition::ServicePrincipals, result);
            }
            Judged::AgentUser(user) => {
                let matched =
                    self.agent_users
                        .judge(user.attributes, Rule::AgentUserFilter, |targets| {
                            targets.rules_of_user(user)
                        });
                matched.note(Condition::Users, result);
            }
            Judged::Nobody => {
                let identity = if self.model.conditions.agent_identities.is_empty() {
                    Condition::Users
                } else {
                    Condition::ServicePrincipals
                };
                result.not_satisfied = result.not_satisfied.with(identity);
            }
        }
    }

    fn judge_risk(&self, judged: Judged<'_>, result: &mut PolicyResult) {
        let Some(levels) = self.model.conditions.agent_risk else {
            return;
        };
        let holds = match judged.risk() {
            Fact::Known(level) => levels.contains(level),
            // FAIL-CLOSED: a source that must answer and does not may be hiding the level that blocks.
            Fact::RequiredUnknown if self.model.grant_controls.block => {
                result.unknown = result.unknown.with(Condition::AgentIdRisk);
                return;
            }
            Fact::Unknown | Fact::RequiredUnknown => false,
        };
        note(Condition::AgentIdRisk, holds, result);
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
            Subject::OnBehalfOf { .. } | Subject::NotAgent => Self::Nobody,
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

/// A compiled assignment.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) include: Targets,
    exclude: Targets,
    /// The filter, with whether it takes the place of an include list that is not there.
    filter: Option<(FilterMode, FilterRule)>,
    pub(super) is_included_by_filter_alone: bool,
}

impl Matcher {
    fn of_agents(assignment: &Assignment<AgentTarget>) -> Self {
        Self::new(assignment, |target, targets| match target {
            AgentTarget::All => targets.all = true,
            AgentTarget::None => {}
            AgentTarget::Id(id) => targets.ids.push(id.to_shared()),
        })
    }

    fn of_applications(assignment: &Assignment<ApplicationTarget>) -> Self {
        Self::new(assignment, |target, targets| match target {
            ApplicationTarget::All => targets.all = true,
            ApplicationTarget::None | ApplicationTarget::Group(_) => {}
            ApplicationTarget::AllAgentIdResources => targets.all_agent_resources = true,
            ApplicationTarget::Id(id) => targets.ids.push(id.to_shared()),
        })
    }

    fn new<T>(assignment: &Assignment<T>, add: impl Fn(&T, &mut Targets)) -> Self {
        let collect = |list: &[T]| {
            let mut targets = Targets::default();
            for target in list {
                add(target, &mut targets);
            }
            targets.ids.sort_unstable();
            targets.ids.dedup();
            targets
        };
        let filter = assignment.filter.as_ref();
        Self {
            include: collect(&assignment.include),
            exclude: collect(&assignment.exclude),
            filter: filter.map(|filter| (filter.mode, filter.rule.clone())),
            is_included_by_filter_alone: assignment.is_included_by_filter_alone(),
        }
    }

    /// `listed` says which rules of a list match.
    fn judge(
        &self,
        attributes: &Attributes,
        filter_rule: Rule,
        listed: impl Fn(&Targets) -> Rules,
    ) -> Matched {
        let mut included_by = listed(&self.include);
        let mut excluded_by = listed(&self.exclude);
        let mut included = !included_by.is_empty();
        match &self.filter {
            Some((FilterMode::Include, rule)) => {
                let matches = rule.matches(attributes);
                included = matches && (included || self.is_included_by_filter_alone);
                if matches {
                    included_by = included_by.with(filter_rule);
                }
            }
            Some((FilterMode::Exclude, rule)) if rule.matches(attributes) => {
                excluded_by = excluded_by.with(filter_rule);
            }
            Some((FilterMode::Exclude, _)) | None => {}
        }
        Matched {
            holds: included && excluded_by.is_empty(),
            included_by,
            excluded_by,
        }
    }
}

/// What an assignment said.
struct Matched {
    holds: bool,
    included_by: Rules,
    excluded_by: Rules,
}

impl Matched {
    fn note(self, condition: Condition, result: &mut PolicyResult) {
        note(condition, self.holds, result);
        result.included_by = result.included_by.and(self.included_by);
        result.excluded_by = result.excluded_by.and(self.excluded_by);
    }
}

fn note(condition: Condition, holds: bool, result: &mut PolicyResult) {
    if holds {
        result.satisfied = result.satisfied.with(condition);
    } else {
        result.not_satisfied = result.not_satisfied.with(condition);
    }
}

/// A compiled list.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) all: bool,
    pub(super) all_agent_resources: bool,
    /// INVARIANT: sorted, each once.
    pub(super) ids: Vec<Arc<str>>,
}

impl Targets {
    fn has(&self, id: &str) -> bool {
        let found = self.ids.binary_search_by(|known| known.as_ref().cmp(id));
        found.is_ok()
    }

    fn rules_of_agent(&self, agent: &AgentFacts<'_>) -> Rules {
        let mut blueprint = agent.blueprint_app_id.into_iter();
        let mut principal = agent.blueprint_principal_id.into_iter();
        let of_blueprint = blueprint.any(|id| self.has(id)) || principal.any(|id| self.has(id));
        Rules::NONE
            .with_if(self.all, Rule::AllAgentIdentities)
            .with_if(self.has(agent.id), Rule::AgentIdentityId)
            .with_if(of_blueprint, Rule::AgentIdentityBlueprintId)
    }

    fn rules_of_user(&self, user: &AgentUserFacts<'_>) -> Rules {
        Rules::NONE
            .with_if(self.all, Rule::AllAgentUsers)
            .with_if(self.has(user.id), Rule::AgentUserId)
    }

    fn rules_of_resource(&self, resource: &ResourceFacts<'_>) -> Rules {
        let is_agent = self.all_agent_resources && resource.is_agent;
        Rules::NONE
            .with_if(self.all, Rule::AllApps)
            .with_if(self.has(resource.app_id), Rule::AppId)
            .with_if(is_agent, Rule::AllAgentIdResources)
    }
}
