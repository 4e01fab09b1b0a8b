//! A filter, and whether an item passes it: OData's three-valued logic, of which only "true" passes.

use serde_json::Value;

use super::literal::{Literal, text_of};
use super::properties::{Path, Property};
use super::{QueryFault, parser};

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

/// A question about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFunction {
    StartsWith,
    EndsWith,
    Contains,
}

/// A condition on an item, read whole.
#[derive(Debug, Clone)]
pub struct Filter(pub(super) Condition);

impl Filter {
    /// Reads a `$filter` on items with these properties.
    ///
    /// # Errors
    /// [`QueryFault`] with the first place that is not understood.
    pub fn parse(text: &str, properties: &'static [Property]) -> Result<Self, QueryFault> {
        parser::parse(text, properties).map(Self)
    }

    /// Whether the item passes.
    #[must_use]
    pub fn passes(&self, item: &Value) -> bool {
        self.0.verdict(item, &mut Vec::new()) == Some(true)
    }
}

/// A condition, or a part of one.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Path, Operator, Literal),
    In(Path, Vec<Literal>),
    /// The text is as comparisons see it.
    Text(TextFunction, Path, String),
    /// A property that is itself true or false.
    Holds(Path),
    /// Whether an element meets the condition; without one, whether there is an element.
    Any(Path, Option<Box<Self>>),
}

impl Condition {
    /// `None`: a null decides. The depth of a filter is bounded where it is read.
    fn verdict<'v>(&self, item: &'v Value, variables: &mut Vec<&'v Value>) -> Option<bool> {
        match self {
            Self::And(all) => combine(all, false, item, variables),
            Self::Or(any) => combine(any, true, item, variables),
            Self::Not(inner) => inner.verdict(item, variables).map(|met| !met),
            Self::Compare(path, operator, literal) => {
                Some(compare(path.find(item, variables), *operator, literal))
            }
            Self::In(path, literals) => {
                let value = path.find(item, variables);
                let equal = |literal| compare(value, Operator::Eq, literal);
                Some(literals.iter().any(equal))
            }
            Self::Text(function, path, text) => {
                let value = text_of(path.kind, path.find(item, variables)?.as_str()?);
                Some(match function {
                    TextFunction::StartsWith => value.starts_with(text.as_str()),
                    TextFunction::EndsWith => value.ends_with(text.as_str()),
                    TextFunction::Contains => value.contains(text.as_str()),
                })
            }
            Self::Holds(path) => path.find(item, variables)?.as_bool(),
            Self::Any(path, condition) => {
                let elements = path.find(item, variables).and_then(Value::as_array);
                let elements = elements.map(Vec::as_slice).unwrap_or_default();
                let Some(condition) = condition else {
                    return Some(!elements.is_empty());
                };
                Some(elements.iter().any(|element| {
                    variables.push(element);
                    let met = condition.verdict(item, variables) == Some(true);
                    variables.pop();
                    met
                }))
            }
        }
    }
}

/// `and` and `or`: one verdict decides alone, a null does not.
fn combine<'v>(
    parts: &[Condition],
    deciding: bool,
    item: &'v Value,
    variables: &mut Vec<&'v Value>,
) -> Option<bool> {
    let mut verdict = Some(!deciding);
    for part in parts {
        match part.verdict(item, variables) {
            Some(met) if met == deciding => return Some(deciding),
            Some(_) => {}
            None => verdict = None,
        }
    }
    verdict
}

/// A null equals a null only, and has no order.
fn compare(value: Option<&Value>, operator: Operator, literal: &Literal) -> bool {
    let is_equal = match value {
        None => *literal == Literal::Null,
        Some(value) => literal.order_of(value).is_some_and(|order| order.is_eq()),
    };
    let order = value.and_then(|value| literal.order_of(value));
    match operator {
        Operator::Eq => is_equal,
        Operator::Ne => !is_equal,
        Operator::Gt => order.is_some_and(|order| order.is_gt()),
        Operator::Ge => order.is_some_and(|order| order.is_ge()),
        Operator::Lt => order.is_some_and(|order| order.is_lt()),
        Operator::Le => order.is_some_and(|order| order.is_le()),
    }
}
