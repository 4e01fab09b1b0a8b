//! The text of a file with objects: one, an array of them, or a Graph list. Everything but the one object stays as it is
//! written, byte for byte.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::types::json::{Step, item_ranges, tidy};

/// An object, and its place in the text if that is a list.
type Found = (Map<String, Value>, Option<Range<usize>>);

/// The object that is it.
pub(super) fn take(
    value: Value,
    text: &str,
    is_it: impl Fn(&Map<String, Value>) -> bool,
) -> Option<Found> {
    let (items, steps): (_, &[Step<'_>]) = match value {
        Value::Array(items) => (items, &[]),
        Value::Object(mut object) => match object.get_mut("value").map(Value::take) {
            Some(Value::Array(items)) if !object.contains_key("conditions") => (items, LIST),
            other => {
                if let (Some(own), Some(value)) = (object.get_mut("value"), other) {
                    *own = value;
                }
                return is_it(&object).then_some((object, None));
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let found = items
        .into_iter()
        .enumerate()
        .find_map(|(at, item)| match item {
            Value::Object(object) if is_it(&object) => Some((at, object)),
            _ => None,
        });
    let (at, object) = found?;
    let range = item_ranges(text, steps)?.into_iter().nth(at)?;
    Some((object, Some(range)))
}

/// The way to the items of a Graph list.
const LIST: &[Step<'_>] = &[Step::Member("value")];

/// The text with another object in the place of an item.
pub(super) fn with_item(
    text: &str,
    range: &Range<usize>,
    object: &Map<String, Value>,
) -> Option<String> {
    let (before, behind) = (text.get(..range.start)?, text.get(range.end..)?);
    let line = before.rsplit('\n').next()?;
    let indent = line
        .len()
        .saturating_sub(line.trim_start_matches(' ').len());
    Some(format!("{before}{}{behind}", tidy(object, indent)))
}

/// The text without an item, and without the comma that it needed.
pub(super) fn without_item(text: &str, range: &Range<usize>) -> Option<String> {
    let (before, behind) = (text.get(..range.start)?, text.get(range.end..)?);
    let next = behind.trim_start().strip_prefix(',');
    let rest = match (next, before.trim_end().strip_suffix(',')) {
        (Some(behind), _) => format!("{before}{}", behind.trim_start()),
        (None, Some(before)) => format!("{before}{behind}"),
        (None, None) => format!("{}{}", before.trim_end(), behind.trim_start()),
    };
    Some(rest)
}
