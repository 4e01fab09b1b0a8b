//! What was reported of agents, kept in the store and shown in the snapshot: the one way in for every source.
//!
//! What a source says is kept first and in force then; whatever is in force is kept. Entries merge by their ranks, so
//! it does not matter in which order they come, nor how often. Never here: a decision, and what is said being lost
//! because whoever said it has gone.

mod bounds;
mod shared;

pub use shared::SHARED_STATE;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Status;
use crate::clock::Clock;
use crate::risk::{Reported, RiskDetection, RiskTable};
use crate::snapshot::{Cause, Snapshot, Snapshots};
use crate::store::{Entry, Opened, Sealed, StateStore, StoreError};
use crate::types::Timestamp;

/// How often a word is said again, later than what came between.
const MAX_TRIES: usize = 5;

/// State that was read.
#[derive(Debug, Default)]
pub struct KnownState {
    /// Risk, of every source but the file of the configuration.
    pub risk: RiskTable,
    /// What was reported beside.
    pub reported: Reported,
    /// Entries that a newer version wrote, as they came: nobody here can write them again.
    pub foreign: Vec<Sealed>,
}

impl KnownState {
    /// Takes up what sealed entries say.
    pub fn read(&mut self, entries: &[Sealed]) {
        for sealed in entries {
            match sealed.open() {
                Opened::Whole(entry) => self.take(entry),
                Opened::Partly(entry) => {
                    self.take(entry);
                    self.foreign.push(sealed.clone());
                }
                Opened::Foreign => self.foreign.push(sealed.clone()),
            }
        }
    }

    /// Whether anything of it was not said before. An order of arrival does not matter: what is known stays known.
    fn is_news(&self, known: &Snapshot) -> bool {
        let (said, known_risk, known) = (&self.reported, &known.risk, &known.reported);
        let is_later = |was: Option<Timestamp>, at| was.is_none_or(|was| was < at);
        let mut risk = self.risk.entries();
        let mut revocations = said.revocations.iter();
        let mut accounts = said.accounts.iter();
        let mut detections = said.detections.iter();
        let mut heard = said.heard.iter();
        let mut seen = said.seen.iter();
        risk.any(|entry| !known_risk.holds(entry))
            || revocations.any(|entry| !known.revocations.holds(entry))
            || accounts.any(|state| !known.accounts.holds(state))
            || detections.any(|detection| !known.detections.holds(detection))
            || heard.any(|(source, at)| is_later(known.heard.of(source), at))
            || seen.any(|(source, id, at)| is_later(known.seen.at(source, id), at))
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Risk(entry) => self.risk.extend([entry]),
            Entry::Revocation(entry) => {
                self.reported.revocations = self.reported.revocations.with(entry);
            }
            Entry::Detection(entry) => self.reported.detections.insert(Arc::new(entry)),
            Entry::Account(entry) => self.reported.accounts.insert(Arc::new(entry)),
            Entry::Heard { source, at } => self.reported.heard.note(&source, at),
            Entry::Seen { source, id, at } => self.reported.seen.note(&source, &id, at),
        }
    }
}

/// What a [`StateFeed`] works with.
#[derive(Debug, Clone)]
pub struct StateFeedContext {
    /// Where state is kept.
    pub store: Arc<dyn StateStore>,
    /// Where it is in force.
    pub snapshots: Arc<Snapshots>,
    /// What `/readyz` shows.
    pub status: Arc<Status>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Keeps state and shows it. One for the whole process.
#[derive(Debug)]
pub struct StateFeed {
    context: StateFeedContext,
    /// Entries that a newer version wrote, as they came: nobody here can write them again.
    foreign: Mutex<BTreeMap<Arc<str>, Sealed>>,
    /// Held while it is found out whether entries are news, and they are put in force.
    showing: Mutex<()>,
}

impl StateFeed {
    /// For an engine whose state is in the snapshot already.
    #[must_use]
    pub fn new(context: StateFeedContext, foreign: Vec<Sealed>) -> Self {
        let feed = Self {
            context,
            foreign: Mutex::default(),
            showing: Mutex::default(),
        };
        feed.note_foreign(foreign);
        feed
    }

