//! The table of risk: what every source last said of every subject, and what follows for a caller.
//!
//! The table does not depend on the order in which entries came: replicas that saw the same ones agree.
//! Never here: IO, and an entry that is forgotten because another source spoke.

mod subjects;

use std::sync::Arc;

use self::subjects::Subjects;
use super::{
    Assessment, RiskEntry, RiskInput, RiskSettings, RiskSubject, SignInIds, higher, insider_level,
};
use crate::identity::{Account, Agent, Caller};
use crate::types::{Fact, ObjectId, RiskLevel, Timestamp};

/// All risk that is known. Copies share their entries, so a change costs little and a reader keeps the old table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RiskTable {
    agents: Subjects,
    users: Subjects,
    service_principals: Subjects,
    insiders: Subjects,
    sign_ins: Subjects,
}

impl RiskTable {
    /// What is held of this agent identity, agent user or blueprint: of what counts, the gravest.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<RiskEntry>> {
        self.agents.entries_of(id).next()
    }

    /// What every source said of this agent: those that count first.
    pub fn of(&self, id: &str) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.agents.entries_of(id)
    }

    /// Whether the source of this entry said this before, or something later.
    #[must_use]
    pub fn holds(&self, entry: &RiskEntry) -> bool {
        self.subjects(entry.subject).holds(entry)
    }

    const fn subjects(&self, kind: RiskSubject) -> &Subjects {
        match kind {
            RiskSubject::AgentIdentity
            | RiskSubject::AgentUser
            | RiskSubject::AgentIdentityBlueprintPrincipal => &self.agents,
            RiskSubject::User => &self.users,
            RiskSubject::ServicePrincipal => &self.service_principals,
            RiskSubject::Insider => &self.insiders,
            RiskSubject::SignIn => &self.sign_ins,
        }
    }

    /// When something was last said of this agent.
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
        let mut table = self.clone();
        for entry in other.entries() {
            table.insert(Arc::clone(entry));
        }
        table
    }

    /// The table with these entries as all that a source says: what it said before is gone.
    #[must_use]
    pub fn with_all_of(&self, source: &str, entries: &[RiskEntry]) -> Self {
        let mut table = Self {
            agents: self.agents.without(source),
            users: self.users.without(source),
            service_principals: self.service_principals.without(source),
            insiders: self.insiders.without(source),
            sign_ins: self.sign_ins.without(source),
        };
        table.extend(entries.iter().cloned());
        table
    }

    /// The table without these entries, unless their sources said something later.
    #[must_use]
    pub fn without(&self, over: &[Arc<RiskEntry>]) -> Self {
        let mut table = self.clone();
        for entry in over {
            table.subjects_mut(entry.subject).remove(entry);
        }
        table
    }

    const fn subjects_mut(&mut self, kind: RiskSubject) -> &mut Subjects {
        match kind {
            RiskSubject::AgentIdentity
            | RiskSubject::AgentUser
            | RiskSubject::AgentIdentityBlueprintPrincipal => &mut self.agents,
            RiskSubject::User => &mut self.users,
            RiskSubject::ServicePrincipal => &mut self.service_principals,
            RiskSubject::Insider => &mut self.insiders,
            RiskSubject::SignIn => &mut self.sign_ins,
        }
    }

    fn insert(&mut self, entry: Arc<RiskEntry>) {
        self.subjects_mut(entry.subject).put(entry);
    }

    /// What is held of every agent, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.agents.gravest()
    }

    /// What every source said of every subject of any kind.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        let of_humans = self.users.entries().chain(self.insiders.entries());
        let of_others = self.service_principals.entries();
        let of_sign_ins = self.sign_ins.entries();
        let of_agents = self.agents.entries();
        of_agents
            .chain(of_humans)
            .chain(of_others)
            .chain(of_sign_ins)
    }

    /// How many agents have an entry.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether nothing was ever said of any agent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.len() == 0
    }

    /// The effective risk of `caller`, and of the sign-in that its token is from.
    #[must_use]
    pub fn assess(
        &self,
        caller: &Caller,
        sign_in: SignInIds<'_>,
        settings: RiskSettings,
    ) -> Assessment {
        let mut reading = Reading {
            table: self,
            settings,
            inputs: Vec::new(),
        };
        let mut levels = Assessment::NONE;
        match caller {
            Caller::Autonomous(agent) => levels.agent = reading.agent(agent, false),
            Caller::OnBehalfOf { human, agent } => {
                levels.agent = reading.agent(agent, false);
                reading.human(human.id.as_ref(), sign_in, &mut levels);
            }
            Caller::AgentUser { id, agent, .. } => {
                let own = reading.level_of(&self.agents, id.as_str(), false);
                levels.agent = reading.agent(agent, true);
                levels.agent_user = if settings.inherit {
                    higher(own, levels.agent)
                } else {
                    own
                };
            }
            Caller::NotAgent(caller) => match &caller.account {
                Account::Unnamed => reading.human(None, sign_in, &mut levels),
                Account::Human(_) => reading.human(Some(&caller.id), sign_in, &mut levels),
                Account::Workload(entry) => {
                    let id = entry.as_ref().map_or(&caller.id, |entry| &entry.id);
                    levels.service_principal =
                        reading.level_of(&self.service_principals, id.as_str(), false);
                }
            },
        }
        levels.inputs = reading.inputs;
        levels
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

impl<'a> Reading<'a> {
    /// An agent identity's level: its own, and its blueprint's where levels are inherited.
    fn agent(&mut self, agent: &Agent, inherited: bool) -> Fact<RiskLevel> {
        let table: &'a RiskTable = self.table;
        let own = self.level_of(&table.agents, agent.id.as_str(), inherited);
        if !self.settings.inherit {
            return own;
        }
        let mut level = own;
        if let Some(app_id) = &agent.blueprint {
            level = higher(level, self.level_of(&table.agents, app_id.as_str(), true));
        }
        if let Some(principal) = agent.blueprint_principal() {
            level = higher(
                level,
                self.level_of(&table.agents, principal.as_str(), true),
            );
        }
        level
    }

    /// A human's levels: of the account, as an insider, and of the sign-in.
    fn human(&mut self, id: Option<&ObjectId>, sign_in: SignInIds<'_>, levels: &mut Assessment) {
        let table: &'a RiskTable = self.table;
        levels.user = self.level_of_human(&table.users, id);
        let insider = self.level_of_human(&table.insiders, id);
        levels.insider = insider.map(insider_level);
        levels.sign_in = self.sign_in(sign_in);
    }

    /// A human whom nobody names may be any of those of whom something was said.
    fn level_of_human(&mut self, subjects: &Subjects, id: Option<&ObjectId>) -> Fact<RiskLevel> {
        match id {
            Some(id) => self.level_of(subjects, id.as_str(), false),
            None if subjects.len() == 0 => Fact::Known(RiskLevel::None),
            None => self.settings.withheld(),
        }
    }

    /// The highest level that was reported of a sign-in. One that cannot be told from others may be any of those.
    fn sign_in(&mut self, ids: SignInIds<'_>) -> Fact<RiskLevel> {
        let table: &'a RiskTable = self.table;
        let known = [ids.session, ids.token];
        if known.iter().all(Option::is_none) && table.sign_ins.len() > 0 {
            return self.settings.withheld();
        }
        let mut level = Fact::Known(RiskLevel::None);
        for id in known.into_iter().flatten() {
            level = higher(level, self.level_of(&table.sign_ins, id, false));
        }
        level
    }

    /// The highest level of what counts of one subject.
    fn level_of(&mut self, subjects: &Subjects, id: &str, inherited: bool) -> Fact<RiskLevel> {
        let mut highest = Fact::Known(RiskLevel::None);
        for entry in subjects.counting(id) {
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
