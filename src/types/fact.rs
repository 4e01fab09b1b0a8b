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
    /// The value, if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::RequiredUnknown => None,
        }
    }
}
