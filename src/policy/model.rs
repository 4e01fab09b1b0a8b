//! A policy as its author meant it: Graph's `conditionalAccessPolicy`, of which the members that are honoured are typed.
//!
//! [`read`](mod@super::read) makes it, [`PolicySet`](super::PolicySet) is compiled from it. Beside the typed members it
//! keeps its JSON whole, to be shown and written back. Never here: a meaning that is read from that JSON.

mod conditions;
mod reach;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Controls, PolicyState};
use crate::types::{ObjectId, PolicyId};

pub use conditions::{
    AgentTarget, ApplicationTarget, Assignment, Choice, ConditionSet, Filter, FilterMode, Guests,
    LocationTarget, PlatformTarget, RiskLevels, UserTarget, WorkloadTarget,
};

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
    /// Paths of the members that are configured and not understood, in the order of the file.
    pub not_understood: Vec<Arc<str>>,
    /// Where it names named locations by id.
    pub named_locations: Vec<Reference>,
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

/// `grantControls`: what is demanded of a call to which the policy applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GrantControls {
    /// `operator`
    pub operator: Operator,
    /// Which are demanded.
    pub controls: Controls,
    /// The id of the `authenticationStrength`.
    pub authentication_strength: Option<ObjectId>,
    /// `termsOfUse`: ids of agreements.
    pub terms_of_use: Vec<ObjectId>,
    /// `customAuthenticationFactors`
    pub custom_factors: Vec<Arc<str>>,
}

/// How the controls of a policy combine. `block` stands above it: it always refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operator {
    /// Each must be satisfied.
    #[default]
    And,
    /// One must be.
    Or,
}

/// A place where a policy names what is defined elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it names.
    pub id: ObjectId,
    /// The member, as a path in the file.
    pub member: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}
