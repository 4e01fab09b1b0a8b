//! `$skiptoken`: where the next page begins. Opaque to clients, the same on every replica and after a restart.
//!
//! It holds the last item's place and a digest over it and over the question that it belongs to. The digest is no
//! secret: there is nothing in a place that a client could not ask for. It keeps a token that is damaged, or of another
//! question, from giving a wrong page.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::QueryFault;
use super::keys::{Key, Order, Place};

/// How much of the digest is kept.
const DIGEST_BYTES: usize = 12;

/// A token for the page behind `last`.
pub(super) fn write(last: &Place, question: &[&str]) -> String {
    let keys = last.keys().map(|key| match key {
        Key::Null => Value::Null,
        Key::Bool(value) => Value::Bool(*value),
        Key::Whole(value) => Value::from(*value),
        Key::Text(value) => Value::from(value.as_str()),
    });
    let keys = Value::Array(keys.collect()).to_string();
    let mut token = seal(keys.as_bytes(), question);
    token.extend_from_slice(keys.as_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

/// The place behind which the page begins.
///
/// # Errors
/// [`QueryFault`] if the token was not given out for this question.
pub(super) fn read(token: &str, question: &[&str], order: &Order) -> Result<Place, QueryFault> {
    place(token, question, order).ok_or_else(|| {
        QueryFault::wrong(
            "`$skiptoken` is not one that this list gave out; start again without it, or follow `@odata.nextLink` as it is",
        )
    })
}

fn place(token: &str, question: &[&str], order: &Order) -> Option<Place> {
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (sealed, keys) = token.split_at_checked(DIGEST_BYTES)?;
    if seal(keys, question) != sealed {
        return None;
    }
    let keys: Vec<Value> = serde_json::from_slice(keys).ok()?;
    let keys: Vec<Key> = keys.into_iter().map(key).collect::<Option<_>>()?;
    let (Key::Text(id), keys) = keys.split_last()? else {
        return None;
    };
    (keys.len() == order.keys.len()).then(|| order.joined(keys.to_vec(), id))
}

fn key(value: Value) -> Option<Key> {
    match value {
        Value::Null => Some(Key::Null),
        Value::Bool(value) => Some(Key::Bool(value)),
        Value::Number(value) => value.as_i64().map(Key::Whole),
        Value::String(value) => Some(Key::Text(value)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The start of a digest over the keys and the question.
fn seal(keys: &[u8], question: &[&str]) -> Vec<u8> {
    let parts = question.iter().map(|part| part.as_bytes()).chain([keys]);
    let mut text = Vec::new();
    for part in parts {
        // With its length in front, no part can pass for the end of another.
        text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part);
    }
    let digest = digest(&SHA256, &text);
    digest.as_ref().iter().take(DIGEST_BYTES).copied().collect()
}
