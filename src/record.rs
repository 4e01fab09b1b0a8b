//! Room 6: writes what was decided, before the call is forwarded, and how it ended. Never a body, a token or a secret.
//!
//! A record is one JSON line in the shape of Graph's `signIn` (`reference/entra.md` §7), with what Graph has no word
//! for under `boomgate`. One thread writes; a call only puts its line in a bounded queue. When that is full, or the
//! file cannot be written, calls are refused: nothing is forwarded without a record.

mod bell;
pub mod body;
pub mod change;
pub mod entry;
mod lines;
mod model;
pub mod observed;
mod outbox;
pub mod recent;
mod redact;
pub mod replay;
pub mod settings;
pub mod tail;
mod writer;

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, broadcast};

use self::model::Source;
use self::outbox::LineOf;
use self::recent::{Recent, Recorded};
use self::settings::{Overflow, RecordSettings};
use self::tail::Tail;
use self::writer::{Queue, Writer};
use crate::call::Refused;
use crate::decision::Decided;
use crate::telemetry::{Metrics, RecordResult};
use crate::types::{Buffer, Effect};

pub use body::RecordedBody;
pub use change::Change;
pub use entry::Entry;
pub use observed::{Looker, Observations, Observed, ObservedReader, Observer};
pub use tail::DecisionLine;

