//! Room 3, pure: what is known of the risk of agents, humans, their sign-ins and workloads, and the levels that follow.
//!
//! Effective level: `reference/entra.md` §5.5; with inheritance (`product.md` §4), the highest of an agent's
//! own, its agent identity's (for agent users) and its blueprint's. Never here: IO, and a level that cannot be explained.

pub mod detection;
pub mod read;

pub use detection::{DetectionTiming, RiskDetection};

use std::sync::Arc;

use crate::identity::{Account, Agent, Caller};
use crate::types::{Fact, InsiderRiskLevel, ObjectId, RiskLevel, RiskState, Timestamp};

/// What a risk entry is about: Graph's `agentIdentityType`, and the other subjects of identity protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskSubject {
    /// An agent identity, by its object id.
    AgentIdentity,
    /// An agent user, by its object id.
    AgentUser,
    /// A blueprint, by its principal's object id or its appId.
    AgentIdentityBlueprintPrincipal,
    /// A human, by object id or the issuer's subject.
    User,
    /// A classic workload, by its service principal's object id.
    ServicePrincipal,
    /// A human's session, by the token's `sid`, or the one token, by its own id.
    SignIn,
    /// A human as an insider. The levels are `minor`, `moderate` and `elevated`, kept as low, medium and high.
    Insider,
}

/// What one source last said of one subject. Graph's `riskyAgent`, `riskyUser`, `riskyServicePrincipal` or
/// `riskDetection`, with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskEntry {
    /// The subject's id.
    pub id: Arc<str>,
    /// What kind of subject.
    pub subject: RiskSubject,
    /// The reported level; `None`: withheld (Graph's `hidden`), which is not the same as `none`.
    pub level: Option<RiskLevel>,
    /// What became of it.
    pub state: RiskState,
    /// Graph's `riskDetail`.
    pub detail: Arc<str>,
    /// `riskLastModifiedDateTime`.
    pub last_modified: Timestamp,
    /// Who said so: `file`, `management`.
    pub source: Arc<str>,
}

impl RiskEntry {
    /// The level that counts; `None` where it is withheld.
    #[must_use]
    pub fn effective_level(&self) -> Option<RiskLevel> {
        if self.state.level_counts() {
            self.level
        } else {
            Some(RiskLevel::None)
        }
    }
}

/// All risk that is known. Copies share their entries, so a change costs little and a reader keeps the old table.
#[derive(Debug, Clone, Default)]
pub struct RiskTable {
    agents: Entries,
    users: Entries,
    service_principals: Entries,
    insiders: Entries,
    /// A session may have several reports.
    sign_ins: imbl::OrdMap<Arc<str>, imbl::Vector<Arc<RiskEntry>>>,
}

type Entries = imbl::OrdMap<Arc<str>, Arc<RiskEntry>>;

/// One entry that took part in an assessment: the record's `riskInputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskInput {
    /// The entry.
    pub entry: Arc<RiskEntry>,
    /// Whether it is about the caller's parent or blueprint rather than the caller itself.
    pub inherited: bool,
}

/// The effective risk of a caller, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The agent identity's level.
    pub agent: Fact<RiskLevel>,
    /// The agent user's level, where there is one.
    pub agent_user: Fact<RiskLevel>,
    /// The human's level, where there is one.
    pub user: Fact<RiskLevel>,
    /// The level of the human's sign-in.
    pub sign_in: Fact<RiskLevel>,
    /// The human's level as an insider.
    pub insider: Fact<InsiderRiskLevel>,
    /// The classic workload's level, if the caller is one.
    pub service_principal: Fact<RiskLevel>,
    /// The entries that were read.
    pub inputs: Vec<RiskInput>,
}

/// How levels combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskSettings {
    /// Whether an agent inherits from its parent and blueprint. Off under `entra_parity`.
    pub inherit: bool,
    /// Whether a withheld level fails closed ([`Fact::RequiredUnknown`]) instead of counting as unknown.
    pub required: bool,
}

impl RiskSettings {
    /// What a withheld level amounts to.
    #[must_use]
    pub const fn withheld(self) -> Fact<RiskLevel> {
        if self.required {
            Fact::RequiredUnknown
        } else {
            Fact::Unknown
        }
    }
}

/// By what the sign-in behind a token is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignInIds<'a> {
    /// The session.
    pub session: Option<&'a str>,
    /// The token.
    pub token: Option<&'a str>,
}

