//! The room's door: a call and what is known of issuers and agents go in; an [`Identified`] call or a refusal comes out.
//!
//! Takes the time as an argument and counts nothing itself: what is worth a metric is in the [`Observation`].
//! Never here: a way past the check of the token.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::bearer::{self, Scheme, Token};
use super::cache::{Sought, VerifiedTokens};
use super::caller::{Basis, Caller, Credential, Found, Identified, Provisional, Recognition};
use super::classify::classify;
use super::directory::Directory;
use super::dpop;
use super::issuers::Issuers;
use super::request::TokenRequest;
use super::requester::{Requester, Search};
use super::settings::TokenSettings;
use super::verify::{Verified, verify};
use crate::call::{Received, Refused};
use crate::types::{Reason, Timestamp};

/// Whether a token was remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheResult {
    /// It was checked before, and nothing that the check rested on has changed.
    Hit,
    /// It was checked now.
    Miss,
}

impl CacheResult {
    /// The metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

/// What the check of one token has to tell, beside its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The configured name of the token's issuer, once the token was found to name one; not of a token that was remembered.
    pub issuer: Option<Arc<str>>,
    /// Whether it was remembered; `None` if no token was looked up.
    pub cache: Option<CacheResult>,
    /// The issuer whose key set lacks the token's key: a refresh of it may be asked for, within its interval.
    pub unknown_key_of: Option<Arc<str>>,
}

/// What was seen of one token, and why it was refused, if it was.
pub type Seen = (Observation, Option<Reason>);

/// Finds out who calls. One for all workers: it holds the cache of verified tokens.
#[derive(Debug)]
pub struct Authenticator {
    max_bytes: usize,
    max_proof_age: Duration,
    cache: VerifiedTokens,
}

impl Authenticator {
    /// An authenticator with an empty cache.
    #[must_use]
    pub fn new(settings: TokenSettings) -> Self {
        Self {
            max_bytes: settings.max_bytes,
            max_proof_age: settings.max_proof_age,
            cache: VerifiedTokens::new(settings.cache_entries),
        }
    }

    /// Identifies the caller of a call by the token in its `Authorization` header, and by its proof that it holds the
    /// token's key, if the token is bound to one.
    pub fn identify(
        &self,
        received: Received,
        issuers: &Issuers,
        directory: &Arc<Directory>,
        now: Timestamp,
    ) -> (Result<Found, Refused>, Observation) {
        let sent = match bearer::read(received.headers()) {
            Ok(sent) => sent,
            Err(reason) => return (Err(received.refuse(reason)), Observation::default()),
        };
        let audiences = &received.resource().audiences;
        let (verified, observation) = self.verify_sent(sent.token, audiences, issuers, now);
        let found = verified.and_then(|verified| {
            let bound_to = verified.facts().bound_to.as_ref();
            let proof = dpop::check(&received, &sent, bound_to, self.max_proof_age, now)?;
            let (caller, recognition) = match observation.cache {
                Some(CacheResult::Hit) => verified.caller(directory)?,
                // It may never come again: nothing is kept beside it.
                Some(CacheResult::Miss) | None => {
                    let (caller, recognition) = classify(verified.claimed(), directory)?;
                    (Arc::new(caller), recognition)
                }
            };
            let credential = Credential::Token(Arc::clone(verified.facts()));
            Ok((
                (caller, recognition, credential, Basis::Token(verified)),
                proof,
            ))
        });
        let (found, proof) = match found {
            Ok((found, proof)) => (Ok(found), proof),
            Err(reason) => (Err(reason), None),
        };
        let found = identified(received, found).map(|identified| match proof {
            None => Found::Whole(identified),
            Some(proof) => Found::Once(Provisional::new(identified, proof)),
        });
        (found, observation)
    }

    /// Identifies the caller of a call that asks for a token. What was seen of each token in it comes along.
    pub fn identify_requester(
        &self,
        received: Received,
        request: TokenRequest,
        issuers: &Issuers,
        directory: &Directory,
        now: Timestamp,
    ) -> (Result<Identified, Refused>, Vec<Seen>) {
        let (result, seen) = self.find_requester(&request, issuers, directory, now);
        let found = result.map(|(caller, recognition, facts)| {
            let caller = Arc::new(caller);
            let credential = Credential::Request(Arc::new(facts));
            let basis = Basis::Request(Arc::new(request));
            (caller, recognition, credential, basis)
        });
        (identified(received, found), seen)
    }

