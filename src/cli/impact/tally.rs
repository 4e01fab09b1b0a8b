//! What is counted of a replay. Its size is bounded by how much is shown, not by how much is read.
//!
//! Tallies of several threads add up to what one thread would have counted. Never here: how it is shown.

use std::collections::{BTreeMap, HashMap};

use super::call::Named;
use super::judge::{Change, Decided};
use super::timeline::Timeline;
use crate::policy::PolicySet;
use crate::types::Timestamp;

/// The most agents, blueprints or resources that are counted one by one.
const MAX_GROUPS: usize = 50_000;
/// The most reasons that are told apart.
const MAX_REASONS: usize = 200;

/// Where a line stands: which file, and its number there. Earlier lines make the examples.
pub(super) type Place = (usize, u64);

/// All that is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) without_decision: u64,
    /// By reason: how many, and the first.
    refused_to_replay: BTreeMap<String, (u64, Place)>,
    pub(super) allowed_as_before: u64,
    pub(super) blocked_as_before: u64,
    pub(super) changes: Counts,
    pub(super) by_policy: Groups,
    pub(super) by_agent: Groups,
    pub(super) by_blueprint: Groups,
    pub(super) by_resource: Groups,
    pub(super) timeline: Timeline,
    pub(super) newly_blocked: Examples,
    pub(super) newly_allowed: Examples,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// Calls of one policy, agent, blueprint or resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// All that were decided again.
    pub(super) calls: u64,
    pub(super) newly_blocked: u64,
    /// Of the newly blocked: those that are for want of a required fact.
    pub(super) on_unknown: u64,
    pub(super) newly_allowed: u64,
}

/// Counts by id.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<Box<str>, Group>,
    /// Of those that were too many to be told apart.
    pub(super) others: Counts,
}

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) name: Option<Box<str>>,
    pub(super) counts: Counts,
}

/// The first few calls of a kind.
#[derive(Debug, Default)]
pub(super) struct Examples {
    kept: BTreeMap<Place, Example>,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) at: Timestamp,
    pub(super) decision_id: String,
    pub(super) agent: String,
    pub(super) user: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) resource: String,
    pub(super) policies: Vec<String>,
    pub(super) is_on_unknown: bool,
}

/// The most examples that are kept of a kind.
const MAX_EXAMPLES: usize = 100;

impl Tally {
    /// Counts a line that cannot be decided again.
    pub(super) fn add_refusal(&mut self, reason: String, place: Place) {
        let is_full = self.refused_to_replay.len() >= MAX_REASONS;
        let reason = if is_full && !self.refused_to_replay.contains_key(&reason) {
            "other reasons".to_owned()
        } else {
            reason
        };
        let entry = self.refused_to_replay.entry(reason).or_insert((0, place));
        entry.0 += 1;
        entry.1 = entry.1.min(place);
    }

    /// Counts a call that was decided again.
    pub(super) fn add(&mut self, decided: &Decided<'_>, policies: &PolicySet, place: Place) {
        let own = Counts::of(decided);
        let call = &decided.call;
        self.changes.add(own);
        self.by_agent.add(call.agent(), own);
        self.by_resource.add(call.resource(), own);
        if let Some(id) = call.blueprint() {
            self.by_blueprint.add(Named { id, name: None }, own);
        }
        self.timeline.add(decided.at, decided.change);
        self.first = Some(self.first.map_or(decided.at, |first| first.min(decided.at)));
        self.last = Some(self.last.map_or(decided.at, |last| last.max(decided.at)));
        match decided.change {
            Change::AllowedAsBefore => self.allowed_as_before += 1,
            Change::BlockedAsBefore => self.blocked_as_before += 1,
            Change::NewlyBlocked => {
                let refusing = || {
                    decided
                        .refused_by
                        .iter()
                        .filter_map(|at| policies.policy(*at))
                };
                for policy in refusing() {
                    let name = Some(&*policy.display_name);
                    let id = policy.id.as_str();
                    self.by_policy.add(Named { id, name }, own);
                }
                self.newly_blocked.add(place, || {
                    let names = refusing().map(|policy| policy.display_name.to_string());
                    Example::of(decided, names.collect())
                });
            }
            Change::NewlyAllowed => {
                for policy in call.refused_by() {
                    let name = Some(&*policy.display_name);
                    self.by_policy.add(
                        Named {
                            id: &policy.id,
                            name,
                        },
                        own,
                    );
                }
                self.newly_allowed.add(place, || {
                    let names = call
                        .refused_by()
                        .map(|policy| policy.display_name.to_string());
                    Example::of(decided, names.collect())
                });
            }
        }
    }

