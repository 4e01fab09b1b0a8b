//! One key of assertions: EC on P-256, the private half of which never leaves this file.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// A coordinate on P-256, in bytes.
const COORDINATE: usize = 32;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file holds none.
    #[error("holds no private key as PEM")]
    Pem,
    /// It is another kind of key.
    #[error("is not a private EC key on P-256")]
    Kind,
    /// The operating system gives no randomness.
    #[error("a key cannot be made")]
    Make,
    /// The signature fails.
    #[error("an assertion cannot be signed")]
    Sign,
}

/// A private key, ready to sign, and the public half in JSON.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// RFC 7638: the SHA-256 of the key itself, so that one key has one name on every replica.
    id: String,
    x: String,
    y: String,
    /// The protected header, encoded.
    header: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a private key: PKCS#8 or SEC 1, as PEM.
    ///
    /// # Errors
    /// [`KeyError::Pem`] or [`KeyError::Kind`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_no_key| KeyError::Pem)?;
        let pair =
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der());
        Self::new(pair.map_err(|_other_kind| KeyError::Kind)?).ok_or(KeyError::Kind)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`KeyError::Make`].
    pub fn make() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::new(pair.map_err(|_unspecified| KeyError::Make)?).ok_or(KeyError::Make)
    }

    fn new(pair: EcdsaKeyPair) -> Option<Self> {
        // SEC 1 §2.3.3: 04, then the coordinates.
        let (form, point) = pair.public_key().as_ref().split_first()?;
        let (x, y) = point.split_at_checked(COORDINATE)?;
        if *form != 4 || y.len() != COORDINATE {
            return None;
        }
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638 §3.2: the members that a key needs, in the order of their names, without blanks.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
        let header = json!({"alg": "ES256", "kid": id, "typ": "boomgate-assertion+jwt"});
        Some(Self {
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            random: SystemRandom::new(),
            pair,
            id,
            x,
            y,
        })
    }

    /// The public half (RFC 7517 §4, RFC 7518 §6.2.1).
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "kid": self.id, "use": "sig", "alg": "ES256"})
    }

    /// Signs claims: a JWS in compact form.
    pub(super) fn sign(&self, claims: &[u8]) -> Result<Bytes, KeyError> {
        // Encoded, the claims are a third longer, and the signature has 86 characters.
        let mut token = String::with_capacity(self.header.len() + claims.len() * 4 / 3 + 92);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.sign(&self.random, token.as_bytes());
        let signature = signature.map_err(|_unspecified| KeyError::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token.into())
    }
}