    /// Finds out anew who makes a call that was forwarded and is still open, from what the caller was found out by.
    /// `audiences` are those of the call's resource. That a token has expired since does not count here.
    ///
    /// # Errors
    /// The [`Reason`] that the same call would be refused with now.
    pub fn identify_again(
        &self,
        basis: &Basis,
        audiences: &[Arc<str>],
        issuers: &Issuers,
        directory: &Directory,
        now: Timestamp,
    ) -> Result<(Caller, Credential), Reason> {
        match basis {
            Basis::Token(verified) => {
                verified.still_stands(audiences, issuers, now)?;
                let (caller, _) = classify(verified.claimed(), directory)?;
                let facts = Arc::clone(verified.facts());
                Ok((caller, Credential::Token(facts)))
            }
            Basis::Request(request) => {
                let (found, _seen) = self.find_requester(request, issuers, directory, now);
                let (caller, _, facts) = found?;
                Ok((caller, Credential::Request(Arc::new(facts))))
            }
        }
    }

    /// Finds out who asks for a token, where there is no call to forward.
    pub fn find_requester(
        &self,
        request: &TokenRequest,
        issuers: &Issuers,
        directory: &Directory,
        now: Timestamp,
    ) -> (Result<Requester, Reason>, Vec<Seen>) {
        let mut search = Search {
            request,
            issuers,
            directory,
            max_token_bytes: self.max_bytes,
            now,
            seen: Vec::new(),
        };
        let result = search.run();
        (result, search.seen)
    }

    /// Checks the bearer token of a call, which must be meant for one of these audiences. One that is bound to a key is
    /// none.
    ///
    /// # Errors
    /// The [`Reason`] that the credential is refused with.
    pub fn verify_bearer(
        &self,
        headers: &HeaderMap,
        audiences: &Arc<[Arc<str>]>,
        issuers: &Issuers,
        now: Timestamp,
    ) -> (Result<Arc<Verified>, Reason>, Observation) {
        match bearer::read(headers) {
            Ok(sent) if sent.scheme == Scheme::Bearer => {
                unbound(self.verify_sent(sent.token, audiences, issuers, now))
            }
            Ok(_) => (Err(Reason::CredentialMissing), Observation::default()),
            Err(reason) => (Err(reason), Observation::default()),
        }
    }

    /// Checks a bearer token that must be meant for one of these audiences, or finds that it was checked before. One that
    /// is bound to a key is none.
    ///
    /// # Errors
    /// The [`Reason`] that the token is refused with. Refusals are not remembered.
    pub fn verify_token(
        &self,
        token: &str,
        audiences: &Arc<[Arc<str>]>,
        issuers: &Issuers,
        now: Timestamp,
    ) -> (Result<Arc<Verified>, Reason>, Observation) {
        unbound(self.verify_sent(Token::Text(token), audiences, issuers, now))
    }

    /// Checks a token, whether it is bound to a key or not.
    fn verify_sent(
        &self,
        token: Token<'_>,
        audiences: &Arc<[Arc<str>]>,
        issuers: &Issuers,
        now: Timestamp,
    ) -> (Result<Arc<Verified>, Reason>, Observation) {
        let mut observation = Observation::default();
        let result = self.check(token, audiences, issuers, now, &mut observation);
        (result, observation)
    }

    fn check(
        &self,
        token: Token<'_>,
        audiences: &Arc<[Arc<str>]>,
        issuers: &Issuers,
        now: Timestamp,
        observation: &mut Observation,
    ) -> Result<Arc<Verified>, Reason> {
        if token.bytes().len() > self.max_bytes {
            token.read()?;
            return Err(Reason::TokenMalformed);
        }
        if !self.cache.is_on() {
            let token = token.read()?;
            return verify(token, self.max_bytes, audiences, issuers, now, observation)
                .map(Arc::new);
        }
        let sought = Sought::new(issuers.generation(), audiences, token.bytes());
        if let Some(verified) = self.cache.get(&sought, now) {
            observation.cache = Some(CacheResult::Hit);
            let name = &verified.facts().issuer;
            // The same generation can have grown too old since.
            let issuer = issuers.named(name).ok_or(Reason::TokenIssuerRefused)?;
            issuer.fresh_keys(now)?;
            return Ok(verified);
        }
        let token = token.read()?;
        observation.cache = Some(CacheResult::Miss);
        let verified = verify(token, self.max_bytes, audiences, issuers, now, observation)?;
        let verified = Arc::new(verified);
        self.cache.put(&sought, &verified, now);
        Ok(verified)
    }
}

/// The same, if the token is bound to no key.
fn unbound(
    (verified, seen): (Result<Arc<Verified>, Reason>, Observation),
) -> (Result<Arc<Verified>, Reason>, Observation) {
    let unbound = verified.and_then(|verified| match verified.facts().bound_to {
        None => Ok(verified),
        Some(_) => Err(Reason::ProofMissing),
    });
    (unbound, seen)
}

/// A call with what was found out of its caller, or refused.
fn identified(
    received: Received,
    found: Result<(Arc<Caller>, Recognition, Credential, Basis), Reason>,
) -> Result<Identified, Refused> {
    match found {
        Ok((caller, recognition, credential, basis)) => Ok(Identified::new(
            received,
            caller,
            recognition,
            credential,
            basis,
        )),
        Err(reason) => Err(received.refuse(reason)),
    }
}
