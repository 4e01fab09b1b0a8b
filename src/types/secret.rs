//! A value that must not be shown: it has no `Display`, and `Debug` says only that it is there.
//!
//! Whatever somebody sends to prove that they have a secret is compared here, in a time that tells nothing. Never elsewhere:
//! the architecture test lists who may read a secret, and what for.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;

/// A secret: an admin token, a private key's text. Read it with [`Secret::expose`], and log nothing of it.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a secret.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Every call of this is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether what somebody sent is the secret, in a time that tells nothing, not even the length.
    /// FAIL-CLOSED: an empty secret is no secret, and nobody has it.
    #[must_use]
    pub fn is(&self, sent: impl AsRef<[u8]>) -> bool {
        !self.0.is_empty() && is_equal(self.0.as_bytes(), sent.as_ref())
    }

    /// The HMAC (SHA-256) of a message under this secret.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&self.key(), message)
    }

    /// Whether a message was signed so, in a time that tells nothing.
    /// FAIL-CLOSED: with an empty secret anybody could sign, so nobody has.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        !self.0.is_empty() && hmac::verify(&self.key(), message, signature).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        is_equal(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

/// Compares digests: what differs in them says nothing of where the texts do.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let hash = |bytes: &[u8]| digest(&SHA256, bytes);
    verify_slices_are_equal(hash(one).as_ref(), hash(other).as_ref()).is_ok()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_an_empty_secret() {
        let secret = Secret::new("hush");
        assert!(secret.is("hush"));
        assert!(!secret.is("hus") && !secret.is("") && !secret.is("hushh"));
        assert!(!Secret::new("").is(""));
    }

    #[test]
    fn nobody_signs_with_an_empty_secret() {
        let (secret, other) = (Secret::new("hush"), Secret::new("hushh"));
        let signature = secret.sign(b"a message");
        assert!(secret.has_signed(b"a message", signature.as_ref()));
        assert!(!secret.has_signed(b"another", signature.as_ref()));
        assert!(!other.has_signed(b"a message", signature.as_ref()));
        assert!(!secret.has_signed(b"a message", b""));
        let empty = Secret::new("");
        let signature = empty.sign(b"a message");
        assert!(!empty.has_signed(b"a message", signature.as_ref()));
    }
}
