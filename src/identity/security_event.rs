//! Security event tokens (RFC 8417, in the profile of OpenID Shared Signals 1.0 §4): from a text to one event that an
//! issuer has signed for us.
//!
//! A token is checked by the issuer, the audience and the keys of the one stream that it came by, and by nothing that it
//! names itself: whose stream it is decides whose word it is. What is not understood beside that is passed over.
//! Never here: the network, the clock, and an event whose signature was not checked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::jose;
use super::keys::{KeyChoiceError, KeySet};
use super::settings::Algorithm;
use super::subject::{SubjectError, SubjectId};
use crate::types::{Reason, Timestamp, json};

/// The media type of such tokens (RFC 8417 §2.3), which Shared Signals demands in the header.
const TYPE: &str = "secevent+jwt";

/// The longest `jti`, in bytes.
const MAX_ID_BYTES: usize = 512;

/// 9999-12-31T23:59:59Z: a time later than this is a mistake or an attempt.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Whose events a stream brings. Built by `config`, already checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventIssuer {
    /// The value of `iss`.
    pub issuer: Arc<str>,
    /// The values of `aud` that mean us.
    pub audiences: Vec<Arc<str>>,
    /// How it may sign.
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be ahead.
    pub leeway: Duration,
}

/// One event, signed by the issuer of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityEvent {
    /// `jti`: its own id, which a repetition has too.
    pub id: Arc<str>,
    /// The event's type, a URI.
    pub kind: Arc<str>,
    /// What it says.
    pub payload: Map<String, Value>,
    /// When it happened: the event's own time, else `toe`, else `iat`. Never after `now`.
    pub at: Timestamp,
    /// Whom it is about; `None`: somebody whose name is of a format that is not read here.
    pub subject: Option<SubjectId>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecurityEventError {
    /// It is no security event token in the profile of Shared Signals.
    #[error("{0}")]
    Malformed(&'static str),
    /// Its issuer is not the stream's.
    #[error("`iss` is not the issuer of this stream")]
    Issuer,
    /// It is for somebody else.
    #[error("`aud` does not name this receiver")]
    Audience,
    /// It is signed in a way that the stream does not allow.
    #[error("`alg` is not one that is allowed on this stream")]
    Algorithm,
    /// It is signed with a key that is not known. Asking for the keys anew may help.
    #[error("the key of the signature is not known")]
    KeyUnknown,
    /// No keys are known at all.
    #[error("the issuer's keys are not known yet")]
    NoKeys,
    /// The signature is not the key's.
    #[error("the signature is not valid")]
    Signature,
}

impl SecurityEventError {
    /// The code of RFC 8935 §2.4.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "invalid_request",
            Self::Issuer => "invalid_issuer",
            Self::Audience => "invalid_audience",
            Self::Algorithm | Self::KeyUnknown | Self::NoKeys => "invalid_key",
            Self::Signature => "authentication_failed",
        }
    }
}

const fn malformed(why: &'static str) -> SecurityEventError {
    SecurityEventError::Malformed(why)
}

/// Checks a token of at most `max_bytes`: form, type, issuer, audience, algorithm, signature, then what it says.
///
/// # Errors
/// [`SecurityEventError`]; nothing of the token may be believed then.
pub fn verify(
    token: &str,
    max_bytes: usize,
    issuer: &EventIssuer,
    keys: Option<&KeySet>,
    now: Timestamp,
) -> Result<SecurityEvent, SecurityEventError> {
    let jws = jose::read(token, max_bytes).map_err(|reason| {
        if reason == Reason::TokenAlgorithmRefused {
            SecurityEventError::Algorithm
        } else {
            malformed("not a signed token in compact form")
        }
    })?;
    if jws.header.media_type.as_deref() != Some(TYPE) {
        return Err(malformed("`typ` is not `secevent+jwt`"));
    }
    let Ok(Value::Object(claims)) = json::parse(&jws.payload) else {
        return Err(malformed(
            "the payload is not a JSON object without repeated members",
        ));
    };
    if claims.get("iss").and_then(Value::as_str) != Some(&*issuer.issuer) {
        return Err(SecurityEventError::Issuer);
    }
    if !is_for(&claims, &issuer.audiences) {
        return Err(SecurityEventError::Audience);
    }
    if !issuer.algorithms.contains(&jws.header.algorithm) {
        return Err(SecurityEventError::Algorithm);
    }
    let keys = keys.ok_or(SecurityEventError::NoKeys)?;
    let key = keys.choose(jws.header.key_id.as_deref(), jws.header.algorithm);
    let key = key.map_err(|error| match error {
        KeyChoiceError::Unknown | KeyChoiceError::Ambiguous => SecurityEventError::KeyUnknown,
        KeyChoiceError::Misfit => SecurityEventError::Algorithm,
    })?;
    if !key.verifies(&jws) {
        return Err(SecurityEventError::Signature);
    }
    read(&claims, issuer, now)
}

