//! Lists of texts, sets of enumerated names in either of their two forms, and ids. Never here: the paths of members.

use std::collections::BTreeSet;

use serde_json::Value;

use super::members;
use super::reading::{Reading, item, member, steps};
use crate::types::IdError;
use crate::types::json::Step;

/// The texts of a list, each with its place in it.
pub(in crate::policy) fn texts<'v>(
    reading: &mut Reading<'_>,
    object: &'v Value,
    path: &str,
) -> Vec<(usize, &'v str)> {
    let items = match member(object, path) {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            reading.unsupported(&steps(path), "expected a list of texts");
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for (at, value) in items.iter().enumerate() {
        match value {
            Value::String(text) => texts.push((at, text.as_str())),
            _ => reading.unsupported(&item(path, at), "expected a text"),
        }
    }
    texts
}

/// A list of which each text becomes one thing; what becomes none is a finding that says what was `expected`.
pub(super) fn list<T>(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
    expected: &str,
    mut read: impl FnMut(&mut Reading<'_>, &[Step<'_>], &str) -> Read<T>,
) -> Vec<T> {
    let mut all = Vec::new();
    for (at, text) in texts(reading, policy, path) {
        let at = item(path, at);
        match read(reading, &at, text) {
            Read::As(one) => all.push(one),
            Read::Reported => {}
            Read::NotExpected => {
                reading.unsupported(&at, &format!("expected {expected}, found `{text}`"));
            }
        }
    }
    all
}

/// What became of a text.
pub(super) enum Read<T> {
    As(T),
    /// It is nothing, and that was said.
    Reported,
    /// It is nothing that belongs here.
    NotExpected,
}

impl<T> Read<T> {
    pub(super) fn map<U>(self, to: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::As(one) => Read::As(to(one)),
            Self::Reported => Read::Reported,
            Self::NotExpected => Read::NotExpected,
        }
    }
}

/// Graph's keyword, if the text is one in any case.
pub(super) fn keyword(text: &str) -> Option<&'static str> {
    let mut keywords = members::KEYWORDS.into_iter();
    keywords.find(|keyword| keyword.eq_ignore_ascii_case(text))
}

/// An id; a keyword that has no meaning here is not taken for one.
pub(super) fn id<T>(
    reading: &mut Reading<'_>,
    at: &[Step<'_>],
    text: &str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Read<T> {
    if keyword(text).is_some() {
        return Read::NotExpected;
    }
    match parse(text) {
        Ok(id) => {
            // A keyword that Graph may add one day looks like this, and no GUID does.
            let looks_like_keyword = text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.bytes().all(|b| b.is_ascii_alphabetic());
            if looks_like_keyword {
                let message =
                    format!("`{text}` is not a keyword that is known; it is compared as an id");
                reading.warn(at, message);
            }
            Read::As(id)
        }
        Err(fault) => {
            reading.unsupported(at, &fault.to_string());
            Read::Reported
        }
    }
}

/// A set of names as one text with commas (Graph's flags) or as a list; `None` where it is not configured, and where it
/// is not understood whole.
pub(in crate::policy) fn enumeration<T: Ord>(
    reading: &mut Reading<'_>,
    object: &Value,
    path: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<BTreeSet<T>> {
    let names: Vec<(Vec<Step<'_>>, &str)> = match member(object, path)? {
        Value::String(text) if text.trim().is_empty() => return None,
        Value::String(text) => text.split(',').map(|name| (steps(path), name)).collect(),
        Value::Array(_) => texts(reading, object, path)
            .into_iter()
            .map(|(at, name)| (item(path, at), name))
            .collect(),
        _ => {
            let message = format!("expected {expected}, as a text with commas or a list of texts");
            reading.unsupported(&steps(path), &message);
            return None;
        }
    };
    let mut all = (!names.is_empty()).then(BTreeSet::new);
    for (at, name) in names {
        match parse(name.trim()) {
            Some(one) => {
                if let Some(all) = &mut all {
                    all.insert(one);
                }
            }
            None => {
                let message = format!("expected {expected}, found `{}`", name.trim());
                reading.unsupported(&at, &message);
                all = None;
            }
        }
    }
    all
}
