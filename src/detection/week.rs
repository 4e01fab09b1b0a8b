//! An agent's week: how many calls it usually makes in each of its 168 hours, in one byte each.
//!
//! Hours are of UTC: what counts is that they return. Never here: a time zone, and a mean that one wild hour moves far.

/// Hours of a week.
const HOURS: u32 = 168;
/// The same as a count of this machine.
const SLOTS: usize = 168;
/// What one hour changes of what is usual: a fourth of the difference.
const PART: u8 = 4;
/// The longest absence that is looked at hour by hour; after that nothing is usual any more anyway.
const LONGEST_ABSENCE: u32 = 8 * HOURS;

/// What is usual in each hour of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Week {
    /// Sizes of numbers ([`size_of_count`]); 0: no calls.
    usual: [u8; SLOTS],
}

impl Default for Week {
    fn default() -> Self {
        Self { usual: [0; SLOTS] }
    }
}

/// The size of a number in eighths of a power of two: 0 for 0, 8 for 1, 16 for 3, 24 for 7.
fn size_of_count(count: u32) -> u8 {
    let plus = count.saturating_add(1);
    let power = plus.ilog2();
    // The next three bits below the highest one.
    let eighths = (u64::from(plus) << 3 >> power) & 7;
    u8::try_from(u64::from(power) * 8 + eighths).unwrap_or(u8::MAX)
}

/// A number of this size, rounded up: never below what [`size_of_count`] was given.
fn count_of_size(size: u8) -> u32 {
    if size == 0 {
        return 0;
    }
    let (power, eighths) = (u32::from(size) / 8, u64::from(size) % 8);
    let next = ((8 + eighths + 1) << power).div_ceil(8);
    u32::try_from(next.saturating_sub(1)).unwrap_or(u32::MAX)
}

impl Week {
    /// The hour `hour` (since 1970) ended with so many calls, and after it there were none until `now`.
    pub(super) fn ended(&mut self, hour: u32, calls: u32, now: u32) {
        self.learn(hour, calls);
        let absent = now.saturating_sub(hour.saturating_add(1));
        for past in 1..=absent.min(LONGEST_ABSENCE) {
            self.learn(hour.saturating_add(past), 0);
        }
    }

    fn learn(&mut self, hour: u32, calls: u32) {
        let size = size_of_count(calls);
        if let Some(usual) = self.slot_mut(hour) {
            // An hour that was never used takes its first value whole.
            let step = |difference: u8| difference.div_ceil(PART);
            *usual = if *usual == 0 {
                size
            } else if size >= *usual {
                usual.saturating_add(step(size - *usual))
            } else {
                usual.saturating_sub(step(*usual - size))
            };
        }
    }

    /// The most calls that are usual around this hour: in it or beside it, on any day of the week.
    pub(super) fn usual(&self, hour: u32) -> u32 {
        let sizes = around(hour).flat_map(|hour| (0..7).map(move |day| hour + day * 24));
        count_of_size(sizes.map(|hour| self.slot(hour)).max().unwrap_or(0))
    }

    /// Whether it is at work around this hour on days of this sort: Monday to Friday, or the weekend.
    pub(super) fn works_at(&self, hour: u32) -> bool {
        let sort = is_weekend(hour);
        let days = (0..7).map(|day| hour + day * 24);
        let mut alike = days.filter(|hour| is_weekend(*hour) == sort);
        alike.any(|hour| around(hour).any(|hour| self.slot(hour) > 0))
    }

    /// In how many hours of the week it works.
    pub(super) fn working_hours(&self) -> usize {
        self.usual.iter().filter(|size| **size > 0).count()
    }

    fn slot(&self, hour: u32) -> u8 {
        let at = usize::try_from(hour % HOURS).unwrap_or(0);
        self.usual.get(at).copied().unwrap_or(0)
    }

    fn slot_mut(&mut self, hour: u32) -> Option<&mut u8> {
        self.usual.get_mut(usize::try_from(hour % HOURS).ok()?)
    }
}

/// An hour and those beside it: clocks are put forward and back.
fn around(hour: u32) -> impl Iterator<Item = u32> + Clone {
    // A week later, so that the hour before the first one is one.
    let hour = hour.saturating_add(HOURS);
    hour.saturating_sub(1)..=hour.saturating_add(1)
}

/// 1970 began with a Thursday.
const fn is_weekend(hour: u32) -> bool {
    matches!((hour / 24) % 7, 2 | 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_kept_to_an_eighth_and_never_below_itself() {
        assert_eq!([0, 1, 3, 7].map(size_of_count), [0, 8, 16, 24]);
        for count in (0..5_000).chain([100_000, 7_654_321]) {
            let told = count_of_size(size_of_count(count));
            assert!(told >= count, "{told} for {count}");
            assert!(told <= count + count / 8 + 1, "{told} for {count}");
        }
    }

    #[test]
    fn the_weekend_is_where_the_calendar_has_it() {
        // 2026-10-03 was a Saturday, 2026-10-05 a Monday.
        let hour = |text: &str| {
            let at = crate::types::Timestamp::parse(text).unwrap();
            u32::try_from(at.as_seconds() / 3600).unwrap()
        };
        assert!(is_weekend(hour("2026-10-03T00:00:00Z")));
        assert!(is_weekend(hour("2026-10-04T23:00:00Z")));
        assert!(!is_weekend(hour("2026-10-05T00:00:00Z")));
        assert!(!is_weekend(hour("2026-10-02T23:00:00Z")));
    }

    #[test]
    fn what_returns_every_day_is_usual_and_what_stops_is_not_for_long() {
        let mut week = Week::default();
        // 09:00 to 17:00, every day for two weeks.
        for hour in 0..336 {
            week.ended(
                hour,
                if (9..17).contains(&(hour % 24)) {
                    100
                } else {
                    0
                },
                hour + 1,
            );
        }
        assert!((100..=115).contains(&week.usual(336 + 12)));
        assert_eq!(week.usual(336 + 3), 0);
        assert!(week.works_at(336 + 8), "beside a working hour");
        assert!(!week.works_at(336 + 3));
        assert_eq!(week.working_hours(), 7 * 8);
        week.ended(336, 0, 336 + 20 * 168);
        assert_eq!(
            week.working_hours(),
            56,
            "absence is looked at for eight weeks"
        );
        assert!(week.usual(336 + 12) < 20);
    }
}
