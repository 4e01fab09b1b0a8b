//! Room 6: what must outlive a reload: risk that was reported over the management API, and the operator's folders.
//!
//! Risk is in memory for now; an engine shared by replicas fits behind the same trait. Never here: deciding.

pub mod etag;
pub mod files;
pub mod folder;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::risk::{RiskDetection, RiskEntry};

/// Why state could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The engine does not answer.
    #[error("the state store is not to be had: {0}")]
    Unavailable(String),
}

/// Keeps state. Whoever changes state writes here first, then swaps the snapshot.
pub trait StateStore: Debug + Send + Sync {
    /// Keeps an entry in place of the subject's old one.
    ///
    /// # Errors
    /// [`StoreError`] if it was not kept.
    fn put(&self, entry: RiskEntry) -> Result<(), StoreError>;

    /// Every entry, by id.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read: that is not the same as having none.
    fn all(&self) -> Result<Vec<RiskEntry>, StoreError>;

    /// Keeps a detection, in place of an older state of it.
    ///
    /// # Errors
    /// [`StoreError`] if it was not kept.
    fn put_detection(&self, detection: RiskDetection) -> Result<(), StoreError>;

    /// The detections, by id: the oldest first. A store that is full forgets the oldest.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read: that is not the same as having none.
    fn detections(&self) -> Result<Vec<Arc<RiskDetection>>, StoreError>;
}

/// How many detections are kept in memory.
const MAX_DETECTIONS: usize = 10_000;

/// State that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: Mutex<BTreeMap<Arc<str>, RiskEntry>>,
    detections: Mutex<BTreeMap<Arc<str>, Arc<RiskDetection>>>,
}

impl StateStore for MemoryStore {
    fn put(&self, entry: RiskEntry) -> Result<(), StoreError> {
        self.entries.lock().insert(Arc::clone(&entry.id), entry);
        Ok(())
    }

    fn all(&self) -> Result<Vec<RiskEntry>, StoreError> {
        Ok(self.entries.lock().values().cloned().collect())
    }

    fn put_detection(&self, detection: RiskDetection) -> Result<(), StoreError> {
        let mut detections = self.detections.lock();
        detections.insert(Arc::clone(&detection.id), Arc::new(detection));
        if detections.len() > MAX_DETECTIONS {
            detections.pop_first();
        }
        Ok(())
    }

    fn detections(&self) -> Result<Vec<Arc<RiskDetection>>, StoreError> {
        Ok(self.detections.lock().values().map(Arc::clone).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::RiskSubject;
    use crate::types::{RiskLevel, RiskState, Timestamp};

    fn entry(id: &str, level: RiskLevel) -> RiskEntry {
        RiskEntry {
            id: id.into(),
            subject: RiskSubject::AgentIdentity,
            level: Some(level),
            state: RiskState::AtRisk,
            detail: "none".into(),
            last_modified: Timestamp::from_seconds(1),
            source: "management".into(),
        }
    }

    #[test]
    fn keeps_the_last_entry_of_each_subject() {
        let store = MemoryStore::default();
        store.put(entry("b", RiskLevel::Low)).unwrap();
        store.put(entry("a", RiskLevel::Low)).unwrap();
        store.put(entry("b", RiskLevel::High)).unwrap();
        assert_eq!(
            store.all().unwrap(),
            [entry("a", RiskLevel::Low), entry("b", RiskLevel::High)]
        );
    }
}
