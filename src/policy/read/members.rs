//! What of Graph's `conditionalAccessPolicy` is honoured, and for whom, in one table: the reader goes by it, and
//! `docs/policy-support.md` is written from it ([`page`](super::page)). Names and shapes: `reference/entra.md` §3.2-3.6
//! and the beta SDK. Never here: how a member is read.

use crate::policy::{Condition, Control, Principal};
use crate::types::json::Step;

use Support::{
    Controls, Demands, Descriptive, Holds, Honoured, NotApplicable, NotUnderstood, Object, Of,
};

/// How far a member is honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// An object, of which each member has a line of its own.
    Object,
    /// Read and evaluated, whoever calls.
    Honoured,
    /// Says whether principals of this kind are concerned.
    Of(Principal),
    /// A condition: [`Condition::scope`] says for whom.
    Holds(Condition),
    /// A grant control: [`Control::scope`] says for whom.
    Demands(Control),
    /// A list of the built-in controls, each with a scope of its own.
    Controls,
    /// It has no meaning for calls to a resource here, for this reason: a warning where it is configured.
    NotApplicable(&'static str),
    /// A finding where it is configured.
    NotUnderstood,
    /// Says nothing that a decision rests on.
    Descriptive,
}

/// A member by its path from the policy, with dots.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its path.
    pub path: &'static str,
    /// How far it is honoured.
    pub support: Support,
}

const fn member(path: &'static str, support: Support) -> Member {
    Member { path, support }
}

const BROWSERS: &str = "it concerns browser sessions at the issuer; a call here has none";
const MICROSOFT: &str = "it concerns Microsoft's own resources and clients";
const EVERY_CALL: &str = "every call is judged here anyway";

