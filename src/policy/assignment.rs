//! An assignment made ready to be matched: sorted ids in place of lists.
//!
//! Exclude beats include; a filter narrows what is included, or takes out (`reference/entra.md` §4.1).
//! Never here: an allocation while matching, and what a match is for.

use std::sync::Arc;

use super::filter::FilterRule;
use super::model::{AgentTarget, ApplicationTarget, Assignment, FilterMode};
use super::{AgentFacts, AgentUserFacts, ResourceFacts, Rule, Rules};
use crate::types::{Attributes, Fact};

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
        let attributes = Fact::Known(agent.attributes);
        self.judge(attributes, Rule::AgentIdentityFilter, |targets| {
            (targets.rules_of_agent(agent), Answer::No)
        })
    }

    pub(super) fn judge_user(&self, user: &AgentUserFacts<'_>) -> Matched {
        let attributes = Fact::Known(user.attributes);
        self.judge(attributes, Rule::AgentUserFilter, |targets| {
            (targets.rules_of_user(user), Answer::No)
        })
    }

    pub(super) fn judge_resource(&self, resource: &ResourceFacts<'_>) -> Matched {
        self.judge(resource.attributes, Rule::AppFilter, |targets| {
            targets.rules_of_resource(resource)
        })
    }

    /// `listed` says which rules of a list match, and whether others may as far as anybody knows.
    fn judge(
        &self,
        attributes: Fact<&Attributes>,
        filter_rule: Rule,
        listed: impl Fn(&Targets) -> (Rules, Answer),
    ) -> Matched {
        let (mut included_by, mut included) = listed(&self.include);
        let (mut excluded_by, mut excluded) = listed(&self.exclude);
        if !included_by.is_empty() {
            included = Answer::Yes;
        }
        if let Some((mode, rule)) = &self.filter {
            let matches = match attributes {
                Fact::Known(attributes) => Answer::of(rule.matches(attributes)),
                Fact::Unknown => Answer::Perhaps,
                Fact::RequiredUnknown => Answer::PerhapsRequired,
            };
            match mode {
                FilterMode::Include => {
                    let listed = included.max(Answer::of(self.is_included_by_filter_alone));
                    included = matches.min(listed);
                    included_by = included_by.with_if(matches == Answer::Yes, filter_rule);
                }
                FilterMode::Exclude => {
                    excluded = excluded.max(matches);
                    excluded_by = excluded_by.with_if(matches == Answer::Yes, filter_rule);
                }
            }
        }
        if !excluded_by.is_empty() {
            excluded = Answer::Yes;
        }
        Matched {
            holds: match (included, excluded) {
                (Answer::No, _) | (_, Answer::Yes) => Fact::Known(false),
                (Answer::Yes, Answer::No) => Fact::Known(true),
                (Answer::Perhaps, Answer::No | Answer::Perhaps)
                | (Answer::Yes, Answer::Perhaps) => Fact::Unknown,
                (Answer::PerhapsRequired, _) | (_, Answer::PerhapsRequired) => {
                    Fact::RequiredUnknown
                }
            },
            included_by,
            excluded_by,
        }
    }
}

/// Whether something matches, as far as the facts tell. The order is that of "or".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    No,
    /// An optional fact is missing.
    Perhaps,
    /// A required fact is missing.
    PerhapsRequired,
    Yes,
}

impl Answer {
    const fn of(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }

    /// Something that matches one value of a fact, if there is one that it could match.
    const fn where_unknown<T>(fact: &Fact<T>, could_match: bool) -> Self {
        match fact {
            Fact::Unknown if could_match => Self::Perhaps,
            Fact::RequiredUnknown if could_match => Self::PerhapsRequired,
            Fact::Known(_) | Fact::Unknown | Fact::RequiredUnknown => Self::No,
        }
    }
}

/// What an assignment said.
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) holds: Fact<bool>,
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

    fn rules_of_resource(&self, resource: &ResourceFacts<'_>) -> (Rules, Answer) {
        let has_id = resource.app_id.known().is_some_and(|id| self.has(id));
        let is_agent = self.all_agent_resources && resource.is_agent == Fact::Known(true);
        let rules = Rules::NONE
            .with_if(self.all, Rule::AllApps)
            .with_if(has_id, Rule::AppId)
            .with_if(is_agent, Rule::AllAgentIdResources);
        let by_id = Answer::where_unknown(&resource.app_id, !self.ids.is_empty());
        let as_agent = Answer::where_unknown(&resource.is_agent, self.all_agent_resources);
        (rules, by_id.max(as_agent))
    }
}
