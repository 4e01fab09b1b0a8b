//! Finds the policies that may apply to a call without a look at every one of them, so that cost follows what can match.
//!
//! A policy applies only where each of its requirements is met: one of the resources that it names, one of the identities,
//! a value that its filter asks for, a risk level, a place. It is filed under the keys of the one requirement that the
//! fewest policies share; a call looks up the keys that it has. What is found may apply and is judged in full, so a key too
//! many costs time and nothing else. Never here: whether a policy applies.

mod keys;
mod requirements;
mod table;

use std::collections::BTreeMap;

use super::compile::CompiledPolicy;
use super::when::View;
use super::{Principal, Principals};
use keys::{Has, Keys, Kind};
use requirements::Requirement;
use table::Table;

/// The places of policies in their set, per kind of principal.
#[derive(Debug, Default)]
pub(super) struct Index {
    agent_identities: Places,
    agent_users: Places,
    humans: Places,
    workloads: Places,
}

impl Index {
    pub(super) fn of(policies: &[CompiledPolicy]) -> Self {
        let of = |principal| Places::of(policies, principal);
        Self {
            agent_identities: of(Principal::AgentIdentity),
            agent_users: of(Principal::AgentUser),
            humans: of(Principal::Human),
            workloads: of(Principal::Workload),
        }
    }

    /// Shows the place of every policy that may apply: in no order, and one or the other more than once.
    pub(super) fn each_candidate(&self, view: &View<'_>, mut show: impl FnMut(u32)) {
        let places = match view.judged.principal() {
            Principal::AgentIdentity => &self.agent_identities,
            Principal::AgentUser => &self.agent_users,
            Principal::Human => &self.humans,
            Principal::Workload => &self.workloads,
        };
        places.always.iter().copied().for_each(&mut show);
        let keys = Keys {
            view,
            wanted: places.kinds,
        };
        keys.each(&mut |has| {
            let found = match has {
                Has::Key(key) => places.by_key.find(key),
                // FAIL-CLOSED: what a required source does not tell may be what any of these asks for.
                Has::Untold(kind) => places.by_kind.get(&kind).map_or(&[][..], Vec::as_slice),
            };
            found.iter().copied().for_each(&mut show);
        });
    }
}

/// The places of the policies for one kind of principal.
#[derive(Debug, Default)]
struct Places {
    /// Those without a requirement that could be looked up.
    always: Vec<u32>,
    by_key: Table,
    /// Those that are filed under a key of this kind.
    by_kind: BTreeMap<Kind, Vec<u32>>,
    /// The kinds of key under which anything is filed.
    kinds: keys::Kinds,
}

impl Places {
    fn of(policies: &[CompiledPolicy], principal: Principal) -> Self {
        let placed = (0..).zip(policies);
        let concerned: Vec<(u32, Vec<Requirement>)> = placed
            .filter(|(_, policy)| may_concern(policy, principal))
            .map(|(place, policy)| (place, requirements::of(policy, principal)))
            .collect();
        let mut shared_by: BTreeMap<u64, usize> = BTreeMap::new();
        let all_keys = concerned.iter().flat_map(|(_, all)| all.iter().flatten());
        for (_, key) in all_keys {
            let count = shared_by.entry(*key).or_default();
            *count = count.saturating_add(1);
        }
        let crowd = |requirement: &Requirement| {
            let counts = requirement
                .iter()
                .map(|(_, key)| shared_by.get(key).copied());
            counts.flatten().max().unwrap_or(0)
        };
        let mut places = Self::default();
        let mut filed: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (place, requirements) in &concerned {
            match requirements.iter().min_by_key(|one| crowd(one)) {
                None => places.always.push(*place),
                Some(requirement) => {
                    for (kind, key) in requirement {
                        places.kinds = places.kinds.with(*kind);
                        push_once(filed.entry(*key).or_default(), *place);
                        push_once(places.by_kind.entry(*kind).or_default(), *place);
                    }
                }
            }
        }
        places.by_key = Table::of(filed);
        places
    }
}

/// Whether the policy can apply to anybody of this kind.
fn may_concern(policy: &CompiledPolicy, principal: Principal) -> bool {
    let conditions = &policy.model().conditions;
    let included: Principals = conditions.included_principals();
    policy.is_evaluated()
        && included.contains(principal)
        && conditions.includes_a_resource()
        && conditions.never_met_by(principal).is_empty()
}

fn push_once(places: &mut Vec<u32>, place: u32) {
    if places.last() != Some(&place) {
        places.push(place);
    }
}
