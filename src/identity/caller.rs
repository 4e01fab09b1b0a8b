//! [`Identified`]: a call whose caller is known, and the four kinds of caller.
//!
//! Built by [`super`] only, from a verified token; there is no anonymous caller.

use std::net::IpAddr;
use std::sync::Arc;

use super::binding::Thumbprint;
use super::controls::VouchedControls;
use super::directory::{AgentIdentity, AgentUser, Blueprint, ServicePrincipal, User};
use super::dpop::Proof;
use super::evidence::Evidence;
use super::request::{RequestFacts, Teller, TokenRequest};
use super::verify::Verified;
use crate::call::{Received, Refused};
use crate::types::{
    AgentId, AgentUserId, AppId, BlueprintId, Fact, ObjectId, PrincipalId, Reason, SharedParts,
    TenantId, Timestamp,
};

/// How it was found out that the caller is an agent (`reference/entra.md` §2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognition {
    /// By the token's own markers (Entra's facets, or the claims that the issuer's profile maps).
    Markers,
    /// The token has no markers, but the directory knows the client or the subject as an agent.
    Directory,
    /// Neither says so. Not an agent as far as anybody knows.
    Nothing,
}

/// An agent identity as a caller: what the token says, and what the directory adds.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Object id, which is its app id too.
    pub id: AgentId,
    /// Its blueprint: the directory's word, else the token's.
    pub blueprint: Option<BlueprintId>,
    /// Its entry in the directory. `None`: discovered, not known.
    pub entry: Option<Arc<AgentIdentity>>,
    /// Its blueprint's entry in the directory.
    pub blueprint_entry: Option<Arc<Blueprint>>,
}

impl Agent {
    /// Object id of its blueprint's principal, where the directory has one.
    #[must_use]
    pub fn blueprint_principal(&self) -> Option<&PrincipalId> {
        self.blueprint_entry.as_ref()?.principal_id.as_ref()
    }
}

/// A human behind a call.
#[derive(Debug, Clone)]
pub struct Human {
    /// Object id, or the issuer's subject. `None`: a request for a token does not say who.
    pub id: Option<ObjectId>,
    /// The entry in the directory.
    pub entry: Option<Arc<User>>,
}

/// What a caller is that is not an agent.
#[derive(Debug, Clone)]
pub enum Account {
    /// A human whom a request for a token does not name.
    Unnamed,
    /// A human, with the entry in the directory.
    Human(Option<Arc<User>>),
    /// A classic workload, with its service principal's entry in the directory.
    Workload(Option<Arc<ServicePrincipal>>),
}

/// A caller that is not an agent.
#[derive(Debug, Clone)]
pub struct NonAgent {
    /// The subject; where nothing names it, the client.
    pub id: ObjectId,
    /// The client, where the token names one.
    pub client: Option<AppId>,
    /// What it is.
    pub account: Account,
    /// The blueprint whose application is the client, or whose principal is the subject. A blueprint is no agent, and
    /// a disabled one may not call all the same.
    pub blueprint_entry: Option<Arc<Blueprint>>,
    /// `azp == oid`: it may be an agent that nobody told us of (`reference/entra.md` §2.6). Recorded, never decided on.
    pub may_be_agent: bool,
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// An agent identity on its own.
    Autonomous(Agent),
    /// An agent user, with its agent identity.
    AgentUser {
        /// Object id of the account.
        id: AgentUserId,
        /// Its entry in the directory.
        entry: Option<Arc<AgentUser>>,
        /// The agent identity that it belongs to.
        agent: Agent,
    },
    /// An agent identity that acts for a human.
    OnBehalfOf {
        /// The human.
        human: Human,
        /// The acting agent.
        agent: Agent,
    },
    /// Not an agent.
    NotAgent(NonAgent),
}

impl Caller {
    /// The stable name of the kind: the metrics' `agent_type` label, and `Boomgate-Agent-Type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Autonomous(_) => "agent_identity",
            Self::AgentUser { .. } => "agent_user",
            Self::OnBehalfOf { .. } => "on_behalf_of",
            Self::NotAgent(_) => "not_agent",
        }
    }

    /// The agent identity, where there is one.
    #[must_use]
    pub const fn agent(&self) -> Option<&Agent> {
        match self {
            Self::Autonomous(agent)
            | Self::AgentUser { agent, .. }
            | Self::OnBehalfOf { agent, .. } => Some(agent),
            Self::NotAgent(_) => None,
        }
    }
}

/// What the verified token says beside who calls.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// The issuer's configured name.
    pub issuer: Arc<str>,
    /// The tenant, where the token has one.
    pub tenant: Option<TenantId>,
    /// `jti`, or Entra's `uti`.
    pub token_id: Option<Arc<str>>,
    /// The audience that matched.
    pub audience: Arc<str>,
    /// Delegated scopes.
    pub scopes: Arc<[Arc<str>]>,
    /// App roles.
    pub roles: Arc<[Arc<str>]>,
    /// `iat`, where given.
    pub issued_at: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Timestamp,
    /// Key id of the signature.
    pub key_id: Option<Arc<str>>,
    /// The key that it is bound to. `None`: a bearer token.
    pub bound_to: Option<Thumbprint>,
    /// Whether the client declared that it understands claims challenges (`xms_cc` holds `cp1`).
    pub claims_challenge_capable: bool,
    /// What it shows of the human and of the session.
    pub evidence: Evidence,
    /// Where the issuer's users sign in, for issuers of Entra.
    pub authorization_uri: Option<Arc<str>>,
    /// The grant controls that its issuer vouches for.
    pub vouched: Arc<VouchedControls>,
}

