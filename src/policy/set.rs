//! A compiled set of policies, and the judgement of one call by all of them.
//!
//! Never here: an allocation beyond the result, and an order among policies that matters.

use std::cmp::Reverse;

use super::compile::CompiledPolicy;
use super::index::Index;
use super::judged::Judged;
use super::locations::NamedLocations;
use super::model::Policy;
use super::when::View;
use super::{Evaluation, FactName, FactNames, Facts, PolicyOutcome, PolicyResult, Verdict};

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
    named_locations: NamedLocations,
    index: Index,
    /// How many of them are evaluated: all that are not disabled.
    evaluated: u32,
    reads: FactNames,
}

impl PolicySet {
    /// Compiles policies, in this order, with the locations that they name. That no two share an id, and that every
    /// location exists, is for [`check_set`](super::check_set) to say.
    #[must_use]
    pub fn compile(policies: Vec<Policy>, named_locations: &NamedLocations) -> Self {
        let compile = |policy| CompiledPolicy::new(policy, named_locations);
        let policies: Vec<_> = policies.into_iter().map(compile).collect();
        let evaluated = || policies.iter().filter(|policy| policy.is_evaluated());
        let reads = evaluated().fold(FactNames::NONE, |all, policy| all.and(policy.reads()));
        Self {
            evaluated: u32::try_from(evaluated().count()).unwrap_or(u32::MAX),
            index: Index::of(&policies),
            named_locations: named_locations.clone(),
            reads,
            policies,
        }
    }

    /// Whether a policy that is evaluated reads this fact. One that none reads need not be gathered.
    #[must_use]
    pub const fn reads(&self, fact: FactName) -> bool {
        self.reads.contains(fact)
    }

    /// The locations that the policies name.
    #[must_use]
    pub const fn named_locations(&self) -> &NamedLocations {
        &self.named_locations
    }

    /// Judges one call by every policy of the set. Allocates nothing but the result.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Evaluation {
        let (one, other) = self.views(facts);
        let mut applied = Vec::new();
        self.judge_candidates(&one, &mut applied);
        if let Some(other) = other {
            self.judge_candidates(&other, &mut applied);
        }
        self.join(&mut applied);
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
        let (one, other) = self.views(facts);
        let judge = |(place, policy): (u32, &CompiledPolicy)| {
            let result = policy.judge(place, &one);
            match &other {
                Some(other) => policy.joined(result, policy.judge(place, other)),
                None => result,
            }
        };
        (0..).zip(&self.policies).map(judge).collect()
    }

    /// What is judged: the call as it concerns each of its principals.
    fn views<'a>(&'a self, facts: &'a Facts<'a>) -> (View<'a>, Option<View<'a>>) {
        let (one, other) = Judged::of(facts);
        let places = self.named_locations.places(&facts.session);
        let view = |judged| View {
            facts,
            judged,
            places,
        };
        (view(one), other.map(view))
    }

    fn judge_candidates(&self, view: &View<'_>, applied: &mut Vec<PolicyResult>) {
        self.index.each_candidate(view, |place| {
            if let Some(policy) = self.policy(place) {
                let result = policy.judge(place, view);
                if result.outcome.applied() {
                    applied.push(result);
                }
            }
        });
    }

    /// Puts the results in the order of the set, each policy once: what it says of two principals is joined.
    fn join(&self, applied: &mut Vec<PolicyResult>) {
        // The human comes before the acting agent, as where all are judged.
        applied.sort_unstable_by_key(|result| (result.policy, Reverse(result.principal)));
        applied.dedup_by(|later, earlier| {
            let policy = self.policy(earlier.policy);
            let is_same = later.policy == earlier.policy;
            if let Some(policy) = policy.filter(|_| is_same) {
                *earlier = policy.joined(*earlier, *later);
            }
            is_same
        });
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
            if !result.rests_on_unknown() {
                return Verdict::Block;
            }
            verdict = Verdict::BlockOnUnknown;
        }
    }
    verdict
}
