//! A policy as its author meant it: Graph's `conditionalAccessPolicy`, of which the members that are honoured are typed.
//!
//! [`read`](mod@super::read) makes it, [`PolicySet`](super::PolicySet) is compiled from it. Beside the typed members it
//! keeps its JSON whole, to be shown and written back. Never here: a meaning that is read from that JSON.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::PolicyState;
use super::filter::FilterRule;
use crate::types::{AppId, ObjectId, PolicyId, RiskLevel};

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// For people; the id where the author gave none.
    pub display_name: Arc<str>,
    /// How it counts. A policy that is not understood whole is never [`PolicyState::Enabled`].
    pub state: PolicyState,
    /// Where it was read.
    pub origin: Origin,
    /// Whom it concerns and when.
    pub conditions: ConditionSet,
    /// What it demands where it applies.
    pub grant_controls: GrantControls,
    /// Paths of the members that are configured and not understood or not honoured yet, in the order of the file.
    pub not_understood: Vec<Arc<str>>,
    /// The object as it was exported, unknown members included, without the annotations that say something of the
    /// export and nothing of the policy.
    pub source: Map<String, Value>,
}

impl Policy {
    /// Whether every configured member is honoured.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.not_understood.is_empty()
    }
}

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's name as the operator gave it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// `conditions`: each that is configured must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionSet {
    /// `applications`: the resources.
    pub applications: Assignment<ApplicationTarget>,
    /// `clientApplications`, as far as it is about agent identities.
    pub agent_identities: Assignment<AgentTarget>,
    /// `agents`, and of `users` the older `AllAgentIdUsers`, which Graph rewrites to the same.
    pub agent_users: Assignment<AgentTarget>,
    /// `agentIdRiskLevels`; `None` where it is not configured.
    pub agent_risk: Option<RiskLevels>,
}

/// Who or what is included, less what is excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment<T> {
    /// What the include list names.
    pub include: Vec<T>,
    /// What the exclude list names; it beats every inclusion.
    pub exclude: Vec<T>,
    /// What attributes say.
    pub filter: Option<Filter>,
}

impl<T> Default for Assignment<T> {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            filter: None,
        }
    }
}

impl<T> Assignment<T> {
    /// Whether nothing of it is configured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.filter.is_none()
    }

    /// Whether a filter in `include` mode stands for the list that is not there.
    #[must_use]
    pub fn is_included_by_filter_alone(&self) -> bool {
        let includes = |filter: &Filter| filter.mode == FilterMode::Include;
        self.include.is_empty() && self.filter.as_ref().is_some_and(includes)
    }
}

/// An attribute filter of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What a match does.
    pub mode: FilterMode,
    /// What matches.
    pub rule: FilterRule,
}

/// What the match of a filter does: `filterMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterMode {
    /// Only what matches stays included; without an include list, what matches is included.
    Include,
    /// What matches is excluded.
    Exclude,
}

/// An item of a list of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplicationTarget {
    /// Every resource.
    All,
    /// No resource.
    None,
    /// Every resource that is itself an agent.
    AllAgentIdResources,
    /// Microsoft's group of applications of this name. No resource here belongs to one.
    Group(&'static str),
    /// The resource of this appId.
    Id(AppId),
}

/// An item of a list of agent identities or of agent users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentTarget {
    /// Every one.
    All,
    /// Nobody.
    None,
    /// The agent user of this id; the agent identity of this id, or all of the blueprint with this
    /// appId or principal id.
    Id(ObjectId),
}

/// A set of risk levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RiskLevels {
    low: bool,
    medium: bool,
    high: bool,
}

impl RiskLevels {
    /// This level too. `None` is no level that a policy can ask for.
    #[must_use]
    pub const fn with(mut self, level: RiskLevel) -> Self {
        match level {
            RiskLevel::None => {}
            RiskLevel::Low => self.low = true,
            RiskLevel::Medium => self.medium = true,
            RiskLevel::High => self.high = true,
        }
        self
    }

    /// Whether the level is in the set.
    #[must_use]
    pub const fn contains(self, level: RiskLevel) -> bool {
        match level {
            RiskLevel::None => false,
            RiskLevel::Low => self.low,
            RiskLevel::Medium => self.medium,
            RiskLevel::High => self.high,
        }
    }
}

/// `grantControls`: what is demanded of a call to which the policy applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GrantControls {
    /// `block`: the call is refused.
    pub block: bool,
}
