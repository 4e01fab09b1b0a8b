//! Keeps the keys of every issuer fresh: regularly, and when tokens name a key that is not known.
//!
//! What was loaded last stays in use while loading fails, until `identity` holds it to be too old. However many tokens
//! name unknown keys, an issuer is asked once per interval at most, by one request at a time.

mod load;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::jitter::jitter;
use super::status::{Source, Status};
use crate::clock::Clock;
use crate::identity::settings::IssuerSettings;
use crate::identity::{Issuer, IssuerKeys, Issuers, KeySet};
use crate::snapshot::{Cause, Snapshot, Snapshots};
use crate::telemetry::{ChangeSource, Metrics};
use crate::types::fault::chain;

pub use load::KeyLoadError;

/// The longest pause after a failure.
const MAX_BACK_OFF: Duration = Duration::from_secs(300);

/// What the feed works with.
#[derive(Debug, Clone)]
pub struct KeyFeedContext {
    /// Where keys go.
    pub snapshots: Arc<Snapshots>,
    /// Where it says how it fares.
    pub status: Arc<Status>,
    /// Where refreshes are counted.
    pub metrics: Arc<Metrics>,
    /// When keys were loaded.
    pub clock: Arc<dyn Clock>,
}

/// Refreshes the keys of all issuers. Dropping it ends that.
#[derive(Debug)]
pub struct KeyFeed {
    context: KeyFeedContext,
    refreshers: Mutex<BTreeMap<Arc<str>, Refresher>>,
}

impl KeyFeed {
    /// A feed that follows no issuer yet.
    #[must_use]
    pub fn new(context: KeyFeedContext) -> Self {
        Self {
            context,
            refreshers: Mutex::default(),
        }
    }

    /// Follows the issuers of the current snapshot: starts with those that are new or changed, ends with those that
    /// are gone. To be called within a runtime, at the start and after every reload.
    pub fn follow(&self) {
        let snapshot = self.context.snapshots.load();
        let mut refreshers = self.refreshers.lock();
        refreshers.retain(|name, _| {
            let stays = snapshot.issuers.named(name).is_some();
            if !stays {
                self.context.status.forget(&Source::Keys(Arc::clone(name)));
            }
            stays
        });
        for issuer in snapshot.issuers.iter() {
            let name = &issuer.settings.name;
            let unchanged = refreshers
                .get(name)
                .is_some_and(|refresher| refresher.settings == issuer.settings);
            if !unchanged {
                let refresher = Refresher::start(self.context.clone(), &issuer.settings);
                refreshers.insert(Arc::clone(name), refresher);
            }
        }
    }

    /// A token named a key that the issuer of this configured name does not have. Returns at once, whatever follows.
    pub fn request(&self, issuer: &str) {
        if let Some(refresher) = self.refreshers.lock().get(issuer) {
            refresher.wake.notify_one();
        }
    }

    /// Waits until every issuer that is followed was asked once, with whatever result.
    pub async fn first_attempts(&self) {
        let attempts: Vec<_> = {
            let refreshers = self.refreshers.lock();
            refreshers.values().map(|r| r.attempted.clone()).collect()
        };
        for mut attempted in attempts {
            // An error says that the refresher has ended: nothing is left to wait for.
            drop(attempted.wait_for(|attempted| *attempted).await);
        }
    }
}

/// The issuers of a reload, with the keys that are known already: those of issuers that still get them from the same
/// place. To be called inside [`Snapshots::update`], so that no refresh is lost.
#[must_use]
pub fn keep_keys(next: &Issuers, current: &Issuers) -> Issuers {
    let same_place = |old: &IssuerSettings, new: &IssuerSettings| {
        old.issuers == new.issuers
            && old.keys.origin == new.keys.origin
            && old.keys.ca_file == new.keys.ca_file
    };
    let kept = next.iter().map(|issuer| Issuer {
        settings: Arc::clone(&issuer.settings),
        keys: issuer.keys.clone().or_else(|| {
            current
                .named(&issuer.settings.name)
                .filter(|old| same_place(&old.settings, &issuer.settings))
                .and_then(|old| old.keys.clone())
        }),
    });
    Issuers::new(kept.collect())
}

