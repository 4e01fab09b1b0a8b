//! Whether attributes meet a rule, slowly.

use boomgate::policy::filter::{Clause, Comparison, Expression, Predicate, Test};
use boomgate::policy::model::Filter;
use boomgate::types::{AttributeValue, Attributes};

pub(super) fn matches(filter: &Filter, attributes: &Attributes) -> bool {
    expression(filter.rule.expression(), &|clause| {
        clause_holds(clause, attributes)
    })
}

fn expression<L>(expression_: &Expression<L>, leaf: &dyn Fn(&L) -> bool) -> bool {
    match expression_ {
        Expression::And(parts) => {
            let results: Vec<bool> = parts.iter().map(|part| expression(part, leaf)).collect();
            !results.contains(&false)
        }
        Expression::Or(parts) => {
            let results: Vec<bool> = parts.iter().map(|part| expression(part, leaf)).collect();
            results.contains(&true)
        }
        Expression::Not(inner) => !expression(inner, leaf),
        Expression::Leaf(one) => leaf(one),
    }
}

fn clause_holds(clause: &Clause, attributes: &Attributes) -> bool {
    let found = attributes
        .iter()
        .find(|(name, _)| *name == clause.attribute.as_ref());
    let (values, is_collection): (Vec<&str>, bool) = match found {
        None => (Vec::new(), false),
        Some((_, AttributeValue::One(one))) => (vec![one], false),
        Some((_, AttributeValue::Many(many))) => (many.iter().map(AsRef::as_ref).collect(), true),
    };
    match &clause.predicate {
        Predicate::Compare(comparison) => {
            let positive = match &comparison.test {
                Test::Missing => values.is_empty(),
                Test::Contains(whole) if is_collection => values.contains(&whole.as_ref()),
                test => values.iter().any(|value| text_meets(test, value)),
            };
            positive ^ comparison.negated
        }
        Predicate::AnyItem(inner) => values.iter().any(|value| item_meets(inner, value)),
        Predicate::AllItems(inner) => {
            !values.is_empty() && !values.iter().any(|value| !item_meets(inner, value))
        }
    }
}

fn item_meets(inner: &Expression<Comparison>, item: &str) -> bool {
    expression(inner, &|comparison| {
        text_meets(&comparison.test, item) ^ comparison.negated
    })
}

fn text_meets(test: &Test, text: &str) -> bool {
    match test {
        Test::Missing => false,
        Test::Equals(other) => other.as_ref() == text,
        Test::StartsWith(part) => text.find(part.as_ref()) == Some(0),
        Test::EndsWith(part) => {
            text.len() >= part.len() && text.rfind(part.as_ref()) == Some(text.len() - part.len())
        }
        Test::Contains(part) => text.find(part.as_ref()).is_some(),
        Test::Matches(pattern) => pattern.is_in(text),
        Test::In(list) => list.iter().filter(|one| one.as_ref() == text).count() > 0,
    }
}
