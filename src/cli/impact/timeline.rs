//! How many calls changed when: a few bars over whatever time the records span.
//!
//! Bars get wider when they get too many, so that memory does not grow, and the same records give the same bars in
//! whatever order they come. Never here: a clock.

use std::collections::BTreeMap;

use super::judge::Change;
use crate::types::Timestamp;

/// The most bars.
pub(super) const MAX_BARS: i64 = 120;
/// How wide bars may be, in seconds: each a multiple of the one before. The last makes a few bars of all time that there is.
const WIDTHS: [i64; 14] = [
    60,
    300,
    900,
    3_600,
    10_800,
    21_600,
    43_200,
    86_400,
    604_800,
    2_419_200,
    31_449_600,
    314_496_000,
    3_144_960_000,
    314_496_000_000,
];

/// Bars over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timeline {
    /// Wider ones than that of now, widest last.
    wider: &'static [i64],
    /// Of one bar, in seconds.
    width: i64,
    bars: BTreeMap<i64, Bar>,
}

/// What happened in the time of one bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bar {
    pub(super) calls: u64,
    pub(super) newly_blocked: u64,
    pub(super) newly_allowed: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        let [width, wider @ ..] = &WIDTHS;
        Self {
            wider,
            width: *width,
            bars: BTreeMap::new(),
        }
    }
}

impl Timeline {
    pub(super) fn add(&mut self, at: Timestamp, change: Change) {
        let bar = self
            .bars
            .entry(at.as_seconds().div_euclid(self.width))
            .or_default();
        bar.calls += 1;
        match change {
            Change::NewlyBlocked => bar.newly_blocked += 1,
            Change::NewlyAllowed => bar.newly_allowed += 1,
            Change::AllowedAsBefore | Change::BlockedAsBefore => {}
        }
        self.limit();
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        while self.width < other.width && self.widen() {}
        while other.width < self.width && other.widen() {}
        for (place, bar) in other.bars {
            self.bars.entry(place).or_default().add(bar);
        }
        self.limit();
    }

    /// Every bar from the first to the last, empty ones too, with its start; and how wide they are in seconds.
    pub(super) fn bars(&self) -> (Vec<(Timestamp, Bar)>, i64) {
        let (Some((first, _)), Some((last, _))) =
            (self.bars.first_key_value(), self.bars.last_key_value())
        else {
            return (Vec::new(), self.width);
        };
        let bars = (*first..=*last).map(|place| {
            let start = Timestamp::from_seconds(place.saturating_mul(self.width));
            (start, self.bars.get(&place).copied().unwrap_or_default())
        });
        (bars.collect(), self.width)
    }

    fn limit(&mut self) {
        while let (Some((first, _)), Some((last, _))) =
            (self.bars.first_key_value(), self.bars.last_key_value())
            && last.saturating_sub(*first) >= MAX_BARS
            && self.widen()
        {}
    }

    /// Makes bars of the next width out of these; says whether there is one.
    fn widen(&mut self) -> bool {
        let [next, wider @ ..] = self.wider else {
            return false;
        };
        let times = next.checked_div(self.width).unwrap_or(1);
        let mut bars: BTreeMap<i64, Bar> = BTreeMap::new();
        for (place, bar) in std::mem::take(&mut self.bars) {
            bars.entry(place.div_euclid(times)).or_default().add(bar);
        }
        self.bars = bars;
        self.width = *next;
        self.wider = wider;
        true
    }
}

impl Bar {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.newly_blocked += other.newly_blocked;
        self.newly_allowed += other.newly_allowed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_calls_in_any_order_and_by_any_threads_give_the_same_bars() {
        let times: Vec<i64> = (0..1_000).map(|at| at * at * 7).collect();
        let mut all = Timeline::default();
        let mut backwards = Timeline::default();
        let mut parts = [Timeline::default(), Timeline::default()];
        for (at, seconds) in times.iter().enumerate() {
            let change = if at % 3 == 0 {
                Change::NewlyBlocked
            } else {
                Change::AllowedAsBefore
            };
            all.add(Timestamp::from_seconds(*seconds), change);
            parts[at % 2].add(Timestamp::from_seconds(*seconds), change);
        }
        for (at, seconds) in times.iter().enumerate().rev() {
            let change = if at % 3 == 0 {
                Change::NewlyBlocked
            } else {
                Change::AllowedAsBefore
            };
            backwards.add(Timestamp::from_seconds(*seconds), change);
        }
        let [mut merged, other] = parts;
        merged.merge(other);
        assert_eq!(all, backwards);
        assert_eq!(all, merged);
        let (bars, _) = all.bars();
        assert!(bars.len() <= 120 && bars.len() > 20, "{}", bars.len());
        assert_eq!(bars.iter().map(|(_, bar)| bar.calls).sum::<u64>(), 1_000);
        assert_eq!(
            bars.iter().map(|(_, bar)| bar.newly_blocked).sum::<u64>(),
            334
        );
    }

    #[test]
    fn each_width_is_a_multiple_of_the_one_before() {
        assert!(WIDTHS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn two_calls_a_lifetime_apart_are_few_bars_too() {
        let mut timeline = Timeline::default();
        timeline.add(Timestamp::from_micros(i64::MIN), Change::NewlyAllowed);
        timeline.add(Timestamp::from_micros(i64::MAX), Change::NewlyAllowed);
        assert!(timeline.bars().0.len() <= 120);
    }
}