/// One issuer's task, which ends when this is dropped.
#[derive(Debug)]
struct Refresher {
    settings: Arc<IssuerSettings>,
    wake: Arc<Notify>,
    attempted: watch::Receiver<bool>,
    task: AbortHandle,
}

impl Refresher {
    fn start(context: KeyFeedContext, settings: &Arc<IssuerSettings>) -> Self {
        context.metrics.show_issuer(&settings.name);
        let wake = Arc::new(Notify::new());
        let (done, attempted) = watch::channel(false);
        let task = Task {
            context,
            settings: Arc::clone(settings),
            wake: Arc::clone(&wake),
            done,
        };
        Self {
            settings: Arc::clone(settings),
            wake,
            attempted,
            task: tokio::spawn(task.run()).abort_handle(),
        }
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Task {
    context: KeyFeedContext,
    settings: Arc<IssuerSettings>,
    wake: Arc<Notify>,
    done: watch::Sender<bool>,
}

impl Task {
    async fn run(self) {
        let mut failures = 0_u32;
        loop {
            let began = Instant::now();
            failures = if self.refresh().await {
                0
            } else {
                failures.saturating_add(1)
            };
            self.done.send_replace(true);
            let due = began + pause(failures, self.settings.keys.refresh_interval);
            let earliest = began + self.settings.keys.min_refresh_interval;
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.wake.notified() => sleep_until(earliest.min(due)).await,
            }
        }
    }

    /// Loads the keys once, and says whether that went well.
    async fn refresh(&self) -> bool {
        let KeyFeedContext {
            status,
            metrics,
            clock,
            ..
        } = &self.context;
        let name = &self.settings.name;
        let source = Source::Keys(Arc::clone(name));
        let loaded = load::load(&self.settings).await;
        metrics.jwks_refresh(name, loaded.is_ok());
        match loaded {
            Ok(set) => {
                self.install(&set);
                status.succeeded(source, clock.now());
                true
            }
            Err(fault) => {
                let message = chain(&fault);
                tracing::warn!(issuer = %name, fault = %message, "keys stay as they were");
                status.failed(source, clock.now(), vec![message]);
                false
            }
        }
    }

    /// Puts the keys into the newest snapshot, unless a reload changed or removed the issuer meanwhile.
    fn install(&self, set: &KeySet) {
        let name = &self.settings.name;
        let loaded_at = self.context.clock.now();
        let before = self.context.snapshots.load().issuers.generation();
        let cause = Cause::now(ChangeSource::Keys);
        self.context.snapshots.update(cause, |current| {
            let same = |issuer: &&Issuer| issuer.settings == self.settings;
            let issuers = match current.issuers.named(name).filter(same) {
                Some(_) => {
                    let set = set.clone();
                    Arc::new(
                        current
                            .issuers
                            .with_keys(name, IssuerKeys { set, loaded_at }),
                    )
                }
                None => Arc::clone(&current.issuers),
            };
            Snapshot {
                issuers,
                ..current.clone()
            }
        });
        if self.context.snapshots.load().issuers.generation() != before {
            tracing::info!(issuer = %name, keys = set.len(), "the issuer has new keys");
        }
    }
}

/// The time to the next refresh. The replicas of a gateway do not all ask at one moment: the regular pause is up to a
/// tenth shorter, and the pause after failures, which doubles each time, up to half longer.
fn pause(failures: u32, regular: Duration) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else {
        return regular.saturating_sub(jitter(regular / 10));
    };
    let back_off = Duration::from_secs(2_u64.saturating_pow(doublings));
    let back_off = back_off.min(MAX_BACK_OFF).min(regular);
    back_off.saturating_add(jitter(back_off / 2))
}

#[cfg(test)]
mod tests;
