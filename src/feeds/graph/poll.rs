//! Reads a list again and again: all of it, and between that what has changed.
//!
//! What a page says is in force at once. But only a reading that came to its end, with nothing missing, counts as one:
//! until then the next one begins where the last good one did. A page that fails is asked for again, not the whole list.
//! Never here: a question that Graph asked us to put later.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Tenant;
use super::error::GraphError;
use super::list::{List, Read};
use crate::feeds::jitter::{jitter, pause_after};
use crate::feeds::status::{Source, SourceFault};
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalResult, SignalSource};
use crate::types::Timestamp;
use crate::types::fault::chain;

/// The first pause after a failure; the next ones double.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after failures.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// After so many failures in a row a list is read from its beginning: the place of its next page may be forgotten.
const RETRIES_OF_A_PAGE: u32 = 5;

/// How many faults of objects are shown.
const MAX_FAULTS: usize = 10;

/// How far the reading of a list has come.
#[derive(Debug, Default)]
struct Progress {
    /// The latest change that was seen in all that was read whole.
    newest: Option<Timestamp>,
    /// When all was last read.
    all_read: Option<Instant>,
    /// A reading that a failure interrupted.
    interrupted: Option<Reading>,
}

/// One reading of a list.
#[derive(Debug)]
struct Reading {
    /// Whether all is read, or what has changed.
    is_full: bool,
    began: Instant,
    began_at: Timestamp,
    /// The page that comes next.
    next: String,
    pages: u32,
    newest: Option<Timestamp>,
    faults: Vec<String>,
    more_faults: usize,
    is_lacking: bool,
}

impl Reading {
    fn note(&mut self, read: Read) {
        self.newest = self.newest.max(read.newest);
        self.is_lacking |= read.is_lacking;
        let room = MAX_FAULTS.saturating_sub(self.faults.len());
        let more = read.faults.len().saturating_sub(room);
        self.more_faults = self.more_faults.saturating_add(more);
        self.faults.extend(read.faults.into_iter().take(room));
    }

    fn faults(mut self) -> Vec<String> {
        if self.more_faults > 0 {
            self.faults.push(format!("and {} more", self.more_faults));
        }
        self.faults
    }
}

