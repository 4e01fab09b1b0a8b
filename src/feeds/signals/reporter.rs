//! What every source of signals has, however its reports come: a name, an age, its counts, and the way into the store.
//!
//! Never here: a source that is taken for fresh because nothing was heard of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Report, SignalContext};
use crate::feeds::status::Source;
use crate::snapshot::Cause;
use crate::store::settings::Freshness;
use crate::store::{Entry, StoreError};
use crate::telemetry::{ChangeSource, SignalResult};
use crate::types::Timestamp;

/// The label of a report that was not read, or of which no kind is known.
pub(super) const LABEL_OTHER: &str = "other";

/// One source.
#[derive(Debug)]
pub(super) struct Reporter {
    /// Its name in the configuration: a label, and the source of what it reports.
    pub(super) name: Arc<str>,
    /// How old it may be.
    pub(super) freshness: Freshness,
    /// What it works with.
    pub(super) context: SignalContext,
    /// When this process last heard of it.
    heard: Mutex<Option<Timestamp>>,
    /// Since when there has been this source.
    since: Timestamp,
}

impl Reporter {
    pub(super) fn new(name: Arc<str>, freshness: Freshness, context: SignalContext) -> Self {
        Self {
            name,
            freshness,
            since: context.clock.now(),
            context,
            heard: Mutex::default(),
        }
    }

    /// Its place on `/readyz`.
    pub(super) fn source(&self) -> Source {
        Source::Signals(Arc::clone(&self.name))
    }

    /// How it fares, as far as that is the same for every source.
    pub(super) fn report(&self, delivery: &'static str) -> Report {
        let status = self.context.status.of(&self.source()).unwrap_or_default();
        let faults = status.fault.map(|fault| fault.messages);
        Report {
            name: Arc::clone(&self.name),
            issuer: None,
            delivery,
            stream_id: None,
            last_heard: self.last_heard(),
            required: self.freshness.required,
            status: match &faults {
                Some(_) => "faulty",
                None if self.is_fresh() => "ok",
                None => "silent",
            },
            faults: faults.unwrap_or_default(),
        }
    }

    /// When it was last heard of, here or at another replica.
    pub(super) fn last_heard(&self) -> Option<Timestamp> {
        let snapshot = self.context.snapshots.load();
        let elsewhere = snapshot.reported.heard.of(&self.name);
        (*self.heard.lock()).max(elsewhere)
    }

    /// This process has just heard of it.
    pub(super) fn note_heard(&self) {
        *self.heard.lock() = Some(self.context.clock.now());
        self.judge_age();
    }

    /// How long ago it was last heard of; what was never heard of is as old as the source.
    pub(super) fn age(&self) -> Duration {
        let heard = self.last_heard().unwrap_or(self.since);
        self.context.clock.now().since(heard)
    }

    /// FAIL-CLOSED: what was never heard of is not fresh, however young.
    fn is_fresh(&self) -> bool {
        self.last_heard().is_some() && self.age() <= self.freshness.max_age
    }

    /// Whether it is known what it has to say.
    pub(super) fn judge_age(&self) {
        let is_known = self.is_fresh() || !self.freshness.required;
        let cause = Cause::now(ChangeSource::Signal);
        self.context.state.hears_of(&self.name, is_known, cause);
    }

    /// Judges its age again and again, for as long as it is let.
    pub(super) async fn watch_age(&self) {
        let pause = self.freshness.max_age / 10;
        let pause = pause.clamp(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            tokio::time::sleep(pause).await;
            self.judge_age();
        }
    }

    /// Keeps what is said, and that it was heard of.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be kept; then nothing of it is in force.
    pub(super) async fn keep(
        &self,
        mut entries: Vec<Entry>,
        cause: Cause,
    ) -> Result<(), StoreError> {
        let now = self.context.clock.now();
        let is_lately = |at: Timestamp| now.since(at) < self.freshness.max_age / 4;
        // Without news it need not be said with every report.
        if !entries.is_empty() || !self.last_heard().is_some_and(is_lately) {
            entries.push(Entry::Heard {
                source: Arc::clone(&self.name),
                at: now,
            });
        }
        if !entries.is_empty() {
            let kept = self.context.state.keep(cause, entries).await;
            kept.inspect_err(
                |error| tracing::error!(source = %self.name, %error, "a signal could not be kept"),
            )?;
        }
        self.note_heard();
        Ok(())
    }

    /// Something is wrong with it.
    pub(super) fn fails(&self, message: String) {
        tracing::warn!(source = %self.name, fault = %message, "a source of signals has a fault");
        let now = self.context.clock.now();
        self.context
            .status
            .failed(self.source(), now, vec![message]);
    }

    /// A report came; `kind` is one of a closed set, or a configured one.
    pub(super) fn count(&self, kind: &str, result: SignalResult) {
        let metrics = &self.context.metrics;
        metrics.stream_signal(&self.name, kind, result);
    }
}
