//! Tools that report what they know of agents as signed JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signals::Effect;
use super::text::{
    DocumentUrl, Duration, Exact, HeaderName, JsonPointer, Label, Name, SecretSource, Size,
};

/// One webhook.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name: a label, the source of what it reports, and the end of its path `/signals/NAME`.
    pub name: Name,
    /// How its reports are signed.
    pub signature: Signature,
    /// Where a report has its own id, which it has again when it is sent again.
    pub id: JsonPointer,
    /// Where it has the time at which it happened: RFC 3339, or seconds or milliseconds since 1970. The time of arrival
    /// without it.
    pub time: Option<JsonPointer>,
    /// Where it names whom it is about.
    pub subject: JsonPointer,
    /// The issuer of whose tokens that is the subject; an id of the directory without it.
    pub subject_issuer: Option<DocumentUrl>,
    /// Where it has the value that `effects` is about.
    pub value: JsonPointer,
    /// Where it has a text for people.
    pub evidence: Option<JsonPointer>,
    /// What each value does.
    pub effects: BTreeMap<String, Effect>,
    /// What any other value does. Without it, a report with another value is accepted, counted as `unmapped`, and does
    /// nothing.
    pub otherwise: Option<Effect>,
    /// The largest report; at most `1MiB`.
    #[serde(default = "Webhook::max_size")]
    pub max_size: Size,
    /// For so long calls are decided although nothing was heard of the tool …
    #[serde(default = "Webhook::max_age")]
    pub max_age: Duration,
    /// … and refused after that, and before it was heard of for the first time.
    #[serde(default)]
    pub required: bool,
}

impl Webhook {
    const fn max_size() -> Size {
        Size::kib(64)
    }

    const fn max_age() -> Duration {
        Duration::seconds(3_600)
    }
}

/// How reports are signed: HMAC-SHA256 over the time of sending and the body as it comes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The secret (`${NAME}` or `file:PATH`); while it is changed, the old and the new one.
    #[schemars(length(min = 1, max = 2), extend("writeOnly" = true))]
    pub secrets: Vec<SecretSource>,
    /// The header of the signature.
    #[serde(default = "Signature::header")]
    pub header: HeaderName,
    /// What stands before the signature in its header.
    pub prefix: Option<Exact>,
    /// How the signature is written: `hex` or `base64`.
    #[serde(default)]
    pub encoding: Encoding,
    /// The header of the time of sending, in seconds since 1970.
    #[serde(default = "Signature::timestamp_header")]
    pub timestamp_header: HeaderName,
    /// What is signed: a text with `{timestamp}`, and `{body}` at its end.
    #[serde(default = "Signature::signed")]
    pub signed: Label,
    /// How far the time of sending may be from now; at most `1h`.
    #[serde(default = "Signature::window")]
    pub window: Duration,
}

impl Signature {
    fn header() -> HeaderName {
        HeaderName(http::HeaderName::from_static("boomgate-signature"))
    }

    fn timestamp_header() -> HeaderName {
        HeaderName(http::HeaderName::from_static("boomgate-timestamp"))
    }

    fn signed() -> Label {
        Label("{timestamp}.{body}".into())
    }

    const fn window() -> Duration {
        Duration::seconds(300)
    }
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}
