//! Why a policy does not apply to a call: Graph's What-If (`reference/entra.md` §6), for the command line and the API.
//!
//! Graph names the first condition that does not hold: here whom the policy concerns, then the resource, then the rest.
//! Never here: an evaluation of its own.

use serde_json::{Map, Value};

use super::compile::CompiledPolicy;
use super::model::ApplicationTarget;
use super::{Condition, PolicyOutcome, PolicyResult, Principal};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The first reason for which a policy does not apply: `whatIfAnalysisReasons`, as far as it can come about here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AnalysisReason {
            $($(#[$doc])* $name,)*
        }

        impl AnalysisReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Graph's name; the last two have none there.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// It applies.
    NotSet = "notSet",
    /// It has a condition that is not understood, so nobody can tell.
    NotEnoughInformation = "notEnoughInformation",
    /// It does not concern the agent user, or the human.
    Users = "users",
    /// It does not concern the classic workload.
    WorkloadIdentities = "workloadIdentities",
    /// It does not concern the resource.
    Application = "application",
    /// It concerns actions of users at the issuer.
    UserActions = "userActions",
    /// The operation has none of the authentication contexts.
    AuthenticationContext = "authenticationContext",
    /// It asks for another platform.
    DevicePlatform = "devicePlatform",
    /// The device does not meet the filter.
    Devices = "devices",
    /// It asks for another kind of client application.
    ClientApps = "clientApps",
    /// It asks for another place.
    Location = "location",
    /// It asks for another risk of the session.
    SignInRisk = "signInRisk",
    /// It includes nobody at all, or no resource at all.
    EmptyPolicy = "emptyPolicy",
    /// Nobody whom it includes can meet its conditions.
    InvalidPolicy = "invalidPolicy",
    /// It is disabled.
    PolicyNotEnabled = "policyNotEnabled",
    /// It asks for another risk of the human.
    UserRisk = "userRisk",
    /// It asks for another insider risk.
    InsiderRisk = "insiderRisk",
    /// It asks for another way in which the session came to its client.
    AuthenticationFlow = "authenticationFlow",
    /// It asks for another risk of the agent.
    AgentIdRisk = "agentIdRisk",
    /// It does not concern the agent identity.
    AgentIdentities = "agentIdentities",
    /// It asks for another risk of the classic workload.
    ServicePrincipalRisk = "servicePrincipalRisk",
    /// It asks for another environment of the agent.
    AgentContext = "agentContext",
}

/// In which order the conditions are looked at, beside identity and resource.
const ORDER: [(Condition, AnalysisReason); 11] = [
    (Condition::AgentIdRisk, AnalysisReason::AgentIdRisk),
    (Condition::UserRisk, AnalysisReason::UserRisk),
    (Condition::SignInRisk, AnalysisReason::SignInRisk),
    (
        Condition::ServicePrincipalRisk,
        AnalysisReason::ServicePrincipalRisk,
    ),
    (Condition::InsiderRisk, AnalysisReason::InsiderRisk),
    (Condition::DevicePlatform, AnalysisReason::DevicePlatform),
    (Condition::Location, AnalysisReason::Location),
    (Condition::ClientType, AnalysisReason::ClientApps),
    (Condition::DeviceState, AnalysisReason::Devices),
    (
        Condition::AuthenticationFlows,
        AnalysisReason::AuthenticationFlow,
    ),
    (Condition::AgentContext, AnalysisReason::AgentContext),
];

impl AnalysisReason {
    /// Why `policy` does not apply, by what it said of a call; [`Self::NotSet`] where it does.
    #[must_use]
    pub fn of(policy: &CompiledPolicy, result: &PolicyResult) -> Self {
        let conditions = &policy.model().conditions;
        let fails = |condition| result.not_satisfied.contains(condition);
        if result.outcome == PolicyOutcome::NotEnabled {
            return Self::PolicyNotEnabled;
        }
        let is_understood = !has_condition_not_understood(policy);
        if result.outcome.applied() {
            return if is_understood {
                Self::NotSet
            } else {
                Self::NotEnoughInformation
            };
        }
        // What was not understood may say whom it includes.
        if is_understood && is_empty(policy) {
            return Self::EmptyPolicy;
        }
        let includes_somebody = !conditions.included_principals().is_empty();
        if is_understood && includes_somebody && !conditions.can_be_met() {
            return Self::InvalidPolicy;
        }
        if fails(Condition::ServicePrincipals) || fails(Condition::Users) {
            return match result.principal {
                Principal::AgentIdentity => Self::AgentIdentities,
                Principal::AgentUser | Principal::Human => Self::Users,
                Principal::Workload => Self::WorkloadIdentities,
            };
        }
        if fails(Condition::Application) {
            return of_application(policy);
        }
        let mut order = ORDER.into_iter();
        let first = order.find(|(condition, _)| fails(*condition));
        first.map_or(Self::NotEnoughInformation, |(_, reason)| reason)
    }

    /// Whether the policy applies.
    #[must_use]
    pub fn applies(self) -> bool {
        self == Self::NotSet
    }

    /// The name for a client of Graph, which may take no name that Graph has not.
    #[must_use]
    pub const fn graph_name(self) -> &'static str {
        match self {
            Self::AgentContext | Self::ServicePrincipalRisk => "unknownFutureValue",
            other => other.as_str(),
        }
    }
}

/// By which of its three ways the policy names what it concerns.
fn of_application(policy: &CompiledPolicy) -> AnalysisReason {
    let include = &policy.model().conditions.applications.include;
    let names = |is: fn(&ApplicationTarget) -> bool| include.iter().any(is);
    if names(|target| matches!(target, ApplicationTarget::AuthenticationContext(_))) {
        AnalysisReason::AuthenticationContext
    } else if names(|target| matches!(target, ApplicationTarget::UserAction(_))) {
        AnalysisReason::UserActions
    } else {
        AnalysisReason::Application
    }
}

/// Whether a condition that nobody judges might keep the policy from applying. A control that is not understood does not.
fn has_condition_not_understood(policy: &CompiledPolicy) -> bool {
    let mut paths = policy.model().not_understood.iter();
    paths.any(|path| path.starts_with("conditions"))
}

/// Whether the policy leaves out whom, or what, it concerns.
fn is_empty(policy: &CompiledPolicy) -> bool {
    let conditions = &policy.model().conditions;
    conditions.named_principals().is_empty() || conditions.applications.is_empty()
}

/// Graph's `whatIfAnalysisResult`: the policy as it was exported, whether it applies, and the first reason why not.
#[must_use]
pub fn to_graph(policy: &CompiledPolicy, reason: AnalysisReason) -> Map<String, Value> {
    let mut object = policy.model().source.clone();
    object.insert("policyApplies".to_owned(), reason.applies().into());
    object.insert("analysisReasons".to_owned(), reason.graph_name().into());
    object
}
