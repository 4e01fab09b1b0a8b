//! A token's claims: strict JSON, read by type, and the checks that every issuer's tokens share (RFC 7519 §4.1,
//! RFC 9068 §4, RFC 8725 §3).
//!
//! `aud` and `iss` compare byte for byte. A claim of the wrong type is a refusal, never "not there".
//! Never here: who the caller is (the issuer's profile reads that), and the clock.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Number, Value};

use super::profile::entra;
use super::settings::IssuerSettings;
use crate::types::{Reason, Timestamp, json};

const REFUSED: Reason = Reason::TokenClaimsRefused;

/// 9999-12-31T23:59:59Z: a time later than this is a mistake or an attempt.
const LAST_SECOND: i64 = 253_402_300_799;

/// Claims that name somebody or something: where they are given, they are readable text.
const NAMES: [&str; 9] = [
    "iss",
    "sub",
    "oid",
    "azp",
    "appid",
    "tid",
    "client_id",
    "jti",
    "uti",
];

/// Claims that an access token has no use for. One whose `typ` does not say that it is an access token, and that
/// has one of these, is an ID token (OpenID Connect Core §2, §3.3.2.11) or a security event (RFC 8417 §2.2;
/// logout tokens are such).
const OTHER_USES: [&str; 5] = ["nonce", "at_hash", "c_hash", "s_hash", "events"];

/// The claims of a token whose signature may or may not have been checked.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

/// What a token's claims are checked against.
pub(super) struct Expected<'a> {
    /// The issuer's settings.
    pub(super) settings: &'a IssuerSettings,
    /// The audiences of the resource.
    pub(super) audiences: &'a [Arc<str>],
    /// The time of the call.
    pub(super) now: Timestamp,
    /// Whether the header's `typ` says that this is an access token.
    pub(super) says_access_token: bool,
}

/// What the check found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The audience that matched.
    pub(super) audience: Arc<str>,
    /// `iat`.
    pub(super) issued_at: Option<Timestamp>,
    /// `exp`.
    pub(super) expires_at: Timestamp,
}

