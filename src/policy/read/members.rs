//! What of Graph's `conditionalAccessPolicy` is honoured, in one table: the reader goes by it, and so may a page of
//! documentation. Names and shapes: `reference/entra.md` §3.2-3.6 and the beta SDK. Never here: how a member is read.

use crate::types::json::Step;

use Support::{Descriptive, Honoured, HonouredFor, NotYet, Object};

/// How far a member is honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// An object, of which each member has a line of its own.
    Object,
    /// Read and evaluated.
    Honoured,
    /// A list, honoured as far as it holds these values.
    HonouredFor(&'static [&'static str]),
    /// A finding where it is configured.
    NotYet,
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

/// Every member that is known. One that is not here is a finding where it is configured.
pub const MEMBERS: &[Member] = &[
    member("id", Honoured),
    member("displayName", Honoured),
    member("state", Honoured),
    member("templateId", Descriptive),
    member("description", Descriptive),
    member("createdDateTime", Descriptive),
    member("modifiedDateTime", Descriptive),
    member("deletedDateTime", NotYet),
    member("partialEnablementStrategy", NotYet),
    member("conditions", Object),
    member("conditions.applications", Object),
    member("conditions.applications.includeApplications", Honoured),
    member("conditions.applications.excludeApplications", Honoured),
    member("conditions.applications.applicationFilter", Object),
    member("conditions.applications.applicationFilter.mode", Honoured),
    member("conditions.applications.applicationFilter.rule", Honoured),
    member("conditions.applications.includeUserActions", NotYet),
    member(
        "conditions.applications.includeAuthenticationContextClassReferences",
        NotYet,
    ),
    member("conditions.applications.includeProtectionLevels", NotYet),
    member("conditions.applications.networkAccess", NotYet),
    member("conditions.applications.globalSecureAccess", NotYet),
    member("conditions.clientApplications", Object),
    member(
        "conditions.clientApplications.includeAgentIdServicePrincipals",
        Honoured,
    ),
    member(
        "conditions.clientApplications.excludeAgentIdServicePrincipals",
        Honoured,
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter",
        Object,
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter.mode",
        Honoured,
    ),
    member(
        "conditions.clientApplications.agentIdServicePrincipalFilter.rule",
        Honoured,
    ),
    member(
        "conditions.clientApplications.includeServicePrincipals",
        NotYet,
    ),
    member(
        "conditions.clientApplications.excludeServicePrincipals",
        NotYet,
    ),
    member(
        "conditions.clientApplications.servicePrincipalFilter",
        NotYet,
    ),
    member("conditions.agents", Object),
    member("conditions.agents.includeAgentUsers", Honoured),
    member("conditions.agents.excludeAgentUsers", Honoured),
    member("conditions.agents.agentFilter", Object),
    member("conditions.agents.agentFilter.mode", Honoured),
    member("conditions.agents.agentFilter.rule", Honoured),
    member("conditions.agentContext", NotYet),
    member("conditions.agentIdRiskLevels", Honoured),
    member("conditions.users", Object),
    member(
        "conditions.users.includeUsers",
        HonouredFor(&["None", "AllAgentIdUsers"]),
    ),
    member(
        "conditions.users.excludeUsers",
        HonouredFor(&["None", "AllAgentIdUsers"]),
    ),
    member("conditions.users.includeGroups", NotYet),
    member("conditions.users.excludeGroups", NotYet),
    member("conditions.users.includeRoles", NotYet),
    member("conditions.users.excludeRoles", NotYet),
    member("conditions.users.includeGuestsOrExternalUsers", NotYet),
    member("conditions.users.excludeGuestsOrExternalUsers", NotYet),
    member("conditions.clientAppTypes", HonouredFor(&["all"])),
    member("conditions.userRiskLevels", NotYet),
    member("conditions.signInRiskLevels", NotYet),
    member("conditions.signInRiskDetections", NotYet),
    member("conditions.servicePrincipalRiskLevels", NotYet),
    member("conditions.insiderRiskLevels", NotYet),
    member("conditions.platforms", NotYet),
    member("conditions.locations", NotYet),
    member("conditions.devices", NotYet),
    member("conditions.deviceStates", NotYet),
    member("conditions.authenticationFlows", NotYet),
    member("conditions.times", NotYet),
    member("conditions.clients", NotYet),
    member("conditions.globalSecureAccess", NotYet),
    member("grantControls", Object),
    member("grantControls.operator", Honoured),
    member("grantControls.builtInControls", HonouredFor(&["block"])),
    member("grantControls.customAuthenticationFactors", NotYet),
    member("grantControls.termsOfUse", NotYet),
    member("grantControls.authenticationStrength", NotYet),
    member("sessionControls", Object),
    member("sessionControls.applicationEnforcedRestrictions", NotYet),
    member("sessionControls.cloudAppSecurity", NotYet),
    member("sessionControls.persistentBrowser", NotYet),
    member("sessionControls.signInFrequency", NotYet),
    member("sessionControls.secureSignInSession", NotYet),
    member("sessionControls.disableResilienceDefaults", NotYet),
    member("sessionControls.continuousAccessEvaluation", NotYet),
    member("sessionControls.globalSecureAccessFilteringProfile", NotYet),
    member("sessionControls.networkAccessSecurity", NotYet),
    member("sessionControls.blockSensitiveActions", NotYet),
];

/// How far the member at the end of `steps` is honoured; `None` if it is not known.
pub(super) fn support(steps: &[Step<'_>]) -> Option<Support> {
    let is_it = |member: &&Member| {
        let names = member.path.split('.').map(Step::Member);
        names.eq(steps.iter().cloned())
    };
    MEMBERS.iter().find(is_it).map(|member| member.support)
}

/// The values for which the list at `path` is honoured.
pub(super) fn honoured_values(path: &str) -> &'static [&'static str] {
    let entry = MEMBERS.iter().find(|member| member.path == path);
    match entry.map(|member| member.support) {
        Some(HonouredFor(values)) => values,
        Some(Object | Honoured | NotYet | Descriptive) | None => &[],
    }
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
