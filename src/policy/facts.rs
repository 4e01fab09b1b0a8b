//! Everything that a policy may read of one call. Borrowed, so that an evaluation copies nothing.
//!
//! A fact that nobody could tell is a [`Fact`] that says so, never an empty one. Never here: where a fact comes from.

use std::net::IpAddr;
use std::sync::Arc;

use crate::types::{
    Attributes, ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel,
    RiskLevel, Timestamp, TransferMethod,
};

/// The facts of one call.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// What for.
    pub resource: ResourceFacts<'a>,
    /// From where, with what, and what was shown on the way.
    pub session: SessionFacts<'a>,
    /// When.
    pub now: Timestamp,
    /// Whether to read policies only as Entra does (`product.md` §4): then an agent that acts for a human is not judged
    /// by policies for agents, and what Entra does not apply to agents is not applied to them.
    pub entra_parity: bool,
}

/// The kinds of caller.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An agent identity on its own.
    AgentIdentity(AgentFacts<'a>),
    /// An agent user. Policies for agent identities do not concern it, nor those for `All` users.
    AgentUser {
        /// The account.
        user: AgentUserFacts<'a>,
        /// Its agent identity.
        agent: AgentFacts<'a>,
    },
    /// An agent identity that acts for a human: the human is judged, and the acting agent as well.
    OnBehalfOf {
        /// The human.
        human: HumanFacts<'a>,
        /// The acting agent.
        agent: AgentFacts<'a>,
    },
    /// A human without an agent.
    Human(HumanFacts<'a>),
    /// A classic workload: a service principal that is no agent.
    Workload(WorkloadFacts<'a>),
}

/// What is known of an agent identity.
#[derive(Debug, Clone, Copy)]
pub struct AgentFacts<'a> {
    /// Object id, which is its app id too.
    pub id: &'a str,
    /// Its blueprint's appId.
    pub blueprint_app_id: Option<&'a str>,
    /// Its blueprint principal's object id.
    pub blueprint_principal_id: Option<&'a str>,
    /// Its own custom security attributes; a blueprint's do not count for it.
    pub attributes: &'a Attributes,
    /// Its effective risk.
    pub risk: Fact<RiskLevel>,
}

/// What is known of an agent user.
#[derive(Debug, Clone, Copy)]
pub struct AgentUserFacts<'a> {
    /// Object id.
    pub id: &'a str,
    /// Its own custom security attributes, read by `agents.agentFilter`.
    pub attributes: &'a Attributes,
    /// Its effective risk.
    pub risk: Fact<RiskLevel>,
}

/// What is known of the human behind a call.
#[derive(Debug, Clone, Copy)]
pub struct HumanFacts<'a> {
    /// Object id, or the issuer's subject. Unknown where a token is asked for and the request does not say for whom.
    pub id: Fact<&'a str>,
    /// Object ids of the groups. A token that has too many to list them (groups overage) makes this unknown, not empty.
    pub groups: Fact<&'a [Arc<str>]>,
    /// Template ids of the directory roles.
    pub roles: Fact<&'a [Arc<str>]>,
    /// As what the human is a guest; `None`: a member.
    pub guest: Fact<Option<GuestFacts<'a>>>,
    /// `userRiskLevels`.
    pub user_risk: Fact<RiskLevel>,
    /// `signInRiskLevels`: of the session that the token is from.
    pub sign_in_risk: Fact<RiskLevel>,
    /// `insiderRiskLevels`.
    pub insider_risk: Fact<InsiderRiskLevel>,
}

/// What is known of a guest.
#[derive(Debug, Clone, Copy)]
pub struct GuestFacts<'a> {
    /// As what.
    pub kind: GuestType,
    /// The guest's own tenant.
    pub home_tenant: Option<&'a str>,
}

/// What is known of a classic workload.
#[derive(Debug, Clone, Copy)]
pub struct WorkloadFacts<'a> {
    /// Object id of its service principal.
    pub id: &'a str,
    /// Whether the application is registered in this tenant (`ServicePrincipalsInMyTenant`).
    pub in_tenant: Fact<bool>,
    /// Its custom security attributes.
    pub attributes: Fact<&'a Attributes>,
    /// `servicePrincipalRiskLevels`.
    pub risk: Fact<RiskLevel>,
}

/// What is known of the resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceFacts<'a> {
    /// The appId. Unknown where a token is asked for and the request does not say what for: then it may be any.
    pub app_id: Fact<&'a str>,
    /// Its custom security attributes, read by `applicationFilter`.
    pub attributes: Fact<&'a Attributes>,
    /// Whether it is itself an agent (`AllAgentIdResources`).
    pub is_agent: Fact<bool>,
    /// The authentication contexts (`c1` … `c99`) that the operation which the call performs is marked with.
    pub authentication_contexts: &'a [Arc<str>],
}

