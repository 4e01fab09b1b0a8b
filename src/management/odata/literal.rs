//! Values that a query names, and how they compare with what an entity holds.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::properties::Kind;
use crate::types::Timestamp;
use crate::types::ids::is_guid;

/// A value that a query names, already of the kind of the property that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(Number),
    Time(Timestamp),
    /// Folded to lower case.
    Text(String),
    /// As [`id`] folds it.
    Id(String),
}

impl Literal {
    /// How a value that is there stands to the literal; `None` if they cannot be compared.
    pub(super) fn order_of(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Self::Bool(literal), Value::Bool(value)) => Some(value.cmp(literal)),
            (Self::Number(literal), Value::Number(value)) => order_of_numbers(value, literal),
            (Self::Time(literal), Value::String(value)) => {
                Some(Timestamp::parse(value)?.cmp(literal))
            }
            (Self::Text(literal), Value::String(value)) => {
                Some(fold(value).as_str().cmp(literal.as_str()))
            }
            (Self::Id(literal), Value::String(value)) => Some(id(value).as_str().cmp(literal)),
            (
                Self::Null
                | Self::Bool(_)
                | Self::Number(_)
                | Self::Time(_)
                | Self::Text(_)
                | Self::Id(_),
                _,
            ) => None,
        }
    }
}

/// Text as comparisons see it.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// An id as comparisons see it (`types::ids`).
pub(super) fn id(text: &str) -> String {
    if is_guid(text) {
        text.to_ascii_lowercase()
    } else {
        text.to_owned()
    }
}

/// Text as the kind of its property compares it.
pub(super) fn text_of(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Id => id(text),
        Kind::Text
        | Kind::Bool
        | Kind::Number
        | Kind::Time
        | Kind::Name(_)
        | Kind::GrownName(..)
        | Kind::Object(_)
        | Kind::List(_)
        | Kind::Open => fold(text),
    }
}

/// Whole numbers exactly, others as JSON means them.
fn order_of_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    let whole = |number: &Number| {
        let signed = number.as_i64().map(i128::from);
        signed.or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// A time as OData writes it: RFC 3339, where seconds may be left out, or a date, which is its first moment in UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    match clock {
        None => Timestamp::parse(&format!("{date}T00:00:00Z")),
        Some(_) => Timestamp::parse(text).or_else(|| {
            let zone = text.find(['Z', '+']).or_else(|| text.rfind('-'))?;
            let (minutes, zone) = text.split_at_checked(zone)?;
            Timestamp::parse(&format!("{minutes}:00{zone}"))
        }),
    }
}

/// A number as JSON writes it.
pub(super) fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text).ok()
}