    /// Says something: keeps it, then puts it in force. `entries` is asked for what is to be said, on what is known;
    /// where something later turns out to be kept, it is asked again. Gives what was said.
    ///
    /// It goes on to its end even if nobody waits for it any more: what is kept must be in force.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be kept; then nothing of it is in force.
    pub async fn say(
        self: &Arc<Self>,
        cause: Cause,
        entries: impl Fn(&Snapshot) -> Vec<Entry> + Send + 'static,
    ) -> Result<Vec<Entry>, StoreError> {
        let feed = Arc::clone(self);
        let saying = tokio::spawn(async move { feed.say_until_it_stands(entries, cause).await });
        saying
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    async fn say_until_it_stands(
        &self,
        entries: impl Fn(&Snapshot) -> Vec<Entry>,
        cause: Cause,
    ) -> Result<Vec<Entry>, StoreError> {
        for _ in 0..MAX_TRIES {
            let before = self.context.snapshots.load();
            let said = entries(&before);
            let sealed: Vec<_> = said.iter().map(Entry::seal).collect();
            let above = self.context.store.put(sealed.clone()).await?;
            self.show(&sealed, cause);
            self.forget_old(&before, &said).await;
            if above.is_empty() {
                return Ok(said);
            }
            // Another replica said something later of the same thing, which did not reach us yet.
            self.show(&above, cause);
        }
        Err(StoreError::Unavailable(
            "others keep saying something later of the same".to_owned(),
        ))
    }

    /// Keeps what somebody says whose words stand by their own time: what is later already stays.
    ///
    /// It goes on to its end even if nobody waits for it any more.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be kept; then nothing of it is in force.
    pub async fn keep(self: &Arc<Self>, cause: Cause, said: Vec<Entry>) -> Result<(), StoreError> {
        let feed = Arc::clone(self);
        let keeping = tokio::spawn(async move {
            let sealed: Vec<_> = said.iter().map(Entry::seal).collect();
            let before = feed.context.snapshots.load();
            let above = feed.context.store.put(sealed.clone()).await?;
            feed.show(&sealed, cause);
            feed.show(&above, cause);
            feed.forget_old(&before, &said).await;
            Ok(())
        });
        keeping
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Notes whether a required source is heard of; while one is not, calls are refused.
    pub fn hears_of(&self, source: &Arc<str>, is_heard: bool, cause: Cause) {
        if self
            .context
            .snapshots
            .load()
            .reported
            .silent
            .contains(source)
            != is_heard
        {
            return;
        }
        if is_heard {
            tracing::info!(%source, "a required source is heard of again");
        } else {
            tracing::error!(%source, "a required source is silent for longer than allowed; calls are refused");
        }
        self.context.snapshots.update(cause, |current| Snapshot {
            reported: current.reported.with_silent(source, !is_heard),
            ..current.clone()
        });
    }

    /// Has the store forget the detections and reports that there is no more room for.
    async fn forget_old(&self, before: &Snapshot, said: &[Entry]) {
        let now = self.context.snapshots.load();
        let (before, now) = (&before.reported, &now.reported);
        let mut old = Vec::new();
        let (mut said_detections, mut said_seen) = (false, false);
        for entry in said {
            match entry {
                Entry::Detection(detection) => {
                    said_detections = true;
                    if now.detections.get(&detection.id).is_none() {
                        old.push(entry.place());
                    }
                }
                Entry::Seen { source, id, .. } => {
                    said_seen = true;
                    if !now.seen.holds(source, id) {
                        old.push(entry.place());
                    }
                }
                Entry::Risk(_) | Entry::Revocation(_) | Entry::Account(_) | Entry::Heard { .. } => {
                }
            }
        }
        if said_detections {
            let known = before.detections.iter();
            let forgotten = known.filter(|one| now.detections.get(&one.id).is_none());
            old.extend(forgotten.map(|one| Entry::Detection(RiskDetection::clone(one)).place()));
        }
        if said_seen {
            let forgotten = before.seen.lost_in(&now.seen);
            old.extend(forgotten.filter_map(|(source, id)| {
                let at = before.seen.at(source, id)?;
                let (source, id) = (Arc::clone(source), Arc::clone(id));
                Some(Entry::Seen { source, id, at }.place())
            }));
        }
        if old.is_empty() {
            return;
        }
        if let Err(error) = self.context.store.forget(old).await {
            // They are not shown any more, and take room in the store.
            tracing::warn!(%error, "old detections or reports are kept longer than needed");
        }
    }

    /// Puts entries that are kept in force. No news make no new snapshot: each has every open call judged again.
    pub fn show(&self, entries: &[Sealed], cause: Cause) {
        if entries.is_empty() {
            return;
        }
        let mut heard = KnownState::default();
        heard.read(entries);
        self.note_foreign(std::mem::take(&mut heard.foreign));
        // What this replica said itself comes back from those who share the store, perhaps at this very moment.
        let _one_at_a_time = self.showing.lock();
        if !heard.is_news(&self.context.snapshots.load()) {
            return;
        }
        self.context.snapshots.update(cause, |current| Snapshot {
            risk: current.risk.joined(&heard.risk),
            reported: current.reported.joined(&heard.reported),
            ..current.clone()
        });
    }

    fn note_foreign(&self, entries: Vec<Sealed>) {
        let mut known = self.foreign.lock();
        for sealed in entries {
            let (key, rank) = (Arc::clone(&sealed.key), sealed.rank);
            let before = known.insert(Arc::clone(&key), sealed);
            if before.is_none_or(|before| before.rank != rank) {
                tracing::warn!(%key, "a newer version keeps an entry that this one cannot read whole");
            }
        }
    }
}

#[cfg(test)]
mod tests;
