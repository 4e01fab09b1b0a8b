//! Which of two words on one thing stands: the same answer on every replica, in whatever order they arrive.
//!
//! Never here: a clock, and an order that depends on who asks.

use std::fmt;
use std::sync::Arc;

use crate::types::{RiskLevel, Timestamp};

/// The rank of one word on a thing. The highest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// When it was said: the latest stands.
    pub at: Timestamp,
    /// How grave it is: of two that were said at once, the graver stands.
    pub weight: u8,
    /// What it says, as a number: so that two that are alike in all else have an order too.
    pub tie: u64,
}

/// The text of a rank: three groups of digits, each of a fixed length, so that texts compare as ranks do.
const DIGITS: (usize, usize, usize) = (19, 3, 20);

impl Rank {
    /// The rank of a text that [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut groups = text.split('.');
        let mut next = |digits| {
            groups
                .next()
                .filter(|group: &&str| group.len() == digits)
                .filter(|group| group.bytes().all(|digit| digit.is_ascii_digit()))
        };
        let rank = Self {
            at: Timestamp::from_micros(next(DIGITS.0)?.parse().ok()?),
            weight: next(DIGITS.1)?.parse().ok()?,
            tie: next(DIGITS.2)?.parse().ok()?,
        };
        groups.next().is_none().then_some(rank)
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody said anything before 1970.
        let micros = self.at.as_micros().max(0);
        write!(f, "{micros:019}.{:03}.{:020}", self.weight, self.tie)
    }
}

/// A word on one thing.
pub(super) trait Word {
    /// Which thing.
    fn id(&self) -> &str;

    /// Which of two words on it stands.
    fn rank(&self) -> Rank;
}

/// These words without some of them, where nothing later was said of the same thing.
pub(super) fn without<T: Word>(
    words: &imbl::OrdMap<Arc<str>, Arc<T>>,
    over: &[Arc<T>],
) -> imbl::OrdMap<Arc<str>, Arc<T>> {
    let mut all = words.clone();
    for one in over {
        let known = all.get(one.id());
        if known.is_some_and(|known| known.rank() <= one.rank()) {
            all.remove(one.id());
        }
    }
    all
}

/// How grave a level is; `None`: withheld.
pub(super) const fn weight(level: Option<RiskLevel>) -> u8 {
    match level {
        Some(RiskLevel::High) => 4,
        // It could be high; what is known to be high says more.
        None => 3,
        Some(RiskLevel::Medium) => 2,
        Some(RiskLevel::Low) => 1,
        Some(RiskLevel::None) => 0,
    }
}

/// A number for what texts say (FNV-1a, 64 bits): not a secret, and not for an adversary to solve.
pub(super) fn tie(parts: &[&str]) -> u64 {
    // The byte that ends a part is in no UTF-8 text, so that two parts are not one.
    let bytes = parts
        .iter()
        .flat_map(|part| part.bytes().chain(std::iter::once(0xFF)));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

    use super::*;

    fn ranks() -> impl Strategy<Value = Rank> {
        (0..i64::MAX, any::<u8>(), any::<u64>()).prop_map(|(at, weight, tie)| Rank {
            at: Timestamp::from_micros(at),
            weight,
            tie,
        })
    }

    proptest! {
        #[test]
        fn texts_compare_as_ranks_do_and_are_read_back(one in ranks(), other in ranks()) {
            prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
            prop_assert_eq!(Rank::parse(&one.to_string()), Some(one));
        }
    }

    #[test]
    fn other_texts_are_no_ranks() {
        for text in [
            "",
            "1.2.3",
            "0000000000000000001.002.00000000000000000003.4",
            "+000000000000000001.002.00000000000000000003",
        ] {
            assert_eq!(Rank::parse(text), None, "{text}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(tie(&["ab", "c"]), tie(&["a", "bc"]));
    }
}
