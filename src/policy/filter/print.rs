//! A rule as text, with no more parentheses than it needs. What is printed parses to the same rule.

use std::fmt;

use super::{Clause, Comparison, Expression, FilterRule, Predicate, Test};

impl fmt::Display for FilterRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl<L: fmt::Display> fmt::Display for Expression<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => joined(f, parts, " -and ", |part| {
                matches!(part, Self::And(_) | Self::Or(_))
            }),
            Self::Or(parts) => joined(f, parts, " -or ", |part| matches!(part, Self::Or(_))),
            Self::Not(inner) => {
                f.write_str("-not ")?;
                part(f, inner, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::Leaf(leaf) => leaf.fmt(f),
        }
    }
}

fn joined<L: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression<L>],
    between: &str,
    needs_parentheses: impl Fn(&Expression<L>) -> bool,
) -> fmt::Result {
    for (at, one) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        part(f, one, needs_parentheses(one))?;
    }
    Ok(())
}

fn part<L: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    one: &Expression<L>,
    in_parentheses: bool,
) -> fmt::Result {
    if in_parentheses {
        write!(f, "({one})")
    } else {
        fmt::Display::fmt(one, f)
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} ", self.language, self.attribute)?;
        match &self.predicate {
            Predicate::Compare(comparison) => compare(f, comparison),
            Predicate::AnyItem(inner) => write!(f, "-any ({inner})"),
            Predicate::AllItems(inner) => write!(f, "-all ({inner})"),
        }
    }
}

/// As it stands in `-any (…)` and `-all (…)`.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_ ")?;
        compare(f, self)
    }
}

fn compare(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    let (positive, negative) = match comparison.test {
        Test::Missing | Test::Equals(_) => ("-eq ", "-ne "),
        Test::StartsWith(_) => ("-startsWith ", "-notStartsWith "),
        Test::EndsWith(_) => ("-endsWith ", "-notEndsWith "),
        Test::Contains(_) => ("-contains ", "-notContains "),
        Test::Matches(_) => ("-match ", "-notMatch "),
        Test::In(_) => ("-in ", "-notIn "),
    };
    f.write_str(if comparison.negated {
        negative
    } else {
        positive
    })?;
    match &comparison.test {
        Test::Missing => f.write_str("null"),
        Test::Equals(value)
        | Test::StartsWith(value)
        | Test::EndsWith(value)
        | Test::Contains(value) => text(f, value),
        Test::Matches(pattern) => text(f, pattern.as_str()),
        Test::In(list) => {
            for (at, one) in list.iter().enumerate() {
                f.write_str(if at == 0 { "[" } else { ", " })?;
                text(f, one)?;
            }
            f.write_str("]")
        }
    }
}

fn text(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    write!(f, "\"{}\"", value.replace('`', "``").replace('"', "`\""))
}
