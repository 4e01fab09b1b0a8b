//! An assignment made ready to be matched: sorted ids in place of lists.
//!
//! Exclude beats include; a filter narrows what is included, or takes out (`reference/entra.md` §4.1).
//! Never here: an allocation while matching, and what a match is for.

use std::sync::Arc;

use super::filter::FilterRule;
use super::model::{
    AgentTarget, ApplicationTarget, Assignment, FilterMode, UserTarget, WorkloadTarget,
};
use super::truth::Truth;
use super::users::Humans;
use super::{AgentFacts, AgentUserFacts, HumanFacts, ResourceFacts, Rule, Rules, WorkloadFacts};
use crate::types::{Attributes, Fact};

/// A compiled assignment.
#[derive(Debug)]
pub(super) struct Matcher<T> {
    pub(super) include: T,
    exclude: T,
    pub(super) filter: Option<(FilterMode, FilterRule)>,
    /// Whether the filter takes the place of an include list that is not there.
    pub(super) is_included_by_filter_alone: bool,
}

impl<T: Default> Matcher<T> {
    fn new<M>(assignment: &Assignment<M>, compile: impl Fn(&[M]) -> T) -> Self {
        let filter = assignment.filter.as_ref();
        Self {
            include: compile(&assignment.include),
            exclude: compile(&assignment.exclude),
            filter: filter.map(|filter| (filter.mode, filter.rule.clone())),
            is_included_by_filter_alone: assignment.is_included_by_filter_alone(),
        }
    }

    /// `listed` says whether a list names the object, and by which rules.
    fn judge(
        &self,
        attributes: Fact<&Attributes>,
        filter_rule: Rule,
        listed: impl Fn(&T) -> Listed,
    ) -> Matched {
        let mut include = listed(&self.include);
        let mut exclude = listed(&self.exclude);
        if let Some((mode, rule)) = &self.filter {
            let matches = Truth::of_fact(attributes, |attributes| rule.matches(attributes));
            match mode {
                FilterMode::Include => {
                    let rules = Rules::NONE.with_if(matches.is_true(), filter_rule);
                    include.holds = if self.is_included_by_filter_alone {
                        matches
                    } else {
                        include.holds.and(matches)
                    };
                    include.rules = include.rules.and(rules);
                }
                FilterMode::Exclude => exclude = exclude.by(filter_rule, matches),
            }
        }
        Matched::less(include, exclude)
    }
}

impl Matcher<Targets> {
    pub(super) fn of_agents(assignment: &Assignment<AgentTarget>) -> Self {
        Self::new(assignment, |list| {
            Targets::collect(list, |target, targets| match target {
                AgentTarget::All => targets.all = true,
                AgentTarget::None => {}
                AgentTarget::Id(id) => targets.ids.push(id.to_shared()),
            })
        })
    }

    pub(super) fn of_applications(assignment: &Assignment<ApplicationTarget>) -> Self {
        Self::new(assignment, |list| {
            Targets::collect(list, |target, targets| match target {
                ApplicationTarget::All => targets.all = true,
                ApplicationTarget::None
                | ApplicationTarget::Group(_)
                | ApplicationTarget::UserAction(_) => {}
                ApplicationTarget::AllAgentIdResources => targets.some = true,
                ApplicationTarget::Id(id) => targets.ids.push(id.to_shared()),
                ApplicationTarget::AuthenticationContext(context) => {
                    targets.contexts.push(Arc::clone(context));
                }
            })
        })
    }

    pub(super) fn of_workloads(assignment: &Assignment<WorkloadTarget>) -> Self {
        Self::new(assignment, |list| {
            Targets::collect(list, |target, targets| match target {
                WorkloadTarget::None => {}
                WorkloadTarget::InMyTenant => targets.some = true,
                WorkloadTarget::Id(id) => targets.ids.push(id.to_shared()),
            })
        })
    }

    pub(super) fn judge_agent(&self, agent: &AgentFacts<'_>) -> Matched {
        self.judge(
            Fact::Known(agent.attributes),
            Rule::AgentIdentityFilter,
            |targets| targets.agent(agent),
        )
    }

    pub(super) fn judge_agent_user(&self, user: &AgentUserFacts<'_>) -> Matched {
        self.judge(
            Fact::Known(user.attributes),
            Rule::AgentUserFilter,
            |targets| targets.agent_user(user),
        )
    }

    pub(super) fn judge_workload(&self, workload: &WorkloadFacts<'_>) -> Matched {
        self.judge(
            workload.attributes,
            Rule::ServicePrincipalFilter,
            |targets| targets.workload(workload),
        )
    }

    pub(super) fn judge_resource(&self, resource: &ResourceFacts<'_>) -> Matched {
        self.judge(resource.attributes, Rule::AppFilter, |targets| {
            targets.resource(resource)
        })
    }
}

impl Matcher<Humans> {
    pub(super) fn of_users(assignment: &Assignment<UserTarget>) -> Self {
        Self::new(assignment, Humans::of)
    }

    pub(super) fn judge_human(&self, human: &HumanFacts<'_>) -> Matched {
        // `users` has no filter.
        self.judge(Fact::Unknown, Rule::UserId, |humans| humans.lists(human))
    }
}

/// What an assignment, or another condition, said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matched {
    pub(super) holds: Truth,
    pub(super) included_by: Rules,
    pub(super) excluded_by: Rules,
}

