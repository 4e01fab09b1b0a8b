//! What an operator says of a webhook. Built by `config`, already checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::risk::signal::Effect;
use crate::store::settings::Freshness;
use crate::types::Secret;

/// One webhook.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Its name: part of its path, a label, and the source of what it reports.
    pub name: Arc<str>,
    /// How its reports are signed.
    pub signature: SignatureSettings,
    /// What its reports mean.
    pub mapping: Mapping,
    /// The most bytes of a report.
    pub max_size: usize,
    /// How old it may be.
    pub freshness: Freshness,
}

/// How reports are signed: HMAC-SHA256 over `before`, the time, `between`, and the body as it came.
#[derive(Debug, Clone)]
pub struct SignatureSettings {
    /// Any of these signs: while a secret is changed there are two.
    pub secrets: Vec<Secret>,
    /// Where the signature is.
    pub header: HeaderName,
    /// What stands before the signature in its header.
    pub prefix: Arc<str>,
    /// How the signature is written.
    pub encoding: Encoding,
    /// Where the time of sending is, in seconds since 1970.
    pub timestamp_header: HeaderName,
    /// What is signed before the time.
    pub before: Arc<str>,
    /// What is signed between the time and the body.
    pub between: Arc<str>,
    /// How far the time of sending may be from now.
    pub window: Duration,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64 with padding (RFC 4648 §4).
    Base64,
}

/// What the members of a report mean. Each is a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The report's own id, which it has again when it is sent again.
    pub id: Arc<str>,
    /// When it happened: RFC 3339, or seconds or milliseconds since 1970. Without it, the time of arrival.
    pub time: Option<Arc<str>>,
    /// Whom it is about.
    pub subject: Arc<str>,
    /// The issuer of whose tokens that is the subject; without it, an id of the directory.
    pub subject_issuer: Option<Arc<str>>,
    /// What decides on the effect.
    pub value: Arc<str>,
    /// A text for people.
    pub evidence: Option<Arc<str>>,
    /// What each value does.
    pub effects: BTreeMap<Arc<str>, Effect>,
    /// What any other value does; `None`: it is counted as not mapped.
    pub otherwise: Option<Effect>,
}

impl PartialEq for WebhookSettings {
    /// With secrets, so that one that was changed counts at once.
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
            && self.signature.secrets == other.signature.secrets
    }
}
