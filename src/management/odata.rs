//! OData, as far as Graph's clients use it here: `$filter`, `$orderby`, `$top`, `$skiptoken`, `$select`, `$count`.
//!
//! A query is read whole against the properties of its entity set before anything is looked up. What it cannot honour
//! is refused with the place: an answer that left a part of the question out would be wrong. Bounded in length and
//! depth, so that a hostile query costs what an honest one costs. Never here: what the entities are, and who may see them.

mod filter;
mod keys;
mod lexer;
mod list;
mod literal;
mod options;
mod parser;
mod properties;
mod respond;
mod skip;

pub use filter::Filter;
pub(super) use keys::Direction;
pub use properties::{Kind, Property};
pub(super) use respond::{Asked, EntitySet, Version, apart};

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryFault {
    /// Whether it is OData that is not understood here, and not a mistake.
    pub unsupported: bool,
    /// What, and where.
    pub message: String,
}

impl QueryFault {
    /// The query is wrong.
    fn wrong(message: impl Into<String>) -> Self {
        Self {
            unsupported: false,
            message: message.into(),
        }
    }

    /// The query may be right elsewhere.
    fn unsupported(message: impl Into<String>) -> Self {
        Self {
            unsupported: true,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests;
