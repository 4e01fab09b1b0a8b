//! Strict JSON for what comes from outside: tokens, policies, the directory, requests.
//!
//! `serde_json` reads, but keeps the last of two members with one name; two readers of one text could then
//! disagree on what it says (RFC 8259 §4, RFC 7519 §4). Here a repeated member is an error at any depth.
//! For a message to an operator, [`locate`] finds the line and column of a member in the text.

mod locate;
mod tidy;

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

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
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut reader).and_then(|value| {
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
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("a member is given twice"));
            }
            object.insert(name, members.next_value_seed(Self)?);
        }
        Ok(Value::Object(object))
    }
}

pub use locate::{Place, item_ranges, locate, locate_items};
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
