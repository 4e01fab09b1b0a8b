//! `conditions` of a policy: whom and what it concerns, and when. Never here: whether a call meets them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::filter::FilterRule;
use crate::types::{
    AppId, ClientAppType, DevicePlatform, GuestType, InsiderRiskLevel, ObjectId, RiskLevel,
    TenantId, TransferMethod,
};

/// `conditions`: each that is configured must hold. `None` is what is not configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionSet {
    /// `applications`: the resources.
    pub applications: Assignment<ApplicationTarget>,
    /// `clientApplications`, as far as it is about agent identities.
    pub agent_identities: Assignment<AgentTarget>,
    /// `agents`, and of `users` the older `AllAgentIdUsers`, which Graph rewrites to the same.
    pub agent_users: Assignment<AgentTarget>,
    /// `users`: humans.
    pub users: Assignment<UserTarget>,
    /// `clientApplications`, as far as it is about classic workloads.
    pub workloads: Assignment<WorkloadTarget>,
    /// `agentIdRiskLevels`
    pub agent_risk: Option<RiskLevels>,
    /// `userRiskLevels`
    pub user_risk: Option<RiskLevels>,
    /// `signInRiskLevels`
    pub sign_in_risk: Option<RiskLevels>,
    /// `servicePrincipalRiskLevels`
    pub service_principal_risk: Option<RiskLevels>,
    /// `insiderRiskLevels`
    pub insider_risk: Option<BTreeSet<InsiderRiskLevel>>,
    /// `platforms`
    pub platforms: Option<Choice<PlatformTarget>>,
    /// `locations`
    pub locations: Option<Choice<LocationTarget>>,
    /// `devices.deviceFilter`
    pub device_filter: Option<Filter>,
    /// `agentContext`
    pub agent_contexts: Option<Choice<Arc<str>>>,
    /// `authenticationFlows.transferMethods`
    pub transfer_methods: Option<BTreeSet<TransferMethod>>,
    /// `clientAppTypes`, less its `all`.
    pub client_app_types: Option<BTreeSet<ClientAppType>>,
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

/// What a condition includes, less what it excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T> {
    /// What the include list names; never empty.
    pub include: Vec<T>,
    /// What the exclude list names; it beats every inclusion.
    pub exclude: Vec<T>,
}

/// An attribute filter of an assignment, or the filter for devices.
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
    /// Operations that are marked with this authentication context: `c1` … `c99`.
    AuthenticationContext(Arc<str>),
    /// An action of a user at the issuer. No call here performs one.
    UserAction(Arc<str>),
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

/// An item of the lists of `users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserTarget {
    /// Every human. Agent users are none.
    All,
    /// Nobody.
    None,
    /// Every guest of any kind.
    GuestsOrExternalUsers,
    /// The human of this id.
    Id(ObjectId),
    /// Members of this group.
    Group(ObjectId),
    /// Who has the directory role with this template id.
    Role(ObjectId),
    /// Guests of some kinds.
    Guests(Guests),
}

/// `conditionalAccessGuestsOrExternalUsers`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guests {
    /// Guests as what.
    pub kinds: BTreeSet<GuestType>,
    /// Of which tenants; `None`: of all.
    pub tenants: Option<BTreeSet<TenantId>>,
}

/// An item of a list of classic workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadTarget {
    /// Nobody.
    None,
    /// Every one whose application is registered in the tenant.
    InMyTenant,
    /// The service principal of this id.
    Id(ObjectId),
}

/// An item of a list of platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformTarget {
    /// Every one, and a device of no known platform too.
    All,
    /// This one.
    One(DevicePlatform),
}

/// An item of a list of locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationTarget {
    /// Every one, and an unknown address too.
    All,
    /// Every place that is marked as trusted, and the MFA trusted IPs.
    AllTrusted,
    /// The named location of this id, the MFA trusted IPs or the compliant network.
    Id(ObjectId),
}

/// A set of risk levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RiskLevels([bool; 4]);

impl RiskLevels {
    /// This level too.
    #[must_use]
    pub const fn with(mut self, level: RiskLevel) -> Self {
        let [none, low, medium, high] = &mut self.0;
        match level {
            RiskLevel::None => *none = true,
            RiskLevel::Low => *low = true,
            RiskLevel::Medium => *medium = true,
            RiskLevel::High => *high = true,
        }
        self
    }

    /// Whether the level is in the set.
    #[must_use]
    pub const fn contains(self, level: RiskLevel) -> bool {
        let [none, low, medium, high] = self.0;
        match level {
            RiskLevel::None => none,
            RiskLevel::Low => low,
            RiskLevel::Medium => medium,
            RiskLevel::High => high,
        }
    }
}

impl FromIterator<RiskLevel> for RiskLevels {
    fn from_iter<I: IntoIterator<Item = RiskLevel>>(levels: I) -> Self {
        levels.into_iter().fold(Self::default(), Self::with)
    }
}
