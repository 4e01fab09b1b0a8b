//! The words in which an evaluation speaks: kinds of principal, conditions, rules, controls, and the facts behind them.
//!
//! The names are Graph's (`reference/entra.md` §3.5, §7.3), and where it has none, of the same kind. Never here: which
//! condition or control concerns whom, which is for [`scope`](super::scope) to say.

use super::bits::bit_set;

bit_set! {
    /// Whom policies judge.
    Principal,
    /// A set of kinds of principal.
    Principals(u8), {
        /// An agent identity: on its own, or acting for a human.
        AgentIdentity = "agentIdentity",
        /// An agent user.
        AgentUser = "agentUser",
        /// A human: alone, or behind an agent.
        Human = "user",
        /// A classic workload: a service principal that is no agent.
        Workload = "servicePrincipal",
    }
}

bit_set! {
    /// A condition: Graph's `conditionalAccessConditions`, and at the end those for which it has no name there.
    Condition,
    /// A set of conditions: a flags string on the wire.
    Conditions(u32), {
        /// The resource, the authentication context or the user action.
        Application = "application",
        /// The agent user, or the human.
        Users = "users",
        /// `platforms`
        DevicePlatform = "devicePlatform",
        /// `locations`
        Location = "location",
        /// `clientAppTypes`
        ClientType = "clientType",
        /// `signInRiskLevels`
        SignInRisk = "signInRisk",
        /// `userRiskLevels`
        UserRisk = "userRisk",
        /// `devices`
        DeviceState = "deviceState",
        /// The agent identity, or the classic workload.
        ServicePrincipals = "servicePrincipals",
        /// `servicePrincipalRiskLevels`
        ServicePrincipalRisk = "servicePrincipalRisk",
        /// `authenticationFlows`
        AuthenticationFlows = "authenticationFlows",
        /// `insiderRiskLevels`
        InsiderRisk = "insiderRisk",
        /// `agentIdRiskLevels`
        AgentIdRisk = "agentIdRisk",
        /// `agentContext`
        AgentContext = "agentContext",
    }
}

bit_set! {
    /// A rule that matched: Graph's `conditionalAccessRule`, with names of the same kind where it has none.
    Rule,
    /// A set of rules.
    Rules(u64), {
        /// `applications`: `All`.
        AllApps = "allApps",
        /// `applications`: this appId.
        AppId = "appId",
        /// `applications`: an authentication context of the operation.
        AuthenticationContext = "acr",
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
        /// `clientApplications`: the attribute filter on agent identities.
        AgentIdentityFilter = "agentIdentityFilter",
        /// `clientApplications`: this service principal.
        ServicePrincipalId = "servicePrincipalId",
        /// `clientApplications`: `ServicePrincipalsInMyTenant`.
        ServicePrincipalsInMyTenant = "servicePrincipalsInMyTenant",
        /// `clientApplications`: the attribute filter on service principals.
        ServicePrincipalFilter = "servicePrincipalFilter",
        /// `agents`, or the older `users`: all agent users.
        AllAgentUsers = "allAgentIdUsers",
        /// `agents`: the attribute filter.
        AgentUserFilter = "agentUserFilter",
        /// `users`: `All`.
        AllUsers = "allUsers",
        /// `users`: `GuestsOrExternalUsers`.
        Guest = "guest",
        /// `users`: a group.
        GroupId = "groupId",
        /// `users`: a directory role.
        RoleId = "roleId",
        /// `users` or `agents`: this user.
        UserId = "userId",
        /// `users`: guests of this kind.
        InternalGuest = "internalGuest",
        /// `users`: guests of this kind.
        B2bCollaborationGuest = "b2bCollaborationGuest",
        /// `users`: guests of this kind.
        B2bCollaborationMember = "b2bCollaborationMember",
        /// `users`: guests of this kind.
        B2bDirectConnectUser = "b2bDirectConnectUser",
        /// `users`: guests of this kind.
        OtherExternalUser = "otherExternalUser",
        /// `users`: guests of this kind.
        ServiceProvider = "serviceProvider",
        /// `platforms`: `all`.
        AllDevicePlatforms = "allDevicePlatforms",
        /// `platforms`: this one.
        DevicePlatform = "devicePlatform",
        /// `locations`: `All`.
        AllLocations = "allLocations",
        /// `locations`: the MFA trusted IPs.
        InsideCorpnet = "insideCorpnet",
        /// `locations`: `AllTrusted`.
        AllTrustedLocations = "allTrustedLocations",
        /// `locations`: a named location.
        LocationId = "locationId",
        /// `devices`: the filter matches.
        DeviceFilter = "deviceFilter",
        /// `authenticationFlows`: this one.
        DeviceCodeFlow = "deviceCodeFlow",
        /// `authenticationFlows`: this one.
        AuthenticationTransfer = "authenticationTransfer",
        /// `insiderRiskLevels`: this level.
        InsiderRisk = "insiderRisk",
        /// `agentContext`: this one.
        AgentContext = "agentContext",
    }
}

