//! An assignment made ready to be matched: sorted ids in place of lists.
//!
//! Exclude beats include; a filter narrows what is included, or takes out (`reference/entra.md` §4.1).
//! Never here: an allocation while matching, and what a match is for.

use std::sync::Arc;

use super::filter::FilterRule;
use super::model::{AgentTarget, ApplicationTarget, Assignment, FilterMode};
use super::{AgentFacts, AgentUserFacts, ResourceFacts, Rule, Rules};
use crate::types::Attributes;

/// A compiled assignment.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) include: Targets,
    exclude: Targets,
    filter: Option<(FilterMode, FilterRule)>,
    /// Whether the filter takes the place of an include list that is not there.
    pub(super) is_included_by_filter_alone: bool,
}

impl Matcher {
    pub(super) fn of_agents(assignment: &Assignment<AgentTarget>) -> Self {
        Self::new(assignment, |target, targets| match target {
            AgentTarget::All => targets.all = true,
            AgentTarget::None => {}
            AgentTarget::Id(id) => targets.ids.push(id.to_shared()),
        })
    }

    pub(super) fn of_applications(assignment: &Assignment<ApplicationTarget>) -> Self {
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

    pub(super) fn judge_agent(&self, agent: &AgentFacts<'_>) -> Matched {
        self.judge(agent.attributes, Rule::AgentIdentityFilter, |targets| {
            targets.rules_of_agent(agent)
        })
    }

    pub(super) fn judge_user(&self, user: &AgentUserFacts<'_>) -> Matched {
        self.judge(user.attributes, Rule::AgentUserFilter, |targets| {
            targets.rules_of_user(user)
        })
    }

    pub(super) fn judge_resource(&self, resource: &ResourceFacts<'_>) -> Matched {
        self.judge(resource.attributes, Rule::AppFilter, |targets| {
            targets.rules_of_resource(resource)
        })
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
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) holds: bool,
    pub(super) included_by: Rules,
    pub(super) excluded_by: Rules,
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
