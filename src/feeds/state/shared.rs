//! Follows the state that replicas share: what one of them is told, all of them know.
//!
//! When the engine does not answer, what was known last stays in force, and it is said how old it is. Beyond the age
//! that the operator allows, it is not known any more whether an agent is good. Never here: an outage that looks like
//! "nobody is risky".

use std::sync::Arc;
use std::time::Duration;

use super::StateFeed;
use crate::feeds::jitter::jitter;
use crate::feeds::status::Source;
use crate::risk::read::FILE_SOURCE;
use crate::snapshot::Cause;
use crate::store::settings::Freshness;
use crate::store::{Changes, Entry, Sealed};
use crate::telemetry::ChangeSource;
use crate::types::Timestamp;

/// What the engine is called among the sources.
pub const SHARED_STATE: &str = "store";

/// The first pause after a failure; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl StateFeed {
    /// Follows the changes that others make, for as long as it is let.
    pub async fn follow(self: Arc<Self>, mut changes: Box<dyn Changes>, freshness: Freshness) {
        let mut last_heard = None;
        let mut failures: u32 = 0;
        loop {
            let ours = || self.ours();
            match changes.next(&ours).await {
                Ok(entries) => {
                    self.show(&entries, Cause::now(ChangeSource::Store));
                    let now = self.context.clock.now();
                    if failures > 0 {
                        tracing::info!("the shared state is there again");
                    }
                    (last_heard, failures) = (Some(now), 0);
                    self.context.status.succeeded(Source::SharedState, now);
                    self.judge_age(last_heard, freshness);
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::error!(%error, "the shared state is not to be had; what was known last stays in force");
                    }
                    failures = failures.saturating_add(1);
                    let (now, message) = (self.context.clock.now(), error.to_string());
                    self.context
                        .status
                        .failed(Source::SharedState, now, vec![message]);
                    self.judge_age(last_heard, freshness);
                    tokio::time::sleep(pause(failures)).await;
                }
            }
        }
    }

    /// Whether what is known is too old to be known.
    fn judge_age(&self, last_heard: Option<Timestamp>, freshness: Freshness) {
        let now = self.context.clock.now();
        let is_fresh = last_heard.is_some_and(|at| now.since(at) <= freshness.max_age);
        // FAIL-CLOSED: what a required engine may know by now could stop any agent.
        let is_known = is_fresh || !freshness.required;
        let cause = Cause::now(ChangeSource::Store);
        self.hears_of(&SHARED_STATE.into(), is_known, cause);
    }

    /// All that this process knows of what was reported, as it would be kept.
    pub(super) fn ours(&self) -> Vec<Sealed> {
        let snapshot = self.context.snapshots.load();
        let foreign = self.foreign.lock();
        // What was not read whole is passed on as it came.
        let whole = |sealed: &Sealed| !foreign.contains_key(&sealed.key);
        let risk = snapshot.risk.entries();
        let risk = risk.filter(|entry| *entry.source != *FILE_SOURCE);
        let risk = risk.map(|entry| Entry::Risk((**entry).clone()).seal());
        let revocations = snapshot.reported.revocations.iter();
        let revocations = revocations.map(|entry| Entry::Revocation((**entry).clone()).seal());
        let detections = snapshot.reported.detections.iter();
        let detections = detections.map(|entry| Entry::Detection((**entry).clone()).seal());
        let accounts = snapshot.reported.accounts.iter();
        let accounts = accounts.map(|entry| Entry::Account((**entry).clone()).seal());
        let heard = snapshot.reported.heard.iter().map(|(source, at)| {
            let source = Arc::clone(source);
            Entry::Heard { source, at }.seal()
        });
        let seen = snapshot.reported.seen.iter().map(|(source, id, at)| {
            let (source, id) = (Arc::clone(source), Arc::clone(id));
            Entry::Seen { source, id, at }.seal()
        });
        let beside = revocations.chain(accounts).chain(detections);
        let beside = beside.chain(heard).chain(seen);
        let ours = risk.chain(beside).filter(whole);
        ours.chain(foreign.values().cloned()).collect()
    }
}

/// The time to the next attempt, which doubles with each, and up to half longer: when the engine comes back, not all
/// replicas come at one moment.
fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
    let pause = pause.min(LONGEST_PAUSE);
    pause.saturating_add(jitter(pause / 2))
}