impl Rule {
    /// The condition that the rule belongs to.
    #[must_use]
    pub const fn condition(self) -> Condition {
        match self {
            Self::AllApps
            | Self::AppId
            | Self::AuthenticationContext
            | Self::AppFilter
            | Self::AllAgentIdResources => Condition::Application,
            Self::AllAgentIdentities
            | Self::AgentIdentityId
            | Self::AgentIdentityBlueprintId
            | Self::AgentIdentityFilter
            | Self::ServicePrincipalId
            | Self::ServicePrincipalsInMyTenant
            | Self::ServicePrincipalFilter => Condition::ServicePrincipals,
            Self::AllAgentUsers
            | Self::AgentUserFilter
            | Self::AllUsers
            | Self::Guest
            | Self::GroupId
            | Self::RoleId
            | Self::UserId
            | Self::InternalGuest
            | Self::B2bCollaborationGuest
            | Self::B2bCollaborationMember
            | Self::B2bDirectConnectUser
            | Self::OtherExternalUser
            | Self::ServiceProvider => Condition::Users,
            Self::AllDevicePlatforms | Self::DevicePlatform => Condition::DevicePlatform,
            Self::AllLocations
            | Self::InsideCorpnet
            | Self::AllTrustedLocations
            | Self::LocationId => Condition::Location,
            Self::DeviceFilter => Condition::DeviceState,
            Self::DeviceCodeFlow | Self::AuthenticationTransfer => Condition::AuthenticationFlows,
            Self::InsiderRisk => Condition::InsiderRisk,
            Self::AgentContext => Condition::AgentContext,
        }
    }
}

bit_set! {
    /// What a policy may demand: Graph's `conditionalAccessGrantControl`, and the other members of `grantControls`.
    Control,
    /// A set of controls.
    Controls(u16), {
        /// The call is refused.
        Block = "block",
        /// Multifactor authentication.
        Mfa = "mfa",
        /// A device that is marked compliant.
        CompliantDevice = "compliantDevice",
        /// A device that is joined to the domain.
        DomainJoinedDevice = "domainJoinedDevice",
        /// A client application of the approved ones.
        ApprovedApplication = "approvedApplication",
        /// A client application under a protection policy.
        CompliantApplication = "compliantApplication",
        /// A new password.
        PasswordChange = "passwordChange",
        /// The risk is put right.
        RiskRemediation = "riskRemediation",
        /// The session meets this authentication strength.
        AuthenticationStrength = "authenticationStrength",
        /// The agreements are accepted.
        TermsOfUse = "termsOfUse",
        /// The custom factors are shown.
        CustomAuthenticationFactors = "customAuthenticationFactors",
    }
}

impl Control {
    /// Graph's name of a built-in control, in any case.
    #[must_use]
    pub fn parse_built_in(text: &str) -> Option<Self> {
        let mut known = Self::ALL.iter().copied();
        known.find(|one| one.is_built_in() && one.as_str().eq_ignore_ascii_case(text))
    }