/// Every member that is known. One that is not here is a finding where it is configured.
pub const MEMBERS: &[Member] = &[
    member("id", Honoured),
    member("displayName", Honoured),
    member("state", Honoured),
    member("templateId", Descriptive),
    member("description", Descriptive),
    member("createdDateTime", Descriptive),
    member("modifiedDateTime", Descriptive),
    member("deletedDateTime", NotUnderstood),
    member("partialEnablementStrategy", NotUnderstood),
    member("conditions", Object),
    member("conditions.applications", Object),
    member("conditions.applications.includeApplications", Honoured),
    member("conditions.applications.excludeApplications", Honoured),
    member("conditions.applications.applicationFilter", Object),
    member("conditions.applications.applicationFilter.mode", Honoured),
    member("conditions.applications.applicationFilter.rule", Honoured),
    member(
        "conditions.applications.includeAuthenticationContextClassReferences",
        Honoured,
    ),
    member(
        "conditions.applications.includeUserActions",
        NotApplicable("it concerns what users do at the issuer, and no call here does that"),
    ),
    member(
        "conditions.applications.includeProtectionLevels",
        NotUnderstood,
    ),
    member("conditions.applications.networkAccess", NotUnderstood),
    member("conditions.applications.globalSecureAccess", NotUnderstood),
    member("conditions.clientApplications", Object),
    member(
        "conditions.clientApplications.includeAgentIdServicePrincipals",
        Of(Principal::AgentIdentity),
    ),
    member(
        "conditions.clientApplications.excludeAgentIdServicePrincipals",
        Of(Principal::AgentIdentity),
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter",
        Object,
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter.mode",
        Of(Principal::AgentIdentity),
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter.rule",
        Of(Principal::AgentIdentity),
    ),
    member(
        "conditions.clientApplications.includeServicePrincipals",
        Of(Principal::Workload),
    ),
    member(
        "conditions.clientApplications.excludeServicePrincipals",
        Of(Principal::Workload),
    ),
    member(
        "conditions.clientApplications.servicePrincipalFilter",
        Object,
    ),
    member(
        "conditions.clientApplications.servicePrincipalFilter.mode",
        Of(Principal::Workload),
    ),
    member(
        "conditions.clientApplications.servicePrincipalFilter.rule",
        Of(Principal::Workload),
    ),
    member("conditions.agents", Object),
    member(
        "conditions.agents.includeAgentUsers",
        Of(Principal::AgentUser),
    ),
    member(
        "conditions.agents.excludeAgentUsers",
        Of(Principal::AgentUser),
    ),
    member("conditions.agents.agentFilter", Object),
    member(
        "conditions.agents.agentFilter.mode",
        Of(Principal::AgentUser),
    ),
    member(
        "conditions.agents.agentFilter.rule",
        Of(Principal::AgentUser),
    ),
    member("conditions.users", Object),
    member("conditions.users.includeUsers", Holds(Condition::Users)),
    member("conditions.users.excludeUsers", Holds(Condition::Users)),
    member("conditions.users.includeGroups", Of(Principal::Human)),
    member("conditions.users.excludeGroups", Of(Principal::Human)),
    member("conditions.users.includeRoles", Of(Principal::Human)),
    member("conditions.users.excludeRoles", Of(Principal::Human)),
    member("conditions.users.includeGuestsOrExternalUsers", Object),
    member(
        "conditions.users.includeGuestsOrExternalUsers.guestOrExternalUserTypes",
        Of(Principal::Human),
    ),
    member(
        "conditions.users.includeGuestsOrExternalUsers.externalTenants",
        Object,
    ),
    member(
        "conditions.users.includeGuestsOrExternalUsers.externalTenants.membershipKind",
        Of(Principal::Human),
    ),
    member(
        "conditions.users.includeGuestsOrExternalUsers.externalTenants.members",
        Of(Principal::Human),
    ),
    member("conditions.users.excludeGuestsOrExternalUsers", Object),
    member(
        "conditions.users.excludeGuestsOrExternalUsers.guestOrExternalUserTypes",
        Of(Principal::Human),
    ),
    member(
        "conditions.users.excludeGuestsOrExternalUsers.externalTenants",
        Object,
    ),
    member(
        "conditions.users.excludeGuestsOrExternalUsers.externalTenants.membershipKind",
        Of(Principal::Human),
    ),
    member(
        "conditions.users.excludeGuestsOrExternalUsers.externalTenants.members",
        Of(Principal::Human),
    ),
    member(
        "conditions.agentIdRiskLevels",
        Holds(Condition::AgentIdRisk),
    ),
    member("conditions.userRiskLevels", Holds(Condition::UserRisk)),
    member("conditions.signInRiskLevels", Holds(Condition::SignInRisk)),
    member(
        "conditions.servicePrincipalRiskLevels",
        Holds(Condition::ServicePrincipalRisk),
    ),
    member(
        "conditions.insiderRiskLevels",
        Holds(Condition::InsiderRisk),
    ),
    member("conditions.signInRiskDetections", NotUnderstood),
    member("conditions.locations", Object),
    member(
        "conditions.locations.includeLocations",
        Holds(Condition::Location),
    ),
    member(
        "conditions.locations.excludeLocations",
        Holds(Condition::Location),
    ),
    member("conditions.platforms", Object),
    member(
        "conditions.platforms.includePlatforms",
        Holds(Condition::DevicePlatform),
    ),
    member(
        "conditions.platforms.excludePlatforms",
        Holds(Condition::DevicePlatform),
    ),
    member("conditions.devices", Object),
    member("conditions.devices.deviceFilter", Object),
    member(
        "conditions.devices.deviceFilter.mode",
        Holds(Condition::DeviceState),
    ),
    member(
        "conditions.devices.deviceFilter.rule",
        Holds(Condition::DeviceState),
    ),
    member("conditions.devices.includeDevices", NotUnderstood),
    member("conditions.devices.excludeDevices", NotUnderstood),
    member("conditions.devices.includeDeviceStates", NotUnderstood),
    member("conditions.devices.excludeDeviceStates", NotUnderstood),
    member("conditions.clientAppTypes", Holds(Condition::ClientType)),
    member("conditions.authenticationFlows", Object),
    member(
        "conditions.authenticationFlows.transferMethods",
        Holds(Condition::AuthenticationFlows),
    ),
    member("conditions.agentContext", Object),
    member(
        "conditions.agentContext.includeAgentContexts",
        Holds(Condition::AgentContext),
    ),
    member(
        "conditions.agentContext.excludeAgentContexts",
        Holds(Condition::AgentContext),
    ),
    member("conditions.deviceStates", NotUnderstood),
    member("conditions.times", NotUnderstood),
    member("conditions.clients", NotUnderstood),
    member("conditions.globalSecureAccess", NotUnderstood),
    member("grantControls", Object),
    member("grantControls.operator", Honoured),
    member("grantControls.builtInControls", Controls),
    member(
        "grantControls.customAuthenticationFactors",
        Demands(Control::CustomAuthenticationFactors),
    ),
    member("grantControls.termsOfUse", Demands(Control::TermsOfUse)),
    member(
        "grantControls.authenticationStrength",
        Demands(Control::AuthenticationStrength),
    ),
    member("sessionControls", Object),
    member(
        "sessionControls.applicationEnforcedRestrictions",
        NotApplicable(MICROSOFT),
    ),
    member("sessionControls.cloudAppSecurity", NotApplicable(MICROSOFT)),
    member("sessionControls.persistentBrowser", NotApplicable(BROWSERS)),
    member(
        "sessionControls.disableResilienceDefaults",
        NotApplicable("it concerns what the issuer does in an outage of its own"),
    ),
    member(
        "sessionControls.continuousAccessEvaluation",
        NotApplicable(EVERY_CALL),
    ),
    member(
        "sessionControls.globalSecureAccessFilteringProfile",
        NotApplicable(MICROSOFT),
    ),
    member("sessionControls.signInFrequency", NotUnderstood),
    member("sessionControls.secureSignInSession", NotUnderstood),
    member("sessionControls.networkAccessSecurity", NotUnderstood),
    member("sessionControls.blockSensitiveActions", NotUnderstood),
];

/// How far the member at the end of `steps` is honoured; `None` if it is not known.
pub(super) fn support(steps: &[Step<'_>]) -> Option<Support> {
    let is_it = |member: &&Member| {
        let names = member.path.split('.').map(Step::Member);
        names.eq(steps.iter().cloned())
    };
    MEMBERS.iter().find(is_it).map(|member| member.support)
}

/// Graph's keywords for lists of ids. In a list where one has no meaning, it is a finding, not an id.
pub const KEYWORDS: [&str; 9] = [
    "All",
    "None",
    "AllAgentIdUsers",
    "AllAgentIdResources",
    "GuestsOrExternalUsers",
    "ServicePrincipalsInMyTenant",
    "AllTrusted",
    "Office365",
    "MicrosoftAdminPortals",
];
