//! What a condition comes to when facts may be unknown: true, false, or one of two kinds of "nobody can tell".
//!
//! Kleene's logic, with two unknowns that stand between false and true: what an optional source does not tell does not
//! hold, so it is nearer to false; what a required one does not tell may well hold, so it is nearer to true. Never here:
//! what follows from an unknown, which the policy's judgement says.

use crate::types::Fact;

/// The value of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    False,
    /// It hangs on an optional fact that is not known.
    Unknown,
    /// It hangs on a required fact that is not known.
    RequiredUnknown,
    True,
}

impl Truth {
    pub(super) const fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    /// What is asked of a fact, if it is known.
    pub(super) fn of_fact<T>(fact: Fact<T>, holds: impl FnOnce(T) -> bool) -> Self {
        match fact.map(holds) {
            Fact::Known(holds) => Self::of(holds),
            Fact::Unknown => Self::Unknown,
            Fact::RequiredUnknown => Self::RequiredUnknown,
        }
    }

    pub(super) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::RequiredUnknown, _) | (_, Self::RequiredUnknown) => Self::RequiredUnknown,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::False, Self::False) => Self::False,
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::RequiredUnknown, _) | (_, Self::RequiredUnknown) => Self::RequiredUnknown,
            (Self::True, Self::True) => Self::True,
        }
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::RequiredUnknown => Self::RequiredUnknown,
            Self::True => Self::False,
        }
    }

    pub(super) fn is_true(self) -> bool {
        self == Self::True
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, RequiredUnknown, True, Unknown};

    #[test]
    fn false_decides_a_conjunction_and_true_a_disjunction_whatever_else_is_unknown() {
        for unknown in [Unknown, RequiredUnknown] {
            assert_eq!(False.and(unknown), False);
            assert_eq!(unknown.and(True), unknown);
            assert_eq!(True.or(unknown), True);
            assert_eq!(unknown.or(False), unknown);
            assert_eq!(unknown.not(), unknown);
        }
    }

    #[test]
    fn what_an_optional_source_does_not_tell_does_not_hold_whatever_a_required_one_would_say() {
        assert_eq!(Unknown.and(RequiredUnknown), Unknown);
        assert_eq!(RequiredUnknown.and(Unknown), Unknown);
        assert_eq!(Unknown.or(RequiredUnknown), RequiredUnknown);
    }
}
