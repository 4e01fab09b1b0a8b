//! A compiled set of policies, and the judgement of one call by all of them.
//!
//! Never here: an allocation beyond the result, and an order among policies that matters.

use super::compile::{CompiledPolicy, Judged};
use super::index::Index;
use super::model::Policy;
use super::{Evaluation, Facts, PolicyOutcome, PolicyResult, Verdict};

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

impl PolicyState {
    /// Every state, in Graph's numeric order.
    pub const ALL: [Self; 3] = [
        Self::Enabled,
        Self::Disabled,
        Self::EnabledForReportingButNotEnforced,
    ];

    /// Graph's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::EnabledForReportingButNotEnforced => "enabledForReportingButNotEnforced",
        }
    }

    /// Reads Graph's name of a state, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(text))
    }
}

/// A compiled set of policies, immutable.
#[derive(Debug, Default)]
pub struct PolicySet {
    policies: Vec<CompiledPolicy>,
    index: Index,
    /// How many of them are evaluated: all that are not disabled.
    evaluated: u32,
}

impl PolicySet {
    /// Compiles policies, in this order. That no two share an id is for [`check_set`](super::check_set) to say.
    #[must_use]
    pub fn compile(policies: Vec<Policy>) -> Self {
        let policies: Vec<_> = policies.into_iter().map(CompiledPolicy::new).collect();
        let evaluated = policies.iter().filter(|policy| policy.is_evaluated());
        Self {
            evaluated: u32::try_from(evaluated.count()).unwrap_or(u32::MAX),
            index: Index::of(&policies),
            policies,
        }
    }

    /// Judges one call by every policy of the set. Allocates nothing but the result.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Evaluation {
        let judged = Judged::of(facts);
        let mut applied = Vec::new();
        for place in self.index.candidates(judged, facts.resource.app_id.known()) {
            if let Some(policy) = self.policy(place) {
                let result = policy.judge(place, judged, &facts.resource);
                if result.outcome.applied() {
                    applied.push(result);
                }
            }
        }
        let applied_count = u32::try_from(applied.len()).unwrap_or(u32::MAX);
        Evaluation {
            verdict: verdict(&applied),
            not_applied: self.evaluated.saturating_sub(applied_count),
            applied,
        }
    }

    /// What each policy of the set says of one call, those that do not apply and the disabled ones too.
    #[must_use]
    pub fn evaluate_all(&self, facts: &Facts<'_>) -> Vec<PolicyResult> {
        let judged = Judged::of(facts);
        (0..)
            .zip(&self.policies)
            .map(|(place, policy)| policy.judge(place, judged, &facts.resource))
            .collect()
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

    /// How many policies there are, in any state.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

/// Block wins; it rests on an unknown only where every policy that blocks does.
fn verdict(applied: &[PolicyResult]) -> Verdict {
    let mut verdict = Verdict::Allow;
    for result in applied {
        if result.outcome == PolicyOutcome::Failure {
            if result.unknown.is_empty() {
                return Verdict::Block;
            }
            verdict = Verdict::BlockOnUnknown;
        }
    }
    verdict
}
