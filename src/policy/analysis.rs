//! Why a policy does not apply to a call: Graph's What-If (`reference/entra.md` §6), for the command line and the API.
//!
//! Graph names the first condition that does not hold: here whom the policy concerns, then the resource, then the risk.
//! Never here: an evaluation of its own.

use serde_json::{Map, Value};

use super::compile::CompiledPolicy;
use super::{Condition, PolicyOutcome, PolicyResult};

/// The first reason for which a policy does not apply: `whatIfAnalysisReasons`, as far as it can come about here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnalysisReason {
    /// It applies.
    NotSet,
    /// It has a condition that is not honoured, so nobody can tell.
    NotEnoughInformation,
    /// It does not concern the agent user, or the human.
    Users,
    /// It does not concern the resource.
    Application,
    /// It names no agent at all, or no resource at all.
    EmptyPolicy,
    /// It is disabled.
    PolicyNotEnabled,
    /// It asks for another level of risk.
    AgentIdRisk,
    /// It does not concern the agent identity.
    AgentIdentities,
}

impl AnalysisReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::NotSet,
        Self::NotEnoughInformation,
        Self::Users,
        Self::Application,
        Self::EmptyPolicy,
        Self::PolicyNotEnabled,
        Self::AgentIdRisk,
        Self::AgentIdentities,
    ];

    /// Why `policy` does not apply, by what it said of a call; [`Self::NotSet`] where it does.
    #[must_use]
    pub fn of(policy: &CompiledPolicy, result: &PolicyResult) -> Self {
        let fails = |condition| result.not_satisfied.contains(condition);
        if result.outcome == PolicyOutcome::NotEnabled {
            Self::PolicyNotEnabled
        } else if result.outcome.applied() {
            if has_condition_not_understood(policy) {
                Self::NotEnoughInformation
            } else {
                Self::NotSet
            }
        } else if is_empty(policy) {
            Self::EmptyPolicy
        } else if fails(Condition::ServicePrincipals) {
            Self::AgentIdentities
        } else if fails(Condition::Users) {
            Self::Users
        } else if fails(Condition::Application) {
            Self::Application
        } else {
            Self::AgentIdRisk
        }
    }

    /// Whether the policy applies.
    #[must_use]
    pub fn applies(self) -> bool {
        self == Self::NotSet
    }

    /// Graph's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSet => "notSet",
            Self::NotEnoughInformation => "notEnoughInformation",
            Self::Users => "users",
            Self::Application => "application",
            Self::EmptyPolicy => "emptyPolicy",
            Self::PolicyNotEnabled => "policyNotEnabled",
            Self::AgentIdRisk => "agentIdRisk",
            Self::AgentIdentities => "agentIdentities",
        }
    }
}

/// Whether a condition that nobody judges might keep the policy from applying. A control that is not understood does not.
fn has_condition_not_understood(policy: &CompiledPolicy) -> bool {
    let mut paths = policy.model().not_understood.iter();
    paths.any(|path| path.starts_with("conditions"))
}

/// Whether the policy leaves out whom, or what, it concerns. What was not understood may say it.
fn is_empty(policy: &CompiledPolicy) -> bool {
    let conditions = &policy.model().conditions;
    let names_nobody = conditions.agent_identities.is_empty() && conditions.agent_users.is_empty();
    let names_nothing = conditions.applications.is_empty();
    (names_nobody || names_nothing) && !has_condition_not_understood(policy)
}

/// Graph's `whatIfAnalysisResult`: the policy as it was exported, whether it applies, and the first reason why not.
#[must_use]
pub fn to_graph(policy: &CompiledPolicy, reason: AnalysisReason) -> Map<String, Value> {
    let mut object = policy.model().source.clone();
    object.insert("policyApplies".to_owned(), reason.applies().into());
    object.insert("analysisReasons".to_owned(), reason.as_str().into());
    object
}
