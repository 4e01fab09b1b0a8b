//! The profiles of all agents, up to a limit. When there is no room, one that was not used lately is forgotten, and counted.
//!
//! Never here: what is in a profile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::profile::Profile;

/// One agent's place.
#[derive(Debug, Clone, Default)]
struct Place {
    profile: Profile,
    /// Whether it called again since the search for one to forget came by.
    is_used: bool,
}

/// Profiles by agent.
#[derive(Debug, Clone)]
pub(super) struct Agents {
    limit: usize,
    places: BTreeMap<Arc<str>, Box<Place>>,
    /// All of them, in the order in which the search comes by.
    round: VecDeque<Arc<str>>,
    evicted: u64,
}

impl Agents {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            places: BTreeMap::new(),
            round: VecDeque::new(),
            evicted: 0,
        }
    }

    /// From now on so many. Those above are forgotten.
    pub(super) fn limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
        self.make_room(self.limit);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The profile of an agent, if it has one.
    pub(super) fn known(&mut self, agent: &str) -> Option<&mut Profile> {
        self.places.get_mut(agent).map(|place| &mut place.profile)
    }

    /// The profile of an agent that calls, an empty one if it had none. A new one is the next to go, until it calls again.
    pub(super) fn of(&mut self, agent: &Arc<str>) -> &mut Profile {
        let is_known = self.places.contains_key(agent);
        if !is_known {
            self.make_room(self.limit.saturating_sub(1));
            self.round.push_back(Arc::clone(agent));
        }
        let place = self.places.entry(Arc::clone(agent)).or_default();
        place.is_used = is_known;
        &mut place.profile
    }

    /// Forgets until there are no more than so many. Nobody is come by more than twice for one that is forgotten.
    fn make_room(&mut self, most: usize) {
        while self.places.len() > most {
            let Some(agent) = self.round.pop_front() else {
                return;
            };
            match self.places.get_mut(&agent) {
                Some(place) if place.is_used => {
                    place.is_used = false;
                    self.round.push_back(agent);
                }
                Some(_) | None => {
                    self.places.remove(&agent);
                    self.evicted = self.evicted.saturating_add(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_called_once_goes_before_who_calls_again_and_each_is_counted() {
        let mut agents = Agents::new(3);
        let [old, busy] = ["old", "busy"].map(Arc::<str>::from);
        for agent in [&busy, &busy, &old, &old] {
            agents.of(agent);
        }
        for number in 0..100 {
            agents.of(&format!("once-{number}").into());
            agents.of(&busy);
        }
        assert_eq!(agents.len(), 3);
        assert!(agents.known("busy").is_some());
        assert!(agents.known("old").is_none());
        assert_eq!(agents.evicted(), 99);
        agents.limit(1);
        assert_eq!((agents.len(), agents.evicted()), (1, 101));
    }
}
