//! A YAML text as a tree in which every key and value knows its line and column.
//!
//! The text is read once, within limits on size, depth, nodes and aliases. Everything that is later said of
//! the file looks its place up here. Never here: what a key means.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::member::{MemberPath, Segment};

/// The largest configuration file, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How deep lists and mappings may nest.
const MAX_DEPTH: usize = 24;
/// How many values a file may hold, those that aliases repeat included.
const MAX_NODES: usize = 50_000;
/// How many events aliases may replay.
const MAX_REPLAYED: usize = 50_000;

/// Line and column of a key or value, from 1, in characters. An alias is where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Place {
    fn of(location: serde_saphyr::Location) -> Self {
        let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: narrow(location.line()),
            column: narrow(location.column()),
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it starts.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing: a key without a value, `~`, `null`.
    Null,
    /// `true` or `false`, and no other word.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file. A key may be there twice; the check of the structure refuses that.
    Map(Vec<Member>),
}

/// A text as the file has it, and as it reads once environment variables are put in.
#[derive(Debug, Clone)]
pub struct Text {
    /// As the operator wrote it. This, and never the value, may be shown.
    pub written: String,
    /// What it stands for.
    pub value: String,
}

/// One key of a mapping with its value.
#[derive(Debug, Clone)]
pub struct Member {
    /// The key.
    pub name: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node,
}

/// Why a text is not a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where reading stopped.
    pub place: Place,
    /// What is wrong; never a value of the file.
    pub message: String,
}

/// Reads one YAML document.
///
/// # Errors
/// [`Unreadable`], with the place where the text stops being YAML or exceeds a limit.
pub fn read(text: &str) -> Result<Node, Unreadable> {
    if text.len() > MAX_BYTES {
        let message = format!("larger than {MAX_BYTES} bytes");
        return Err(Unreadable {
            place: Place::default(),
            message,
        });
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| unreadable(&error))
}

/// The parser's words, less what repeats a value of the file or names functions of the parser.
fn unreadable(error: &serde_saphyr::Error) -> Unreadable {
    use serde_saphyr::Error;
    let error = error.without_snippet();
    let message = match error {
        Error::Eof { .. } => "the file ends too early".to_owned(),
        Error::MultipleDocuments { .. } => "expected one document, found a second one".to_owned(),
        Error::SerdeInvalidType { .. } => "a key must be text".to_owned(),
        Error::NonFiniteFloat { .. } => "expected a finite number".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias must not stand inside its own anchor".to_owned()
        }
        other => {
            let text = other.to_string();
            let end = text.find(" at line ").unwrap_or(text.len());
            match text.get(..end).unwrap_or_default() {
                limit if limit.contains("limit exceeded") || limit.starts_with("budget") => {
                    format!(
                        "too large, expected at most {MAX_DEPTH} levels and {MAX_NODES} values, counting aliases where they are used"
                    )
                }
                words => format!("not YAML: {words}"),
            }
        }
    };
    Unreadable {
        place: error.location().map(Place::of).unwrap_or_default(),
        message,
    }
}

impl Node {
    /// What an operator calls a value of this kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "`true` or `false`",
            Value::Number(number) if number.is_f64() => "a number with a fraction",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The value of this key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members
                .iter()
                .find(|member| member.name == name)
                .map(|member| &member.node),
            _ => None,
        }
    }

    /// The deepest node on the way along `path`, and whether that is its end.
    #[must_use]
    pub fn follow(&self, path: &MemberPath) -> (&Self, bool) {
        let mut node = self;
        for segment in path.segments() {
            let next = match (segment, &node.value) {
                (Segment::Key(name), _) => node.get(name),
                (Segment::Item(index), Value::List(items)) => items.get(*index),
                (Segment::Item(_), _) => None,
            };
            match next {
                Some(next) => node = next,
                None => return (node, false),
            }
        }
        (node, true)
    }

    /// The same as JSON, for deserialization. Of a key given twice the last counts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text(text) => text.value.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(members) => members
                .iter()
                .map(|member| (member.name.clone(), member.node.to_json()))
                .collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(from)?;
        Ok(Self {
            place: Place::of(spanned.referenced),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("expected a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(Text {
            written: value.to_owned(),
            value: value.to_owned(),
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, mut node)) = members.next_entry::<Spanned<Key>, Node>()? {
            let place = Place::of(key.referenced);
            if matches!(node.value, Value::Null) {
                // What is not there has no place of its own.
                node.place = place;
            }
            map.push(Member {
                name: key.value.0,
                place,
                node,
            });
        }
        Ok(Value::Map(map))
    }
}

/// A key: text, and nothing that YAML would read as a number or `true`.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key that is text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(text.to_owned()))
            }
        }

        from.deserialize_any(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (u32, u32, String) {
        let fault = read(text).unwrap_err();
        (fault.place.line, fault.place.column, fault.message)
    }

    #[test]
    fn every_value_knows_its_place() {
        let tree = read("a: 1\nb:\n  - x: é\n    y: {z: [q, 2.5]}\n").unwrap();
        let path = MemberPath::root()
            .key("b")
            .item(0)
            .key("y")
            .key("z")
            .item(1);
        let (node, found) = tree.follow(&path);
        assert!(found);
        assert_eq!(
            node.place,
            Place {
                line: 4,
                column: 16
            }
        );
        assert_eq!(path.to_string(), "b[0].y.z[1]");
        let (node, found) = tree.follow(&MemberPath::root().key("b").item(3));
        assert!(!found);
        assert_eq!(node.place, Place { line: 3, column: 3 });
    }

    #[test]
    fn an_alias_stands_where_it_is_used() {
        let tree = read("a: &x {k: 1}\nb: *x\n").unwrap();
        let (node, _) = tree.follow(&MemberPath::root().key("b").key("k"));
        assert_eq!(node.place.line, 2);
    }

    #[test]
    fn what_is_not_yaml_is_told_with_its_place_and_without_its_values() {
        assert_eq!(refused("a: 1\nb: hunter2\n c: d\n").0, 3);
        assert_eq!(refused("a: [1,").1, 4);
        assert_eq!(refused("1: x").2, "a key must be text");
        assert_eq!(refused("a: &x [*x]").1, 8);
        assert_eq!(refused("a: 1\n---\nb: 2\n").0, 3);
        assert!(refused("a: .inf").2.contains("finite"));
        for text in [
            "a: @hunter2",
            "a: 'x' hunter2",
            "a: !!int hunter2",
            "b: \"hunter2",
        ] {
            assert!(!refused(text).2.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn bombs_are_refused_quickly() {
        assert!(refused(&"[".repeat(20_000)).2.starts_with("too large"));
        assert!(refused(&"- ".repeat(20_000)).2.starts_with("too large"));
        let level = |level: usize| {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            format!("a{level}: &a{level} [{items}]\n")
        };
        let levels: String = (1..9).map(level).collect();
        let bomb = format!("a0: &a0 [x, x, x, x, x, x, x, x, x]\n{levels}");
        assert!(refused(&bomb).2.starts_with("too large"));
        assert!(refused(&" ".repeat(MAX_BYTES + 1)).2.starts_with("larger"));
    }
}
