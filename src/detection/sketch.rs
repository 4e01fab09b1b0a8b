//! Small memories of fixed size: how many different marks there were, whether a mark was seen, which came last.
//!
//! Each errs to one side only: towards having seen a mark. Never here: a list that grows.

use super::Mark;

/// A set of marks as `64 * N` bits: two for each mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen<const N: usize>([u64; N]);

impl<const N: usize> Default for Seen<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Seen<N> {
    /// Whether the mark was put in; now and then it says so of one that was not, the more marks there are.
    pub(super) fn has(&self, mark: Mark) -> bool {
        places(mark).into_iter().all(|place| bit(&self.0, place))
    }

    pub(super) fn put(&mut self, mark: Mark) {
        for place in places(mark) {
            set_bit(&mut self.0, place);
        }
    }
}

/// Two numbers of 16 bits out of one mark.
fn places(mark: Mark) -> [u32; 2] {
    [mark.number() >> 16, mark.number() & 0xFFFF]
}

/// How many different marks there were, as `64 * N` bits: one for each mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Distinct<const N: usize>([u64; N]);

impl<const N: usize> Default for Distinct<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Distinct<N> {
    /// Adds a mark; `None` if it was among them already.
    pub(super) fn put(&mut self, mark: Mark) -> Option<u32> {
        if bit(&self.0, mark.number()) {
            return None;
        }
        set_bit(&mut self.0, mark.number());
        Some(self.count())
    }

    /// Whether there were so many for certain: no fewer than there are bits set.
    pub(super) fn is_at_least(&self, count: u32) -> bool {
        let set = self.0.iter().map(|word| word.count_ones());
        set.sum::<u32>() >= count
    }

    /// How many there were. Linear counting: so many marks must be thrown, on average, until so many bits are set.
    pub(super) fn count(&self) -> u32 {
        let all = self.0.iter().fold(0, |all: u32, _| all.saturating_add(64));
        let set = self.0.iter().map(|word| word.count_ones()).sum::<u32>();
        // In hundredths: the sum over each bit of how many throws it took.
        let throws = |free: u32| all.saturating_mul(100).checked_div(free).unwrap_or(0);
        let free_before = (0..set.min(all)).map(|done| all.saturating_sub(done));
        (free_before.map(throws).sum::<u32>() + 50) / 100
    }
}

fn bit(words: &[u64], place: u32) -> bool {
    let (word, mask) = place_in(words.len(), place);
    words.get(word).is_some_and(|word| word & mask != 0)
}

fn set_bit(words: &mut [u64], place: u32) {
    let (word, mask) = place_in(words.len(), place);
    if let Some(word) = words.get_mut(word) {
        *word |= mask;
    }
}

fn place_in(words: usize, place: u32) -> (usize, u64) {
    let word = usize::try_from(place / 64).unwrap_or(0);
    (word.checked_rem(words).unwrap_or(0), 1 << (place % 64))
}

/// The marks that were used last, up to `N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latest<const N: usize> {
    /// The latest first; the rest are [`Mark::default`].
    marks: [Mark; N],
}

impl<const N: usize> Default for Latest<N> {
    fn default() -> Self {
        Self {
            marks: [Mark::default(); N],
        }
    }
}

impl<const N: usize> Latest<N> {
    pub(super) fn has(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }

    /// Whether there is no room for another one without forgetting one.
    pub(super) fn is_full(&self) -> bool {
        self.marks
            .last()
            .is_some_and(|last| *last != Mark::default())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let used = self.marks.iter().filter(|mark| **mark != Mark::default());
        used.count()
    }

    /// Puts a mark before all others. When there are too many, the one that was used longest ago is forgotten.
    pub(super) fn put(&mut self, mark: Mark) {
        let at = self.marks.iter().position(|known| *known == mark);
        let end = at.unwrap_or(N.saturating_sub(1));
        if let Some(moved) = self.marks.get_mut(..=end) {
            moved.rotate_right(1);
        }
        if let Some(first) = self.marks.first_mut() {
            *first = mark;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: u32) -> Mark {
        Mark::of(&[&number.to_be_bytes()])
    }

    #[test]
    fn what_was_put_in_is_there_and_little_else() {
        let mut seen = Seen::<16>::default();
        (0..100).for_each(|n| seen.put(mark(n)));
        assert!((0..100).all(|n| seen.has(mark(n))));
        let wrongly = (100..10_100).filter(|n| seen.has(mark(*n))).count();
        assert!(wrongly < 600, "{wrongly} of 10000");
    }

    #[test]
    fn different_marks_are_counted_to_some_percent_and_repeated_ones_once() {
        for count in [1_u32, 5, 12, 60, 200, 400] {
            let mut distinct = Distinct::<4>::default();
            for n in 0..count {
                distinct.put(mark(n));
                assert_eq!(distinct.put(mark(n)), None);
            }
            let told = distinct.count();
            assert!(told.abs_diff(count) <= 1 + count / 6, "{told} for {count}");
        }
    }

    #[test]
    fn the_one_that_was_used_longest_ago_is_forgotten() {
        let mut latest = Latest::<3>::default();
        for n in [1, 2, 3, 1, 4] {
            latest.put(mark(n));
        }
        let has = [1, 2, 3, 4].map(|n| latest.has(mark(n)));
        assert_eq!(has, [true, false, true, true]);
        assert!(latest.is_full());
        assert_eq!(latest.len(), 3);
    }
}
