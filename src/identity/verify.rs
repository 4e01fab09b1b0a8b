//! The check of one token, from its form to its claims: cheap checks first, then issuer, key, signature, claims.
//!
//! `jsonwebtoken` checks the signature and nothing else: its own validation of claims reads the clock, and takes
//! what our own reader of claims refuses (an `iss` that is an array, any `typ`, `crit`, a number far out of range).
//! Never here: the network, whatever a token names; and a claim that is believed before its signature was checked,
//! other than `iss`, which only says whose keys to check with.

use std::sync::Arc;

use super::authenticate::Observation;
use super::binding;
use super::caller::{Caller, Recognition, TokenFacts};
use super::claims::{Claims, Expected};
use super::digest::Digest;
use super::directory::Directory;
use super::issuers::{Issuer, Issuers};
use super::jose::{self, UnverifiedJws};
use super::keys::{Key, KeyChoiceError};
use super::known::LastKnown;
use super::profile::{self, AccountKind, Claimed, Reading, Subject};
use super::settings::IssuerSettings;
use crate::types::{Reason, SharedParts, Timestamp};

/// A token whose signature and claims were checked. It says nothing of policy.
#[derive(Debug)]
pub struct Verified {
    /// What the token says beside who calls.
    facts: Arc<TokenFacts>,
    /// Who calls, by the token's own word.
    claimed: Claimed,
    /// How it was read.
    settings: Arc<IssuerSettings>,
    /// The key that proved it.
    signed_by: Digest,
    /// Who calls, by the directory's word too.
    known: LastKnown,
}

impl Verified {
    pub(super) fn new(
        facts: TokenFacts,
        claimed: Claimed,
        settings: &Arc<IssuerSettings>,
        signed_by: Digest,
    ) -> Self {
        Self {
            facts: Arc::new(facts),
            claimed,
            settings: Arc::clone(settings),
            signed_by,
            known: LastKnown::default(),
        }
    }

    /// The same, in memory of its own: what a call takes references to, no other thread counts. What tokens have in common
    /// is kept once for all of them.
    pub(super) fn apart(&self, common: &mut SharedParts) -> Self {
        let mut facts = TokenFacts::clone(&self.facts);
        facts.share(common);
        Self {
            facts: Arc::new(facts),
            claimed: self.claimed.apart(common),
            settings: Arc::clone(&self.settings),
            signed_by: self.signed_by,
            known: LastKnown::default(),
        }
    }

    /// Who calls: the token's own word, joined with the directory, which is not asked twice.
    ///
    /// # Errors
    /// [`Reason::TokenClaimsRefused`] where they contradict each other.
    pub(super) fn caller(
        &self,
        directory: &Arc<Directory>,
    ) -> Result<(Arc<Caller>, Recognition), Reason> {
        self.known.caller(&self.claimed, directory)
    }

    /// Whether what was found out about the token would be found out again: its issuer is still read as it was, still
    /// has the key, and the token is still meant for one of `audiences`. A call that is under way rests on this; its
    /// token's text is gone. Says nothing of its expiry.
    ///
    /// # Errors
    /// The [`Reason`] that a call with the token would be refused with now.
    pub fn still_stands(
        &self,
        audiences: &[Arc<str>],
        issuers: &Issuers,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let issuer = issuers.named(&self.facts.issuer);
        // FAIL-CLOSED: under other settings the token might say something else.
        let issuer = issuer
            .filter(|issuer| issuer.settings.reads_like(&self.settings))
            .ok_or(Reason::TokenIssuerRefused)?;
        if !issuer.fresh_keys(now)?.holds(self.signed_by) {
            return Err(Reason::TokenKeyUnknown);
        }
        if audiences.contains(&self.facts.audience) {
            Ok(())
        } else {
            Err(Reason::TokenAudienceRefused)
        }
    }

    /// What the token says beside who calls.
    #[must_use]
    pub const fn facts(&self) -> &Arc<TokenFacts> {
        &self.facts
    }

    /// The account that acts, by the token's own word, and whether it is a person's. For the audit log.
    #[must_use]
    pub fn subject(&self) -> (Arc<str>, bool) {
        match &self.claimed {
            Claimed::Agent { id, subject, .. } => match subject {
                Subject::Agent => (id.to_shared(), false),
                Subject::AgentUser(user) => (user.to_shared(), false),
                Subject::Unmarked(human) => (human.to_shared(), true),
            },
            Claimed::Unmarked {
                subject,
                says,
                looks_like,
                ..
            } => {
                let is_human = says.unwrap_or(*looks_like) == AccountKind::Human;
                (subject.to_shared(), is_human)
            }
        }
    }

    /// The client that it was given to, by its own word.
    #[must_use]
    pub fn client(&self) -> Option<Arc<str>> {
        match &self.claimed {
            Claimed::Agent { id, .. } => Some(id.to_shared()),
            Claimed::Unmarked { client, .. } => client.as_ref().map(|client| client.to_shared()),
        }
    }

    pub(super) const fn claimed(&self) -> &Claimed {
        &self.claimed
    }
}

/// The issuer's key that made the signature.
pub(super) fn signing_key<'i>(
    jws: &UnverifiedJws<'_>,
    issuer: &'i Issuer,
    now: Timestamp,
    observation: &mut Observation,
) -> Result<&'i Key, Reason> {
    let keys = issuer.fresh_keys(now)?;
    let key = keys
        .choose(jws.header.key_id.as_deref(), jws.header.algorithm)
        .map_err(|error| {
            if error == KeyChoiceError::Unknown {
                observation.unknown_key_of = Some(Arc::clone(&issuer.settings.name));
            }
            error.reason()
        })?;
    if key.verifies(jws) {
        Ok(key)
    } else {
        Err(Reason::TokenSignatureInvalid)
    }
}

/// Checks a token that was meant for one of `audiences`.
pub(super) fn verify(
    token: &str,
    max_bytes: usize,
    audiences: &[Arc<str>],
    issuers: &Issuers,
    now: Timestamp,
    observation: &mut Observation,
) -> Result<Verified, Reason> {
    let jws = jose::read(token, max_bytes)?;
    let claims = Claims::parse(&jws.payload)?;

    let issuer = issuers.of(claims.issuer()?);
    let issuer = issuer.ok_or(Reason::TokenIssuerRefused)?;
    let settings = &issuer.settings;
    observation.issuer = Some(Arc::clone(&settings.name));
    jws.header.check(settings)?;
    let key = signing_key(&jws, issuer, now, observation)?;

    let checked = claims.check(&Expected {
        settings,
        audiences,
        now,
        says_access_token: jws.header.says_access_token(),
    })?;
    let bound_to = binding::read(&claims)?;
    let Reading {
        claimed,
        tenant,
        token_id,
        scopes,
        roles,
        claims_challenge_capable,
        evidence,
    } = profile::read(&claims, settings, key.issuer(), bound_to.is_some())?;
    let facts = TokenFacts {
        issuer: Arc::clone(&settings.name),
        tenant,
        token_id,
        audience: checked.audience,
        scopes,
        roles,
        issued_at: checked.issued_at,
        expires_at: checked.expires_at,
        key_id: jws.header.key_id,
        bound_to,
        claims_challenge_capable,
        evidence,
        authorization_uri: settings.authorization_uri(),
        vouched: Arc::clone(&settings.vouched),
    };
    Ok(Verified::new(facts, claimed, settings, key.content()))
}
