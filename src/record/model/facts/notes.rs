//! What a record says of the facts that are not in it, or not whole; and lists as far as there is room for them.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::types::{AttributeValue, Attributes, Fact};

/// The most items of one list, and the most bytes of its texts together.
const MAX_ITEMS: usize = 256;
const MAX_BYTES: usize = 16 * 1024;

/// Attributes as an object of texts and lists.
#[derive(Debug)]
pub(super) struct Named<'a>(&'a Attributes);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            match value {
                AttributeValue::One(value) => map.serialize_entry(name, value)?,
                AttributeValue::Many(values) => map.serialize_entry(name, values)?,
            }
        }
        map.end()
    }
}

/// What is to be said of the facts that are not there, or not whole.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) optional: Vec<&'static str>,
    /// Whether a fact that was required is unknown.
    pub(super) required: bool,
    pub(super) truncated: Vec<&'static str>,
}

impl Notes {
    pub(super) fn known<T>(&mut self, name: &'static str, fact: Fact<T>) -> Option<T> {
        match fact {
            Fact::Known(value) => return Some(value),
            Fact::Unknown => self.optional.push(name),
            Fact::RequiredUnknown => self.required = true,
        }
        None
    }

    /// A list, as far as there is room for it.
    pub(super) fn list<'a>(
        &mut self,
        name: &'static str,
        fact: Fact<&'a [Arc<str>]>,
    ) -> Option<&'a [Arc<str>]> {
        let list = self.known(name, fact)?;
        let mut bytes = 0;
        let fits = list
            .iter()
            .take(MAX_ITEMS)
            .take_while(|item| {
                bytes += item.len();
                bytes <= MAX_BYTES
            })
            .count();
        if fits < list.len() {
            self.truncated.push(name);
        }
        list.get(..fits)
    }

    pub(super) fn attributes<'a>(
        &mut self,
        name: &'static str,
        fact: Fact<&'a Attributes>,
    ) -> Option<Named<'a>> {
        let attributes = self.known(name, fact)?;
        self.whole(name, attributes)
    }

    /// Attributes that are known; none of them needs no member.
    pub(super) fn given<'a>(
        &mut self,
        name: &'static str,
        attributes: &'a Attributes,
    ) -> Option<Named<'a>> {
        if attributes.is_empty() {
            return None;
        }
        self.whole(name, attributes)
    }

    fn whole<'a>(&mut self, name: &'static str, attributes: &'a Attributes) -> Option<Named<'a>> {
        let (mut items, mut bytes) = (0, 0);
        for (name, value) in attributes.iter() {
            let (count, length) = match value {
                AttributeValue::One(value) => (1, value.len()),
                AttributeValue::Many(values) => {
                    (values.len(), values.iter().map(|value| value.len()).sum())
                }
            };
            items += count.max(1);
            bytes += name.len() + length;
        }
        if items > MAX_ITEMS || bytes > MAX_BYTES {
            self.truncated.push(name);
            return None;
        }
        Some(Named(attributes))
    }
}
