//! The newest records, kept in memory for those who look at them: no question waits for the disk.
//!
//! Bounded in number and in bytes; the oldest go first. The writer fills it, so no call waits for it either.
//! Never here: what is not on its way to the destination of records too.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde_json::Value;

use crate::types::CallId;

/// The most bytes of lines that are kept, however many records they are.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// One record: what was decided and, once the call has ended, how.
#[derive(Debug)]
pub struct Recorded {
    /// The call's id.
    pub id: String,
    decision: Box<[u8]>,
    outcome: OnceLock<Box<[u8]>>,
}

impl Recorded {
    /// The record with its outcome, as the two lines in the file say it.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut value = parse(&self.decision);
        let outcome = self.outcome.get().map(|line| parse(line));
        let outcome =
            outcome.and_then(|mut line| Some(line.get_mut("boomgate")?.get_mut("outcome")?.take()));
        let boomgate = value.get_mut("boomgate").and_then(Value::as_object_mut);
        if let (Some(outcome), Some(boomgate)) = (outcome, boomgate) {
            boomgate.insert("outcome".to_owned(), outcome);
        }
        value
    }
}

/// A line of our own writing, so it is JSON.
fn parse(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap_or(Value::Null)
}

/// The newest records, by their calls' ids, which are in the order of time.
#[derive(Debug)]
pub struct Recent {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<CallId, Arc<Recorded>>,
    bytes: usize,
}

impl Recent {
    /// Keeps at most so many records.
    #[must_use]
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    /// A decision was made.
    pub(super) fn decided(&self, id: CallId, line: Vec<u8>) {
        if self.capacity == 0 {
            return;
        }
        let record = Arc::new(Recorded {
            id: id.to_string(),
            decision: line.into_boxed_slice(),
            outcome: OnceLock::new(),
        });
        let mut kept = self.kept.lock();
        kept.bytes = kept.bytes.saturating_add(record.decision.len());
        kept.records.insert(id, record);
        while kept.records.len() > self.capacity || kept.bytes > MAX_BYTES {
            let Some((_, oldest)) = kept.records.pop_first() else {
                break;
            };
            let outcome = oldest.outcome.get().map_or(0, |line| line.len());
            let gone = oldest.decision.len().saturating_add(outcome);
            kept.bytes = kept.bytes.saturating_sub(gone);
        }
    }

    /// A call ended. One whose decision is no longer kept is passed over.
    pub(super) fn ended(&self, id: CallId, line: Vec<u8>) {
        let mut kept = self.kept.lock();
        let length = line.len();
        let record = kept.records.get(&id).map(Arc::clone);
        let is_new =
            record.is_some_and(|record| record.outcome.set(line.into_boxed_slice()).is_ok());
        if is_new {
            kept.bytes = kept.bytes.saturating_add(length);
        }
    }

    /// All that are kept, the newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Recorded>> {
        self.kept
            .lock()
            .records
            .values()
            .rev()
            .map(Arc::clone)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> CallId {
        CallId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn line(of: &str) -> Vec<u8> {
        format!(r#"{{"boomgate": {{"reason": "{of}"}}}}"#).into_bytes()
    }

    fn ids(recent: &Recent) -> Vec<String> {
        recent
            .all()
            .iter()
            .map(|record| record.id.clone())
            .collect()
    }

    #[test]
    fn the_oldest_go_first_whoever_comes_late() {
        let recent = Recent::new(2);
        for number in [1, 3, 2] {
            recent.decided(id(number), line("allowed"));
        }
        assert_eq!(ids(&recent), [id(3).to_string(), id(2).to_string()]);
        recent.ended(id(1), line("nobody asks"));
        assert_eq!(recent.all().len(), 2);
        let nothing = Recent::new(0);
        nothing.decided(id(1), line("allowed"));
        assert!(nothing.all().is_empty());
    }

    #[test]
    fn a_record_holds_its_outcome_once_the_call_has_ended() {
        let recent = Recent::new(2);
        recent.decided(id(1), line("allowed"));
        let seen = recent.all();
        assert_eq!(seen[0].value()["boomgate"].get("outcome"), None);
        recent.ended(
            id(1),
            br#"{"boomgate": {"outcome": {"status": 200}}}"#.to_vec(),
        );
        assert_eq!(seen[0].value()["boomgate"]["outcome"]["status"], 200);
        assert_eq!(seen[0].value()["boomgate"]["reason"], "allowed");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let recent = Recent::new(1_000);
        for number in 0..100 {
            recent.decided(id(number), vec![b'x'; MAX_BYTES / 10]);
            recent.ended(id(number), vec![b'x'; 1_000]);
        }
        let kept = recent.kept.lock();
        assert!(kept.bytes <= MAX_BYTES, "{}", kept.bytes);
        assert!(kept.records.len() > 8, "{}", kept.records.len());
        let bytes = kept.records.values().map(|r| r.decision.len() + 1_000);
        assert_eq!(bytes.sum::<usize>(), kept.bytes);
    }
}
