//! Whether one policy blocks every call that another applies to, for certain: also where facts are unknown.
//!
//! A fact that a required source does not tell counts as met, one of an optional source does not. Where a condition
//! rests on several facts, some may be told and others not, and then a longer list is not always the wider one. So
//! wider lists are compared only where one fact decides, or all are always known; anything else must be equal, or not
//! configured in the wider one.
//! Never here: a guess, and what a directory knows.

use std::collections::BTreeSet;

use crate::policy::filter::{Expression, FilterRule};
use crate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Choice, ConditionSet, Filter, FilterMode,
    LocationTarget, PlatformTarget, Policy, RiskLevels, UserTarget, WorkloadTarget,
};
use crate::policy::{Control, PolicyState};
use crate::types::RiskLevel;

/// Whether `wide` is enforced and blocks every call to which `narrow` applies, so that without `narrow`, which is
/// enforced too, every verdict is the same. `false` where that is not certain.
#[must_use]
pub fn covers(wide: &Policy, narrow: &Policy) -> bool {
    blocks(wide)
        && narrow.state == PolicyState::Enabled
        && conditions_cover(&wide.conditions, &narrow.conditions)
}

fn blocks(policy: &Policy) -> bool {
    policy.state == PolicyState::Enabled && policy.is_understood() && demands_block(policy)
}

fn demands_block(policy: &Policy) -> bool {
    policy.grant_controls.controls.contains(Control::Block)
}

fn conditions_cover(wide: &ConditionSet, narrow: &ConditionSet) -> bool {
    applications_cover(&wide.applications, &narrow.applications)
        && known_lists_cover(&wide.agent_identities, &narrow.agent_identities)
        && known_lists_cover(&wide.agent_users, &narrow.agent_users)
        && users_cover(&wide.users, &narrow.users)
        && (is_nobody(&narrow.workloads) || wide.workloads == narrow.workloads)
        && levels_cover(wide.agent_risk, narrow.agent_risk)
        && further_conditions_cover(wide, narrow)
}

/// The conditions beside whom, what and the agent's risk.
fn further_conditions_cover(wide: &ConditionSet, narrow: &ConditionSet) -> bool {
    levels_cover(wide.user_risk, narrow.user_risk)
        && levels_cover(wide.sign_in_risk, narrow.sign_in_risk)
        && levels_cover(wide.service_principal_risk, narrow.service_principal_risk)
        && condition_covers(&wide.insider_risk, &narrow.insider_risk, set_covers)
        && condition_covers(&wide.transfer_methods, &narrow.transfer_methods, set_covers)
        && condition_covers(&wide.client_app_types, &narrow.client_app_types, set_covers)
        && condition_covers(&wide.platforms, &narrow.platforms, platforms_cover)
        && condition_covers(&wide.locations, &narrow.locations, locations_cover)
        && condition_covers(&wide.device_filter, &narrow.device_filter, PartialEq::eq)
        && condition_covers(&wide.agent_contexts, &narrow.agent_contexts, PartialEq::eq)
}

/// A condition that is not configured is met by every call. One that is covers none that is not, however wide it is: it is met
/// by those alone whom it concerns, and under `entra_parity` agent identities have, for one, no location.
fn condition_covers<T>(
    wide: &Option<T>,
    narrow: &Option<T>,
    covers: impl Fn(&T, &T) -> bool,
) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => covers(wide, narrow),
    }
}

/// Addresses and countries are two facts, so lists of them do not compare. All locations are every place, and an address that
/// nobody knows.
fn locations_cover(wide: &Choice<LocationTarget>, narrow: &Choice<LocationTarget>) -> bool {
    let is_everywhere = wide.include.contains(&LocationTarget::All) && wide.exclude.is_empty();
    is_everywhere || wide == narrow
}

/// One fact decides.
fn set_covers<T: Ord>(wide: &BTreeSet<T>, narrow: &BTreeSet<T>) -> bool {
    narrow.is_subset(wide)
}

