//! What an agent did in the current hour, and what it usually does in one.
//!
//! Never here: what happened in which order.

use super::sketch::Distinct;

/// One hour under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hour {
    /// Which, since 1970.
    pub(super) number: u32,
    /// All calls.
    pub(super) calls: u32,
    /// Calls for what it may not reach.
    pub(super) refused: u32,
    /// How many different things those were.
    pub(super) refused_targets: Distinct<2>,
    /// How many different things are not there.
    pub(super) missing: Distinct<4>,
    /// How many different things it never reached before.
    pub(super) unfamiliar: Distinct<4>,
}

impl Hour {
    pub(super) fn of(number: u32) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }
}

/// What is usual in an hour in which there is any call: running means in sixteenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usual {
    refused: u16,
    missing: u16,
    unfamiliar: u16,
    /// The most calls of one hour, fading by half in a month.
    busiest: u32,
    /// How seldom it works at an hour at which it never worked before: of 65536 hours, so many were none such.
    regular: u16,
}

/// One hour moves a mean by an eighth of the difference.
const PART: i32 = 8;
/// How fast the busiest hour fades: by one part of so many in each hour.
const FADING: u64 = 1_024;

impl Usual {
    /// An hour ended, and the next one with a call comes `hours` later. What was found in it is learned in part only,
    /// for an attack must not become a habit: a busy hour counts up to twice the busiest one before.
    pub(super) fn learn(&mut self, hour: &Hour, hours: u32, is_learning: bool) {
        self.refused = moved(self.refused, hour.refused_targets.count());
        self.missing = moved(self.missing, hour.missing.count());
        self.unfamiliar = moved(self.unfamiliar, hour.unfamiliar.count());
        let most = if is_learning {
            u32::MAX
        } else {
            self.busiest.saturating_mul(2).max(100)
        };
        self.busiest = self.busiest.max(hour.calls.min(most));
        let hours = u64::from(hours).min(FADING);
        let faded = u64::from(self.busiest).saturating_mul(hours) / FADING;
        self.busiest = self
            .busiest
            .saturating_sub(u32::try_from(faded).unwrap_or(u32::MAX));
    }

    /// It worked in an hour that has ended: one at which it had worked before, or not.
    pub(super) fn was_at_work(&mut self, as_ever: bool) {
        let part = |distance: u16| distance.div_ceil(16);
        self.regular = if as_ever {
            self.regular.saturating_add(part(u16::MAX - self.regular))
        } else {
            self.regular.saturating_sub(part(self.regular))
        };
    }

    /// Whether its hours return: of late, less than one in twenty was a new one.
    pub(super) const fn is_regular(&self) -> bool {
        self.regular > u16::MAX / 20 * 19
    }

    /// The busiest hour of late.
    pub(super) const fn busiest(&self) -> u32 {
        self.busiest
    }

    /// Whether `count` things that it may not reach are many times what is usual.
    pub(super) fn is_many_refused(&self, count: u32) -> bool {
        is_many(count, self.refused)
    }

    /// The same of things that are not there.
    pub(super) fn is_many_missing(&self, count: u32) -> bool {
        is_many(count, self.missing)
    }

    /// The same of things that it never reached before.
    pub(super) fn is_many_unfamiliar(&self, count: u32) -> bool {
        is_many(count, self.unfamiliar)
    }
}

/// Many: more than four times the mean.
fn is_many(count: u32, mean: u16) -> bool {
    u64::from(count).saturating_mul(16) > u64::from(mean).saturating_mul(4)
}

fn moved(mean: u16, count: u32) -> u16 {
    let (mean, count) = (i32::from(mean), count.saturating_mul(16).min(30_000));
    let difference = i32::try_from(count).unwrap_or(0) - mean;
    u16::try_from(mean + difference / PART).unwrap_or(0)
}

/// The hour of a time in seconds.
pub(super) const fn hour_of(seconds: u32) -> u32 {
    seconds / 3_600
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_does_not_become_a_habit_at_once() {
        let mut usual = Usual::default();
        let with = |calls| Hour {
            calls,
            ..Hour::default()
        };
        usual.learn(&with(1_000), 1, true);
        assert!((990..=1_000).contains(&usual.busiest()));
        usual.learn(&with(100_000), 1, false);
        assert!((1_900..=2_000).contains(&usual.busiest()));
        usual.learn(&with(0), 710, false);
        assert!(
            (500..1_000).contains(&usual.busiest()),
            "{}",
            usual.busiest()
        );
    }

    #[test]
    fn many_is_more_than_four_times_the_mean() {
        let mut mean = 0;
        for _ in 0..100 {
            mean = moved(mean, 10);
        }
        assert!((150..=160).contains(&mean), "{mean}");
        assert!(!is_many(38, mean));
        assert!(is_many(41, mean));
        assert!(is_many(1, 0));
    }
}
