//! The strict reader of a token's outer form, in front of `jsonwebtoken`: a JWS in compact serialization
//! (RFC 7515 §3.1, §7.1) and nothing else.
//!
//! What could be read in two ways is refused here: a repeated member, base64url that is not canonical, a header
//! that brings a key, a compression or a rule of its own. Nothing here is trusted yet, and no claim is read.
//! Never here: following what a header names.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::settings::{Algorithm, IssuerSettings};
use crate::types::{Reason, json};

/// The longest key id that is accepted, in bytes.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// Header members that are refused whatever they hold: extensions that must be understood (`crit`, `b64`),
/// keys that the token brings itself, encryption, compression, nesting.
const REFUSED_MEMBERS: [&str; 9] = [
    "crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip", "cty",
];

/// Types that are never an access token's, whatever an operator lists.
const OTHER_USES: [&str; 3] = ["dpop+jwt", "logout+jwt", "secevent+jwt"];

/// The type that says "access token" and nothing else (RFC 9068 §2.1).
const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// A JWS whose form is in order. Its signature was not looked at.
#[derive(Debug)]
pub struct UnverifiedJws<'t> {
    /// Its header.
    pub header: Header,
    /// Its payload's bytes.
    pub payload: Vec<u8>,
    /// What the signature covers.
    pub signing_input: &'t str,
    /// The signature, in base64url.
    pub signature: &'t str,
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `alg`, one that some issuer may be allowed to use.
    pub algorithm: Algorithm,
    /// `kid`.
    pub key_id: Option<Arc<str>>,
    /// `typ` in lower case, without `application/`.
    pub media_type: Option<String>,
}

/// Reads a token's form. More than `max_bytes` are not even looked at.
///
/// # Errors
/// [`Reason::TokenAlgorithmRefused`] for an `alg` that no issuer may use (`none` and HMAC among them);
/// [`Reason::TokenMalformed`] for all else.
pub fn read(token: &str, max_bytes: usize) -> Result<UnverifiedJws<'_>, Reason> {
    read_form(token, max_bytes, |members| Header::read(members))
}

/// The same of a proof, which brings the key that it is signed with (RFC 9449 §4.2): the member `jwk` of its header.
/// That key is nobody's until it is held against what names it.
///
/// # Errors
/// As [`read`].
pub(super) fn read_with_key(
    token: &str,
    max_bytes: usize,
) -> Result<(UnverifiedJws<'_>, Map<String, Value>), Reason> {
    let mut key = None;
    let jws = read_form(token, max_bytes, |members| {
        key = members.remove("jwk");
        Header::read(members)
    })?;
    match key {
        Some(Value::Object(key)) => Ok((jws, key)),
        Some(_) | None => Err(Reason::TokenMalformed),
    }
}

fn read_form(
    token: &str,
    max_bytes: usize,
    read_header: impl FnOnce(&mut Map<String, Value>) -> Result<Header, Reason>,
) -> Result<UnverifiedJws<'_>, Reason> {
    const MALFORMED: Reason = Reason::TokenMalformed;
    if token.len() > max_bytes {
        return Err(MALFORMED);
    }
    let (signing_input, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
    let (header, payload) = signing_input.split_once('.').ok_or(MALFORMED)?;
    // Five parts are a JWE (RFC 7516 §3.1): a payload with a dot in it is not base64url.
    let Ok(Value::Object(mut members)) = json::parse(&decode(header)?) else {
        return Err(MALFORMED);
    };
    let header = read_header(&mut members)?;
    let payload = decode(payload)?;
    if decode(signature)?.is_empty() {
        return Err(MALFORMED);
    }
    Ok(UnverifiedJws {
        header,
        payload,
        signing_input,
        signature,
    })
}

/// The payload of a token whose header is not ours to judge. Nothing of it is proved.
///
/// # Errors
/// [`Reason::TokenMalformed`] for what is not a JWS in compact serialization, each part canonical base64url.
pub(super) fn payload_of(token: &str) -> Result<Vec<u8>, Reason> {
    let mut parts = token.split('.').map(decode);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(_header)), Some(Ok(payload)), Some(Ok(_signature)), None) => Ok(payload),
        _ => Err(Reason::TokenMalformed),
    }
}

/// Reads canonical base64url: no padding, no white space, no bits left over (RFC 7515 §2, RFC 4648 §3.5).
fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_not_canonical| Reason::TokenMalformed)
}

impl Header {
    fn read(members: &Map<String, Value>) -> Result<Self, Reason> {
        if REFUSED_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(Reason::TokenMalformed);
        }
        let algorithm = text(members, "alg")?.ok_or(Reason::TokenMalformed)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(Reason::TokenAlgorithmRefused)?;
        let key_id = text(members, "kid")?;
        if key_id.is_some_and(|id| !is_key_id(id)) {
            return Err(Reason::TokenMalformed);
        }
        Ok(Self {
            algorithm,
            key_id: key_id.map(Into::into),
            media_type: text(members, "typ")?.map(media_type),
        })
    }

    /// Checks algorithm and type by the issuer's settings.
    ///
    /// # Errors
    /// [`Reason::TokenAlgorithmRefused`], [`Reason::TokenTypeRefused`].
    pub fn check(&self, settings: &IssuerSettings) -> Result<(), Reason> {
        self.check_algorithm(settings)?;
        let type_fits = match self.media_type.as_deref() {
            None => settings.type_may_be_missing,
            Some(found) => {
                !OTHER_USES.contains(&found)
                    && settings
                        .types
                        .iter()
                        .any(|known| media_type(known) == found)
            }
        };
        if type_fits {
            Ok(())
        } else {
            Err(Reason::TokenTypeRefused)
        }
    }

    /// Checks the algorithm alone, for a token that proves something else than a caller.
    ///
    /// # Errors
    /// [`Reason::TokenAlgorithmRefused`].
    pub fn check_algorithm(&self, settings: &IssuerSettings) -> Result<(), Reason> {
        if settings.algorithms.contains(&self.algorithm) {
            Ok(())
        } else {
            Err(Reason::TokenAlgorithmRefused)
        }
    }

    /// Whether the type itself says that this is an access token (RFC 8725 §3.11); `JWT` does not.
    #[must_use]
    pub fn says_access_token(&self) -> bool {
        self.media_type.as_deref() == Some(ACCESS_TOKEN_TYPE)
    }
}

/// Whether the text may be a key id: not empty, bounded, without control characters.
pub(super) fn is_key_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_KEY_ID_BYTES && !text.contains(char::is_control)
}

/// A media type as it compares: without case, and `application/` may be left out (RFC 7515 §4.1.9).
fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}

/// A member that is a string, if it is there at all.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Reason> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::TokenMalformed),
    }
}

#[cfg(test)]
mod tests;
