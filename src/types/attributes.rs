//! Custom security attributes: what an administrator knows of an agent or a resource, beside its id.
//!
//! A name is `<AttributeSet>_<AttributeName>` and is case-sensitive; a value compares without regard to
//! case (`reference/entra.md` §3.7), so values are folded once, when they are read.

use std::sync::Arc;

use super::SharedTexts;

/// The values of one attribute, folded to lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A single value.
    One(Arc<str>),
    /// A collection, in the order given. It may be empty.
    Many(Box<[Arc<str>]>),
}

/// The attributes of one object, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    pairs: Vec<(Arc<str>, AttributeValue)>,
    /// The JSON that they were read from, unfolded, for those who are shown them. Nothing is decided on it.
    written: Option<Arc<str>>,
}

impl Attributes {
    /// An object without attributes, for those who need a reference to one.
    pub const NONE: Self = Self {
        pairs: Vec::new(),
        written: None,
    };

    /// An object without attributes.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes named values; of a name given twice, the last counts (readers refuse that before).
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Arc<str>, AttributeValue)>) -> Self {
        let sorted: std::collections::BTreeMap<_, _> = pairs.into_iter().collect();
        Self {
            pairs: sorted.into_iter().collect(),
            written: None,
        }
    }

    /// The same, with the JSON that they were read from.
    #[must_use]
    pub fn written_as(self, json: Arc<str>) -> Self {
        Self {
            written: Some(json),
            ..self
        }
    }

    /// The JSON that they were read from, where it was kept.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        self.written.as_deref()
    }

    /// The attribute with this exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        let at = self
            .pairs
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
            .ok()?;
        self.pairs.get(at).map(|(_, value)| value)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
    }

    /// Keeps names and values once with all other texts of their content.
    pub fn share(&mut self, texts: &mut SharedTexts) {
        if let Some(written) = &mut self.written {
            texts.share(written);
        }
        for (name, value) in &mut self.pairs {
            texts.share(name);
            match value {
                AttributeValue::One(one) => texts.share(one),
                AttributeValue::Many(many) => many.iter_mut().for_each(|one| texts.share(one)),
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// Folds a value the way comparisons expect it.
#[must_use]
pub fn fold(value: &str) -> Arc<str> {
    value.to_lowercase().into()
}
