//! A value that must not be shown: it has no `Display`, and `Debug` says only that it is there.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};

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

    /// Whether a text that somebody sent is the secret, in a time that tells nothing, not even the length.
    /// FAIL-CLOSED: an empty secret is no secret, and nobody has it.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        !self.0.is_empty() && is_equal(&self.0, text)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        is_equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

/// Compares digests: what differs in them says nothing of where the texts do.
fn is_equal(one: &str, other: &str) -> bool {
    let hash = |text: &str| digest(&SHA256, text.as_bytes());
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
}