/// One fact decides.
fn platforms_cover(wide: &Choice<PlatformTarget>, narrow: &Choice<PlatformTarget>) -> bool {
    let is_included =
        |one| wide.include.contains(&PlatformTarget::All) || wide.include.contains(one);
    narrow.include.iter().all(is_included)
        && wide.exclude.iter().all(|one| narrow.exclude.contains(one))
}

/// For humans: of groups, roles and guests each is a fact of its own, which may be unknown.
fn users_cover(wide: &Assignment<UserTarget>, narrow: &Assignment<UserTarget>) -> bool {
    let by_id = |list: &Assignment<UserTarget>| {
        let mut targets = list.include.iter().chain(&list.exclude);
        targets.all(Target::is_of_id)
    };
    is_nobody(narrow)
        || is_all(wide)
        || are_equal(wide, narrow)
        || (by_id(wide) && by_id(narrow) && lists_cover(wide, narrow))
}

/// Whether nobody is included, whatever is known.
fn is_nobody<T: Target>(list: &Assignment<T>) -> bool {
    list.include.iter().all(T::is_none) && !list.is_included_by_filter_alone()
}

/// What a policy says beside whom, what and the agent's risk.
pub(super) fn rest(conditions: &ConditionSet) -> ConditionSet {
    let mut rest = conditions.clone();
    rest.applications = Assignment::default();
    rest.agent_identities = Assignment::default();
    rest.agent_users = Assignment::default();
    rest.agent_risk = None;
    // Both ways to say that no human is meant.
    if rest.users.include.iter().all(Target::is_none) && rest.users.exclude.is_empty() {
        rest.users = Assignment::default();
    }
    rest
}

/// The kinds of callers that an enforced policy, or one that may be, blocks whatever they do.
pub(super) fn locked_out(policy: &Policy) -> Vec<&'static str> {
    let conditions = &policy.conditions;
    let blocks = demands_block(policy) && policy.is_understood();
    let is_unconditional = conditions.configured().is_empty();
    if !blocks || !is_all(&conditions.applications) || !is_unconditional {
        return Vec::new();
    }
    let kinds = [
        (is_all(&conditions.agent_identities), "agent identity"),
        (is_all(&conditions.agent_users), "agent user"),
        (is_all(&conditions.users), "human"),
    ];
    kinds
        .into_iter()
        .filter_map(|(all, kind)| all.then_some(kind))
        .collect()
}

/// An item of a list, as far as it is compared.
pub(super) trait Target: PartialEq {
    /// Whether it is every one.
    fn is_all(&self) -> bool;
    /// Whether it is nobody and nothing.
    fn is_none(&self) -> bool;
    /// Whether the object's id alone decides.
    fn is_of_id(&self) -> bool;
}

impl Target for AgentTarget {
    fn is_all(&self) -> bool {
        *self == Self::All
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }

    fn is_of_id(&self) -> bool {
        true
    }
}

impl Target for UserTarget {
    fn is_all(&self) -> bool {
        *self == Self::All
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }

    fn is_of_id(&self) -> bool {
        matches!(self, Self::All | Self::None | Self::Id(_))
    }
}

impl Target for WorkloadTarget {
    fn is_all(&self) -> bool {
        false
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }

    fn is_of_id(&self) -> bool {
        matches!(self, Self::None | Self::Id(_))
    }
}

impl Target for ApplicationTarget {
    fn is_all(&self) -> bool {
        *self == Self::All
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::None | Self::Group(_) | Self::UserAction(_))
    }

    fn is_of_id(&self) -> bool {
        !matches!(
            self,
            Self::AllAgentIdResources | Self::AuthenticationContext(_)
        )
    }
}

/// Whether every one is included and nobody taken out, known or not.
pub(super) fn is_all<T: Target>(list: &Assignment<T>) -> bool {
    list.include.iter().any(T::is_all)
        && list.filter.is_none()
        && list.exclude.iter().all(T::is_none)
}

