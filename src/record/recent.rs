//! The newest records, kept in memory for those who look at them: no question waits for the disk.
//!
//! Bounded in number and in bytes; the oldest go first. The writer fills it, so no call waits for it either.
//! Never here: what is not on its way to the destination of records too.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use super::outbox::{Batch, LineOf};
use crate::types::CallId;

/// The most bytes of lines that are kept, however many records they are.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// One record: what was decided and, once the call has ended, how.
#[derive(Debug)]
pub struct Recorded {
    /// The call's id.
    pub id: String,
    decision: Line,
    outcome: Option<Line>,
}

/// Where a line stands.
#[derive(Debug)]
struct Line {
    batch: Arc<Batch>,
    place: Range<usize>,
}

impl Line {
    /// A line of our own writing, so it is JSON.
    fn value(&self) -> Value {
        let text = self.batch.bytes().get(self.place.clone());
        serde_json::from_slice(text.unwrap_or_default()).unwrap_or(Value::Null)
    }
}

impl Recorded {
    /// The record with its outcome, as the two lines in the file say it.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut value = self.decision.value();
        let outcome = self.outcome.as_ref().map(Line::value);
        let outcome =
            outcome.and_then(|mut line| Some(line.get_mut("boomgate")?.get_mut("outcome")?.take()));
        let boomgate = value.get_mut("boomgate").and_then(Value::as_object_mut);
        if let (Some(outcome), Some(boomgate)) = (outcome, boomgate) {
            boomgate.insert("outcome".to_owned(), outcome);
        }
        value
    }
}

/// The newest records, in the batches in which they were written.
#[derive(Debug)]
pub struct Recent {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<Arc<Batch>>,
    decisions: usize,
    bytes: usize,
}

impl Kept {
    /// Whether what is kept without the oldest batch is enough, or all of it is too much.
    fn may_go(&self, oldest: &Batch, capacity: usize) -> bool {
        self.bytes > MAX_BYTES || self.decisions.saturating_sub(oldest.decisions()) >= capacity
    }
}

impl Recent {
    /// Keeps so many records; a batch more, of which the oldest are not shown.
    #[must_use]
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    /// Keeps what is to be written, and no longer what is older than the newest so many.
    pub(super) fn keep(&self, batch: &Arc<Batch>) {
        let mut kept = self.kept.lock();
        kept.decisions = kept.decisions.saturating_add(batch.decisions());
        kept.bytes = kept.bytes.saturating_add(batch.bytes().len());
        kept.batches.push_back(Arc::clone(batch));
        while let Some(oldest) = kept
            .batches
            .front()
            .filter(|oldest| kept.may_go(oldest, self.capacity))
        {
            let (decisions, bytes) = (oldest.decisions(), oldest.bytes().len());
            kept.decisions = kept.decisions.saturating_sub(decisions);
            kept.bytes = kept.bytes.saturating_sub(bytes);
            kept.batches.pop_front();
        }
    }

    /// All that are kept, the newest first. An outcome whose decision is no longer kept is passed over.
    #[must_use]
    pub fn all(&self) -> Vec<Recorded> {
        let batches = self.kept.lock().batches.clone();
        let mut records = BTreeMap::new();
        for batch in &batches {
            for (of, place) in batch.lines() {
                let batch = Arc::clone(batch);
                let line = Line { batch, place };
                match of {
                    LineOf::Decision(id) => {
                        records.insert(id, (line, None));
                    }
                    LineOf::Outcome(id) => {
                        if let Some((_, outcome)) = records.get_mut(&id) {
                            *outcome = Some(line);
                        }
                    }
                    LineOf::Change | LineOf::Changed => {}
                }
            }
        }
        // Ids are in the order of time.
        let newest = records.into_iter().rev().take(self.capacity);
        newest
            .map(|(id, (decision, outcome)): (CallId, _)| Recorded {
                id: id.to_string(),
                decision,
                outcome,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::outbox::tests::text;

    fn id(number: u128) -> CallId {
        CallId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn keep(recent: &Recent, lines: &[(LineOf, String)]) {
        let mut batch = Batch::default();
        for (of, line) in lines {
            batch.push(*of, text(line.clone())).unwrap();
        }
        recent.keep(&Arc::new(batch));
    }

    fn decision(number: u128) -> (LineOf, String) {
        let line = format!(r#"{{"boomgate": {{"reason": "{number}"}}}}"#);
        (LineOf::Decision(id(number)), line)
    }

    fn outcome(number: u128) -> (LineOf, String) {
        let line = format!(r#"{{"boomgate": {{"outcome": {{"status": {number}}}}}}}"#);
        (LineOf::Outcome(id(number)), line)
    }

    fn ids(recent: &Recent) -> Vec<String> {
        recent.all().into_iter().map(|record| record.id).collect()
    }

    #[test]
    fn the_oldest_go_first_whoever_comes_late() {
        let recent = Recent::new(2);
        keep(&recent, &[decision(1), decision(3)]);
        keep(&recent, &[decision(2), outcome(1)]);
        assert_eq!(ids(&recent), [id(3).to_string(), id(2).to_string()]);
        keep(&recent, &[decision(4)]);
        assert_eq!(ids(&recent), [id(4).to_string(), id(2).to_string()]);
        assert_eq!(recent.kept.lock().batches.len(), 2);
        let nothing = Recent::new(0);
        keep(&nothing, &[decision(1)]);
        assert!(nothing.all().is_empty());
        assert!(nothing.kept.lock().batches.is_empty());
    }

    #[test]
    fn a_record_holds_its_outcome_once_the_call_has_ended() {
        let recent = Recent::new(2);
        let change = (LineOf::Change, "{}".to_owned());
        keep(&recent, &[change, decision(1)]);
        let seen = recent.all();
        assert_eq!(seen[0].value()["boomgate"].get("outcome"), None);
        keep(&recent, &[outcome(7), outcome(1)]);
        let seen = recent.all();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].value()["boomgate"]["outcome"]["status"], 1);
        assert_eq!(seen[0].value()["boomgate"]["reason"], "1");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let recent = Recent::new(1_000);
        for number in 0..100 {
            let line = "x".repeat(MAX_BYTES / 10);
            keep(&recent, &[(LineOf::Decision(id(number)), line)]);
            keep(&recent, &[outcome(number)]);
        }
        let kept = recent.kept.lock();
        assert!(kept.bytes <= MAX_BYTES, "{}", kept.bytes);
        assert!(kept.decisions > 8, "{}", kept.decisions);
        let bytes = kept.batches.iter().map(|batch| batch.bytes().len());
        assert_eq!(bytes.sum::<usize>(), kept.bytes);
    }
}
