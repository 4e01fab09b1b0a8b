//! Where observations wait to be looked at: in a part for each thread, so that calls of different workers share none.
//!
//! A part takes places for many of them at once, out of the number that may wait in all. Never here: waiting for a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::Observed;
use crate::record::bell::Bell;
use crate::telemetry::ShardedCounter;
use crate::types::PerThread;

/// At most so many places are taken at once, and at most a hundredth of all: what one part has and does not use is missing
/// elsewhere.
const AT_ONCE: usize = 64;

/// What waits in one thread's part, in a place of its own in a processor's cache.
#[derive(Debug)]
#[repr(align(128))]
pub(in crate::record) struct Part {
    content: Mutex<Content>,
    all: Arc<All>,
    taken: ShardedCounter,
    dropped: ShardedCounter,
}

#[derive(Debug, Default)]
struct Content {
    waiting: Vec<Observed>,
    /// Places that this part may use beside.
    places: usize,
    /// Nobody looks any more.
    closed: bool,
}

/// What all parts share.
#[derive(Debug)]
struct All {
    /// Places that no part has.
    free: AtomicUsize,
    at_once: usize,
    bell: Bell,
}

impl All {
    /// Some places, while there are any.
    fn take_places(&self) -> usize {
        let left = |free: usize| (free > 0).then(|| free.saturating_sub(self.at_once));
        let before = self
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, left);
        before.map_or(0, |free| free.min(self.at_once))
    }
}

impl Part {
    /// Leaves it to be looked at. What finds no place is counted and passed over.
    pub(in crate::record) fn tell(&self, observed: Observed) {
        let mut content = self.content.lock();
        if content.places == 0 {
            content.places = self.all.take_places();
        }
        // Also when nobody looks any more: then the process is about to end.
        let Some(places) = content.places.checked_sub(1).filter(|_| !content.closed) else {
            return self.dropped.inc();
        };
        content.places = places;
        content.waiting.push(observed);
        drop(content);
        self.taken.inc();
        self.all.bell.wake();
    }
}

/// The observations that wait. Clones are of the same.
#[derive(Debug, Clone)]
pub struct Observations {
    parts: Arc<PerThread<Arc<Part>>>,
    all: Arc<All>,
}

impl Observations {
    /// Room for so many. `taken` counts what found a place, `dropped` what found none.
    #[must_use]
    pub fn new(room: usize, taken: &ShardedCounter, dropped: &ShardedCounter) -> Self {
        let all = Arc::new(All {
            free: AtomicUsize::new(room),
            at_once: AT_ONCE.min(room.div_ceil(100)),
            bell: Bell::default(),
        });
        let part = || {
            Arc::new(Part {
                content: Mutex::default(),
                all: Arc::clone(&all),
                taken: taken.clone(),
                dropped: dropped.clone(),
            })
        };
        Self {
            parts: Arc::new(PerThread::new(part)),
            all,
        }
    }

    /// That of the thread that asks.
    pub(super) fn mine(&self) -> &Arc<Part> {
        self.parts.mine()
    }

    /// No more will come.
    pub(super) fn finish(&self) {
        self.all.bell.finish();
    }

    /// From now on this thread is the one that looks.
    #[must_use]
    pub fn look(&self) -> Looker {
        self.all.bell.hang();
        Looker {
            observations: self.clone(),
            spare: Vec::new(),
        }
    }
}

/// Who looks at observations.
#[derive(Debug)]
pub struct Looker {
    observations: Observations,
    /// Room that was used before.
    spare: Vec<Observed>,
}

impl Looker {
    /// Waits until there is one, and then so long for others. `false`: no more will come.
    #[must_use]
    pub fn wait(&self, gather: Duration) -> bool {
        let is_filled = |part: &Arc<Part>| !part.content.lock().waiting.is_empty();
        let Observations { parts, all } = &self.observations;
        all.bell.wait(|| parts.iter().any(is_filled));
        if all.bell.is_finished() {
            return false;
        }
        all.bell.gather(gather);
        true
    }

    /// Gives `look` all that waits, those of one thread in the order in which they came, until it breaks off.
    pub fn each(&mut self, mut look: impl FnMut(&Observed) -> Option<()>) -> Option<()> {
        let Observations { parts, all } = &self.observations;
        for part in parts.iter() {
            std::mem::swap(&mut part.content.lock().waiting, &mut self.spare);
            let places = self.spare.len();
            let looked = self.spare.iter().try_for_each(&mut look);
            self.spare.clear();
            all.free.fetch_add(places, Ordering::AcqRel);
            looked?;
        }
        Some(())
    }
}

impl Drop for Looker {
    /// What comes now is passed over, and what waits is let go.
    fn drop(&mut self) {
        for part in self.observations.parts.iter() {
            let mut content = part.content.lock();
            content.closed = true;
            content.waiting = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests;
