//! Detections that have counted for long enough, or that are no longer enforced, are taken back.
//!
//! What is said then depends on the detection and the settings alone, so that replicas say the same. Never here: what
//! another source said.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::DetectionFeed;
use super::word::{self, expired, kind_of};
use crate::detection::{DetectionSettings, Kind, Mode};
use crate::risk::{RiskDetection, RiskEntry};
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::ChangeSource;
use crate::types::{RiskState, Timestamp};

/// What is in force of our own.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeSet<(Arc<str>, Kind)>);

impl Open {
    pub(super) fn insert(&mut self, agent: &Arc<str>, kind: Kind) {
        self.0.insert((Arc::clone(agent), kind));
    }

    fn of(snapshot: &Snapshot) -> Self {
        let entries = snapshot.risk.entries();
        let open = entries.filter(|entry| entry.state == RiskState::AtRisk);
        Self(
            open.filter_map(|entry| Some((Arc::clone(&entry.id), kind_of(&entry.source)?)))
                .collect(),
        )
    }
}

/// When what a kind of detection said at this time ends; `None`: it is not enforced any more.
#[must_use]
pub fn ends(
    kind: Kind,
    said: Timestamp,
    settings: Option<&DetectionSettings>,
) -> Option<Timestamp> {
    let rule = settings?.rule(kind);
    (rule.mode == Mode::Enforce).then(|| said.after(rule.expiry))
}

impl DetectionFeed {
    /// All that is open, whichever replica said it. Looked through apart: there may be a million agents.
    pub(super) async fn all_open(&self) -> Open {
        let snapshot = self.context.snapshots.load();
        let open = tokio::task::spawn_blocking(move || Open::of(&snapshot)).await;
        open.unwrap_or_default()
    }

    /// Takes back what has ended.
    pub(super) async fn expire(&self, open: &mut Open) {
        let settings = self.settings.load_full();
        let now = self.context.clock.now();
        let snapshot = self.context.snapshots.load();
        let mut over = Vec::new();
        open.0.retain(|(agent, kind)| {
            let source = word::source(*kind);
            let mut entries = snapshot.risk.of(agent);
            let entry =
                entries.find(|entry| entry.source == source && entry.state == RiskState::AtRisk);
            let Some(entry) = entry else { return false };
            let at = ends(*kind, entry.last_modified, settings.as_deref());
            // One that is not enforced any more is over by now, and not before what was said last.
            let at = at.unwrap_or_else(|| {
                now.max(
                    entry
                        .last_modified
                        .after(std::time::Duration::from_micros(1)),
                )
            });
            if at <= now {
                over.push((Arc::clone(entry), *kind, at));
            }
            at > now
        });
        for (entry, kind, at) in over {
            self.take_back(&snapshot, &entry, kind, at, open).await;
        }
    }

    async fn take_back(
        &self,
        snapshot: &Snapshot,
        entry: &Arc<RiskEntry>,
        kind: Kind,
        at: Timestamp,
        open: &mut Open,
    ) {
        let mut said = settled(snapshot, entry, kind, at);
        said.push(Entry::Risk(expired(entry, at)));
        let cause = Cause::now(ChangeSource::Detection);
        match self.context.state.say(cause, move |_| said.clone()).await {
            Ok(_) => {
                tracing::info!(agent.id = %entry.id, detection = %kind, "a detection has expired");
            }
            Err(error) => {
                // FAIL-CLOSED: it goes on counting until it can be taken back everywhere.
                tracing::error!(%error, agent.id = %entry.id, detection = %kind, "a detection could not be taken back");
                open.insert(&entry.id, kind);
            }
        }
    }
}

/// The detections that the level followed from, which count no longer either.
fn settled(snapshot: &Snapshot, entry: &RiskEntry, kind: Kind, at: Timestamp) -> Vec<Entry> {
    let detections = snapshot.reported.detections.iter();
    let open = detections.filter(|one| {
        one.identity_id == entry.id
            && *one.event_type == *kind.as_str()
            && one.state == RiskState::AtRisk
    });
    let settled = open.map(|detection| {
        Entry::Detection(RiskDetection {
            state: RiskState::Remediated,
            last_modified: detection.last_modified.max(at),
            ..RiskDetection::clone(detection)
        })
    });
    settled.collect()
}