impl Claims {
    /// Reads a payload. No claim is believed yet.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Reason> {
        match json::parse(payload) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) | Err(_) => Err(Reason::TokenMalformed),
        }
    }

    /// `iss`, one string. Before the signature is checked, it only says whose keys to check it with.
    pub(super) fn issuer(&self) -> Result<&str, Reason> {
        self.text("iss")?.ok_or(REFUSED)
    }

    /// Checks what every issuer's tokens share.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<Checked, Reason> {
        for name in NAMES {
            self.text(name)?;
        }
        let has = |name: &&str| self.0.contains_key(*name);
        if !expected.says_access_token && OTHER_USES.iter().any(has) {
            return Err(Reason::TokenTypeRefused);
        }
        let audience = self.audience(expected.audiences)?;
        let (issued_at, expires_at) = self.times(expected.settings, expected.now)?;
        Ok(Checked {
            audience,
            issued_at,
            expires_at,
        })
    }

    /// Checks a token that is presented in place of a credential: whom it is meant for is the issuer's to say.
    pub(super) fn check_presented(
        &self,
        settings: &IssuerSettings,
        now: Timestamp,
    ) -> Result<Checked, Reason> {
        for name in NAMES {
            self.text(name)?;
        }
        let (issued_at, expires_at) = self.times(settings, now)?;
        Ok(Checked {
            audience: self.names("aud")?.first().cloned().ok_or(REFUSED)?,
            issued_at,
            expires_at,
        })
    }

    /// The audience of ours that the token is meant for; never one of a token that is meant for an exchange.
    fn audience(&self, ours: &[Arc<str>]) -> Result<Arc<str>, Reason> {
        let theirs = match self.0.get("aud").ok_or(REFUSED)? {
            Value::String(one) => vec![one.as_str()],
            Value::Array(many) => many
                .iter()
                .map(|item| item.as_str().ok_or(REFUSED))
                .collect::<Result<_, _>>()?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(REFUSED);
            }
        };
        if entra::is_exchange_token(&theirs, self.text("sub")?) {
            return Err(Reason::TokenAudienceRefused);
        }
        ours.iter()
            .find(|known| theirs.contains(&known.as_ref()))
            .map(Arc::clone)
            .ok_or(Reason::TokenAudienceRefused)
    }

    /// Checks `exp`, `nbf` and `iat` against each other and the time of the call; gives `iat` and `exp`.
    fn times(
        &self,
        settings: &IssuerSettings,
        now: Timestamp,
    ) -> Result<(Option<Timestamp>, Timestamp), Reason> {
        let expires_at = self.time("exp", Round::Down)?.ok_or(REFUSED)?;
        let not_before = self.time("nbf", Round::Up)?;
        let issued_at = self.time("iat", Round::Up)?;
        let leeway = settings.leeway;
        if issued_at.is_some_and(|iat| iat > expires_at) {
            return Err(REFUSED);
        }
        if now >= expires_at.after(leeway) {
            return Err(Reason::TokenExpired);
        }
        let latest = now.after(leeway);
        if [not_before, issued_at]
            .into_iter()
            .flatten()
            .any(|at| at > latest)
        {
            return Err(Reason::TokenNotYetValid);
        }
        // Without `iat`, an issuer whose clock is ahead seems to give a longer life by as much.
        let (begin, tolerance) =
            issued_at.map_or((now, leeway), |issued_at| (issued_at, Duration::ZERO));
        if expires_at.since(begin) > settings.max_lifetime.saturating_add(tolerance) {
            return Err(REFUSED);
        }
        Ok((issued_at, expires_at))
    }

    /// A claim at the top, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim by its path: names of members with dots between them (`act.sub`); `\.` is a dot in a name. A path with
    /// `://` in it is one name, as issuers make them that put their own claims below an address. What a path means
    /// never hangs on what is in the token.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        // Nearly every path is a plain name, and a token has twenty of them looked up.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if path.bytes().all(is_plain) || path.contains("://") {
            return self.0.get(path);
        }
        // A configured path has no control character.
        let marked = path.replace(r"\.", "\0");
        let mut names = marked.split('.').map(|name| name.replace('\0', "."));
        let first = self.0.get(&names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(&name))
    }

    /// A claim that is a readable string, if it is there: not empty, no control characters.
    pub(super) fn text(&self, path: &str) -> Result<Option<&str>, Reason> {
        match self.at(path) {
            None => Ok(None),
            Some(Value::String(text)) if is_readable(text) => Ok(Some(text)),
            Some(_) => Err(REFUSED),
        }
    }

    /// A claim that lists names: a string with blanks between them, or an array of strings. Missing: no names.
    pub(super) fn names(&self, path: &str) -> Result<Arc<[Arc<str>]>, Reason> {
        let name = |item: &Value| match item {
            Value::String(text) if is_readable(text) => Ok(Arc::from(text.as_str())),
            _ => Err(REFUSED),
        };
        match self.at(path) {
            None => Ok(Arc::default()),
            Some(Value::String(text)) => Ok(text.split_ascii_whitespace().map(Arc::from).collect()),
            Some(Value::Array(items)) => items.iter().map(name).collect(),
            Some(_) => Err(REFUSED),
        }
    }

    /// `iat`, if it is there; a fraction of a second is left out.
    pub(super) fn issued_at(&self) -> Result<Option<Timestamp>, Reason> {
        self.time("iat", Round::Down)
    }

    /// A NumericDate (RFC 7519 §2), if it is there.
    fn time(&self, name: &str, round: Round) -> Result<Option<Timestamp>, Reason> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => seconds(number, round)
                .map(|at| Some(Timestamp::from_seconds(at)))
                .ok_or(REFUSED),
            Some(_) => Err(REFUSED),
        }
    }
}

/// What becomes of a fraction of a second: each claim is read so that the token lives shorter, never longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Down,
    Up,
}

/// A number of seconds from 0 to [`LAST_SECOND`].
fn seconds(number: &Number, round: Round) -> Option<i64> {
    let whole = match number.as_i64() {
        Some(whole) => whole,
        None => {
            // A fraction prints as decimals; what prints with an exponent is far out of range.
            let text = number.to_string();
            let (whole, _fraction) = text.split_once('.')?;
            let whole: i64 = whole.parse().ok()?;
            match round {
                Round::Down => whole,
                Round::Up => whole.checked_add(1)?,
            }
        }
    };
    let is_negative = number.as_f64().is_none_or(|value| value.is_sign_negative());
    (!is_negative && whole <= LAST_SECOND).then_some(whole)
}

/// Whether a text may name something: not empty, without control characters.
fn is_readable(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests;
