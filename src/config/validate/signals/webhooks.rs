//! Webhooks: who signs, and what the members of their reports mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Checker, effect};
use crate::config::member::MemberPath;
use crate::config::raw::webhooks::{Encoding as RawEncoding, Signature, Webhook};
use crate::config::validate::secrets::credential;
use crate::feeds::signals::webhook::settings::{
    Encoding, Mapping, SignatureSettings, WebhookSettings,
};
use crate::store::settings::Freshness;

/// The longest value of a table, in bytes: it is a label.
const MAX_VALUE_BYTES: usize = 64;

/// One webhook; `None` if it cannot be told who signs.
pub(super) fn webhook(
    check: &mut Checker<'_>,
    raw: &Webhook,
    at: &MemberPath,
) -> Option<WebhookSettings> {
    check.size_between(&at.key("max_size"), &raw.max_size, ("1KiB", "1MiB"));
    let freshness = Freshness {
        max_age: check.between(&at.key("max_age"), &raw.max_age, ("5s", "7d")),
        required: raw.required,
    };
    let mapping = mapping(check, raw, at);
    Some(WebhookSettings {
        name: Arc::clone(&raw.name.0),
        signature: signature(check, &raw.signature, &at.key("signature"))?,
        mapping,
        max_size: raw.max_size.to_usize(),
        freshness,
    })
}

fn mapping(check: &mut Checker<'_>, raw: &Webhook, at: &MemberPath) -> Mapping {
    let effects_at = at.key("effects");
    if raw.effects.is_empty() && raw.otherwise.is_none() {
        check.error(&effects_at, "is empty: no report would do anything");
    }
    let mut effects = BTreeMap::new();
    for (value, raw) in &raw.effects {
        let is_label = !value.is_empty() && !value.contains(char::is_control);
        if !is_label || value.len() > MAX_VALUE_BYTES {
            let message = "is no value, expected a text of 1 to 64 bytes";
            check.error(&effects_at.key(value), message);
        }
        effects.insert(Arc::from(value.as_str()), effect(*raw));
    }
    let pointer = |of: &Option<crate::config::raw::text::JsonPointer>| {
        of.as_ref().map(|pointer| Arc::clone(&pointer.0))
    };
    Mapping {
        id: Arc::clone(&raw.id.0),
        time: pointer(&raw.time),
        subject: Arc::clone(&raw.subject.0),
        subject_issuer: raw.subject_issuer.as_ref().map(|url| Arc::clone(&url.0)),
        value: Arc::clone(&raw.value.0),
        evidence: pointer(&raw.evidence),
        effects,
        otherwise: raw.otherwise.map(effect),
    }
}

fn signature(
    check: &mut Checker<'_>,
    raw: &Signature,
    at: &MemberPath,
) -> Option<SignatureSettings> {
    let window = check.between(&at.key("window"), &raw.window, ("1s", "1h"));
    let parts = raw.signed.0.strip_suffix("{body}");
    let parts = parts.and_then(|text| text.split_once("{timestamp}"));
    if parts.is_none() {
        let message = "is not usable, expected `{timestamp}`, and `{body}` at its end";
        check.error(&at.key("signed"), message);
    }
    if raw.header == raw.timestamp_header {
        let message = "is the header of the signature, expected one of its own";
        check.refuse(&at.key("timestamp_header"), message);
    }
    let mut secrets = Vec::new();
    for index in 0..raw.secrets.len() {
        let at = at.key("secrets").item(index);
        secrets.extend(credential(check, &at, "secret"));
    }
    let (before, between) = parts?;
    (secrets.len() == raw.secrets.len()).then(|| SignatureSettings {
        secrets,
        header: raw.header.0.clone(),
        prefix: raw
            .prefix
            .as_ref()
            .map_or_else(|| "".into(), |prefix| Arc::clone(&prefix.0)),
        encoding: match raw.encoding {
            RawEncoding::Hex => Encoding::Hex,
            RawEncoding::Base64 => Encoding::Base64,
        },
        timestamp_header: raw.timestamp_header.0.clone(),
        before: before.into(),
        between: between.into(),
        window,
    })
}
