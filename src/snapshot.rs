//! Room 7: all that the path of a call reads, as one immutable value behind one pointer.
//!
//! Feeds build a new snapshot and swap it in; a call loads the pointer once, at its start. No call ever
//! sees half of a change. Never here: a lock that a call waits for, and a change in place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};

use crate::assertion::Signer;
use crate::call::Resources;
use crate::countries::Countries;
use crate::decision::{DecisionSettings, Knowledge};
use crate::enforcement::ResponseSettings;
use crate::identity::{Directory, Issuers};
use crate::policy::PolicySet;
use crate::risk::{Reported, RiskTable};
use crate::telemetry::{ChangeSource, Metrics};
use crate::upstream::UpstreamTable;

/// How many changes a follower may lag behind. One that lags further hears that it does, and loads the newest.
const CHANGES: usize = 1024;

/// How long calls are given to let go of a snapshot that was replaced.
const CALLS_LET_GO: Duration = Duration::from_secs(1);

/// What one generation of configuration, policies, directory, keys and risk says. The default knows nothing: no call
/// finds a resource.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The hash of the compiled set's sources: `policyGeneration`.
    pub generation: Arc<str>,
    /// The resources.
    pub resources: Arc<Resources>,
    /// The issuers, with their keys.
    pub issuers: Arc<Issuers>,
    /// The directory.
    pub directory: Arc<Directory>,
    /// The compiled policies.
    pub policies: Arc<PolicySet>,
    /// What is known of risk.
    pub risk: RiskTable,
    /// Where addresses are, if there is a database of that.
    pub countries: Option<Arc<Countries>>,
    /// What was reported beside: revoked tokens, disabled accounts, detections.
    pub reported: Reported,
    /// How decisions are made.
    pub decisions: DecisionSettings,
    /// What answers say.
    pub responses: Arc<ResponseSettings>,
    /// Signs what upstreams get as proof of a decision, where some do.
    pub assertions: Option<Arc<Signer>>,
    /// Where calls are forwarded to. Part of the snapshot, so that a call goes where it was judged for.
    pub upstreams: Arc<UpstreamTable>,
}

impl Snapshot {
    /// What a decision is made on.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            policies: &self.policies,
            risk: &self.risk,
            reported: &self.reported,
            settings: self.decisions,
            generation: &self.generation,
            countries: self.countries.as_deref(),
        }
    }
}

/// The current snapshot. Readers never wait; writers change one part of the newest at a time.
#[derive(Debug)]
pub struct Snapshots {
    current: ArcSwap<Snapshot>,
    /// Those that were replaced and not freed yet. Only writers come here.
    retired: Mutex<Vec<Arc<Snapshot>>>,
    /// Something is in there.
    replaced: Notify,
    changes: broadcast::Sender<Arc<Change>>,
    metrics: Option<Arc<Metrics>>,
}

/// What brought a new snapshot, and since when it was known here.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// Who brought it.
    pub source: ChangeSource,
    /// When the news of it arrived.
    pub received_at: Instant,
}

impl Cause {
    /// News that arrive at this moment.
    #[must_use]
    pub fn now(source: ChangeSource) -> Self {
        Self {
            source,
            received_at: Instant::now(),
        }
    }
}

/// A new snapshot is there. Whoever enforces it keeps this until it has: the time until the last one lets go is the
/// enforcement delay.
#[derive(Debug)]
pub struct Change {
    cause: Cause,
    cut_any: AtomicBool,
    metrics: Option<Arc<Metrics>>,
}

impl Change {
    /// An open call is cut because of it.
    pub fn cuts(&self) {
        self.cut_any.store(true, Ordering::Relaxed);
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics
            && self.cut_any.load(Ordering::Relaxed)
        {
            metrics.enforced(self.cause.source, self.cause.received_at.elapsed());
        }
    }
}

impl Snapshots {
    /// Starts with this one.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            retired: Mutex::default(),
            replaced: Notify::new(),
            changes: broadcast::Sender::new(CHANGES),
            metrics: None,
        }
    }

    /// The same, which counts how long changes take until they are enforced.
    #[must_use]
    pub fn measured(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The current one.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Whether no other snapshot has replaced this one.
    #[must_use]
    pub fn is_current(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.current.load(), snapshot)
    }

    /// Makes a new one from the newest and swaps it in; `change` runs again if another writer was faster. Then tells
    /// those who follow.
    pub fn update(&self, cause: Cause, change: impl Fn(&Snapshot) -> Snapshot) {
        let replaced = self.current.rcu(|current| change(current));
        self.retired.lock().push(replaced);
        self.replaced.notify_one();
        let change = Change {
            cause,
            cut_any: AtomicBool::new(false),
            metrics: self.metrics.clone(),
        };
        // An error says that nobody follows.
        drop(self.changes.send(Arc::new(change)));
    }

    /// Follows the changes from now on. Each comes after its snapshot can be loaded.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// Frees the replaced snapshots that no call reads any more.
    ///
    /// Whoever lets go of a snapshot last frees it, and freeing a million agents takes long: were it the call that read
    /// it, all calls of its worker would wait. So each is kept here until nobody else has it. Call this where nobody waits.
    /// Says whether some are left.
    pub fn free_retired(&self) -> bool {
        let is_unread = |snapshot: &mut Arc<Snapshot>| Arc::strong_count(snapshot) == 1;
        let mut retired = self.retired.lock();
        let unread: Vec<_> = retired.extract_if(.., is_unread).collect();
        let is_left = !retired.is_empty();
        drop(retired);
        drop(unread);
        is_left
    }

    /// Frees what is replaced, for as long as the gateway runs, on threads for which nobody waits.
    pub async fn free_what_is_replaced(self: Arc<Self>) {
        loop {
            self.replaced.notified().await;
            let mut is_left = true;
            while is_left {
                tokio::time::sleep(CALLS_LET_GO).await;
                let snapshots = Arc::clone(&self);
                let freeing = tokio::task::spawn_blocking(move || snapshots.free_retired());
                is_left = freeing.await.unwrap_or(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(directory: Directory) -> Snapshot {
        Snapshot {
            directory: Arc::new(directory),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_replaced_snapshot_is_freed_once_no_call_reads_it_and_never_by_the_call() {
        let snapshots = Snapshots::new(snapshot(Directory::default()));
        let read_by_a_call = snapshots.load();
        let directory = Arc::downgrade(&read_by_a_call.directory);
        let cause = Cause::now(ChangeSource::Configuration);
        snapshots.update(cause, |_| snapshot(Directory::default()));

        assert!(snapshots.free_retired(), "it is forgotten");
        assert!(directory.upgrade().is_some(), "a call still reads it");
        drop(read_by_a_call);
        assert!(directory.upgrade().is_some(), "the call freed it");
        assert!(!snapshots.free_retired(), "something is left");
        assert!(directory.upgrade().is_none(), "nobody freed it");
    }
}
