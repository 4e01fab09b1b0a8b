//! A compiled set of policies.

use std::sync::Arc;

use super::{Evaluation, Facts, Verdict};
use crate::types::PolicyId;

/// How a policy counts: `conditionalAccessPolicyState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyState {
    /// Enforced.
    Enabled,
    /// Not evaluated.
    Disabled,
    /// Evaluated and recorded, never enforced.
    EnabledForReportingButNotEnforced,
}

/// What others may know of a compiled policy.
#[derive(Debug)]
pub struct CompiledPolicy {
    /// Its id.
    pub id: PolicyId,
    /// For people.
    pub display_name: Arc<str>,
    /// How it counts.
    pub state: PolicyState,
}

/// A compiled set of policies, immutable.
#[derive(Debug, Default)]
pub struct PolicySet {
    policies: Vec<CompiledPolicy>,
}

impl PolicySet {
    /// Judges one call by every policy of the set.
    pub fn evaluate(&self, _facts: &Facts<'_>) -> Evaluation {
        Evaluation {
            verdict: Verdict::Block,
            applied: Vec::new(),
            not_applied: 0,
        }
    }

    /// The policy at this place of the set.
    #[must_use]
    pub fn policy(&self, place: u32) -> Option<&CompiledPolicy> {
        self.policies.get(usize::try_from(place).ok()?)
    }

    /// Every policy, in order.
    pub fn iter(&self) -> impl Iterator<Item = &CompiledPolicy> {
        self.policies.iter()
    }
}
