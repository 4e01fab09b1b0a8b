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

use crate::risk::RiskEntry;

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
}

/// State that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Arc<str>, RiskEntry>>);

impl StateStore for MemoryStore {
    fn put(&self, entry: RiskEntry) -> Result<(), StoreError> {
        self.0.lock().insert(Arc::clone(&entry.id), entry);
        Ok(())
    }

    fn all(&self) -> Result<Vec<RiskEntry>, StoreError> {
        Ok(self.0.lock().values().cloned().collect())
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
