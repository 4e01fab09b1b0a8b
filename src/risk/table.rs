//! The table of risk: what every source last said of every subject, and what follows for a caller.
//!
//! The table does not depend on the order in which entries came: replicas that saw the same ones agree.
//! Never here: IO, and an entry that is forgotten because another source spoke.

use std::sync::Arc;

use super::{Assessment, RiskEntry, RiskInput, RiskSettings, higher};
use crate::identity::{Agent, Caller};
use crate::types::{Fact, RiskLevel, Timestamp};

/// All risk that is known. Copies share their entries, so a change costs little and a reader keeps the old table.
#[derive(Debug, Clone, Default)]
pub struct RiskTable(imbl::OrdMap<Arc<str>, Subject>);

/// What was said of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    /// One entry per source: those that count first, the gravest of them before all; then those that were overruled.
    entries: Arc<[Arc<RiskEntry>]>,
    /// How many of them count; at least one.
    counting: usize,
}

impl Subject {
    /// From one entry per source, in any order; `None` if there is none.
    fn of(mut entries: Vec<Arc<RiskEntry>>) -> Option<Self> {
        let words = entries.iter().filter(|entry| entry.state.is_of_an_admin());
        let overruling = words.map(|entry| entry.rank()).max();
        let counts = |entry: &RiskEntry| overruling.is_none_or(|word| entry.rank() >= word);
        entries.sort_by_cached_key(|entry| {
            let rank = entry.rank();
            let gravest = std::cmp::Reverse((rank.weight, rank.at, rank.tie));
            (!counts(entry), gravest, Arc::clone(&entry.source))
        });
        let counting = entries.iter().filter(|entry| counts(entry)).count();
        (counting > 0).then(|| Self {
            entries: entries.into(),
            counting,
        })
    }

    fn counting(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.entries.iter().take(self.counting)
    }
}

impl RiskTable {
    /// What is held of this subject: of what counts, the gravest.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<RiskEntry>> {
        self.0.get(id)?.entries.first()
    }

    /// What every source said of this subject: those that count first.
    pub fn of(&self, id: &str) -> impl Iterator<Item = &Arc<RiskEntry>> {
        let subject = self.0.get(id);
        subject.into_iter().flat_map(|of| of.entries.iter())
    }

    /// When something was last said of this subject.
    #[must_use]
    pub fn last_said(&self, id: &str) -> Option<Timestamp> {
        self.of(id).map(|entry| entry.last_modified).max()
    }

    /// The table with this entry in place of what its source said before of the subject, unless that was said later.
    #[must_use]
    pub fn with(&self, entry: RiskEntry) -> Self {
        let mut table = self.clone();
        table.insert(Arc::new(entry));
        table
    }

    /// The table with all that the other one says too.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        let mut table = self.clone();
        for entry in other.entries() {
            table.insert(Arc::clone(entry));
        }
        table
    }

    fn insert(&mut self, entry: Arc<RiskEntry>) {
        let id = Arc::clone(&entry.id);
        let mut entries: Vec<_> = self.of(&id).cloned().collect();
        let before = entries.iter_mut().find(|old| old.source == entry.source);
        match before {
            Some(old) if old.rank() >= entry.rank() => return,
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
        if let Some(subject) = Subject::of(entries) {
            self.0.insert(id, subject);
        }
    }

    /// The table with these entries as all that a source says: what it said before is gone.
    #[must_use]
    pub fn with_all_of(&self, source: &str, entries: &[RiskEntry]) -> Self {
        let said = |entry: &Arc<RiskEntry>| *entry.source == *source;
        let mut table = self.clone();
        for (id, subject) in &self.0 {
            if subject.entries.iter().any(said) {
                let others = subject.entries.iter().filter(|entry| !said(entry));
                match Subject::of(others.cloned().collect()) {
                    Some(subject) => table.0.insert(Arc::clone(id), subject),
                    None => table.0.remove(id),
                };
            }
        }
        table.extend(entries.iter().cloned());
        table
    }

    /// What is held of every subject, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.0.values().filter_map(|of| of.entries.first())
    }

    /// What every source said, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.0.values().flat_map(|of| of.entries.iter())
    }

    /// How many subjects have an entry.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was ever said of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The effective risk of `caller`.
    #[must_use]
    pub fn assess(&self, caller: &Caller, settings: RiskSettings) -> Assessment {
        let mut reading = Reading {
            table: self,
            settings,
            inputs: Vec::new(),
        };
        let unknown = Fact::Known(RiskLevel::None);
        let (agent, agent_user) = match caller {
            Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => {
                (reading.agent(agent, false), unknown)
            }
            Caller::AgentUser { id, agent, .. } => {
                let own = reading.level_of(id.as_str(), false);
                let parent = reading.agent(agent, true);
                let user = if settings.inherit {
                    higher(own, parent)
                } else {
                    own
                };
                (parent, user)
            }
            Caller::NotAgent(_) => (unknown, unknown),
        };
        Assessment {
            agent,
            agent_user,
            inputs: reading.inputs,
        }
    }
}

impl FromIterator<RiskEntry> for RiskTable {
    fn from_iter<I: IntoIterator<Item = RiskEntry>>(entries: I) -> Self {
        let mut table = Self::default();
        table.extend(entries);
        table
    }
}

impl Extend<RiskEntry> for RiskTable {
    fn extend<I: IntoIterator<Item = RiskEntry>>(&mut self, entries: I) {
        for entry in entries {
            self.insert(Arc::new(entry));
        }
    }
}

/// One assessment under way.
struct Reading<'a> {
    table: &'a RiskTable,
    settings: RiskSettings,
    inputs: Vec<RiskInput>,
}

impl Reading<'_> {
    /// An agent identity's level: its own, and its blueprint's where levels are inherited.
    fn agent(&mut self, agent: &Agent, inherited: bool) -> Fact<RiskLevel> {
        let own = self.level_of(agent.id.as_str(), inherited);
        if !self.settings.inherit {
            return own;
        }
        let mut level = own;
        if let Some(app_id) = &agent.blueprint {
            level = higher(level, self.level_of(app_id.as_str(), true));
        }
        let principal = agent
            .blueprint_entry
            .as_ref()
            .and_then(|b| b.principal_id.as_ref());
        if let Some(principal) = principal {
            level = higher(level, self.level_of(principal.as_str(), true));
        }
        level
    }

    /// The highest level of what counts of one subject.
    fn level_of(&mut self, id: &str, inherited: bool) -> Fact<RiskLevel> {
        let mut highest = Fact::Known(RiskLevel::None);
        let subject = self.table.0.get(id);
        for entry in subject.into_iter().flat_map(Subject::counting) {
            self.inputs.push(RiskInput {
                entry: Arc::clone(entry),
                inherited,
            });
            let level = entry.effective_level();
            let level = level.map_or(self.settings.withheld(), Fact::Known);
            highest = higher(highest, level);
        }
        highest
    }
}

#[cfg(test)]
mod tests;
