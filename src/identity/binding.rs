//! To whose key a token is bound (RFC 7800 §3.1, RFC 9449 §6): one that is may only be used by whoever holds that key.
//!
//! Never here: a token that is taken for unbound because its binding could not be read, or cannot be checked here.

use std::sync::Arc;

use serde_json::Value;

use super::claims::Claims;
use crate::types::Reason;

/// The SHA-256 thumbprint of a public key (RFC 7638), in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbprint(pub(super) Arc<str>);

impl Thumbprint {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key that `cnf` names. `None`: a bearer token.
///
/// # Errors
/// [`Reason::TokenClaimsRefused`] for any other confirmation than `jkt` alone, a certificate's thumbprint say:
/// FAIL-CLOSED, for nobody here could tell whether the caller is the one that the token was made for.
pub(super) fn read(claims: &Claims) -> Result<Option<Thumbprint>, Reason> {
    const REFUSED: Reason = Reason::TokenClaimsRefused;
    let confirmation = match claims.get("cnf") {
        None => return Ok(None),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(REFUSED),
    };
    let mut members = confirmation.iter();
    match (members.next(), members.next()) {
        (Some((name, Value::String(thumbprint))), None) if name == "jkt" => {
            Ok(Some(Thumbprint(thumbprint.as_str().into())))
        }
        _ => Err(REFUSED),
    }
}
