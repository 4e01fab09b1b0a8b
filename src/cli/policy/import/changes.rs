//! What differs between two objects, member by member, for people to judge.
//!
//! Lists of texts are sets to Graph: of those only what came and what went is shown. Never here: which of the two is right.

use std::io::{self, Write};

use clap::builder::styling::AnsiColor;
use serde::Serialize;
use serde_json::{Map, Value};

/// One member that differs.
#[derive(Debug, Serialize, PartialEq)]
pub(super) struct Change {
    /// Its path, with dots.
    member: String,
    /// What it is in the folder; absent where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What it is in the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// What differs from `before` in `after`, by the paths' names.
pub(super) fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let mut found = Vec::new();
    compare_objects("", before, after, &mut found);
    found.sort_by(|one, other| one.member.cmp(&other.member));
    found
}

fn compare_objects(
    path: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<Change>,
) {
    let gone_or_there = before.keys();
    let new = after.keys().filter(|name| !before.contains_key(*name));
    for name in gone_or_there.chain(new) {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match (before.get(name), after.get(name)) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                compare_objects(&path, before, after, found);
            }
            (before, after) if before != after => found.push(Change {
                member: path,
                before: before.cloned(),
                after: after.cloned(),
            }),
            _ => {}
        }
    }
}

impl Change {
    /// Writes the member, and below it what went and what came.
    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let (gone, new) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
        writeln!(to, "  {}", self.member)?;
        let (before, after) = (items(self.before.as_ref()), items(self.after.as_ref()));
        let mut same = true;
        for item in before.iter().filter(|item| !after.contains(item)) {
            writeln!(to, "    {gone}- {item}{gone:#}")?;
            same = false;
        }
        for item in after.iter().filter(|item| !before.contains(item)) {
            writeln!(to, "    {new}+ {item}{new:#}")?;
            same = false;
        }
        if same {
            writeln!(to, "    the same in another order")?;
        }
        Ok(())
    }
}

/// A value as lines: one per item of a list that has any. JSON escapes what could steer a terminal.
fn items(value: Option<&Value>) -> Vec<String> {
    match value {
        None => Vec::new(),
        Some(Value::Array(items)) if !items.is_empty() => {
            items.iter().map(Value::to_string).collect()
        }
        Some(value) => vec![value.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn shows_what_came_and_what_went_with_its_path() {
        let before = object(
            r#"{"state": "enabled", "conditions": {"users": {"ids": ["a", "b"]}, "old": null}, "same": [1]}"#,
        );
        let after = object(
            r#"{"state": "disabled", "conditions": {"users": {"ids": ["b", "c"]}, "new": {"x": 1}}, "same": [1]}"#,
        );
        let mut text = Vec::new();
        for change in changes(&before, &after) {
            change.write(&mut text).unwrap();
        }
        let text = anstream::adapter::strip_str(std::str::from_utf8(&text).unwrap()).to_string();
        let expected = r#"  conditions.new
    + {"x":1}
  conditions.old
    - null
  conditions.users.ids
    - "a"
    + "c"
  state
    - "enabled"
    + "disabled"
"#;
        assert_eq!(text, expected);
        assert_eq!(changes(&before, &before), []);
    }
}