/// Why records cannot be written at all.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be opened for appending.
    #[error("the record file `{path}` cannot be opened for appending")]
    Open {
        /// The file.
        path: std::path::PathBuf,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// The writer's thread cannot be started.
    #[error("the thread that writes records cannot be started")]
    Thread(#[source] std::io::Error),
    /// Records remain that could not be written.
    #[error("the last records could not be written")]
    Unwritten(#[source] std::io::Error),
    /// The writer did not finish in time.
    #[error("the last records could not be written in time")]
    TimedOut,
}

/// The record of a call could not be written, so the call must not be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call cannot be recorded now")]
pub struct RecordUnavailable;

/// Records decisions. Clones write to the same place.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Arc<Queue>,
    settings: RecordSettings,
    metrics: Arc<Metrics>,
    tail: Tail,
    recent: Arc<Recent>,
    observer: OnceLock<Observer>,
}

impl Drop for Shared {
    /// Nobody is left who could record anything.
    fn drop(&mut self) {
        self.queue.outboxes.bell().finish();
    }
}

impl Recorder {
    /// Opens the destination and starts the writer.
    ///
    /// # Errors
    /// [`RecordError`] if the destination cannot be opened or the thread not be started.
    pub fn start(
        settings: &RecordSettings,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, RecorderThread), RecordError> {
        let queue = Arc::new(Queue::new(settings.queue));
        let recent = Arc::new(Recent::new(settings.recent));
        let shared = (Arc::clone(&queue), Arc::clone(&recent));
        let done = Writer::start(settings, shared, &metrics)?;
        let thread = RecorderThread {
            queue: Arc::clone(&queue),
            done,
        };
        let shared = Shared {
            queue,
            settings: settings.clone(),
            metrics,
            tail: Tail::default(),
            recent,
            observer: OnceLock::new(),
        };
        Ok((Self(Arc::new(shared)), thread))
    }

    /// Records a decision. To be awaited before the call is forwarded or answered.
    ///
    /// # Errors
    /// [`RecordUnavailable`] if there is no place for the record: the call must be refused.
    pub async fn decision(&self, decided: &Decided) -> Result<Entry, RecordUnavailable> {
        let source = Source::of(decided);
        self.0.tail.tell(|| DecisionLine::of_decision(&source));
        let refused = decided.effect() == Effect::Block;
        let entry = Entry::new(decided.received().context(), refused);
        let list_not_applied = self.0.settings.list_not_applied;
        let line = |line: &mut _| model::decision(line, &source, list_not_applied);
        let entry = self.write(entry, line).await?;
        Ok(self.observed(&source, entry))
    }

    /// Tells the observer of what an agent did, if there is one that looks for anything.
    fn observed(&self, source: &Source<'_>, entry: Entry) -> Entry {
        let Some(part) = self.0.observer.get().and_then(Observer::mine) else {
            return entry;
        };
        match observed::observe(source) {
            Some((call, unanswered)) => {
                part.tell(call);
                entry.observed_by(part, unanswered)
            }
            None => entry,
        }
    }

    /// From now on this observer is told what agents do. The first one stays.
    pub fn observe_by(&self, observer: Observer) {
        // INVARIANT: set once, when the gateway is put together.
        self.0.observer.get_or_init(|| observer);
    }

    /// Records the end of a call on which no decision was made.
    ///
    /// # Errors
    /// [`RecordUnavailable`] if there is no place for the record: the call is answered with that instead.
    pub async fn refusal(&self, refused: &Refused) -> Result<Entry, RecordUnavailable> {
        self.0.tail.tell(|| DecisionLine::of_refusal(refused));
        let entry = Entry::new(&refused.context, true);
        let line = |line: &mut _| model::refusal(line, refused);
        self.write(entry, line).await
    }

    /// Follows the decisions from now on. A follower that is too slow misses the oldest; no call waits for it.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<DecisionLine>> {
        self.0.tail.follow()
    }

    /// The newest records, the newest first.
    #[must_use]
    pub fn recent(&self) -> Vec<Recorded> {
        self.0.recent.all()
    }

    /// Opens the file anew under its name, after it was rotated away.
    pub fn reopen(&self) {
        self.0.queue.reopen();
    }

    /// Puts a line in the queue, and ties the entry to it.
    async fn write(
        &self,
        entry: Entry,
        line: impl FnOnce(&mut Buffer) -> Result<(), serde_json::Error>,
    ) -> Result<Entry, RecordUnavailable> {
        if let Some(place) = self.place().await {
            let outbox = self.0.queue.outboxes.mine();
            if outbox.push(LineOf::Decision(entry.id()), line) {
                // The writer gives the place back when the line is written.
                place.forget();
                return Ok(entry.tied_to(outbox));
            }
        }
        match self.0.settings.overflow {
            Overflow::Refuse => {
                self.0.metrics.records(RecordResult::Refused).add(1);
                Err(RecordUnavailable)
            }
            Overflow::DangerousDrop => {
                self.0.metrics.records(RecordResult::Dropped).add(1);
                Ok(entry)
            }
        }
    }

    /// A place in the queue: at once, or within the time that a call waits for one.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        let places: &Semaphore = &self.0.queue.places;
        // FAIL-CLOSED: while the destination refuses lines, no further call relies on it.
        if !self.0.queue.healthy.load(Ordering::Acquire) {
            return None;
        }
        if let Ok(place) = places.try_acquire() {
            return Some(place);
        }
        match self.0.settings.overflow {
            Overflow::Refuse => tokio::time::timeout(self.0.settings.wait, places.acquire())
                .await
                .ok()?
                .ok(),
            Overflow::DangerousDrop => None,
        }
    }
}

/// The writer's thread.
#[derive(Debug)]
#[must_use]
pub struct RecorderThread {
    queue: Arc<Queue>,
    done: mpsc::Receiver<Result<(), std::io::Error>>,
}

impl RecorderThread {
    /// Writes what is queued, hands it to the disk, and ends the thread. Blocks up to `patience`.
    /// Records that come later are refused.
    ///
    /// # Errors
    /// [`RecordError`] if records remain that could not be written.
    pub fn finish(self, patience: Duration) -> Result<(), RecordError> {
        // If the thread is gone already, the channel of its result says so.
        self.queue.outboxes.bell().finish();
        match self.done.recv_timeout(patience) {
            Ok(result) => result.map_err(RecordError::Unwritten),
            Err(_) => Err(RecordError::TimedOut),
        }
    }
}

#[cfg(test)]
mod tests;