impl Tenant {
    /// Reads a list for as long as it is let.
    pub(super) async fn poll(self: Arc<Self>, list: List) {
        let mut progress = Progress::default();
        let mut failures: u32 = 0;
        loop {
            let began = Instant::now();
            match self.read(list, &mut progress).await {
                Ok(faults) => {
                    failures = 0;
                    self.went_well(list.name(), faults);
                    let interval = self.settings.interval;
                    let pause = interval.saturating_sub(jitter(interval / 10));
                    tokio::time::sleep_until(began + pause).await;
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    if failures.is_multiple_of(RETRIES_OF_A_PAGE) {
                        progress.interrupted = None;
                    }
                    self.fails(list.name(), vec![chain(&error)]);
                    let pause = pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE);
                    let asked = error.patience().unwrap_or_default();
                    // Not all replicas come back at the moment that Graph named.
                    sleep(pause.max(asked.saturating_add(jitter(asked / 10)))).await;
                }
            }
        }
    }

    /// Reads to the end of the list. Gives the faults of objects that were taken for the worst.
    async fn read(&self, list: List, progress: &mut Progress) -> Result<Vec<String>, GraphError> {
        let interrupted = progress.interrupted.take();
        let mut reading = interrupted.unwrap_or_else(|| self.begin(list, progress));
        loop {
            match self.read_page(list, &mut reading).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    progress.interrupted = error.is_passing().then_some(reading);
                    return Err(error);
                }
            }
        }
        if reading.is_lacking {
            return Err(GraphError::Objects(reading.faults().join("; ")));
        }
        if list == List::RiskyAgents {
            self.note_heard(reading.began_at).await?;
        }
        progress.newest = progress.newest.max(reading.newest);
        if reading.is_full {
            progress.all_read = Some(reading.began);
        }
        Ok(reading.faults())
    }

    fn begin(&self, list: List, progress: &Progress) -> Reading {
        let settings = &self.settings;
        let is_due = |read: Instant| read.elapsed() >= settings.full_interval;
        let is_full = progress.all_read.is_none_or(is_due);
        let now = self.context.clock.now();
        let since = progress.newest.filter(|_| !is_full).map(|newest| {
            // A time that lies ahead must not hide what changes until then.
            let overlap = i64::try_from(settings.overlap.as_micros()).unwrap_or(i64::MAX);
            let newest = newest.min(now).as_micros();
            Timestamp::from_micros(newest.saturating_sub(overlap).max(0))
        });
        Reading {
            is_full: since.is_none(),
            began: Instant::now(),
            began_at: now,
            next: list.address(&settings.base_url, since),
            pages: 0,
            newest: None,
            faults: Vec::new(),
            more_faults: 0,
            is_lacking: false,
        }
    }

    /// Reads the next page, and puts what it says in force. Whether there is another one.
    async fn read_page(&self, list: List, reading: &mut Reading) -> Result<bool, GraphError> {
        let cause = Cause::now(ChangeSource::Signal);
        let page = self.connection.page(&reading.next, list.permission());
        let page = page.await?;
        let read = tokio::task::spawn_blocking(move || list.read(&page.items)).await;
        let mut read = read.map_err(|_panicked| {
            GraphError::Document(list.name().to_owned(), "its objects cannot be read")
        })?;
        self.put_in_force(list, std::mem::take(&mut read.entries), cause)
            .await?;
        self.count(list, SignalResult::Refused, read.faults.len());
        reading.note(read);
        reading.pages = reading.pages.saturating_add(1);
        let Some(next) = page.next else {
            return Ok(false);
        };
        let max_pages = self.settings.max_pages;
        if reading.pages >= max_pages {
            return Err(GraphError::TooManyPages(list.name().to_owned(), max_pages));
        }
        reading.next = next;
        Ok(true)
    }

    /// Keeps what is new.
    async fn put_in_force(
        &self,
        list: List,
        entries: Vec<Entry>,
        cause: Cause,
    ) -> Result<(), GraphError> {
        let snapshot = self.context.snapshots.load();
        let all = entries.len();
        let news: Vec<_> = entries
            .into_iter()
            .filter(|entry| !is_known(&snapshot, entry))
            .collect();
        let count = news.len();
        self.count(list, SignalResult::Duplicate, all.saturating_sub(count));
        if news.is_empty() {
            return Ok(());
        }
        for entry in &news {
            if let Entry::Risk(entry) = entry {
                let level = entry.level.map_or("hidden", |level| level.as_str());
                tracing::info!(agent.id = %entry.id, level, state = entry.state.as_str(), "Graph reports risk");
            }
        }
        let kept = self.context.state.keep(cause, news).await;
        let result = match &kept {
            Ok(()) => SignalResult::Applied,
            Err(_) => SignalResult::Failed,
        };
        self.count(list, result, count);
        kept.map_err(GraphError::Store)
    }

    fn count(&self, list: List, result: SignalResult, times: usize) {
        if times > 0 {
            let metrics = &self.context.metrics;
            metrics.risk_signals(SignalSource::Graph, list.kind(), result, times);
        }
    }

    pub(super) fn went_well(&self, list: &'static str, faults: Vec<String>) {
        let (status, source) = (&self.context.status, Source::Graph(list));
        let now = self.context.clock.now();
        let was = status.of(&source).and_then(|health| health.fault);
        status.succeeded(source, now);
        if !faults.is_empty() {
            self.tell(list, was, faults);
        } else if was.is_some() {
            tracing::info!(list, "Graph is read whole again");
        }
    }

    /// Says what is wrong; in the log once, until it is something else.
    pub(super) fn fails(&self, list: &'static str, messages: Vec<String>) {
        let known = self.context.status.of(&Source::Graph(list));
        self.tell(list, known.and_then(|health| health.fault), messages);
    }

    fn tell(&self, list: &'static str, known: Option<SourceFault>, messages: Vec<String>) {
        if known.is_none_or(|known| known.messages != messages) {
            for fault in &messages {
                tracing::warn!(list, %fault, "Graph is not read whole; what it said last stays in force");
            }
        }
        let now = self.context.clock.now();
        let status = &self.context.status;
        status.failed(Source::Graph(list), now, messages);
    }
}

/// Whether this was said before, or something later.
fn is_known(snapshot: &Snapshot, entry: &Entry) -> bool {
    match entry {
        Entry::Risk(entry) => snapshot.risk.holds(entry),
        Entry::Detection(entry) => snapshot.reported.detections.holds(entry),
        Entry::Revocation(_) | Entry::Account(_) | Entry::Heard { .. } | Entry::Seen { .. } => {
            false
        }
    }
}
