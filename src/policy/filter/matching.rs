//! Whether attributes meet a rule. No allocation, and time linear in the rule and the values.
//!
//! The rulings on missing attributes and collections are in the [parent](super).

use std::sync::Arc;

use super::{Clause, Comparison, Expression, Predicate, Test};
use crate::types::{AttributeValue, Attributes};

impl<L> Expression<L> {
    /// Whether the expression holds, when `leaf` says which of its leaves do.
    fn holds(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(leaf)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(leaf)),
            Self::Not(inner) => !inner.holds(leaf),
            Self::Leaf(one) => leaf(one),
        }
    }
}

impl Expression<Clause> {
    pub(super) fn matches(&self, attributes: &Attributes) -> bool {
        self.holds(&|clause| clause.matches(attributes.get(&clause.attribute)))
    }
}

impl Clause {
    fn matches(&self, value: Option<&AttributeValue>) -> bool {
        let meets = |inner: &Expression<Comparison>, item: &str| {
            inner.holds(&|comparison| comparison.negated != comparison.test.meets_text(item))
        };
        match &self.predicate {
            Predicate::Compare(comparison) => comparison.negated != comparison.test.meets(value),
            Predicate::AnyItem(inner) => items(value).iter().any(|item| meets(inner, item)),
            Predicate::AllItems(inner) => {
                let items = items(value);
                !items.is_empty() && items.iter().all(|item| meets(inner, item))
            }
        }
    }
}

impl Test {
    /// Whether the value of an attribute, if it has one, meets the positive operator.
    fn meets(&self, value: Option<&AttributeValue>) -> bool {
        match (self, value) {
            (Self::Missing, value) => items(value).is_empty(),
            (_, None) => false,
            (Self::Contains(whole), Some(AttributeValue::Many(items))) => items.contains(whole),
            (test, Some(AttributeValue::Many(items))) => {
                items.iter().any(|item| test.meets_text(item))
            }
            (test, Some(AttributeValue::One(text))) => test.meets_text(text),
        }
    }

    /// Whether one text meets the positive operator.
    fn meets_text(&self, text: &str) -> bool {
        match self {
            Self::Missing => false,
            Self::Equals(other) => text == other.as_ref(),
            Self::StartsWith(part) => text.starts_with(part.as_ref()),
            Self::EndsWith(part) => text.ends_with(part.as_ref()),
            Self::Contains(part) => text.contains(part.as_ref()),
            Self::Matches(pattern) => pattern.is_in(text),
            Self::In(list) => list.iter().any(|one| one.as_ref() == text),
        }
    }
}

/// The values of an attribute, one or many or none.
fn items(value: Option<&AttributeValue>) -> &[Arc<str>] {
    match value {
        None => &[],
        Some(AttributeValue::One(text)) => std::slice::from_ref(text),
        Some(AttributeValue::Many(items)) => items,
    }
}