    /// Adds what another thread counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.without_decision += other.without_decision;
        for (reason, (count, place)) in other.refused_to_replay {
            let entry = self.refused_to_replay.entry(reason).or_insert((0, place));
            entry.0 += count;
            entry.1 = entry.1.min(place);
        }
        self.allowed_as_before += other.allowed_as_before;
        self.blocked_as_before += other.blocked_as_before;
        self.changes.add(other.changes);
        self.by_policy.merge(other.by_policy);
        self.by_agent.merge(other.by_agent);
        self.by_blueprint.merge(other.by_blueprint);
        self.by_resource.merge(other.by_resource);
        self.timeline.merge(other.timeline);
        self.newly_blocked.merge(other.newly_blocked);
        self.newly_allowed.merge(other.newly_allowed);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
    }

    /// Why lines cannot be decided again, the most frequent reason first: how many, and the first of them.
    pub(super) fn refusals(&self) -> Vec<(&str, u64, Place)> {
        let refusals = self.refused_to_replay.iter();
        let mut refusals: Vec<_> = refusals
            .map(|(reason, (count, place))| (&**reason, *count, *place))
            .collect();
        refusals.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        refusals
    }

    /// How many calls were decided again.
    pub(super) const fn replayed(&self) -> u64 {
        self.changes.calls
    }

    /// How many could not be.
    pub(super) fn not_replayable(&self) -> u64 {
        self.refused_to_replay
            .values()
            .map(|(count, _)| count)
            .sum()
    }
}

impl Counts {
    fn of(decided: &Decided<'_>) -> Self {
        let is_newly_blocked = decided.change == Change::NewlyBlocked;
        Self {
            calls: 1,
            newly_blocked: u64::from(is_newly_blocked),
            on_unknown: u64::from(is_newly_blocked && decided.is_on_unknown),
            newly_allowed: u64::from(decided.change == Change::NewlyAllowed),
        }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.newly_blocked += other.newly_blocked;
        self.on_unknown += other.on_unknown;
        self.newly_allowed += other.newly_allowed;
    }

    /// How many change.
    pub(super) const fn changed(self) -> u64 {
        self.newly_blocked.saturating_add(self.newly_allowed)
    }
}

impl Groups {
    fn add(&mut self, of: Named<'_>, counts: Counts) {
        if let Some(group) = self.groups.get_mut(of.id) {
            if group.name.is_none() {
                group.name = of.name.map(Into::into);
            }
            return group.counts.add(counts);
        }
        let name = of.name.map(Into::into);
        self.add_group(of.id.into(), Group { name, counts });
    }

    fn add_group(&mut self, id: Box<str>, group: Group) {
        if let Some(known) = self.groups.get_mut(&id) {
            known.counts.add(group.counts);
            known.name = known.name.take().or(group.name);
        } else if self.groups.len() < MAX_GROUPS {
            self.groups.insert(id, group);
        } else {
            self.others.add(group.counts);
        }
    }

    fn merge(&mut self, other: Self) {
        for (id, group) in other.groups {
            self.add_group(id, group);
        }
        self.others.add(other.others);
    }

    /// Those in which something changes, most changes first.
    pub(super) fn changed(&self) -> Vec<(&str, &Group)> {
        let groups = self.groups.iter().map(|(id, group)| (&**id, group));
        let mut changed: Vec<_> = groups
            .filter(|(_, group)| group.counts.changed() > 0)
            .collect();
        changed.sort_by_key(|(id, group)| (std::cmp::Reverse(group.counts.changed()), *id));
        changed
    }
}

impl Examples {
    /// Keeps a call if it is among the first.
    fn add(&mut self, place: Place, example: impl FnOnce() -> Example) {
        let last = self.kept.last_key_value().map(|(place, _)| *place);
        if self.kept.len() < MAX_EXAMPLES || last.is_some_and(|last| place < last) {
            self.kept.insert(place, example());
            if self.kept.len() > MAX_EXAMPLES {
                self.kept.pop_last();
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (place, example) in other.kept {
            self.add(place, || example);
        }
    }

    /// In the order of the records.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Example)> {
        self.kept.iter().map(|(place, example)| (*place, example))
    }
}

impl Example {
    fn of(decided: &Decided<'_>, policies: Vec<String>) -> Self {
        let call = &decided.call;
        let own = call.boomgate.as_ref();
        let shown = |named: Named<'_>| named.name.unwrap_or(named.id).to_owned();
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        Self {
            at: decided.at,
            decision_id: text(call.id.as_deref()),
            agent: shown(call.agent()),
            user: call.user().map(shown),
            method: text(own.and_then(|own| own.method.as_deref())),
            path: text(own.and_then(|own| own.path.as_deref())),
            resource: call.resource().id.to_owned(),
            policies,
            is_on_unknown: decided.is_on_unknown,
        }
    }
}
