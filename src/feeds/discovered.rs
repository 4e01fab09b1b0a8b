//! Agents that tokens named and the directory does not know: found by their traffic, for an operator to look at.
//!
//! Bounded: whoever was seen longest ago is forgotten first. Nothing is decided on this.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::identity::Caller;
use crate::risk::RiskSubject;
use crate::types::Timestamp;

/// How many agents are remembered.
pub const MAX_DISCOVERED: usize = 10_000;

/// One agent that the directory does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredAgent {
    /// Its object id.
    pub id: Arc<str>,
    /// What it is.
    pub subject: RiskSubject,
    /// Its blueprint's appId, if its token names one.
    pub blueprint: Option<Arc<str>>,
    /// When it was first seen, since it was last forgotten.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// How many of its calls were seen.
    pub calls: u64,
}

/// The agents that were discovered.
#[derive(Debug)]
pub struct Discovered {
    capacity: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    agents: BTreeMap<Arc<str>, (u64, DiscoveredAgent)>,
    /// Ids by the number of the sighting that was their last.
    by_sighting: BTreeMap<u64, Arc<str>>,
    sightings: u64,
}

impl Default for Discovered {
    fn default() -> Self {
        Self::with_capacity(MAX_DISCOVERED)
    }
}

impl Discovered {
    /// Remembers at most so many agents.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            table: Mutex::default(),
        }
    }

    /// A call of `caller` came at `now`. Whoever the directory knows is not remembered here.
    pub fn seen(&self, caller: &Caller, now: Timestamp) {
        let Some(agent) = caller.agent() else { return };
        let blueprint = || agent.blueprint.as_ref().map(|id| id.to_shared());
        if agent.entry.is_none() {
            let id = agent.id.to_shared();
            self.remember(id, RiskSubject::AgentIdentity, blueprint(), now);
        }
        if let Caller::AgentUser {
            id, entry: None, ..
        } = caller
        {
            self.remember(id.to_shared(), RiskSubject::AgentUser, blueprint(), now);
        }
    }

    fn remember(
        &self,
        id: Arc<str>,
        subject: RiskSubject,
        blueprint: Option<Arc<str>>,
        now: Timestamp,
    ) {
        let mut table = self.table.lock();
        let table = &mut *table;
        table.sightings = table.sightings.saturating_add(1);
        let (sighting, agent) = table.agents.entry(Arc::clone(&id)).or_insert_with(|| {
            let agent = DiscoveredAgent {
                id: Arc::clone(&id),
                subject,
                blueprint: None,
                first_seen: now,
                last_seen: now,
                calls: 0,
            };
            (0, agent)
        });
        table.by_sighting.remove(sighting);
        *sighting = table.sightings;
        agent.last_seen = now;
        agent.calls = agent.calls.saturating_add(1);
        agent.blueprint = blueprint;
        table.by_sighting.insert(table.sightings, id);
        if table.agents.len() > self.capacity
            && let Some((_, oldest)) = table.by_sighting.pop_first()
        {
            table.agents.remove(&oldest);
        }
    }

    /// The agent of this id, if it was discovered.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<DiscoveredAgent> {
        let table = self.table.lock();
        table.agents.get(id).map(|(_, agent)| agent.clone())
    }

    /// Every discovered agent, by id.
    #[must_use]
    pub fn all(&self) -> Vec<DiscoveredAgent> {
        let table = self.table.lock();
        table
            .agents
            .values()
            .map(|(_, agent)| agent.clone())
            .collect()
    }

    /// Forgets those whom the directory has come to know.
    pub fn forget(&self, known: impl Fn(&str) -> bool) {
        let mut table = self.table.lock();
        let table = &mut *table;
        table.agents.retain(|id, (sighting, _)| {
            let keep = !known(id);
            if !keep {
                table.by_sighting.remove(sighting);
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Agent;
    use crate::types::{AgentId, AgentUserId};

    fn agent(id: &str) -> Agent {
        Agent {
            id: AgentId::parse(id).unwrap(),
            blueprint: None,
            entry: None,
            blueprint_entry: None,
        }
    }

    fn ids(discovered: &Discovered) -> Vec<String> {
        let all = discovered.all().into_iter();
        all.map(|agent| agent.id.to_string()).collect()
    }

    #[test]
    fn forgets_whoever_was_seen_longest_ago() {
        let discovered = Discovered::with_capacity(2);
        for (second, id) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] {
            discovered.seen(
                &Caller::Autonomous(agent(id)),
                Timestamp::from_seconds(second),
            );
        }
        assert_eq!(ids(&discovered), ["a", "c"]);
        let first = discovered.get("a").unwrap();
        assert_eq!(first.calls, 2);
        assert_eq!(first.first_seen, Timestamp::from_seconds(1));
        assert_eq!(first.last_seen, Timestamp::from_seconds(3));
    }

    #[test]
    fn an_agent_user_is_found_beside_its_agent_identity() {
        let discovered = Discovered::default();
        let caller = Caller::AgentUser {
            id: AgentUserId::parse("user").unwrap(),
            entry: None,
            agent: agent("agent"),
        };
        discovered.seen(&caller, Timestamp::default());
        assert_eq!(ids(&discovered), ["agent", "user"]);
        assert_eq!(
            discovered.get("user").unwrap().subject,
            RiskSubject::AgentUser
        );
        discovered.forget(|id| id == "agent");
        assert_eq!(ids(&discovered), ["user"]);
    }

    #[test]
    fn stays_within_its_bound() {
        let discovered = Discovered::with_capacity(100);
        for number in 0..1_000 {
            discovered.seen(
                &Caller::Autonomous(agent(&format!("agent-{number}"))),
                Timestamp::default(),
            );
        }
        let table = discovered.table.lock();
        assert_eq!(table.agents.len(), 100);
        assert_eq!(table.by_sighting.len(), 100);
    }
}
