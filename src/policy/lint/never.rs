//! Why a policy applies to no call, by what it says alone. That it includes nobody or nothing is told when it is read;
//! here is what rules itself out. Never here: a condition that is only unlikely to hold, and the resource, which may be
//! one that nobody knows.

use super::covers::{Target, includes_nobody, rest};
use crate::policy::filter::{Clause, Expression, Predicate};
use crate::policy::model::{Assignment, ConditionSet, Filter, FilterMode, Policy};

/// Why it never applies; `None` where it may.
pub(super) fn why(policy: &Policy) -> Option<&'static str> {
    let conditions = &policy.conditions;
    let whom = [
        of_assignment(&conditions.agent_identities),
        of_assignment(&conditions.agent_users),
    ];
    let others_may_be_named = rest(conditions) != ConditionSet::default();
    if others_may_be_named || whom.iter().any(|whom| matches!(whom, Whom::Somebody)) {
        return None;
    }
    // That nobody is named at all was told when it was read.
    whom.into_iter().find_map(|whom| match whom {
        Whom::RulesItselfOut(why) => Some(why),
        Whom::Somebody | Whom::Unnamed => None,
    })
}

/// Whom a list concerns.
enum Whom {
    Unnamed,
    Somebody,
    RulesItselfOut(&'static str),
}

fn of_assignment<T: Target>(list: &Assignment<T>) -> Whom {
    let names_nobody =
        list.include.iter().all(Target::is_none) && !list.is_included_by_filter_alone();
    if names_nobody {
        return Whom::Unnamed;
    }
    if includes_nobody(list) {
        return Whom::RulesItselfOut("all that it includes it excludes as well");
    }
    let is_contradiction = |filter: &Filter| match filter.mode {
        FilterMode::Include => contradicts_itself(filter.rule.expression()),
        FilterMode::Exclude => false,
    };
    if list.filter.as_ref().is_some_and(is_contradiction) {
        return Whom::RulesItselfOut("its filter asks for a thing and for its opposite");
    }
    Whom::Somebody
}

/// Whether two parts of a conjunction are each other's exact opposites.
fn contradicts_itself(rule: &Expression<Clause>) -> bool {
    let Expression::And(parts) = rule else {
        return false;
    };
    let mut pairs = parts.iter().enumerate().flat_map(|(at, one)| {
        parts
            .iter()
            .skip(at.saturating_add(1))
            .map(move |other| (one, other))
    });
    pairs.any(|(one, other)| are_opposites(one, other))
}

fn are_opposites(one: &Expression<Clause>, other: &Expression<Clause>) -> bool {
    match (one, other) {
        (Expression::Not(one), other) | (other, Expression::Not(one)) => **one == *other,
        (Expression::Leaf(one), Expression::Leaf(other)) => {
            match (&one.predicate, &other.predicate) {
                (Predicate::Compare(own), Predicate::Compare(others)) => {
                    one.attribute == other.attribute
                        && own.test == others.test
                        && own.negated != others.negated
                }
                _ => false,
            }
        }
        _ => false,
    }
}
