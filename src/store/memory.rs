//! State that ends with the process: for trials, tests, and a sidecar that has no volume.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Answer, Sealed, StateStore};
use crate::risk::Rank;

/// State that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Arc<str>, Sealed>>);

impl StateStore for MemoryStore {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        let mut kept = self.0.lock();
        let mut above = Vec::new();
        for entry in entries {
            match kept.get(&entry.key) {
                Some(known) if known.rank > entry.rank => above.push(known.clone()),
                Some(_) | None => drop(kept.insert(Arc::clone(&entry.key), entry)),
            }
        }
        Box::pin(std::future::ready(Ok(above)))
    }

    fn forget(&self, entries: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        let mut kept = self.0.lock();
        for (key, rank) in entries {
            if kept.get(&key).is_some_and(|known| known.rank <= rank) {
                kept.remove(&key);
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl MemoryStore {
    /// Every entry, by key.
    #[must_use]
    pub fn all(&self) -> Vec<Sealed> {
        self.0.lock().values().cloned().collect()
    }
}
