//! Custom security attributes: what an administrator knows of an agent or a resource, beside its id.
//!
//! A name is `<AttributeSet>_<AttributeName>` and is case-sensitive; a value compares without regard to
//! case (`reference/entra.md` §3.7), so values are folded once, when they are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SharedParts;

/// The values of one attribute, folded to lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeValue {
    /// A single value.
    One(Arc<str>),
    /// A collection, in the order given. It may be empty.
    Many(Box<[Arc<str>]>),
}

/// The attributes of one object. Objects that have equal ones have them in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Option<Arc<AttributeSet>>);

/// What an object's attributes are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct AttributeSet {
    /// Sorted by name.
    pairs: Box<[(Arc<str>, AttributeValue)]>,
    /// The JSON that they were read from, unfolded, for those who are shown them. Nothing is decided on it.
    written: Option<Arc<str>>,
}

impl AttributeSet {
    /// Keeps names and values once with all other texts of their content.
    pub(super) fn share(&mut self, parts: &mut SharedParts) {
        if let Some(written) = &mut self.written {
            parts.share(written);
        }
        for (name, value) in &mut self.pairs {
            parts.share(name);
            match value {
                AttributeValue::One(one) => parts.share(one),
                AttributeValue::Many(many) => many.iter_mut().for_each(|one| parts.share(one)),
            }
        }
    }
}

impl Attributes {
    /// An object without attributes, for those who need a reference to one.
    pub const NONE: Self = Self(None);

    /// An object without attributes.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes named values; of a name given twice, the last counts (readers refuse that before).
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Arc<str>, AttributeValue)>) -> Self {
        let sorted: BTreeMap<_, _> = pairs.into_iter().collect();
        if sorted.is_empty() {
            return Self::NONE;
        }
        Self(Some(Arc::new(AttributeSet {
            pairs: sorted.into_iter().collect(),
            written: None,
        })))
    }

    /// The same, with the JSON that they were read from.
    #[must_use]
    pub fn written_as(self, json: Arc<str>) -> Self {
        let mut set = self.0.unwrap_or_default();
        Arc::make_mut(&mut set).written = Some(json);
        Self(Some(set))
    }

    /// The JSON that they were read from, where it was kept.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        self.0.as_deref()?.written.as_deref()
    }

    /// The attribute with this exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        let pairs = self.pairs();
        let at = pairs
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
            .ok()?;
        pairs.get(at).map(|(_, value)| value)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.pairs()
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }

    /// Keeps them once with all other objects that have equal ones, and each text once.
    pub fn share(&mut self, parts: &mut SharedParts) {
        if let Some(set) = &mut self.0 {
            parts.share_attributes(set);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs().is_empty()
    }

    fn pairs(&self) -> &[(Arc<str>, AttributeValue)] {
        self.0.as_ref().map_or(&[], |set| &set.pairs)
    }
}

/// Folds a value the way comparisons expect it.
#[must_use]
pub fn fold(value: &str) -> Arc<str> {
    value.to_lowercase().into()
}