impl RiskTable {
    /// What was last said of this agent identity, agent user or blueprint.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<RiskEntry>> {
        self.agents.get(id)
    }

    /// The table with this entry in place of the subject's old one.
    #[must_use]
    pub fn with(&self, entry: RiskEntry) -> Self {
        let mut table = self.clone();
        table.put(entry);
        table
    }

    fn put(&mut self, entry: RiskEntry) {
        let (id, entry) = (Arc::clone(&entry.id), Arc::new(entry));
        let entries = match entry.subject {
            RiskSubject::AgentIdentity
            | RiskSubject::AgentUser
            | RiskSubject::AgentIdentityBlueprintPrincipal => &mut self.agents,
            RiskSubject::User => &mut self.users,
            RiskSubject::ServicePrincipal => &mut self.service_principals,
            RiskSubject::Insider => &mut self.insiders,
            RiskSubject::SignIn => {
                self.sign_ins.entry(id).or_default().push_back(entry);
                return;
            }
        };
        entries.insert(id, entry);
    }

    /// Every entry of an agent, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.agents.values()
    }

    /// How many agents have an entry.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether nothing was ever said of any agent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
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

impl Assessment {
    /// Nothing was said of anybody.
    const NONE: Self = Self {
        agent: Fact::Known(RiskLevel::None),
        agent_user: Fact::Known(RiskLevel::None),
        user: Fact::Known(RiskLevel::None),
        sign_in: Fact::Known(RiskLevel::None),
        insider: Fact::Known(InsiderRiskLevel::None),
        service_principal: Fact::Known(RiskLevel::None),
        inputs: Vec::new(),
    };
}

/// The level of an insider, as it was reported.
#[must_use]
pub const fn insider_level(level: RiskLevel) -> InsiderRiskLevel {
    match level {
        RiskLevel::None => InsiderRiskLevel::None,
        RiskLevel::Low => InsiderRiskLevel::Minor,
        RiskLevel::Medium => InsiderRiskLevel::Moderate,
        RiskLevel::High => InsiderRiskLevel::Elevated,
    }
}

impl FromIterator<RiskEntry> for RiskTable {
    fn from_iter<I: IntoIterator<Item = RiskEntry>>(entries: I) -> Self {
        let mut table = Self::default();
        for entry in entries {
            table.put(entry);
        }
        table
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
        let principal = agent
            .blueprint_entry
            .as_ref()
            .and_then(|b| b.principal_id.as_ref());
        if let Some(principal) = principal {
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
    fn level_of_human(&mut self, entries: &Entries, id: Option<&ObjectId>) -> Fact<RiskLevel> {
        match id {
            Some(id) => self.level_of(entries, id.as_str(), false),
            None if entries.is_empty() => Fact::Known(RiskLevel::None),
            None => self.settings.withheld(),
        }
    }

    /// The highest level that was reported of a sign-in. One that cannot be told from others may be any of those.
    fn sign_in(&mut self, ids: SignInIds<'_>) -> Fact<RiskLevel> {
        let table: &'a RiskTable = self.table;
        let known = [ids.session, ids.token];
        if known.iter().all(Option::is_none) && !table.sign_ins.is_empty() {
            return self.settings.withheld();
        }
        let mut level = Fact::Known(RiskLevel::None);
        for id in known.into_iter().flatten() {
            for entry in table.sign_ins.get(id).into_iter().flatten() {
                level = higher(level, self.level(entry, false));
            }
        }
        level
    }

    fn level_of(&mut self, entries: &Entries, id: &str, inherited: bool) -> Fact<RiskLevel> {
        match entries.get(id) {
            Some(entry) => self.level(entry, inherited),
            None => Fact::Known(RiskLevel::None),
        }
    }

    fn level(&mut self, entry: &Arc<RiskEntry>, inherited: bool) -> Fact<RiskLevel> {
        self.inputs.push(RiskInput {
            entry: Arc::clone(entry),
            inherited,
        });
        let level = entry.effective_level();
        level.map_or(self.settings.withheld(), Fact::Known)
    }
}

/// The higher of two levels. An unknown one could be anything: it stands, unless the other is already the highest.
fn higher(one: Fact<RiskLevel>, other: Fact<RiskLevel>) -> Fact<RiskLevel> {
    match (one, other) {
        (Fact::Known(RiskLevel::High), _) | (_, Fact::Known(RiskLevel::High)) => {
            Fact::Known(RiskLevel::High)
        }
        (Fact::RequiredUnknown, _) | (_, Fact::RequiredUnknown) => Fact::RequiredUnknown,
        (Fact::Known(one), Fact::Known(other)) => Fact::Known(one.max(other)),
        // An optional source that is silent takes nothing away from what another one says.
        (Fact::Known(known), Fact::Unknown) | (Fact::Unknown, Fact::Known(known)) => {
            if known > RiskLevel::None {
                Fact::Known(known)
            } else {
                Fact::Unknown
            }
        }
        (Fact::Unknown, Fact::Unknown) => Fact::Unknown,
    }
}

#[cfg(test)]
mod tests;
