//! Everything that a policy may read of one call. Borrowed, so that an evaluation copies nothing.

use crate::types::{Attributes, Fact, RiskLevel, Timestamp};

/// The facts of one call.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// What for.
    pub resource: ResourceFacts<'a>,
    /// When.
    pub now: Timestamp,
    /// Whether to read policies only as Entra does (`product.md` §4): then an agent that acts for a human
    /// is not judged by policies for agents.
    pub entra_parity: bool,
}

/// The four kinds of caller.
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
    /// Not an agent: no policy for agents concerns it.
    NotAgent,
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
    /// Object id, or the issuer's subject.
    pub id: &'a str,
}

/// What is known of the resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceFacts<'a> {
    /// The appId.
    pub app_id: &'a str,
    /// Its custom security attributes, read by `applicationFilter`.
    pub attributes: &'a Attributes,
    /// Whether it is itself an agent (`AllAgentIdResources`).
    pub is_agent: bool,
}
