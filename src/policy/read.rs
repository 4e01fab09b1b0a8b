//! Reads Conditional Access policies as Microsoft Graph exports them (`reference/entra.md` §3): one object,
//! a Graph list or an array, in any encoding that exports come in.
//!
//! Whatever a policy configures and this program does not honour is a finding with its place, never silently
//! left out: [`members::MEMBERS`] says what is honoured. Reading goes on after a fault, so that one run names them all.
//! Never here: a file, and a policy that counts although a part of it was not understood.

mod conditions;
pub mod members;
mod notes;
mod policy;
mod reading;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use super::model::Policy;
use crate::types::json::{self, Place, Step};
use crate::types::{Fault, Faults, Severity, text};
pub use policy::without_annotations;
use reading::Reading;

/// What happens to a policy of which something is not honoured: `on_unsupported`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnsupported {
    /// It is an error, and nothing is loaded.
    #[default]
    Reject,
    /// It is a warning, and the policy becomes report-only.
    ReportOnly,
}

/// Reads the policies of one file, whose name is for messages only.
///
/// Where the faults hold an error, the policies must not be used for anything but further checks.
#[must_use]
pub fn read(file: &str, bytes: &[u8], on_unsupported: OnUnsupported) -> (Vec<Policy>, Faults) {
    let file: Arc<str> = file.into();
    let mut faults = Faults::new();
    let mut policies = Vec::new();
    match parse(bytes) {
        Ok((text, value)) => {
            for entry in entries(&text, &value) {
                let mut reading = Reading::new(&file, &entry, on_unsupported);
                match entry.kind {
                    Kind::Policy => policies.extend(policy::read(&mut reading, entry.value)),
                    Kind::NextPage => reading.unsupported(
                        &[],
                        "the list goes on at another page; once every page is here, remove this member",
                    ),
                    Kind::UnknownOfList => {
                        reading.unsupported(&[], "is not a member of a Graph list that is known");
                    }
                }
                faults.extend(reading.into_faults());
            }
        }
        Err((message, line, column)) => faults.push(Fault {
            file,
            line,
            column,
            member: String::new(),
            message,
            severity: Severity::Error,
        }),
    }
    (policies, faults)
}

/// The text and what it says; else what is wrong, with line and column.
fn parse(bytes: &[u8]) -> Result<(String, Value), (String, u32, u32)> {
    let text = text::decode(bytes).map_err(|fault| (fault.to_string(), 0, 0))?;
    let value =
        json::parse(text.as_bytes()).map_err(|fault| (fault.message, fault.line, fault.column))?;
    Ok((text.into_owned(), value))
}

/// A part of a file that is read on its own.
struct Entry<'a> {
    kind: Kind,
    value: &'a Value,
    /// The text from its start on, and where that is.
    text: &'a str,
    line: u32,
    column: u32,
    /// Its path in the file, for messages.
    path: String,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Policy,
    NextPage,
    UnknownOfList,
}

/// Takes a file apart into policies.
fn entries<'a>(text: &'a str, value: &'a Value) -> Vec<Entry<'a>> {
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
        name if reading::is_annotation(name) => None,
        _ => Some(Kind::UnknownOfList),
    }
}

fn whole<'a>(text: &'a str, value: &'a Value) -> Entry<'a> {
    let blank = text.len().saturating_sub(text.trim_start().len());
    let (line, column) = json::locate(text, &[]).unwrap_or((1, 1));
    Entry {
        kind: Kind::Policy,
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
            kind: Kind::Policy,
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
