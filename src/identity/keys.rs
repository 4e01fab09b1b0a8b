//! An issuer's keys: a JWK Set (RFC 7517 §5) becomes the public keys that may check signatures.
//!
//! A key that cannot be used is left out, so that an issuer may publish others beside its own: symmetric keys, keys
//! for encryption, unknown kinds, weak ones, and those whose private half was published with them. A set that
//! keeps none is an error. Never here: a key from a token, a fetch, and a private or symmetric key.

mod jwk;

use std::sync::Arc;

use jsonwebtoken::{DecodingKey, crypto};
use serde_json::Value;

use super::binding::Thumbprint;
use super::digest::Digest;
use super::jose::UnverifiedJws;
use super::settings::Algorithm;
use crate::types::{Reason, json};
use jwk::{Curve, Material};

/// The most keys that one set may have.
pub const MAX_KEYS: usize = 256;

/// Why a key set is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON by the strict rules.
    #[error("the key set is not strict JSON (line {line}, column {column})")]
    Json {
        /// Line of the fault, from 1.
        line: u32,
        /// Column of the fault, from 1.
        column: u32,
    },
    /// JSON, but not a JWK Set.
    #[error("expected a JWK Set: an object whose `keys` is an array of objects")]
    Shape,
    /// More than [`MAX_KEYS`] keys.
    #[error("the key set has {0} keys, expected at most {MAX_KEYS}")]
    TooManyKeys(usize),
    /// None of its keys can check a signature.
    #[error(
        "none of the {0} keys can check signatures (expected RSA of 2048 to 8192 bits, EC on P-256 or P-384, or Ed25519)"
    )]
    NoUsableKey(usize),
}

/// Why a set has no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChoiceError {
    /// No key of the set has the token's key id. A refresh may bring it.
    Unknown,
    /// The token names no key id, or one that several keys have, and more than one key fits.
    Ambiguous,
    /// The key is of another kind than the token's algorithm, or pinned to another one.
    Misfit,
}

impl KeyChoiceError {
    /// The reason that the token is refused with.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Unknown | Self::Ambiguous => Reason::TokenKeyUnknown,
            Self::Misfit => Reason::TokenAlgorithmRefused,
        }
    }
}

/// What a JWK says: what its content id is made of. Sorted and compared by this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Description {
    id: Option<Arc<str>>,
    /// The one algorithm that `alg` pins the key to.
    algorithm: Option<Algorithm>,
    /// Entra's `issuer`; may hold the template `{tenantid}`.
    issuer: Option<Arc<str>>,
    material: Material,
}

/// A public key that may check signatures.
#[derive(Debug, Clone)]
pub struct Key {
    description: Description,
    decoding: DecodingKey,
    content: Digest,
}

/// The usable keys of one issuer.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    content: Digest,
}

impl KeySet {
    /// Reads a JWK Set and keeps the keys that may check signatures.
    ///
    /// # Errors
    /// [`KeySetError`], also for a set without a usable key: an issuer without keys must show as a failed load,
    /// not as tokens that are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        let value = json::parse(bytes).map_err(|fault| KeySetError::Json {
            line: fault.line,
            column: fault.column,
        })?;
        let keys = value.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(KeySetError::Shape)?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys(keys.len()));
        }
        if !keys.iter().all(Value::is_object) {
            return Err(KeySetError::Shape);
        }
        let mut usable: Vec<Key> = keys
            .iter()
            .filter_map(Value::as_object)
            .filter_map(jwk::read)
            .collect();
        if usable.is_empty() {
            return Err(KeySetError::NoUsableKey(keys.len()));
        }
        usable.sort_by(|a, b| a.description.cmp(&b.description));
        usable.dedup_by(|a, b| a.description == b.description);
        let descriptions: Vec<_> = usable.iter().map(|key| &key.description).collect();
        Ok(Self {
            content: Digest::of(&descriptions),
            keys: usable,
        })
    }

    /// The same for two sets of the same usable keys, in whatever order and form they were written.
    #[must_use]
    pub const fn content(&self) -> Digest {
        self.content
    }

    /// Whether the set has the key of this [`Key::content`].
    #[must_use]
    pub fn holds(&self, key: Digest) -> bool {
        self.keys.iter().any(|known| known.content == key)
    }

    /// How many usable keys there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The one key that a token with this key id and algorithm may be checked with. Where keys share an id, or the
    /// token names none, exactly one key of the set must fit: nothing is tried out.
    ///
    /// # Errors
    /// [`KeyChoiceError`] says why there is none.
    pub fn choose(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, KeyChoiceError> {
        let named = |key: &&Key| id.is_none() || key.description.id.as_deref() == id;
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(KeyChoiceError::Ambiguous),
            (None, _) if id.is_none() || self.keys.iter().any(|key| named(&key)) => {
                Err(KeyChoiceError::Misfit)
            }
            (None, _) => Err(KeyChoiceError::Unknown),
        }
    }
}

impl Key {
    /// The key that a proof of possession brings with itself (RFC 9449 §4.2), under the rules for an issuer's; `None` if
    /// it must not check signatures.
    pub(super) fn of_proof(jwk: &serde_json::Map<String, Value>) -> Option<Self> {
        jwk::read(jwk)
    }

    /// By what a token names the key that it is bound to.
    pub(super) fn thumbprint(&self) -> Thumbprint {
        jwk::thumbprint(&self.description.material)
    }

    /// Names the key: the same for two with the same id, numbers, algorithm and issuer.
    #[must_use]
    pub const fn content(&self) -> Digest {
        self.content
    }

    /// `kid`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.description.id.as_deref()
    }

    /// Entra's `issuer` of the key; may hold the template `{tenantid}`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.description.issuer.as_deref()
    }

    /// Whether the key may be used with this algorithm: its kind decides, and its `alg` where it has one. So a key
    /// never checks what was made with another algorithm (RFC 8725 §3.1).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let pinned = self.description.algorithm;
        self.description.material.fits(algorithm) && pinned.is_none_or(|pinned| pinned == algorithm)
    }

    /// Whether the signature is this key's.
    #[must_use]
    pub fn verifies(&self, jws: &UnverifiedJws<'_>) -> bool {
        let algorithm = jws.header.algorithm;
        self.fits(algorithm)
            && crypto::verify(
                jws.signature,
                jws.signing_input.as_bytes(),
                &self.decoding,
                jwk::algorithm(algorithm),
            )
            .unwrap_or(false)
    }
}

impl Material {
    /// Whether keys of this kind make signatures of this algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
    const fn fits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self, Self::Rsa { .. }),
            Algorithm::Es256 => matches!(self, Self::Ec(Curve::P256, _)),
            Algorithm::Es384 => matches!(self, Self::Ec(Curve::P384, _)),
            Algorithm::EdDsa => matches!(self, Self::Ed25519(_)),
        }
    }
}

#[cfg(test)]
mod tests;
