//! Issuer profiles: how an issuer's verified claims say who calls.
//!
//! A profile reads one token and nothing else. Whether the directory knows the caller is asked afterwards, at
//! each call ([`super::classify`]), so that what is read here can be remembered with the token.
//! Never here: a claim of a token whose signature was not checked.

pub(super) mod entra;
pub(super) mod oidc;
mod shown;

use std::sync::Arc;

use self::shown::Vouching;
use super::claims::Claims;
use super::evidence::Evidence;
use super::settings::{IssuerSettings, Profile};
use crate::types::{
    AgentId, AgentUserId, AppId, BlueprintId, IdError, ObjectId, Reason, SharedParts, TenantId,
};

/// Who calls, by the token's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claimed {
    /// The token has markers: its client is this agent identity.
    Agent {
        /// The agent identity.
        id: AgentId,
        /// Its blueprint.
        blueprint: Option<BlueprintId>,
        /// Whom it acts as.
        subject: Subject,
    },
    /// The token has no markers. That is no proof that its client is not an agent.
    Unmarked {
        /// The subject.
        subject: ObjectId,
        /// The client, where the token names one.
        client: Option<AppId>,
        /// What kind of account the token says that the subject is.
        says: Option<AccountKind>,
        /// What kind it looks like, where the token does not say.
        looks_like: AccountKind,
    },
}

impl Claimed {
    /// The same, in memory of its own; what many tokens have in common is kept once.
    pub(super) fn apart(&self, common: &mut SharedParts) -> Self {
        match self {
            Self::Agent {
                id,
                blueprint,
                subject,
            } => {
                let blueprint = blueprint.as_ref().map(|blueprint| {
                    let mut own = blueprint.apart();
                    own.share(common);
                    own
                });
                Self::Agent {
                    id: id.apart(),
                    blueprint,
                    subject: match subject {
                        Subject::Agent => Subject::Agent,
                        Subject::AgentUser(user) => Subject::AgentUser(user.apart()),
                        Subject::Unmarked(subject) => Subject::Unmarked(subject.apart()),
                    },
                }
            }
            Self::Unmarked {
                subject,
                client,
                says,
                looks_like,
            } => Self::Unmarked {
                subject: subject.apart(),
                client: client.as_ref().map(AppId::apart),
                says: *says,
                looks_like: *looks_like,
            },
        }
    }
}

/// The kinds of account that are no agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountKind {
    /// A person's.
    Human,
    /// A service principal's, behind which no user stands.
    Workload,
}

/// Whom an agent identity acts as, by the token's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// Itself.
    Agent,
    /// Its agent user.
    AgentUser(AgentUserId),
    /// Somebody without the mark of an agent user: a human, as far as the token says.
    Unmarked(ObjectId),
}

/// What a profile reads of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) claimed: Claimed,
    pub(super) tenant: Option<TenantId>,
    pub(super) token_id: Option<Arc<str>>,
    pub(super) scopes: Arc<[Arc<str>]>,
    pub(super) roles: Arc<[Arc<str>]>,
    pub(super) claims_challenge_capable: bool,
    pub(super) evidence: Evidence,
}

/// Reads the claims of a token whose signature, audience and times are in order. `key_issuer` is what the
/// key set says of the key's issuer; `is_bound`, whether the caller has to show that it holds the token's key.
pub(super) fn read(
    claims: &Claims,
    settings: &IssuerSettings,
    key_issuer: Option<&str>,
    is_bound: bool,
) -> Result<Reading, Reason> {
    let vouching = Vouching::new(&settings.vouched, is_bound);
    match &settings.profile {
        Profile::Entra { tenant } => {
            entra::check_issuer(claims, tenant, &settings.issuers, key_issuer)?;
            entra::read(claims, tenant, vouching)
        }
        Profile::Oidc(mapping) => oidc::read(claims, mapping, vouching),
    }
}

/// A claim that holds an id, if it is there.
fn id<T>(
    claims: &Claims,
    path: &str,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, Reason> {
    claims
        .text(path)?
        .map(parse)
        .transpose()
        .map_err(|_not_an_id| Reason::TokenClaimsRefused)
}