impl TokenFacts {
    /// Keeps once what many tokens have in common.
    pub(super) fn share(&mut self, common: &mut SharedParts) {
        if let Some(tenant) = &mut self.tenant {
            tenant.share(common);
        }
        let texts = [&mut self.issuer, &mut self.audience];
        for text in texts.into_iter().chain(&mut self.key_id) {
            common.share(text);
        }
        common.share_list(&mut self.scopes);
        common.share_list(&mut self.roles);
    }
}

/// By what a caller is known.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A token that was verified.
    Token(Arc<TokenFacts>),
    /// A request for a token, whose credentials the issuer checks.
    Request(Arc<RequestFacts>),
}

impl Credential {
    /// The verified token by which the subject is known, where there is one.
    #[must_use]
    pub fn token(&self) -> Option<&TokenFacts> {
        match self {
            Self::Token(token) => Some(token),
            Self::Request(request) => request.token.as_deref(),
        }
    }

    /// What is shown of the human and of the session.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        match self {
            Self::Token(token) => &token.evidence,
            Self::Request(request) => request
                .token
                .as_ref()
                .map_or(&request.nothing, |token| &token.evidence),
        }
    }

    /// The tenant, where there is one.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Token(token) => token.tenant.as_ref(),
            Self::Request(request) => request.tenant.as_ref(),
        }
    }

    /// Where the caller of a call from this address is. FAIL-CLOSED: an issuer that does not say where its client is
    /// leaves it unknown.
    #[must_use]
    pub fn address(&self, of_call: IpAddr) -> Fact<IpAddr> {
        match self.request().map(|request| request.teller) {
            None | Some(Teller::Client) => Fact::Known(of_call),
            Some(Teller::Issuer { address }) => address.map_or(Fact::RequiredUnknown, Fact::Known),
        }
    }

    /// The request for a token, if it is one.
    #[must_use]
    pub fn request(&self) -> Option<&RequestFacts> {
        match self {
            Self::Token(_) => None,
            Self::Request(request) => Some(request),
        }
    }
}

/// What a caller was found out by, kept so that it can be found out again when directory, issuers or keys have changed
/// ([`Authenticator::identify_again`](super::Authenticator::identify_again)).
#[derive(Debug, Clone)]
pub enum Basis {
    /// A token that was verified. Its text is not kept.
    Token(Arc<Verified>),
    /// A request for a token, with the credentials in it, for as long as the call of it is open.
    Request(Arc<TokenRequest>),
}

impl Basis {
    /// Whether both are tokens of one account, by their own word.
    #[must_use]
    pub fn is_of_account_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(other)) => {
                Arc::ptr_eq(one, other)
                    || (one.facts().issuer == other.facts().issuer
                        && one.subject() == other.subject())
            }
            (Self::Token(_) | Self::Request(_), _) => false,
        }
    }
}

/// A call whose caller is known.
#[derive(Debug)]
#[must_use]
pub struct Identified {
    received: Received,
    caller: Arc<Caller>,
    recognition: Recognition,
    credential: Credential,
    basis: Basis,
}

impl Identified {
    /// Joins a call with the caller that its own credential tells of.
    pub(super) const fn new(
        received: Received,
        caller: Arc<Caller>,
        recognition: Recognition,
        credential: Credential,
        basis: Basis,
    ) -> Self {
        Self {
            received,
            caller,
            recognition,
            credential,
            basis,
        }
    }

    /// The call.
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// How the caller was recognised.
    #[must_use]
    pub const fn recognition(&self) -> Recognition {
        self.recognition
    }

    /// By what the caller is known.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What the caller was found out by.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Ends the call here.
    pub fn refuse(self, reason: Reason) -> Refused {
        self.received.refuse(reason)
    }

    /// Gives the call back, for the room that forwards it.
    pub(crate) fn into_received(self) -> Received {
        self.received
    }
}

/// A call of which it was found out who makes it.
#[derive(Debug)]
#[must_use]
pub enum Found {
    /// Nothing is left to be found out.
    Whole(Identified),
    /// Unless its proof was seen before.
    Once(Provisional),
}

/// A call whose caller is known by a proof that may count once only. It cannot be decided before it was found out
/// whether this is the first time.
#[derive(Debug)]
#[must_use]
pub struct Provisional {
    identified: Identified,
    proof: Proof,
}

impl Provisional {
    pub(super) const fn new(identified: Identified, proof: Proof) -> Self {
        Self { identified, proof }
    }

    /// The proof.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Goes on with the call if its proof counts.
    ///
    /// # Errors
    /// [`Refused`] for the reason that it does not.
    pub fn settle(self, counts: Result<(), Reason>) -> Result<Identified, Refused> {
        match counts {
            Ok(()) => Ok(self.identified),
            Err(reason) => Err(self.identified.refuse(reason)),
        }
    }
}
