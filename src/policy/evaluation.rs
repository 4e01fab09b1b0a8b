//! What an evaluation says: a verdict, and per policy a result with the conditions and rules behind it.
//!
//! The names are Graph's (`reference/entra.md` §4.3, §7.3), so that records need no translation.

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
    /// Enforced, applies, and blocks.
    Failure,
    /// Enforced, does not apply.
    NotApplied,
    /// Disabled.
    NotEnabled,
    /// Report-only, applies as far as it is understood, but it is not understood whole.
    Unknown,
    /// Report-only, applies, and its controls are satisfied.
    ReportOnlySuccess,
    /// Report-only, applies, and would block.
    ReportOnlyFailure,
    /// Report-only, does not apply.
    ReportOnlyNotApplied,
}

impl PolicyOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Failure,
        Self::NotApplied,
        Self::NotEnabled,
        Self::Unknown,
        Self::ReportOnlySuccess,
        Self::ReportOnlyFailure,
        Self::ReportOnlyNotApplied,
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
            | Self::ReportOnlyFailure => true,
            Self::NotApplied | Self::NotEnabled | Self::ReportOnlyNotApplied => false,
        }
    }
}

macro_rules! bit_set {
    ($(#[$doc:meta])* $one:ident, $(#[$set_doc:meta])* $set:ident, { $($(#[$vdoc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $one {
            $($(#[$vdoc])* $name,)*
        }

        impl $one {
            /// Every one, in the order of Graph's flags.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            #[expect(clippy::as_conversions, reason = "a discriminant, below 32")]
            const fn bit(self) -> u32 {
                1 << (self as u32)
            }
        }

        $(#[$set_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $set(u32);

        impl $set {
            /// None of them.
            pub const NONE: Self = Self(0);

            /// This one too.
            #[must_use]
            pub const fn with(self, one: $one) -> Self {
                Self(self.0 | one.bit())
            }

            /// This one too, where `there` says so.
            #[must_use]
            pub const fn with_if(self, there: bool, one: $one) -> Self {
                if there { self.with(one) } else { self }
            }

            /// All of both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether it is in the set.
            #[must_use]
            pub const fn contains(self, one: $one) -> bool {
                self.0 & one.bit() != 0
            }

            /// Whether the set is empty.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Its members, in the order of Graph's flags.
            pub fn iter(self) -> impl Iterator<Item = $one> {
                $one::ALL.iter().copied().filter(move |one| self.contains(*one))
            }
        }
    };
}

bit_set! {
    /// A condition: Graph's `conditionalAccessConditions`, with `agentIdRisk`, for which Graph has a name in What-If only.
    Condition,
    /// A set of conditions: a flags string on the wire.
    Conditions, {
        /// The resource.
        Application = "application",
        /// The agent user, or the human.
        Users = "users",
        /// The agent identity.
        ServicePrincipals = "servicePrincipals",
        /// The agent's risk.
        AgentIdRisk = "agentIdRisk",
    }
}

bit_set! {
    /// A rule that matched: Graph's `conditionalAccessRule`, with names of the same kind for agents.
    Rule,
    /// A set of rules.
    Rules, {
        /// `applications`: `All`.
        AllApps = "allApps",
        /// `applications`: this appId.
        AppId = "appId",
        /// `applications`: the attribute filter.
        AppFilter = "appFilter",
        /// `applications`: `AllAgentIdResources`.
        AllAgentIdResources = "allAgentIdResources",
        /// `clientApplications`: `All` agent identities.
        AllAgentIdentities = "allAgentIdentities",
        /// `clientApplications`: this agent identity.
        AgentIdentityId = "agentIdentityId",
        /// `clientApplications`: this agent's blueprint.
        AgentIdentityBlueprintId = "agentIdentityBlueprintId",
        /// `clientApplications`: the attribute filter.
        AgentIdentityFilter = "agentIdentityFilter",
        /// `agents`, or the older `users`: all agent users.
        AllAgentUsers = "allAgentIdUsers",
        /// `agents`: this agent user.
        AgentUserId = "userId",
        /// `agents`: the attribute filter.
        AgentUserFilter = "agentUserFilter",
    }
}

impl Rule {
    /// The condition that the rule belongs to.
    #[must_use]
    pub const fn condition(self) -> Condition {
        match self {
            Self::AllApps | Self::AppId | Self::AppFilter | Self::AllAgentIdResources => {
                Condition::Application
            }
            Self::AllAgentIdentities
            | Self::AgentIdentityId
            | Self::AgentIdentityBlueprintId
            | Self::AgentIdentityFilter => Condition::ServicePrincipals,
            Self::AllAgentUsers | Self::AgentUserId | Self::AgentUserFilter => Condition::Users,
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

    /// Whether a policy that is enforced and blocks may only do so, because this condition rests on an unknown.
    #[must_use]
    pub fn blocks_on_unknown(&self, condition: Condition) -> bool {
        let mut applied = self.applied.iter();
        self.verdict == Verdict::BlockOnUnknown
            && applied.any(|result| {
                result.outcome == PolicyOutcome::Failure && result.unknown.contains(condition)
            })
    }
}
