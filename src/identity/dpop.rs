//! Proof of possession: the caller of a token that is bound to a key shows that it holds that key (RFC 9449).
//!
//! A proof is for one call: its method, its address, its token, its moment. That nobody sees it twice is for the caller
//! of this to find out, by [`Proof::name`]. Never here: a key that is believed because a proof names it, other than the
//! one that the token is bound to; the clock; and what was seen before.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, Uri};

use super::bearer::{Scheme, Sent};
use super::binding::Thumbprint;
use super::claims::Claims;
use super::jose;
use super::keys::Key;
use crate::call::target::normalise;
use crate::call::{Authority, Received};
use crate::types::{Reason, Timestamp};

/// The header of a proof (RFC 9449 §4.1).
pub const HEADER: HeaderName = HeaderName::from_static("dpop");
/// Its type.
const TYPE: &str = "dpop+jwt";
/// The longest proof: one with a key of RSA 4096 is about 2 KiB.
const MAX_BYTES: usize = 8 * 1024;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;

const REFUSED: Reason = Reason::ProofRefused;

/// A proof that is in order, and may count once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    name: Arc<str>,
    made_at: Timestamp,
    until: Timestamp,
}

impl Proof {
    /// Names the proof: the same for two of one key with one `jti`. Fit for a key of a store.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// `iat`: when its maker says that it was made.
    #[must_use]
    pub const fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// From then on it is too old to count, whether it was seen before or not.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// Holds the way in which a token came against the key that it is bound to. Gives the proof, where one is needed.
/// `max_age` is how far the time of a proof may be from `now`, either way.
///
/// # Errors
/// [`Reason::ProofMissing`] for a bound token that comes as a bearer token, and a bearer token where the resource takes
/// bound ones alone; [`Reason::ProofRefused`] for a proof that is not one of this call.
pub(super) fn check(
    received: &Received,
    sent: &Sent<'_>,
    bound_to: Option<&Thumbprint>,
    max_age: Duration,
    now: Timestamp,
) -> Result<Option<Proof>, Reason> {
    match (sent.scheme, bound_to) {
        (Scheme::Bearer, None) if received.resource().requires_bound_tokens => {
            Err(Reason::ProofMissing)
        }
        (Scheme::Bearer, None) => Ok(None),
        (Scheme::Bearer, Some(_)) => Err(Reason::ProofMissing),
        (Scheme::Dpop, None) => Err(REFUSED),
        (Scheme::Dpop, Some(key)) => {
            let proof = header(received.headers())?;
            let claims = proved(proof, key)?;
            is_of_call(&claims, received, sent.token.bytes())?;
            in_time(&claims, key, max_age, now).map(Some)
        }
    }
}

/// Reads a proof without its call: whether it is of the key with this thumbprint, and of about now. Whether it is of a call
/// is not looked at, so it lets nobody in.
///
/// # Errors
/// [`Reason::ProofRefused`]
pub fn read(
    proof: &str,
    thumbprint: &str,
    max_age: Duration,
    now: Timestamp,
) -> Result<Proof, Reason> {
    let key = Thumbprint(thumbprint.into());
    let claims = proved(proof, &key)?;
    in_time(&claims, &key, max_age, now)
}

/// The one proof of a call.
fn header(headers: &HeaderMap) -> Result<&str, Reason> {
    let mut fields = headers.get_all(HEADER).iter();
    let field = fields.next().ok_or(Reason::ProofMissing)?;
    match fields.next() {
        None => field.to_str().map_err(|_not_text| REFUSED),
        Some(_) => Err(REFUSED),
    }
}

/// The claims of a proof that is signed by the key, which it must bring with itself.
fn proved(proof: &str, key: &Thumbprint) -> Result<Claims, Reason> {
    let refused = |_fault| REFUSED;
    let (jws, jwk) = jose::read_with_key(proof, MAX_BYTES).map_err(refused)?;
    if jws.header.media_type.as_deref() != Some(TYPE) {
        return Err(REFUSED);
    }
    let brought = Key::of_proof(&jwk).ok_or(REFUSED)?;
    if brought.thumbprint() != *key || !brought.verifies(&jws) {
        return Err(REFUSED);
    }
    Claims::parse(&jws.payload).map_err(refused)
}

/// Whether a proof was made for this call and this token (RFC 9449 §4.3, 8 to 12).
fn is_of_call(claims: &Claims, received: &Received, token: &[u8]) -> Result<(), Reason> {
    let text = |name| claims.text(name).ok().flatten().ok_or(REFUSED);
    let is_method = text("htm")? == received.method().as_str();
    let is_address = is_address_of(text("htu")?, received).unwrap_or(false);
    let is_token = text("ath")? == sha256(token);
    if is_method && is_address && is_token {
        Ok(())
    } else {
        Err(REFUSED)
    }
}

/// Whether an address is the one that was called, its query and fragment left aside. Both are read as targets are.
fn is_address_of(address: &str, received: &Received) -> Option<bool> {
    let uri: Uri = address.parse().ok()?;
    let context = received.context();
    let scheme = uri.scheme_str()?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let named = Authority::parse(uri.authority()?.as_str())?;
    let path = match uri.path() {
        "" => "/".to_owned(),
        path => normalise(path).ok()?,
    };
    Some(
        scheme == context.connection.scheme()
            && Some(&*named.host) == context.host.as_deref()
            && named.port.unwrap_or(usual) == context.port.unwrap_or(usual)
            && path == received.path(),
    )
}

/// The proof, if it was made about now.
fn in_time(
    claims: &Claims,
    key: &Thumbprint,
    max_age: Duration,
    now: Timestamp,
) -> Result<Proof, Reason> {
    let id = claims.text("jti").ok().flatten();
    let id = id.filter(|id| id.len() <= MAX_ID_BYTES).ok_or(REFUSED)?;
    let made_at = claims.issued_at().ok().flatten().ok_or(REFUSED)?;
    let until = made_at.after(max_age);
    if made_at > now.after(max_age) || until < now {
        return Err(REFUSED);
    }
    Ok(Proof {
        name: sha256(format!("{} {id}", key.as_str()).as_bytes()).into(),
        made_at,
        until,
    })
}

fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}
