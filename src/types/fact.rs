//! A fact that a condition needs and that may not be known.
//!
//! "Not known" is never the same as "none": whoever reads a fact has to say what happens without it.

/// What is known of one fact at the moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    /// The source answered, and its answer is fresh enough.
    Known(T),
    /// No answer from a source that the operator calls optional: a condition on it does not hold.
    Unknown,
    /// No answer, or one that is too old, from a source that the operator calls `required`:
    /// a condition on it counts as met for a blocking policy.
    RequiredUnknown,
}

impl<T> Fact<T> {
    /// The fact of what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(change(value)),
            Self::Unknown => Fact::Unknown,
            Self::RequiredUnknown => Fact::RequiredUnknown,
        }
    }

    /// The fact of a reference to the value.
    pub const fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Unknown => Fact::Unknown,
            Self::RequiredUnknown => Fact::RequiredUnknown,
        }
    }

    /// The value, if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::RequiredUnknown => None,
        }
    }
}
