//! The filter-rule language (`reference/entra.md` §3.7): an object is taken into an assignment or out of it by its custom
//! security attributes, and a device meets the filter for devices by its properties. Two sets of properties, one grammar.
//!
//! ```text
//! rule       = or
//! or         = and ("-or" and)*
//! and        = not ("-and" not)*
//! not        = "-not" not | "(" or ")" | clause
//! clause     = property comparison | property ("-any" | "-all") "(" or, with `_` for the property ")"
//! comparison = ("-eq" | "-ne") (text | "null" | "True" | "False") | "-in" list | "-notIn" list
//!            | ("-contains" | "-startsWith" | "-endsWith" | "-match", and each as "-not…") text
//! property   = "CustomSecurityAttribute." <AttributeSet> "_" <AttributeName> | "device." <property>
//! text       = '"' characters '"', where a backtick stands before a quote or another backtick
//! list       = "[" text ("," text)* "]"
//! ```
//!
//! Operators are read in any case, with or without their hyphen; names of attributes are case-sensitive, but
//! the prefix may start with a small letter; properties of a device are read in any case. Where Microsoft's documents are
//! silent or disagree, this holds:
//!
//! - **Values compare without regard to case**, all operators alike.
//! - **A missing attribute** (or a collection without items) has no value: no positive operator holds,
//!   every negative one does, and `-eq null` holds. So a filter that lets approved agents out of a block
//!   never lets an untagged one out.
//! - **A collection** meets a positive operator when one of its items does. `-contains` asks a collection
//!   for a whole item, and a single text for a part of it.
//! - **A negative operator is the exact opposite** of its positive one, always.
//! - `-any (…)` holds when one item meets what stands in the parentheses, where `_` is the item; `-all (…)`
//!   when there is an item and each meets it. A single text is one item, and `-contains` asks it for a part.
//! - `-match` finds its pattern anywhere in the value. Patterns are those of the `regex` crate: no look-around
//!   and no back-reference, so that matching takes linear time; such a pattern is an error at load. (The first
//!   match of a pattern on a thread allocates its working space; nothing else in this language allocates.)
//! - Attributes are texts: rules on them know no Boolean and no number. Of a device, `isCompliant` is a Boolean: it
//!   takes `-eq` and `-ne`, with `True` and `False` in quotes or without.
//! - **A device that is not registered** has no properties, so every negative operator holds.
//!
//! Never here: a panic, a stack that grows with the input, and a rule that is half understood.

mod language;
mod lexer;
mod matching;
mod parser;
mod print;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::types::Attributes;

pub use language::Language;

/// The longest rule, in characters.
pub const MAX_RULE_CHARS: usize = 3072;

/// How deep parentheses, `-not`, `-any` and `-all` may nest.
pub const MAX_DEPTH: usize = 32;

/// Why a text is not a rule. Columns are characters of the rule, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Longer than [`MAX_RULE_CHARS`].
    #[error("the rule is longer than {MAX_RULE_CHARS} characters")]
    TooLong,
    /// Something else had to stand here.
    #[error("column {column} of the rule: expected {expected}, found {found}")]
    Unexpected {
        /// Where.
        column: usize,
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("column {column} of the rule: nested deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// Where.
        column: usize,
    },
    /// A pattern that cannot be matched in linear time, that is too large, or that is none.
    #[error(
        "column {column} of the rule: expected a pattern without look-around and back-reference, found `{pattern}`"
    )]
    Pattern {
        /// Where.
        column: usize,
        /// The pattern.
        pattern: String,
    },
}

/// A rule, parsed. Its `Display` is a rule that parses to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRule {
    root: Expression<Clause>,
}

impl FilterRule {
    /// Reads a rule on custom security attributes.
    ///
    /// # Errors
    /// [`FilterError`] says where the rule goes wrong and what was expected there.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text, Language::Attributes).map(|root| Self { root })
    }

    /// Reads a rule on the properties of a device.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_device(text: &str) -> Result<Self, FilterError> {
        parser::parse(text, Language::Device).map(|root| Self { root })
    }

    /// Whether an object with these attributes meets the rule.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes) -> bool {
        self.root.matches(attributes)
    }

    /// What the rule says.
    #[must_use]
    pub const fn expression(&self) -> &Expression<Clause> {
        &self.root
    }
}

/// Leaves under `-and`, `-or` and `-not`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression<L> {
    /// Each of two or more.
    And(Box<[Self]>),
    /// One of two or more.
    Or(Box<[Self]>),
    /// The opposite.
    Not(Box<Self>),
    /// What is asked of an object, or of an item.
    Leaf(L),
}

/// What is asked of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Whose property.
    pub language: Language,
    /// `<AttributeSet>_<AttributeName>`, or the property of a device: without the prefix.
    pub attribute: Arc<str>,
    /// What its value has to be.
    pub predicate: Predicate,
}

/// What the value of an attribute has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// The value, whole or by its items, compares so.
    Compare(Comparison),
    /// One item does.
    AnyItem(Expression<Comparison>),
    /// There is an item, and each does.
    AllItems(Expression<Comparison>),
}

/// One comparison: a positive operator with what it compares to, or its exact opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Whether the negative operator is written: `-ne`, `-notContains`.
    pub negated: bool,
    /// The positive operator.
    pub test: Test,
}

/// A positive operator with what it compares to. Texts are folded to lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `-eq null`
    Missing,
    /// `-eq`
    Equals(Arc<str>),
    /// `-startsWith`
    StartsWith(Arc<str>),
    /// `-endsWith`
    EndsWith(Arc<str>),
    /// `-contains`
    Contains(Arc<str>),
    /// `-match`
    Matches(Pattern),
    /// `-in`
    In(Box<[Arc<str>]>),
}

/// A regular expression, of bounded size and without regard to case.
#[derive(Debug, Clone)]
pub struct Pattern(regex::Regex);

impl Pattern {
    /// Compiled patterns are at most this large, in bytes.
    const MAX_BYTES: usize = 256 * 1024;

    fn compile(source: &str) -> Option<Self> {
        regex::RegexBuilder::new(source)
            .case_insensitive(true)
            .size_limit(Self::MAX_BYTES)
            .dfa_size_limit(Self::MAX_BYTES)
            .nest_limit(64)
            .build()
            .ok()
            .map(Self)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found in `value`.
    #[must_use]
    pub fn is_in(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}
