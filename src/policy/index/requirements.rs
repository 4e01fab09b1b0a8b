//! What a policy requires of a call, in keys: sets of which the call must have one each. Never here: which of them is
//! the best to look for.

use std::sync::Arc;

use super::keys::{self, Asked, Kind};
use crate::policy::Principal;
use crate::policy::assignment::{Matcher, Targets};
use crate::policy::compile::CompiledPolicy;
use crate::policy::filter::{Clause, Expression, FilterRule, Predicate, Test};
use crate::policy::model::{FilterMode, RiskLevels};
use crate::policy::users::Humans;
use crate::types::RiskLevel;

/// Keys of which a call must have one for the policy to apply, or one of a kind that a required source does not tell.
pub(super) type Requirement = Vec<(Kind, u64)>;

/// All that a policy requires of a call of this kind of principal, as far as it can be looked up.
pub(super) fn of(policy: &CompiledPolicy, principal: Principal) -> Vec<Requirement> {
    let mut all = Vec::new();
    let applications = &policy.applications;
    if !applications.is_included_by_filter_alone {
        all.extend(of_resources(&applications.include));
    }
    all.extend(of_filter(applications, Kind::ResourceAttribute));
    match principal {
        Principal::AgentIdentity => all.extend(of_identities(&policy.agent_identities)),
        Principal::AgentUser => all.extend(of_identities(&policy.agent_users)),
        Principal::Human => all.extend(of_humans(&policy.humans.include)),
        Principal::Workload => all.extend(of_identities(&policy.workloads)),
    }
    let conditions = &policy.model().conditions;
    for (kind, levels) in [
        (Kind::AgentRisk, conditions.agent_risk),
        (Kind::UserRisk, conditions.user_risk),
        (Kind::SignInRisk, conditions.sign_in_risk),
        (Kind::WorkloadRisk, conditions.service_principal_risk),
    ] {
        let levels = levels.map(|levels| of_levels(kind, levels));
        // A set without a level, which no reader makes, still counts as met where a required source is silent.
        all.extend(levels.filter(|levels| !levels.is_empty()));
    }
    all.extend(of_locations(policy));
    all
}

fn of_resources(targets: &Targets) -> Option<Requirement> {
    if targets.all {
        return None;
    }
    let text = |kind: Kind| move |id: &Arc<str>| (kind, keys::of_text(kind, id));
    let ids = targets.ids.iter().map(text(Kind::Resource));
    let contexts = targets.contexts.iter().map(text(Kind::Context));
    let kind = Kind::AgentResource;
    let agents = targets.some.then_some((kind, keys::of_kind(kind)));
    Some(ids.chain(contexts).chain(agents).collect())
}

fn of_identities(matcher: &Matcher<Targets>) -> Vec<Requirement> {
    let mut all = of_filter(matcher, Kind::Attribute);
    let targets = &matcher.include;
    if !targets.all && !matcher.is_included_by_filter_alone {
        let ids = targets.ids.iter();
        let ids = ids.map(|id| (Kind::Id, keys::of_text(Kind::Id, id)));
        let kind = Kind::InTenant;
        let in_tenant = targets.some.then_some((kind, keys::of_kind(kind)));
        all.push(ids.chain(in_tenant).collect());
    }
    all
}

fn of_humans(humans: &Humans) -> Option<Requirement> {
    if humans.all {
        return None;
    }
    let text = |kind: Kind| move |id: &Arc<str>| (kind, keys::of_text(kind, id));
    let ids = humans.ids.iter().map(text(Kind::Id));
    let groups = humans.groups.iter().map(text(Kind::Group));
    let roles = humans.roles.iter().map(text(Kind::Role));
    let any_guest = humans.any_guest || !humans.guests.is_empty();
    let guest = any_guest.then_some((Kind::Guest, keys::of_kind(Kind::Guest)));
    Some(ids.chain(groups).chain(roles).chain(guest).collect())
}

fn of_levels(kind: Kind, levels: RiskLevels) -> Requirement {
    let levels = RiskLevel::ALL
        .into_iter()
        .filter(|level| levels.contains(*level));
    levels
        .map(|level| (kind, keys::of_level(kind, level)))
        .collect()
}

fn of_locations(policy: &CompiledPolicy) -> Option<Requirement> {
    let (include, _) = policy.when.locations()?;
    if include.all || include.untold {
        return None;
    }
    let place = |kind: Kind| move |place: &u32| (kind, keys::of_place(kind, *place));
    let by_address = include.by_address.iter().map(place(Kind::AddressPlace));
    let by_country = include.by_country.iter().map(place(Kind::CountryPlace));
    Some(by_address.chain(by_country).collect())
}

/// What a filter requires: its rule holds, or in `exclude` mode does not.
fn of_filter<T>(matcher: &Matcher<T>, kind: Kind) -> Vec<Requirement> {
    let Some((mode, rule)) = &matcher.filter else {
        return Vec::new();
    };
    of_rule(rule, *mode == FilterMode::Include, kind)
}

fn of_rule(rule: &FilterRule, holds: bool, kind: Kind) -> Vec<Requirement> {
    of_expression(rule.expression(), holds, kind)
}

/// What it takes for an expression to hold, or not to.
fn of_expression(rule: &Expression<Clause>, holds: bool, kind: Kind) -> Vec<Requirement> {
    let of = |part| of_expression(part, holds, kind);
    match rule {
        Expression::And(parts) if holds => parts.iter().flat_map(of).collect(),
        Expression::Or(parts) if !holds => parts.iter().flat_map(of).collect(),
        // One of the parts is enough, so that each must require something.
        Expression::And(parts) | Expression::Or(parts) => {
            let best = |part| of(part).into_iter().min_by_key(Vec::len);
            let each: Option<Vec<Requirement>> = parts.iter().map(best).collect();
            each.map(|each| each.concat()).into_iter().collect()
        }
        Expression::Not(inner) => of_expression(inner, !holds, kind),
        Expression::Leaf(clause) => of_clause(clause, holds, kind).into_iter().collect(),
    }
}

fn of_clause(clause: &Clause, holds: bool, kind: Kind) -> Option<Requirement> {
    let key = |asked| (kind, keys::of_attribute(kind, &clause.attribute, asked));
    let present = || Some(vec![key(Asked::Present)]);
    let comparison = match &clause.predicate {
        Predicate::Compare(comparison) => comparison,
        Predicate::AnyItem(_) | Predicate::AllItems(_) => {
            return if holds { present() } else { None };
        }
    };
    // Whether the positive operator has to hold.
    match (&comparison.test, comparison.negated != holds) {
        (Test::Missing, false)
        | (Test::StartsWith(_) | Test::EndsWith(_) | Test::Matches(_), true) => present(),
        (Test::Missing, true) | (_, false) => None,
        (Test::Equals(value), true) => Some(vec![key(Asked::Value(value))]),
        (Test::In(values), true) => {
            let values = values.iter();
            Some(values.map(|value| key(Asked::Value(value))).collect())
        }
        // Of a single text, a part is enough.
        (Test::Contains(value), true) => Some(vec![key(Asked::Value(value)), key(Asked::Single)]),
    }
}
