//! Writes JSON as people keep it in files: indented, and of each object first what it is, then what it says.
//!
//! The order never depends on who wrote last, so that a file under version control changes only where its object does.
//! Never here: a member left out.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Members that come first, in this order; all others follow by name.
const FIRST: &[&str] = &[
    "@odata.context",
    "@odata.type",
    "id",
    "appId",
    "templateId",
    "displayName",
    "description",
    "createdDateTime",
    "modifiedDateTime",
    "state",
    "conditions",
    "applications",
    "clientApplications",
    "agents",
    "users",
    "mode",
    "rule",
    "grantControls",
    "sessionControls",
];

/// The text of an object. Each line but the first begins with `indent` blanks; there is no line break at the end.
#[must_use]
pub fn tidy(object: &Map<String, Value>, indent: usize) -> String {
    let text = serde_json::to_string_pretty(&Members(object)).unwrap_or_default();
    // In JSON a text never holds a line break itself.
    text.replace('\n', &format!("\n{}", " ".repeat(indent)))
}

struct Members<'a>(&'a Map<String, Value>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut members: Vec<_> = self.0.iter().collect();
        members.sort_by_key(|(name, _)| (rank(name), *name));
        let mut map = to.serialize_map(Some(members.len()))?;
        for (name, value) in members {
            map.serialize_entry(name, &Tidy(value))?;
        }
        map.end()
    }
}

struct Tidy<'a>(&'a Value);

impl Serialize for Tidy<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => Members(members).serialize(to),
            Value::Array(items) => to.collect_seq(items.iter().map(Tidy)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(to)
            }
        }
    }
}

/// A member's place: those that are listed, then inclusions before what they are less, then the rest.
fn rank(name: &str) -> usize {
    let listed = FIRST.iter().position(|known| *known == name);
    listed.unwrap_or_else(|| {
        FIRST
            .len()
            .saturating_add(usize::from(!name.starts_with("include")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_first_what_a_thing_is_and_loses_nothing() {
        let value = json!({"zeta": [], "state": "enabled", "conditions": {"users": {"excludeUsers": ["b"],
            "includeUsers": ["a\nb"]}, "agents": null}, "id": "1", "displayName": "x", "alpha": 1.5});
        let object = value.as_object().unwrap();
        let text = tidy(object, 0);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        let order: Vec<usize> = [
            "\"id\"",
            "\"displayName\"",
            "\"state\"",
            "\"conditions\"",
            "\"agents\"",
            "\"users\"",
            "\"includeUsers\"",
            "\"excludeUsers\"",
            "\"alpha\"",
            "\"zeta\"",
        ]
        .map(|name| text.find(name).unwrap())
        .to_vec();
        assert!(order.is_sorted(), "{text}");
    }

    #[test]
    fn indents_every_line_but_the_first() {
        let value = json!({"id": "1"});
        let text = tidy(value.as_object().unwrap(), 4);
        assert_eq!(text, "{\n      \"id\": \"1\"\n    }");
    }
}
