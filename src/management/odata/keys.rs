//! `$orderby`, and the place of an item in a list: the values that it is ordered by, and its id.
//!
//! The id comes last, so that no two items have one place, and a page can begin behind a place whatever came or went
//! since. Nulls are the smallest (OData 4.01 part 1, §11.2.6.2).

use std::cmp::Reverse;

use serde_json::Value;

use super::QueryFault;
use super::literal::text_of;
use super::properties::{Kind, Path, Property, find};
use crate::types::Timestamp;

/// How many properties a list is ordered by at most.
const MAX_KEYS: usize = 5;

/// How a list is ordered, before the id decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) keys: Vec<(Path, Direction)>,
    pub(super) ids: Direction,
}

/// Smallest first, or greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::management) enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// One value of a place. Numbers are kept as integers of the same order, times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Whole(i64),
    Text(String),
}

/// A key as its direction sees it. At one index of a place there is one of the two only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Directed {
    Up(Key),
    Down(Reverse<Key>),
}

/// Where an item is in the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Vec<Directed>);

impl Order {
    /// Reads `$orderby`.
    ///
    /// # Errors
    /// [`QueryFault`] where it names what is not there, or has no order.
    pub(super) fn parse(
        text: &str,
        properties: &'static [Property],
        ids: Direction,
    ) -> Result<Self, QueryFault> {
        let keys: Vec<_> = text
            .split(',')
            .map(|one| key(one, properties))
            .collect::<Result<_, _>>()?;
        if keys.len() > MAX_KEYS {
            let message = format!("`$orderby` names more than {MAX_KEYS} properties");
            return Err(QueryFault::unsupported(message));
        }
        Ok(Self { keys, ids })
    }

    /// The place of an item.
    pub(super) fn place(&self, item: &Value, id: &str) -> Place {
        let keys = self.keys.iter();
        self.joined(
            keys.map(|(path, _)| key_of(path.kind, path.find(item, &[])))
                .collect(),
            id,
        )
    }

    /// The place with these keys.
    pub(super) fn joined(&self, keys: Vec<Key>, id: &str) -> Place {
        let directions = self.keys.iter().map(|(_, direction)| *direction);
        let directed = keys.into_iter().zip(directions);
        let id = (Key::Text(id.to_owned()), self.ids);
        let directed = directed
            .chain([id])
            .map(|(key, direction)| match direction {
                Direction::Ascending => Directed::Up(key),
                Direction::Descending => Directed::Down(Reverse(key)),
            });
        Place(directed.collect())
    }
}

impl Place {
    /// Its keys and, last, its id.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().map(|directed| match directed {
            Directed::Up(key) | Directed::Down(Reverse(key)) => key,
        })
    }
}

/// `path`, `path asc`, `path desc`
fn key(text: &str, properties: &'static [Property]) -> Result<(Path, Direction), QueryFault> {
    let wrong = |message: String| QueryFault::wrong(format!("`$orderby`: {message}"));
    let mut words = text.split_ascii_whitespace();
    let (name, direction, rest) = (words.next(), words.next(), words.next());
    let direction = match direction {
        None => Direction::Ascending,
        Some(word) if word.eq_ignore_ascii_case("asc") => Direction::Ascending,
        Some(word) if word.eq_ignore_ascii_case("desc") => Direction::Descending,
        Some(_) => return Err(wrong("expected `asc` or `desc` behind a property".into())),
    };
    let (Some(name), None) = (name, rest) else {
        return Err(wrong("expected properties, separated by commas".into()));
    };
    let mut path = Path {
        variable: None,
        members: Vec::new(),
        kind: Kind::Object(properties),
    };
    for member in name.split('/') {
        let property = match path.kind {
            Kind::Object(properties) => find(properties, member),
            _ => None,
        };
        let property = property.ok_or_else(|| wrong(format!("there is no property `{name}`")))?;
        path.members.push(property.name.into());
        path.kind = property.kind;
    }
    match path.kind {
        Kind::Text | Kind::Id | Kind::Bool | Kind::Number | Kind::Time => Ok((path, direction)),
        Kind::Name(_) | Kind::GrownName(..) | Kind::Object(_) | Kind::List(_) | Kind::Open => {
            let message = format!("`$orderby`: `{name}` has no order");
            Err(QueryFault::unsupported(message))
        }
    }
}

/// What an item is ordered by. What is not of the property's kind is no value.
fn key_of(kind: Kind, value: Option<&Value>) -> Key {
    let key = match (kind, value) {
        (Kind::Time, Some(Value::String(text))) => {
            Timestamp::parse(text).map(|time| Key::Whole(time.as_micros()))
        }
        (_, Some(Value::String(text))) => Some(Key::Text(text_of(kind, text))),
        (_, Some(Value::Bool(value))) => Some(Key::Bool(*value)),
        (_, Some(Value::Number(number))) => {
            number.as_f64().map(|number| Key::Whole(ranked(number)))
        }
        _ => None,
    };
    key.unwrap_or(Key::Null)
}

/// An integer that stands to others as the number does to theirs (IEEE 754-2019 §5.10).
fn ranked(number: f64) -> i64 {
    let bits = (number + 0.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}
