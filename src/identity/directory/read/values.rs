//! Single values of a directory file.

use serde_json::Value;

use crate::types::AttributeValue;
use crate::types::attributes::fold;

/// One attribute's value, folded. Graph knows strings, integers and Booleans, and collections of the first two.
pub(super) fn attribute(value: &Value) -> Option<AttributeValue> {
    let single = |value: &Value| match value {
        Value::String(text) => Some(fold(text)),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Bool(flag) => Some(AttributeValue::One(flag.to_string().into())),
        Value::Array(items) => items
            .iter()
            .map(single)
            .collect::<Option<_>>()
            .map(AttributeValue::Many),
        other => single(other).map(AttributeValue::One),
    }
}

/// The id at the end of an address (`…/users/<id>`, `…/directoryObjects('<id>')`), or the text itself.
pub(super) fn last_id(text: &str) -> &str {
    if !text.contains("://") {
        return text;
    }
    let last = text.rsplit('/').next().unwrap_or(text);
    match last.split_once("('") {
        Some((_, id)) => id.trim_end_matches("')"),
        None => last,
    }
}

/// A path and the member below it; either may be empty.
pub(super) fn join(path: &str, member: &str) -> String {
    let dot = if path.is_empty() || member.is_empty() {
        ""
    } else {
        "."
    };
    format!("{path}{dot}{member}")
}
