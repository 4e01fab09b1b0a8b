//! The demo's token issuer: it signs access tokens in Entra's shape, and publishes its key set over HTTPS.
//!
//! It stands for an identity platform on one machine. It asks nobody who they are: never use it elsewhere.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Key id of the issuer's one key.
const KEY_ID: &str = "demo-2026";

/// Why the issuer could not work.
#[derive(Debug, thiserror::Error)]
#[error("the demo's issuer cannot make or use its key")]
pub struct IssuerError;

/// An issuer with one RSA key, which lives as long as the demo.
#[derive(Debug)]
pub struct Issuer {
    key: KeyPair,
    random: SystemRandom,
}

impl Issuer {
    /// Makes a key of 2048 bits.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> Result<Self, IssuerError> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_unspecified| IssuerError)?;
        Ok(Self {
            key,
            random: SystemRandom::new(),
        })
    }

    /// The key set (RFC 7517 §5), with Entra's `issuer` member on the key.
    #[must_use]
    pub fn key_set(&self, issuer: &str) -> Value {
        let public = self.key.public_key();
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "kid": KEY_ID,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "issuer": issuer,
        }]})
    }

    /// Signs `claims` with RS256 (RFC 7515 §7.1).
    ///
    /// # Errors
    /// When the signature fails.
    pub fn sign(&self, claims: &Value) -> Result<String, IssuerError> {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": KEY_ID});
        let message = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = message.join(".");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &signature::RSA_PKCS1_SHA256,
                &self.random,
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_unspecified| IssuerError)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
