//! What an evaluation says: a verdict, and per policy a result with the conditions and rules behind it.
//!
//! The names are Graph's (`reference/entra.md` §4.3, §7.3), so that records need no translation.

use super::{Condition, Conditions, ControlResults, Controls, Principal, Principals, Rules};

/// The verdict over all policies. There is no order among policies, and block wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No enforced policy blocks; also when none applies.
    Allow,
    /// An enforced policy blocks on what is known.
    Block,
    /// An enforced policy blocks, and each that does rests on a required fact that nobody could tell.
    BlockOnUnknown,
}

/// A result per policy: `appliedConditionalAccessPolicyResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyOutcome {
    /// Enforced, applies, and its controls are satisfied.
    Success,
    /// Enforced, applies, and blocks, or demands what is not satisfied.
    Failure,
    /// Enforced, does not apply.
    NotApplied,
    /// Disabled.
    NotEnabled,
    /// Report-only, applies as far as it is understood, but it is not understood whole.
    Unknown,
    /// Report-only, applies, and its controls are satisfied.
    ReportOnlySuccess,
    /// Report-only, applies, and would refuse.
    ReportOnlyFailure,
    /// Report-only, does not apply.
    ReportOnlyNotApplied,
    /// Report-only, applies, and would ask the human for what is missing.
    ReportOnlyInterrupted,
}

impl PolicyOutcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Failure,
        Self::NotApplied,
        Self::NotEnabled,
        Self::Unknown,
        Self::ReportOnlySuccess,
        Self::ReportOnlyFailure,
        Self::ReportOnlyNotApplied,
        Self::ReportOnlyInterrupted,
    ];

    /// Graph's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::NotApplied => "notApplied",
            Self::NotEnabled => "notEnabled",
            Self::Unknown => "unknown",
            Self::ReportOnlySuccess => "reportOnlySuccess",
            Self::ReportOnlyFailure => "reportOnlyFailure",
            Self::ReportOnlyNotApplied => "reportOnlyNotApplied",
            Self::ReportOnlyInterrupted => "reportOnlyInterrupted",
        }
    }

    /// Whether the policy applied to the call, enforced or not.
    #[must_use]
    pub const fn applied(self) -> bool {
        match self {
            Self::Success
            | Self::Failure
            | Self::Unknown
            | Self::ReportOnlySuccess
            | Self::ReportOnlyFailure
            | Self::ReportOnlyInterrupted => true,
            Self::NotApplied | Self::NotEnabled | Self::ReportOnlyNotApplied => false,
        }
    }
}

/// What one policy said of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyResult {
    /// The policy's place in its [`PolicySet`](super::PolicySet).
    pub policy: u32,
    /// The result.
    pub outcome: PolicyOutcome,
    /// Of whom the rest speaks: where two principals are judged, of the one whom the policy hits harder.
    pub principal: Principal,
    /// To whom it applies.
    pub principals: Principals,
    /// Configured conditions that hold.
    pub satisfied: Conditions,
    /// Configured conditions that do not hold.
    pub not_satisfied: Conditions,
    /// Conditions that count as met only because a required fact is unknown.
    pub unknown: Conditions,
    /// Include rules that matched.
    pub included_by: Rules,
    /// Exclude rules that matched.
    pub excluded_by: Rules,
    /// What became of its controls, where it applies.
    pub controls: ControlResults,
}

impl PolicyResult {
    /// That of a policy of which nothing else is said.
    #[must_use]
    pub fn bare(policy: u32, outcome: PolicyOutcome, principal: Principal) -> Self {
        Self {
            policy,
            outcome,
            principal,
            principals: Principals::NONE,
            satisfied: Conditions::NONE,
            not_satisfied: Conditions::NONE,
            unknown: Conditions::NONE,
            included_by: Rules::NONE,
            excluded_by: Rules::NONE,
            controls: ControlResults::default(),
        }
    }

    /// Whether it would come out otherwise, or might, if every required source had told.
    #[must_use]
    pub const fn rests_on_unknown(&self) -> bool {
        !self.unknown.is_empty() || self.controls.fails_on_unknown
    }
}

/// What all policies said of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Evaluation {
    /// The verdict.
    pub verdict: Verdict,
    /// The policies that applied, enforced or report-only, in the order of the set.
    pub applied: Vec<PolicyResult>,
    /// How many enabled or report-only policies did not apply.
    pub not_applied: u32,
}

impl Evaluation {
    /// Of a call that no policy judges.
    pub const NONE: Self = Self {
        verdict: Verdict::Allow,
        applied: Vec::new(),
        not_applied: 0,
    };

    /// Whether a policy that refuses may only do so, because this condition rests on an unknown.
    #[must_use]
    pub fn blocks_on_unknown(&self, condition: Condition) -> bool {
        let mut failures = self.failures();
        self.verdict == Verdict::BlockOnUnknown
            && failures.any(|result| result.unknown.contains(condition))
    }

    /// The enforced policies that refuse.
    pub fn failures(&self) -> impl Iterator<Item = &PolicyResult> {
        let applied = self.applied.iter();
        applied.filter(|result| result.outcome == PolicyOutcome::Failure)
    }

    /// The controls that a human would have to satisfy, by signing in anew, for every policy that refuses to be met;
    /// none where that would not do, or nothing refuses. Where one of several will do, each is in the set.
    #[must_use]
    pub fn could_be_met_by(&self) -> Controls {
        let mut all = Controls::NONE;
        for result in self.failures() {
            if result.controls.could_be_met_by.is_empty() {
                return Controls::NONE;
            }
            all = all.and(result.controls.could_be_met_by);
        }
        all
    }
}
