//! Finds the policies that may apply to a call without a look at every one of them.
//!
//! A policy that names its resources is found by the call's resource; one that names its agents, by the agent
//! or its blueprint; any other is looked at for every agent of its kind. Never here: whether a policy applies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assignment::Matcher;
use super::compile::{CompiledPolicy, Judged};

/// Places of policies in their set, by what a call must have for them to apply.
#[derive(Debug, Default)]
pub(super) struct Index {
    agent_identities: Places,
    agent_users: Places,
}

/// The places of the policies for one kind of agent. INVARIANT: every list is sorted.
#[derive(Debug, Default)]
struct Places {
    every: Vec<u32>,
    always: Vec<u32>,
    by_resource: BTreeMap<Arc<str>, Vec<u32>>,
    by_identity: BTreeMap<Arc<str>, Vec<u32>>,
}

impl Index {
    pub(super) fn of(policies: &[CompiledPolicy]) -> Self {
        let mut index = Self::default();
        for (place, policy) in (0..).zip(policies) {
            if policy.is_evaluated() {
                let applications = &policy.applications;
                index
                    .agent_identities
                    .add(place, &policy.agent_identities, applications);
                index
                    .agent_users
                    .add(place, &policy.agent_users, applications);
            }
        }
        index
    }

    /// The places of the policies that may apply, in order, each once. No appId: it is not known.
    pub(super) fn candidates(&self, judged: Judged<'_>, app_id: Option<&str>) -> Candidates<'_> {
        match judged {
            Judged::AgentIdentity(agent) => {
                let ids = [
                    Some(agent.id),
                    agent.blueprint_app_id,
                    agent.blueprint_principal_id,
                ];
                self.agent_identities.candidates(app_id, ids)
            }
            Judged::AgentUser(user) => {
                let ids = [Some(user.id), None, None];
                self.agent_users.candidates(app_id, ids)
            }
            Judged::Nobody => Candidates([&[]; 5]),
        }
    }
}

impl Places {
    fn add(&mut self, place: u32, identity: &Matcher, applications: &Matcher) {
        self.every.push(place);
        let (map, ids) = match (named(applications), named(identity)) {
            (Some([]), _) | (_, Some([])) => return,
            (Some(ids), _) => (&mut self.by_resource, ids),
            (None, Some(ids)) => (&mut self.by_identity, ids),
            (None, None) => return self.always.push(place),
        };
        for id in ids {
            map.entry(Arc::clone(id)).or_default().push(place);
        }
    }

    /// A resource that nobody knows may be that of any policy.
    fn candidates(&self, app_id: Option<&str>, identities: [Option<&str>; 3]) -> Candidates<'_> {
        let Some(app_id) = app_id else {
            return Candidates([&self.every, &[], &[], &[], &[]]);
        };
        let by_identity = |id: Option<&str>| {
            id.and_then(|id| self.by_identity.get(id))
                .map_or(&[][..], Vec::as_slice)
        };
        let [own, blueprint, principal] = identities.map(by_identity);
        let by_resource = self.by_resource.get(app_id).map_or(&[][..], Vec::as_slice);
        Candidates([&self.always, by_resource, own, blueprint, principal])
    }
}

/// The ids that an assignment includes, where it includes nothing but ids.
fn named(matcher: &Matcher) -> Option<&[Arc<str>]> {
    let include = &matcher.include;
    let by_id_only =
        !include.all && !include.all_agent_resources && !matcher.is_included_by_filter_alone;
    by_id_only.then_some(&include.ids)
}

/// Merges sorted lists of places.
#[derive(Debug)]
pub(super) struct Candidates<'a>([&'a [u32]; 5]);

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let next = self
            .0
            .iter()
            .filter_map(|list| list.first())
            .min()
            .copied()?;
        for list in &mut self.0 {
            if let Some((first, rest)) = list.split_first()
                && *first == next
            {
                *list = rest;
            }
        }
        Some(next)
    }
}
