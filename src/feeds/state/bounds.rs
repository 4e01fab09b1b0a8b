//! What was reported does not pile up: it is forgotten once it can matter to nobody.
//!
//! A cut-off refuses tokens that were issued up to a moment; once the longest life of a token has passed since, no such
//! token is valid any more. A detection of ours that has expired says nothing of today. What administrators and other
//! systems said of risk and accounts stays. Never here: an entry that is forgotten because there are many.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::StateFeed;
use crate::feeds::detections::kind_of;
use crate::feeds::jitter::jitter;
use crate::identity::Issuers;
use crate::risk::{Rank, Revocation, RiskDetection, RiskEntry};
use crate::snapshot::{Cause, Snapshot};
use crate::store::{Entry, StoreError};
use crate::telemetry::ChangeSource;
use crate::types::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// For so long all is remembered, so that an issuer whose tokens are believed for longer tomorrow lets nobody in.
const LEAST: Duration = DAY.saturating_mul(30);

/// The longest that a session lives: browsers keep no cookie for longer.
const SESSION: Duration = DAY.saturating_mul(400);

/// The time between two looks.
const PAUSE: Duration = Duration::from_secs(3_600);

/// What can matter to nobody.
#[derive(Debug, Default)]
struct Over {
    /// Where all of it is kept, and which words they are.
    places: Vec<(Arc<str>, Rank)>,
    revocations: Vec<Arc<Revocation>>,
    risk: Vec<Arc<RiskEntry>>,
    detections: Vec<Arc<RiskDetection>>,
}

impl Over {
    fn of(snapshot: &Snapshot, now: Timestamp, foreign: &BTreeSet<Arc<str>>) -> Self {
        let life = longest_life(&snapshot.issuers).max(LEAST);
        let is_over = |one: &Revocation| {
            let life = if one.is_of_session() {
                life.max(SESSION)
            } else {
                life
            };
            now > one.issued_until.after(life)
        };
        let revocations = snapshot.reported.revocations.iter();
        let risk = snapshot.risk.entries().filter(|entry| {
            let has_expired = kind_of(&entry.source).is_some() && !entry.state.level_counts();
            has_expired && now > entry.last_modified.after(LEAST)
        });
        let detections = snapshot.reported.detections.iter();
        let detections = detections
            .filter(|one| !one.state.level_counts() && now > one.last_modified.after(LEAST));
        let mut places = Vec::new();
        let mut take = |entry: Entry| {
            let place = entry.place();
            let is_ours = !foreign.contains(&place.0);
            places.extend(is_ours.then_some(place));
            is_ours
        };
        let revocations = revocations
            .filter(|one| is_over(one) && take(Entry::Revocation(Revocation::clone(one))))
            .cloned()
            .collect();
        let risk = risk
            .filter(|one| take(Entry::Risk(RiskEntry::clone(one))))
            .cloned()
            .collect();
        let detections = detections
            .filter(|one| take(Entry::Detection(RiskDetection::clone(one))))
            .cloned()
            .collect();
        Self {
            places,
            revocations,
            risk,
            detections,
        }
    }
}

/// How long a token is believed at most, by any issuer.
fn longest_life(issuers: &Issuers) -> Duration {
    let lives = issuers.iter().map(|issuer| {
        let settings = &issuer.settings;
        // Without `iat`, the clock's doubt counts once more.
        let doubt = settings.leeway.saturating_mul(2);
        settings.max_lifetime.saturating_add(doubt)
    });
    lives.max().unwrap_or_default()
}

impl StateFeed {
    /// Forgets now and then what can matter to nobody, for as long as it is let.
    pub async fn forget_what_is_over(self: Arc<Self>) {
        loop {
            match self.forget_over().await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "what was reported long ago is forgotten"),
                Err(error) => {
                    tracing::warn!(%error, "what was reported long ago is kept longer than needed");
                }
            }
            tokio::time::sleep(PAUSE.saturating_add(jitter(PAUSE / 10))).await;
        }
    }

    /// Forgets it in the store, then here; gives how much.
    async fn forget_over(&self) -> Result<usize, StoreError> {
        let (snapshot, now) = (self.context.snapshots.load(), self.context.clock.now());
        // What a newer version wrote, that version forgets.
        let foreign: BTreeSet<_> = self.foreign.lock().keys().cloned().collect();
        // There may be a million.
        let looking = tokio::task::spawn_blocking(move || Over::of(&snapshot, now, &foreign));
        let looked = looking.await;
        let over = looked.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let count = over.places.len();
        if count == 0 {
            return Ok(0);
        }
        self.context.store.forget(over.places).await?;
        let cause = Cause::now(ChangeSource::Store);
        self.context.snapshots.update(cause, |current| {
            let mut reported = current.reported.clone();
            reported.revocations = reported.revocations.without(&over.revocations);
            reported.detections = reported.detections.without(&over.detections);
            Snapshot {
                risk: current.risk.without(&over.risk),
                reported,
                ..current.clone()
            }
        });
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
