//! Which policies the tests reach, and which conditions of them: what no test shows may be anything.
//!
//! Disabled policies are not counted; no call reaches them. Never here: whether a test holds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::world::World;
use crate::policy::model::ConditionSet;
use crate::policy::{
    CompiledPolicy, Condition, Conditions, PolicyResult, PolicyState, Principal, Principals,
};

/// What was seen of every policy, by world and place.
#[derive(Default)]
pub(super) struct Coverage {
    seen: BTreeMap<(usize, usize), Seen>,
}

struct Seen {
    display_name: String,
    state: PolicyState,
    tests: usize,
    /// What the policy has, and what of it was seen.
    conditions: Conditions,
    met: Conditions,
    missed: Conditions,
    principals: Principals,
    applied_to: Principals,
    has_exclusions: bool,
    is_excluded: bool,
}

/// What is told of one policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) display_name: String,
    #[serde(serialize_with = "graphs_name")]
    pub(super) state: PolicyState,
    /// In how many tests it applies.
    pub(super) tests: usize,
    /// What no test reached, in words.
    pub(super) unreached: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a member over by reference"
)]
fn graphs_name<S: serde::Serializer>(state: &PolicyState, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.as_str())
}

impl Coverage {
    /// Notes what all policies of a world said in one test.
    pub(super) fn add(&mut self, world: &World, results: &[PolicyResult]) {
        let policies = world.policies.iter().zip(results).enumerate();
        for (at, (policy, result)) in policies {
            if policy.state == PolicyState::Disabled {
                continue;
            }
            let key = (world.number, at);
            let seen = self.seen.entry(key).or_insert_with(|| Seen::of(policy));
            seen.tests += usize::from(result.outcome.applied());
            seen.met = seen.met.and(result.satisfied).and(result.unknown);
            seen.missed = seen.missed.and(result.not_satisfied);
            seen.applied_to = seen.applied_to.and(result.principals);
            seen.is_excluded |= !result.excluded_by.is_empty();
        }
    }

    /// What is to be told, in the order of the policies.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.seen.values().map(Seen::row).collect()
    }
}

impl Seen {
    fn of(policy: &CompiledPolicy) -> Self {
        let conditions = &policy.model().conditions;
        Self {
            display_name: policy.display_name.to_string(),
            state: policy.state,
            tests: 0,
            conditions: conditions.configured(),
            met: Conditions::NONE,
            missed: Conditions::NONE,
            principals: conditions.included_principals(),
            applied_to: Principals::NONE,
            has_exclusions: has_exclusions(conditions),
            is_excluded: false,
        }
    }

    fn row(&self) -> Row {
        let mut unreached = Vec::new();
        let name = |condition: Condition| condition.as_str();
        if self.tests > 0 {
            let kinds = self
                .principals
                .iter()
                .filter(|kind| !self.applied_to.contains(*kind));
            unreached
                .extend(kinds.map(|kind: Principal| format!("applies to no {}", kind.as_str())));
        }
        let never = |seen: Conditions| {
            self.conditions
                .iter()
                .filter(move |one| !seen.contains(*one))
        };
        unreached.extend(never(self.met).map(|one| format!("{} is never met", name(one))));
        unreached.extend(never(self.missed).map(|one| format!("{} is never missed", name(one))));
        if self.has_exclusions && !self.is_excluded {
            unreached.push("excludes nobody and nothing".to_owned());
        }
        Row {
            display_name: self.display_name.clone(),
            state: self.state,
            tests: self.tests,
            unreached,
        }
    }
}

/// Whether the policy takes anybody or anything out that it includes.
fn has_exclusions(conditions: &ConditionSet) -> bool {
    use crate::policy::model::{Filter, FilterMode};
    let excludes = |filter: &Option<Filter>| {
        filter
            .as_ref()
            .is_some_and(|filter| filter.mode == FilterMode::Exclude)
    };
    let ConditionSet {
        applications,
        agent_identities,
        agent_users,
        users,
        workloads,
        ..
    } = conditions;
    !applications.exclude.is_empty()
        || excludes(&applications.filter)
        || !agent_identities.exclude.is_empty()
        || excludes(&agent_identities.filter)
        || !agent_users.exclude.is_empty()
        || excludes(&agent_users.filter)
        || !users.exclude.is_empty()
        || !workloads.exclude.is_empty()
        || excludes(&workloads.filter)
}
