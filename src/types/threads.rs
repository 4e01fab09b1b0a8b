//! What each thread has for itself, so that workers which do the same at once share no line of a cache.
//!
//! Never here: what must be one. Threads beyond sixteen share, so a part is as safe to share as a whole.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What lies in a place of its own in a processor's cache: what is written often would take what is only read beside it out
/// of the caches of all others.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Apart<T>(pub T);

/// So many threads have a part each; more share them in turn.
const THREADS: usize = 16;

/// A part for each thread.
#[derive(Debug)]
pub struct PerThread<T> {
    last: T,
    others: Vec<T>,
}

impl<T> PerThread<T> {
    /// Makes each part.
    pub fn new(mut make: impl FnMut() -> T) -> Self {
        Self {
            last: make(),
            others: std::iter::repeat_with(make).take(THREADS - 1).collect(),
        }
    }

    /// Makes each part.
    ///
    /// # Errors
    /// The first of them that cannot be made.
    pub fn try_new<E>(mut make: impl FnMut() -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            last: make()?,
            others: (1..THREADS).map(|_| make()).collect::<Result<_, E>>()?,
        })
    }

    /// Makes of each part one of something else.
    pub fn map<U>(&self, mut of: impl FnMut(&T) -> U) -> PerThread<U> {
        PerThread {
            last: of(&self.last),
            others: self.others.iter().map(of).collect(),
        }
    }

    /// That of the thread that asks.
    pub fn mine(&self) -> &T {
        self.others.get(thread_number()).unwrap_or(&self.last)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.others.iter().chain([&self.last])
    }
}

/// Less than `THREADS`; the same for as long as the thread lives.
fn thread_number() -> usize {
    static BEFORE: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = BEFORE.fetch_add(1, Ordering::Relaxed) % THREADS;
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn each_of_few_threads_has_a_part_of_its_own_and_more_share_them() {
        let parts = PerThread::new(AtomicUsize::default);
        let count = |threads: usize| {
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for _ in 0..10 {
                            parts.mine().fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
        };
        let all = || parts.iter().map(|part| part.load(Ordering::Relaxed));
        count(THREADS * 2);
        assert_eq!(all().collect::<Vec<_>>(), vec![20; THREADS]);
        thread::spawn(move || {
            let mine: BTreeSet<_> = (0..10).map(|_| std::ptr::from_ref(parts.mine())).collect();
            assert_eq!(mine.len(), 1);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_part_that_cannot_be_made_is_told() {
        let mut left = THREADS - 1;
        let made: Result<_, &str> = PerThread::try_new(|| {
            left = left.checked_sub(1).ok_or("no more")?;
            Ok(())
        });
        assert_eq!(made.unwrap_err(), "no more");
    }
}