impl Matched {
    pub(super) const fn plainly(holds: Truth) -> Self {
        Self {
            holds,
            included_by: Rules::NONE,
            excluded_by: Rules::NONE,
        }
    }

    pub(super) fn by(rule: Rule, holds: Truth) -> Self {
        Self {
            included_by: Rules::NONE.with_if(holds.is_true(), rule),
            ..Self::plainly(holds)
        }
    }

    /// What is included, less what is excluded.
    pub(super) const fn less(include: Listed, exclude: Listed) -> Self {
        Self {
            holds: include.holds.and(exclude.spares),
            included_by: include.rules,
            excluded_by: exclude.rules,
        }
    }
}

/// Whether a list names somebody, and by which rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    /// Whether it names somebody, as a list of those included.
    pub(super) holds: Truth,
    /// Whether it does not, as a list of those excluded. More than the negation: where one of its items hangs on an
    /// optional fact and another on a required one, whatever the required one is, the policy does not apply.
    spares: Truth,
    rules: Rules,
}

impl Listed {
    pub(super) const NOT: Self = Self {
        holds: Truth::False,
        spares: Truth::True,
        rules: Rules::NONE,
    };

    /// By this rule too, if it holds.
    pub(super) const fn by(self, rule: Rule, holds: Truth) -> Self {
        Self {
            rules: self.rules.with_if(matches!(holds, Truth::True), rule),
            holds: self.holds.or(holds),
            spares: self.spares.and(holds.not()),
        }
    }

    pub(super) const fn by_if(self, rule: Rule, holds: bool) -> Self {
        self.by(rule, Truth::of(holds))
    }
}

/// A compiled list.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) all: bool,
    /// The keyword that means more than one and not all: `AllAgentIdResources`, `ServicePrincipalsInMyTenant`.
    pub(super) some: bool,
    /// INVARIANT: sorted, each once.
    pub(super) ids: Vec<Arc<str>>,
    /// INVARIANT: sorted, each once.
    pub(super) contexts: Vec<Arc<str>>,
}

impl Targets {
    fn collect<M>(list: &[M], add: impl Fn(&M, &mut Self)) -> Self {
        let mut targets = Self::default();
        for target in list {
            add(target, &mut targets);
        }
        for ids in [&mut targets.ids, &mut targets.contexts] {
            ids.sort_unstable();
            ids.dedup();
        }
        targets
    }

    fn agent(&self, agent: &AgentFacts<'_>) -> Listed {
        let mut blueprint = agent.blueprint_app_id.into_iter();
        let mut principal = agent.blueprint_principal_id.into_iter();
        let has = |id| has(&self.ids, id);
        let of_blueprint = blueprint.any(has) || principal.any(has);
        Listed::NOT
            .by_if(Rule::AllAgentIdentities, self.all)
            .by_if(Rule::AgentIdentityId, has(agent.id))
            .by_if(Rule::AgentIdentityBlueprintId, of_blueprint)
    }

    fn agent_user(&self, user: &AgentUserFacts<'_>) -> Listed {
        Listed::NOT
            .by_if(Rule::AllAgentUsers, self.all)
            .by_if(Rule::UserId, has(&self.ids, user.id))
    }

    fn workload(&self, workload: &WorkloadFacts<'_>) -> Listed {
        let in_tenant = if self.some {
            Truth::of_fact(workload.in_tenant, |in_tenant| in_tenant)
        } else {
            Truth::False
        };
        Listed::NOT
            .by(Rule::ServicePrincipalsInMyTenant, in_tenant)
            .by_if(Rule::ServicePrincipalId, has(&self.ids, workload.id))
    }

    fn resource(&self, resource: &ResourceFacts<'_>) -> Listed {
        let is_agent = if self.some {
            Truth::of_fact(resource.is_agent, |is_agent| is_agent)
        } else {
            Truth::False
        };
        let mut contexts = resource.authentication_contexts.iter();
        Listed::NOT
            .by_if(Rule::AllApps, self.all)
            .by(Rule::AppId, names(&self.ids, resource.app_id))
            .by(Rule::AllAgentIdResources, is_agent)
            .by_if(
                Rule::AuthenticationContext,
                contexts.any(|context| has(&self.contexts, context)),
            )
    }
}

/// Whether a sorted list holds an id that may be unknown.
pub(super) fn names(ids: &[Arc<str>], id: Fact<&str>) -> Truth {
    if ids.is_empty() {
        return Truth::False;
    }
    Truth::of_fact(id, |id| has(ids, id))
}

/// Whether a sorted list holds the id.
pub(super) fn has(ids: &[Arc<str>], id: &str) -> bool {
    ids.binary_search_by(|known| known.as_ref().cmp(id)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_to_tell_of_an_exclusion_keeps_the_policy_from_applying() {
        let everybody = Listed::NOT.by_if(Rule::AllApps, true);
        let (may, must) = (Truth::Unknown, Truth::RequiredUnknown);
        for (first, second) in [(may, must), (must, may)] {
            let listed = Listed::NOT
                .by(Rule::AllAgentIdResources, first)
                .by(Rule::AppFilter, second);
            assert_eq!(Matched::less(everybody, listed).holds, Truth::Unknown);
            // As an inclusion, the required fact may well be what includes.
            assert_eq!(Matched::less(listed, Listed::NOT).holds, must);
        }
    }
}