/// For resources: several facts, each of which may be unknown where a token is asked for.
fn applications_cover(
    wide: &Assignment<ApplicationTarget>,
    narrow: &Assignment<ApplicationTarget>,
) -> bool {
    let by_id = |list: &Assignment<ApplicationTarget>| {
        let mut targets = list.include.iter().chain(&list.exclude);
        list.filter.is_none() && targets.all(Target::is_of_id)
    };
    is_all(wide)
        || are_equal(wide, narrow)
        || (by_id(wide) && by_id(narrow) && lists_cover(wide, narrow))
}

fn are_equal<T: Target>(one: &Assignment<T>, other: &Assignment<T>) -> bool {
    are_equal_lists(&one.include, &other.include)
        && are_equal_lists(&one.exclude, &other.exclude)
        && one.filter == other.filter
}

fn are_equal_lists<T: Target>(one: &[T], other: &[T]) -> bool {
    one.iter().all(|target| other.contains(target))
        && other.iter().all(|target| one.contains(target))
}

/// For lists and filters of which every fact is always known.
fn known_lists_cover<T: Target>(wide: &Assignment<T>, narrow: &Assignment<T>) -> bool {
    includes_nobody(narrow) || lists_cover(wide, narrow)
}

/// For lists and filters of which every fact is known, or one fact decides.
fn lists_cover<T: Target>(wide: &Assignment<T>, narrow: &Assignment<T>) -> bool {
    let all_included = wide.include.iter().any(T::is_all) || wide.is_included_by_filter_alone();
    let included = all_included
        || (!narrow.is_included_by_filter_alone()
            && narrow
                .include
                .iter()
                .all(|target| target.is_none() || wide.include.contains(target)));
    let left_in = wide
        .exclude
        .iter()
        .all(|target| target.is_none() || narrow.exclude.contains(target));
    included && left_in && filters_cover(wide.filter.as_ref(), narrow.filter.as_ref())
}

/// Whether a list concerns nobody at all, where every fact is known. One that is not known may be any, and then a list
/// may count as met although it excludes all that it includes.
pub(super) fn includes_nobody<T: Target>(list: &Assignment<T>) -> bool {
    let is_included = !list.include.iter().all(T::is_none) || list.is_included_by_filter_alone();
    let mut included = list.include.iter().filter(|target| !target.is_none());
    let is_taken_out = list.exclude.iter().any(T::is_all)
        || (!list.is_included_by_filter_alone()
            && included.all(|target| list.exclude.contains(target)));
    !is_included || is_taken_out
}

fn filters_cover(wide: Option<&Filter>, narrow: Option<&Filter>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(wide), Some(narrow)) if wide.mode == narrow.mode => match wide.mode {
            FilterMode::Include => implies(&narrow.rule, &wide.rule),
            FilterMode::Exclude => implies(&wide.rule, &narrow.rule),
        },
        (Some(_), _) => false,
    }
}

/// Whether all that meets one rule meets the other: the same, a conjunction with it, or one of a disjunction.
fn implies(one: &FilterRule, other: &FilterRule) -> bool {
    let (one, other) = (one.expression(), other.expression());
    let is_part = match one {
        Expression::And(parts) => parts.contains(other),
        Expression::Or(_) | Expression::Not(_) | Expression::Leaf(_) => false,
    };
    let is_choice = match other {
        Expression::Or(choices) => choices.contains(one),
        Expression::And(_) | Expression::Not(_) | Expression::Leaf(_) => false,
    };
    one == other || is_part || is_choice
}

fn levels_cover(wide: Option<RiskLevels>, narrow: Option<RiskLevels>) -> bool {
    condition_covers(&wide, &narrow, |wide, narrow| {
        let mut levels = RiskLevel::ALL.into_iter();
        levels.all(|level| wide.contains(level) || !narrow.contains(level))
    })
}
