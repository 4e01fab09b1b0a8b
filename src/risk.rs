//! Room 3, pure: what is known of an agent's risk, and the level that follows from it.
//!
//! Effective level: `reference/entra.md` §5.5; with inheritance (`product.md` §4), the highest of an agent's
//! own, its agent identity's (for agent users) and its blueprint's. Never here: IO, and a level that cannot be explained.

pub mod detection;
pub mod read;

pub use detection::{DetectionTiming, RiskDetection};

use std::sync::Arc;

use crate::identity::{Agent, Caller};
use crate::types::{Fact, RiskLevel, RiskState, Timestamp};

/// What a risk entry is about: Graph's `agentIdentityType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskSubject {
    /// An agent identity, by its object id.
    AgentIdentity,
    /// An agent user, by its object id.
    AgentUser,
    /// A blueprint, by its principal's object id or its appId.
    AgentIdentityBlueprintPrincipal,
}

/// What one source last said of one subject. Graph's `riskyAgent`, with the source.
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
pub struct RiskTable(imbl::OrdMap<Arc<str>, Arc<RiskEntry>>);

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

impl RiskTable {
    /// What was last said of this subject.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<RiskEntry>> {
        self.0.get(id)
    }

    /// The table with this entry in place of the subject's old one.
    #[must_use]
    pub fn with(&self, entry: RiskEntry) -> Self {
        Self(self.0.update(Arc::clone(&entry.id), Arc::new(entry)))
    }

    /// Every entry, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.0.values()
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
        Self(
            entries
                .into_iter()
                .map(|e| (Arc::clone(&e.id), Arc::new(e)))
                .collect(),
        )
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

    fn level_of(&mut self, id: &str, inherited: bool) -> Fact<RiskLevel> {
        let Some(entry) = self.table.get(id) else {
            return Fact::Known(RiskLevel::None);
        };
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
