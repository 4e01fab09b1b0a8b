//! Strict JSON for what comes from outside: tokens, policies, the directory, requests.
//!
//! `serde_json` reads, but keeps the last of two members with one name; two readers of one text could then
//! disagree on what it says (RFC 8259 §4, RFC 7519 §4). Here a repeated member is an error at any depth.
//! For a message to an operator, [`locate`] finds the line and column of a member in the text.

mod line;
mod locate;
mod tidy;

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

pub(crate) use self::line::write;

/// Why a text is not JSON by the strict rules. `line` and `column` count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// What is wrong; never a piece of the text itself.
    pub message: String,
    /// Line of the fault.
    pub line: u32,
    /// Column of the fault, in bytes.
    pub column: u32,
}

/// Reads one JSON text (RFC 8259) in which no object has two members of one name. Depth is at most 127.
///
/// # Errors
/// [`JsonError`] with the place of the first fault.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    read(text, Strict::default())
}

/// Reads one JSON text as [`parse`] does, and gives the items of its list to `each` as they are read: of the array that it is,
/// or else of the one that its member `list` is. In the value that is returned that array is empty: of a list of thousands,
/// one item is in memory at a time.
///
/// # Errors
/// [`JsonError`] with the place of the first fault. Items before it were given to `each`.
pub fn parse_items<'a>(
    text: &[u8],
    list: &'a str,
    each: &'a mut dyn FnMut(Value),
) -> Result<Value, JsonError> {
    let (list, each) = (Some(list), Some(each));
    read(text, Strict { list, each })
}

fn read(text: &[u8], seed: Strict<'_>) -> Result<Value, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    value.map_err(|fault| JsonError {
        message: match fault.classify() {
            serde_json::error::Category::Data => "a member is given twice".to_owned(),
            serde_json::error::Category::Eof => "the text ends too early".to_owned(),
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
                "not JSON (RFC 8259)".to_owned()
            }
        },
        line: u32::try_from(fault.line()).unwrap_or(u32::MAX),
        column: u32::try_from(fault.column()).unwrap_or(u32::MAX),
    })
}

/// Builds a [`Value`] and refuses a repeated member.
#[derive(Default)]
struct Strict<'a> {
    /// Who is given the items of the array that is read next, in place of the value.
    each: Option<&'a mut dyn FnMut(Value)>,
    /// If an object is read next, the member that is that array.
    list: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
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
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict::default())? {
            match &mut self.each {
                Some(each) => each(item),
                None => list.push(item),
            }
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Entry::Vacant(member) = object.entry(name) else {
                return Err(A::Error::custom("a member is given twice"));
            };
            let each = match self.list {
                Some(list) if list == member.key() => self.each.take(),
                _ => None,
            };
            member.insert(members.next_value_seed(Strict { each, list: None })?);
        }
        Ok(Value::Object(object))
    }
}

pub use locate::{Place, item_ranges, locate, locate_items, text_of};
pub use tidy::tidy;

/// Whether a member says something of an answer of Graph's and nothing of the object (`reference/entra.md` §3.8).
#[must_use]
pub fn is_annotation(name: &str) -> bool {
    name.contains("@odata") || name.starts_with('#')
}

/// One step of the way to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// The member of this name.
    Member(&'a str),
    /// The item at this index, from 0.
    Item(usize),
}

/// The way to a member as messages write it: `value[3].conditions.users`.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a>(pub &'a [Step<'a>]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if depth == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Item(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_member_given_twice_at_any_depth() {
        assert!(parse(br#"{"a":1,"b":{"a":2}}"#).is_ok());
        assert!(parse(br#"{"a":1,"a":1}"#).is_err());
        assert!(parse(br#"[{"b":{"c":1,"\u0063":2}}]"#).is_err());
        assert!(parse(b"{} {}").is_err());
    }

    #[test]
    fn gives_the_items_of_a_list_one_by_one_and_all_else_together() {
        for (text, given, rest) in [
            (
                r#"[1, [2], {"value": [3]}]"#,
                r#"[1,[2],{"value":[3]}]"#,
                "[]",
            ),
            (
                r#"{"a": [1], "value": [2, [3]], "b": 4}"#,
                "[2,[3]]",
                r#"{"a":[1],"b":4,"value":[]}"#,
            ),
            (
                r#"{"value": {"value": [1]}}"#,
                "[]",
                r#"{"value":{"value":[1]}}"#,
            ),
            (r#"{"a": {"value": [1]}}"#, "[]", r#"{"a":{"value":[1]}}"#),
            ("1", "[]", "1"),
        ] {
            let mut items = Vec::new();
            let root = parse_items(text.as_bytes(), "value", &mut |item| items.push(item)).unwrap();
            assert_eq!(
                (Value::Array(items).to_string(), root.to_string()),
                (given.into(), rest.into())
            );
        }
        let refused = [
            r#"{"value": [1], "value": [2]}"#,
            r#"[{"a": 1, "a": 1}]"#,
            "[1",
            "[1] 2",
        ];
        for text in refused {
            let whole = parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                parse_items(text.as_bytes(), "value", &mut drop).unwrap_err(),
                whole
            );
        }
    }

    #[test]
    fn writes_the_way_to_a_member() {
        let steps = [Step::Member("value"), Step::Item(3), Step::Member("a")];
        assert_eq!(Path(&steps).to_string(), "value[3].a");
        let steps = [Step::Item(0), Step::Member("a"), Step::Member("b")];
        assert_eq!(Path(&steps).to_string(), "[0].a.b");
        assert_eq!(Path(&[]).to_string(), "");
    }

    #[test]
    fn finds_the_line_and_column_of_a_member() {
        let text = "{\n  \"a\": [1, {\"b\\\"\": 2}],\n  \"c\": {\"d\": [[], \"x\"]}\n}";
        let member = |steps: &[Step<'_>]| locate(text, steps);
        assert_eq!(member(&[Step::Member("a")]), Some((2, 3)));
        assert_eq!(
            member(&[Step::Member("a"), Step::Item(1), Step::Member("b\"")]),
            Some((2, 13))
        );
        assert_eq!(
            member(&[Step::Member("c"), Step::Member("d"), Step::Item(1)]),
            Some((3, 19))
        );
        assert_eq!(member(&[Step::Member("z")]), None);
    }

    #[test]
    fn finds_the_text_of_a_member() {
        let text = r#"{"a": {"b": "inner"}, "b": "\u00e9", "c": 1}"#;
        assert_eq!(text_of(text, "b").as_deref(), Some("\u{e9}"));
        assert_eq!(text_of(text, "c"), None);
        assert_eq!(text_of(text, "d"), None);
        assert_eq!(text_of("[]", "b"), None);
    }

    #[test]
    fn finds_the_places_of_all_items_in_one_pass() {
        let text = "{\"value\":\n [ {\"a\": [1, 2]}, \n\n  \"\u{e9}\", 3 ] }";
        let places = locate_items(text, &[Step::Member("value")]).unwrap();
        let lines: Vec<_> = places.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(lines, [(2, 4), (4, 3), (4, 8)]);
        for (at, place) in places.iter().enumerate() {
            let steps = [Step::Member("value"), Step::Item(at)];
            assert_eq!(locate(text, &steps), Some((place.line, place.column)));
        }
        assert_eq!(locate_items("[ ]", &[]), Some(Vec::new()));
        assert_eq!(locate_items("{}", &[]), None);
    }
}
