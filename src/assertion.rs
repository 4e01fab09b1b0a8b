//! Room 5: `Boomgate-Assertion`, a short-lived JWT that tells an upstream what was decided on a call (`product.md` §5.3).
//!
//! An upstream that verifies it need not trust the network between: no call without a decision has one. It is signed
//! with ES256 by a key that only this gateway, or its replicas, hold; the public keys are at [`KEY_SET_PATH`].
//! Never here: a verdict, and anything of the caller's token but who it is of.

mod key;
mod ring;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::CallContext;
use crate::identity::Caller;
use crate::types::Timestamp;

pub use key::{KeyError, SigningKey};
use ring::Ring;

/// Where the public keys are, on every listener of calls: a JWK Set (RFC 7517 §5).
pub const KEY_SET_PATH: &str = "/.well-known/boomgate/jwks.json";

/// How long others may remember the public keys, in seconds. Less than the shortest rotation, so that a new key is
/// known before it signs.
pub const KEY_SET_MAX_AGE: u32 = 300;

/// What an operator says of assertions.
#[derive(Debug, Clone)]
pub struct AssertionSettings {
    /// `iss`
    pub issuer: Arc<str>,
    /// From `iat` to `exp`, in whole seconds.
    pub lifetime: Duration,
    /// Which keys sign.
    pub keys: KeySource,
}

/// Which keys sign.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The operator's, which replicas share: the first signs, the others are published too. At least one.
    Given(Vec<Arc<SigningKey>>),
    /// Made in memory, and replaced this often.
    Made(Duration),
}

/// Signs assertions.
#[derive(Debug)]
pub struct Signer {
    issuer: Arc<str>,
    lifetime: Duration,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Given(Vec<Arc<SigningKey>>),
    Made { ring: Arc<Ring>, rotation: Duration },
}

/// What is asserted: who makes a call that was permitted, and by which policies.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// The call.
    pub context: &'a CallContext,
    /// Who makes it.
    pub caller: &'a Caller,
    /// The `policyGeneration` that permitted it.
    pub generation: &'a str,
    /// For whom this is: `aud`.
    pub audience: &'a str,
}

/// The claims, in the order in which they are written. `sub` and `act` are RFC 8693's: whom the call is made for, and
/// the agent that makes it where that is another.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor<'a>>,
    iat: i64,
    exp: i64,
    jti: &'a str,
    agent_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blueprint_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    htm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    policy_generation: &'a str,
}

#[derive(Debug, Serialize)]
struct Actor<'a> {
    sub: &'a str,
}

impl Signer {
    /// A signer by these settings. `before` is the one that it takes the place of: keys that were made in memory live
    /// on, so that a reload of something else makes no upstream fetch new ones.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn new(
        settings: &AssertionSettings,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, KeyError> {
        let keys = match (&settings.keys, before.map(|before| &before.keys)) {
            (KeySource::Given(keys), _) => Keys::Given(keys.clone()),
            (KeySource::Made(rotation), Some(Keys::Made { ring, .. })) => Keys::Made {
                ring: Arc::clone(ring),
                rotation: *rotation,
            },
            (KeySource::Made(rotation), Some(Keys::Given(_)) | None) => Keys::Made {
                ring: Arc::new(Ring::new(now.after(*rotation))?),
                rotation: *rotation,
            },
        };
        Ok(Self {
            issuer: Arc::clone(&settings.issuer),
            lifetime: settings.lifetime,
            keys,
        })
    }

    /// The assertion as a header's value: a JWS in compact form (RFC 7515 §7.1), valid from the moment when the call
    /// was received.
    ///
    /// # Errors
    /// When it cannot be signed: then the call must not be forwarded.
    pub fn sign(&self, assertion: Assertion<'_>) -> Result<HeaderValue, KeyError> {
        let issued_at = assertion.context.received_at;
        let mut id = [0; 36];
        let claims = self.claims(assertion, assertion.context.id.encode(&mut id));
        let claims = serde_json::to_vec(&claims).map_err(|_unwritable| KeyError::Sign)?;
        let token = match &self.keys {
            Keys::Given(keys) => keys.first().ok_or(KeyError::Sign)?.sign(&claims)?,
            Keys::Made { ring, rotation } => ring.at(issued_at, *rotation).sign(&claims)?,
        };
        let mut value =
            HeaderValue::from_maybe_shared(token).map_err(|_not_ascii| KeyError::Sign)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The public keys, those that will sign next and those that signed before among them.
    #[must_use]
    pub fn key_set(&self, now: Timestamp) -> Value {
        let keys: Vec<Value> = match &self.keys {
            Keys::Given(keys) => keys.iter().map(|key| key.to_jwk()).collect(),
            Keys::Made { ring, rotation } => ring.to_jwks(now, *rotation),
        };
        json!({"keys": keys})
    }

    fn claims<'a>(&'a self, assertion: Assertion<'a>, decision: &'a str) -> Claims<'a> {
        let Assertion {
            context, caller, ..
        } = assertion;
        let agent = caller.agent();
        let agent_id = agent.map(|agent| agent.id.as_str());
        let subject = match caller {
            Caller::Autonomous(agent) => Some(agent.id.as_str()),
            Caller::AgentUser { id, .. } => Some(id.as_str()),
            Caller::OnBehalfOf { human, .. } => human.id.as_ref().map(|id| id.as_str()),
            Caller::NotAgent(account) => Some(account.id.as_str()),
        };
        let issued_at = context.received_at;
        Claims {
            iss: &self.issuer,
            aud: assertion.audience,
            sub: subject,
            act: agent_id
                .filter(|agent| subject != Some(*agent))
                .map(|sub| Actor { sub }),
            iat: issued_at.as_seconds(),
            exp: issued_at.after(self.lifetime).as_seconds(),
            jti: decision,
            agent_type: caller.kind(),
            agent_id,
            blueprint_id: agent
                .and_then(|agent| agent.blueprint.as_ref())
                .map(|id| id.as_str()),
            htm: context.method.as_ref().map(http::Method::as_str),
            path: context.path.as_deref(),
            policy_generation: assertion.generation,
        }
    }
}

#[cfg(test)]
mod tests;