    /// The name in `enforcedGrantControls` of sign-in logs.
    #[must_use]
    pub const fn log_name(self) -> &'static str {
        match self {
            Self::Block => "Block",
            Self::Mfa => "Mfa",
            Self::CompliantDevice => "CompliantDevice",
            Self::DomainJoinedDevice => "DomainJoinedDevice",
            Self::ApprovedApplication => "ApprovedApplication",
            Self::CompliantApplication => "CompliantApplication",
            Self::PasswordChange => "PasswordChange",
            Self::RiskRemediation => "RiskRemediation",
            Self::AuthenticationStrength => "AuthenticationStrength",
            Self::TermsOfUse => "TermsOfUse",
            Self::CustomAuthenticationFactors => "CustomAuthenticationFactors",
        }
    }

    /// Whether it stands in `builtInControls`.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        !matches!(
            self,
            Self::AuthenticationStrength | Self::TermsOfUse | Self::CustomAuthenticationFactors
        )
    }

    /// Whether a human can meet it there and then, by signing in anew.
    #[must_use]
    pub const fn is_interactive(self) -> bool {
        match self {
            Self::Mfa
            | Self::PasswordChange
            | Self::RiskRemediation
            | Self::AuthenticationStrength
            | Self::TermsOfUse
            | Self::CustomAuthenticationFactors => true,
            Self::Block
            | Self::CompliantDevice
            | Self::DomainJoinedDevice
            | Self::ApprovedApplication
            | Self::CompliantApplication => false,
        }
    }
}

bit_set! {
    /// A fact that some policies read and others do not, so that nobody gathers it in vain.
    FactName,
    /// A set of facts.
    FactNames(u32), {
        /// The appId of the resource.
        Resource = "resource",
        /// The resource's custom security attributes.
        ResourceAttributes = "resourceAttributes",
        /// Whether the resource is itself an agent.
        ResourceIsAgent = "resourceIsAgent",
        /// The human's id.
        Human = "human",
        /// The address of the call.
        Address = "address",
        /// The country of the address.
        Country = "country",
        /// The platform of the device.
        Platform = "platform",
        /// The kind of client application.
        ClientAppType = "clientAppType",
        /// How the session came to this client.
        TransferMethod = "transferMethod",
        /// The properties of the device.
        Device = "device",
        /// Where an agent user's session was started from.
        AgentContexts = "agentContexts",
        /// The authentication contexts of the operation.
        AuthenticationContexts = "authenticationContexts",
        /// The human's groups.
        Groups = "groups",
        /// The human's directory roles.
        Roles = "roles",
        /// As what the human is a guest.
        Guest = "guest",
        /// The agent's risk.
        AgentRisk = "agentRisk",
        /// The human's risk.
        UserRisk = "userRisk",
        /// The risk of the human's session.
        SignInRisk = "signInRisk",
        /// The insider risk.
        InsiderRisk = "insiderRisk",
        /// The classic workload's risk.
        ServicePrincipalRisk = "servicePrincipalRisk",
        /// Whether the classic workload is registered here.
        InTenant = "inTenant",
        /// The classic workload's custom security attributes.
        ServicePrincipalAttributes = "servicePrincipalAttributes",
        /// `mfa`
        Mfa = "mfa",
        /// `approvedApplication`
        ApprovedApplication = "approvedApplication",
        /// `compliantApplication`
        CompliantApplication = "compliantApplication",
        /// `passwordChange`
        PasswordChange = "passwordChange",
        /// `riskRemediation`
        RiskRemediation = "riskRemediation",
        /// The authentication strengths that the session meets.
        AuthenticationStrengths = "authenticationStrengths",
        /// The agreements that were accepted.
        TermsOfUse = "termsOfUse",
        /// The custom factors that were shown.
        CustomFactors = "customFactors",
    }
}