/// What is known of a call beside who makes it and what for.
#[derive(Debug, Clone, Copy)]
pub struct SessionFacts<'a> {
    /// Where the call comes from, in canonical form (no IPv4 inside IPv6).
    pub address: Fact<IpAddr>,
    /// The country of the address; `None`: the database has none for it.
    pub country: Fact<Option<Country>>,
    /// The platform of the device.
    pub platform: Fact<DevicePlatform>,
    /// What a human uses.
    pub client_app_type: Fact<ClientAppType>,
    /// How the session came to this client; `None`: by neither of the ways that policies ask for.
    pub transfer_method: Fact<Option<TransferMethod>>,
    /// Properties of the device by their name after `device.` (`isCompliant`, `trustType`), values folded, a Boolean as
    /// `true` or `false`; none of a device that is not registered.
    pub device: Fact<&'a Attributes>,
    /// The environments that an agent user's session was started from (`agentContext`).
    pub agent_contexts: Fact<&'a [Arc<str>]>,
    /// What was shown of the controls that policies demand.
    pub controls: ControlFacts<'a>,
}

/// What is known of the grant controls that are not in the facts already (as a compliant device is).
#[derive(Debug, Clone, Copy)]
pub struct ControlFacts<'a> {
    /// `mfa`
    pub mfa: Fact<bool>,
    /// `approvedApplication`
    pub approved_application: Fact<bool>,
    /// `compliantApplication`
    pub compliant_application: Fact<bool>,
    /// `passwordChange`
    pub password_change: Fact<bool>,
    /// `riskRemediation`
    pub risk_remediation: Fact<bool>,
    /// Ids of the authentication strengths that the session meets.
    pub authentication_strengths: Fact<&'a [Arc<str>]>,
    /// Ids of the agreements that were accepted.
    pub terms_of_use: Fact<&'a [Arc<str>]>,
    /// Names of the custom factors that were shown.
    pub custom_factors: Fact<&'a [Arc<str>]>,
}

impl<'a> HumanFacts<'a> {
    /// A human of whom nothing but the id is known, if that is, for policies that need to know.
    #[must_use]
    pub const fn unknown(id: Fact<&'a str>) -> Self {
        Self {
            id,
            groups: Fact::RequiredUnknown,
            roles: Fact::RequiredUnknown,
            guest: Fact::RequiredUnknown,
            user_risk: Fact::RequiredUnknown,
            sign_in_risk: Fact::RequiredUnknown,
            insider_risk: Fact::RequiredUnknown,
        }
    }
}

impl<'a> WorkloadFacts<'a> {
    /// A workload of which nothing but the id is known, for policies that need to know.
    #[must_use]
    pub const fn unknown(id: &'a str) -> Self {
        Self {
            id,
            in_tenant: Fact::RequiredUnknown,
            attributes: Fact::RequiredUnknown,
            risk: Fact::RequiredUnknown,
        }
    }
}

impl SessionFacts<'_> {
    /// A session of which nothing is told, and for which no policy waits.
    pub const UNTOLD: Self = Self {
        address: Fact::Unknown,
        country: Fact::Unknown,
        platform: Fact::Unknown,
        client_app_type: Fact::Unknown,
        transfer_method: Fact::Unknown,
        device: Fact::Unknown,
        agent_contexts: Fact::Unknown,
        controls: ControlFacts {
            mfa: Fact::Unknown,
            approved_application: Fact::Unknown,
            compliant_application: Fact::Unknown,
            password_change: Fact::Unknown,
            risk_remediation: Fact::Unknown,
            authentication_strengths: Fact::Unknown,
            terms_of_use: Fact::Unknown,
            custom_factors: Fact::Unknown,
        },
    };

    /// A session of which nothing is known, for policies that need to know.
    pub const UNKNOWN: Self = Self {
        address: Fact::RequiredUnknown,
        country: Fact::RequiredUnknown,
        platform: Fact::RequiredUnknown,
        client_app_type: Fact::RequiredUnknown,
        transfer_method: Fact::RequiredUnknown,
        device: Fact::RequiredUnknown,
        agent_contexts: Fact::RequiredUnknown,
        controls: ControlFacts {
            mfa: Fact::RequiredUnknown,
            approved_application: Fact::RequiredUnknown,
            compliant_application: Fact::RequiredUnknown,
            password_change: Fact::RequiredUnknown,
            risk_remediation: Fact::RequiredUnknown,
            authentication_strengths: Fact::RequiredUnknown,
            terms_of_use: Fact::RequiredUnknown,
            custom_factors: Fact::RequiredUnknown,
        },
    };
}
