//! A file of Graph's JSON is taken apart into its objects: one, an array, or a Graph list. Never here: what an object says.

use serde_json::Value;

use super::reading::is_annotation;
use crate::types::json::{self, Place, Step};
use crate::types::text;

/// The text and what it says; else what is wrong, with line and column.
pub(in crate::policy) fn parse(bytes: &[u8]) -> Result<(String, Value), (String, u32, u32)> {
    let text = text::decode(bytes).map_err(|fault| (fault.to_string(), 0, 0))?;
    let value =
        json::parse(text.as_bytes()).map_err(|fault| (fault.message, fault.line, fault.column))?;
    Ok((text.into_owned(), value))
}

/// A part of a file that is read on its own.
pub(in crate::policy) struct Entry<'a> {
    pub(in crate::policy) kind: Kind,
    pub(in crate::policy) value: &'a Value,
    /// The text from its start on, and where that is.
    pub(in crate::policy) text: &'a str,
    pub(in crate::policy) line: u32,
    pub(in crate::policy) column: u32,
    /// Its path in the file, for messages.
    pub(in crate::policy) path: String,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::policy) enum Kind {
    /// One of the objects that the file is about.
    Object,
    NextPage,
    UnknownOfList,
}

/// Takes a file apart into its objects.
pub(in crate::policy) fn entries<'a>(text: &'a str, value: &'a Value) -> Vec<Entry<'a>> {
    match value {
        Value::Array(items) => item_entries(text, items, &[], ""),
        Value::Object(object) => match object.get("value") {
            Some(Value::Array(items)) if !object.contains_key("conditions") => {
                let mut entries = item_entries(text, items, &[Step::Member("value")], "value");
                entries.extend(object.iter().filter_map(|(name, value)| {
                    let kind = kind_in_list(name)?;
                    Some(entry_of_member(text, name, value, kind))
                }));
                entries
            }
            _ => vec![whole(text, value)],
        },
        _ => vec![whole(text, value)],
    }
}

/// What a member of a Graph list is, beside `value` and annotations that say nothing.
fn kind_in_list(name: &str) -> Option<Kind> {
    match name {
        "@odata.nextLink" => Some(Kind::NextPage),
        "value" => None,
        name if is_annotation(name) => None,
        _ => Some(Kind::UnknownOfList),
    }
}

fn whole<'a>(text: &'a str, value: &'a Value) -> Entry<'a> {
    let blank = text.len().saturating_sub(text.trim_start().len());
    let (line, column) = json::locate(text, &[]).unwrap_or((1, 1));
    Entry {
        kind: Kind::Object,
        value,
        text: text.get(blank..).unwrap_or(text),
        line,
        column,
        path: String::new(),
    }
}

fn item_entries<'a>(
    text: &'a str,
    items: &'a [Value],
    steps: &[Step<'_>],
    list: &str,
) -> Vec<Entry<'a>> {
    let places = json::locate_items(text, steps).unwrap_or_default();
    let nowhere = Place {
        offset: 0,
        line: 0,
        column: 0,
    };
    let places = places.into_iter().chain(std::iter::repeat(nowhere));
    let items = items.iter().zip(places).enumerate();
    items
        .map(|(at, (value, place))| Entry {
            kind: Kind::Object,
            value,
            text: text.get(place.offset..).unwrap_or_default(),
            line: place.line,
            column: place.column,
            path: format!("{list}[{at}]"),
        })
        .collect()
}

fn entry_of_member<'a>(text: &'a str, name: &str, value: &'a Value, kind: Kind) -> Entry<'a> {
    let (line, column) = json::locate(text, &[Step::Member(name)]).unwrap_or((0, 0));
    Entry {
        kind,
        value,
        text: "",
        line,
        column,
        path: name.to_owned(),
    }
}
