//! The version of an object: what a client says that it has seen, so that it does not write over what it has not.
//!
//! A hash of the object's members, whatever their order and blanks, less the annotations other than types: it can be told
//! from what is in force and from the file alike.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Map, Value};

use crate::types::json::is_annotation;

/// How many hexadecimal digits of the hash make the tag.
const DIGITS: usize = 32;

/// An entity tag (RFC 9110 §8.8.3), a strong one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of an object.
    #[must_use]
    pub fn of(object: &Map<String, Value>) -> Self {
        let mut hash = Context::new(&SHA256);
        add_object(&mut hash, object);
        let digest = hash.finish();
        let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let mut text: String = digits.collect();
        text.truncate(DIGITS);
        Self(text)
    }

    /// Whether it is among the tags of an `If-Match` field; `*` is any. A weak tag never is (RFC 9110 §13.1.1).
    #[must_use]
    pub fn is_among(&self, field: &str) -> bool {
        let own = self.to_string();
        field.trim() == "*" || field.split(',').any(|tag| tag.trim() == own)
    }
}

impl fmt::Display for ETag {
    /// With its quotes, as the field has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Every part goes in with its kind before it and an end behind it, so that no two objects are one text.
fn add(hash: &mut Context, value: &Value) {
    match value {
        Value::Object(members) => add_object(hash, members),
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                add(hash, item);
            }
            hash.update(b"]");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            hash.update(value.to_string().as_bytes());
            hash.update(b",");
        }
    }
}

fn add_object(hash: &mut Context, object: &Map<String, Value>) {
    hash.update(b"{");
    let counts = |name: &str| !is_annotation(name) || name.ends_with("@odata.type");
    // By name: that is the order of this map.
    for (name, value) in object.iter().filter(|(name, _)| counts(name)) {
        hash.update(Value::from(name.as_str()).to_string().as_bytes());
        hash.update(b":");
        add(hash, value);
    }
    hash.update(b"}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tag(value: &Value) -> ETag {
        ETag::of(value.as_object().unwrap())
    }

    #[test]
    fn is_of_what_an_object_says_and_not_of_how() {
        let one = json!({"a": 1, "b": ["x", {"c": null}]});
        let exported = json!({"b": ["x", {"c": null, "#x.y": {}}], "@odata.context": "y", "a": 1});
        assert_eq!(tag(&one), tag(&exported));
        for other in [
            json!({"a": "1", "b": ["x", {"c": null}]}),
            json!({"a": 1, "b": ["x", {}]}),
            json!({"a": 1, "b": ["x"], "c": null}),
            json!({"a": 1, "b": ["x", {"c": []}]}),
            json!({"a": 1, "b": ["x", {"c": null}], "@odata.type": "#x"}),
        ] {
            assert_ne!(tag(&one), tag(&other), "{other}");
        }
    }

    #[test]
    fn is_found_in_a_list_and_by_a_star() {
        let tag = tag(&json!({}));
        for field in ["*", &format!("{tag}"), &format!("\"x\", {tag}"), " * "] {
            assert!(tag.is_among(field), "{field}");
        }
        for field in ["", "\"x\"", &tag.0, &format!("W/{tag}"), "\"*\""] {
            assert!(!tag.is_among(field), "{field}");
        }
    }
}