fn is_for(claims: &Map<String, Value>, ours: &[Arc<str>]) -> bool {
    let is_ours = |one: &Value| {
        let one = one.as_str();
        one.is_some_and(|one| ours.iter().any(|known| **known == *one))
    };
    match claims.get("aud") {
        Some(Value::Array(many)) => many.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => false,
    }
}

/// Reads the claims of a token whose signature is good.
fn read(
    claims: &Map<String, Value>,
    issuer: &EventIssuer,
    now: Timestamp,
) -> Result<SecurityEvent, SecurityEventError> {
    // So that it can never pass for another kind of token (SSF §4.1.6, §4.1.7).
    if claims.contains_key("sub") || claims.contains_key("exp") {
        return Err(malformed("`sub` and `exp` must not be there"));
    }
    let id = claims.get("jti").and_then(Value::as_str);
    let is_id =
        |id: &&str| !id.is_empty() && id.len() <= MAX_ID_BYTES && !id.contains(char::is_control);
    let id = id
        .filter(is_id)
        .ok_or(malformed("`jti` is missing or no id"))?;
    let issued_at = time(claims, "iat")?.ok_or(malformed("`iat` is missing"))?;
    if issued_at > now.after(issuer.leeway) {
        return Err(malformed("`iat` is in the future"));
    }
    let events = claims.get("events").and_then(Value::as_object);
    let events = events.ok_or(malformed("`events` is missing or no object"))?;
    let mut events = events.iter();
    let (Some((kind, payload)), None) = (events.next(), events.next()) else {
        return Err(malformed("`events` holds not exactly one event"));
    };
    let payload = payload
        .as_object()
        .ok_or(malformed("the event is no object"))?;
    let happened_at = match time(payload, "event_timestamp")? {
        Some(at) => at,
        None => time(claims, "toe")?.unwrap_or(issued_at),
    };
    if happened_at > issued_at.after(issuer.leeway) {
        return Err(malformed("the event is of a time after `iat`"));
    }
    Ok(SecurityEvent {
        id: id.into(),
        kind: kind.as_str().into(),
        // What lies ahead, if only by the leeway, would overrule what is said after it.
        at: happened_at.min(now),
        subject: subject(claims, payload)?,
        payload: payload.clone(),
    })
}

/// Whom the event is about. Transmitters that are older than the standard name them in the event.
fn subject(
    claims: &Map<String, Value>,
    payload: &Map<String, Value>,
) -> Result<Option<SubjectId>, SecurityEventError> {
    let named = claims.get("sub_id").or_else(|| payload.get("subject"));
    let named = named.ok_or(malformed("`sub_id` is missing"))?;
    match SubjectId::read(named) {
        Ok(subject) => Ok(Some(subject)),
        Err(SubjectError::Format(_)) => Ok(None),
        Err(SubjectError::Member(..)) => Err(malformed("`sub_id` is no subject identifier")),
    }
}

/// A NumericDate (RFC 7519 §2), which may have a fraction.
fn time(members: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, SecurityEventError> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    let fits = |seconds: &f64| (0.0..=LAST_SECOND).contains(seconds);
    let seconds = value
        .as_f64()
        .filter(fits)
        .ok_or(malformed("a time is no number of seconds"))?;
    let micros = Duration::from_secs_f64(seconds).as_micros();
    let micros = i64::try_from(micros).map_err(|_far| malformed("a time is out of range"))?;
    Ok(Some(Timestamp::from_micros(micros)))
}
