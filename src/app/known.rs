//! What is known at the start, and the feeds that keep it fresh: of the configuration, of what was kept, of other systems.
//!
//! Never here: a call, and starting without what could not be read.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::task::JoinSet;

use super::{AppError, control};
use crate::client;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::feeds::detections::InForce;
use crate::feeds::graph::GraphFeed;
use crate::feeds::signals::{SignalContext, SignalFeed};
use crate::feeds::{
    self, DetectionFeed, DetectionFeedContext, Discovered, KeyFeed, KeyFeedContext, KnownState,
    StateFeed, StateFeedContext, Status, SvidFeed,
};
use crate::gateway::{Meters, Shared};
use crate::identity::Authenticator;
use crate::record::Recorder;
use crate::snapshot::Snapshots;
use crate::spiffe::Held;
use crate::store::settings::Freshness;
use crate::store::{self, Changes, Names, OwnNames, StoreError};
use crate::telemetry::Metrics;
use crate::types::fault::chain;

/// How many agents that no directory knows are remembered.
const DISCOVERED_AGENTS: usize = 10_000;

/// What is known at the start: what was loaded, and what was kept.
pub(super) struct Known {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) status: Arc<Status>,
    /// The identity that SPIFFE's Workload API gives, if one is used.
    pub(super) held: Arc<Held>,
    pub(super) state: Arc<StateFeed>,
    pub(super) signals: Arc<SignalFeed>,
    pub(super) graph: Arc<GraphFeed>,
    pub(super) keys: Arc<KeyFeed>,
    /// What follows the state that replicas share.
    pub(super) shared: Option<(Box<dyn Changes>, Freshness)>,
    /// The proofs that were seen.
    names: Arc<Names>,
}

impl Known {
    /// Reads what was kept, and follows other systems.
    pub(super) fn read(
        loaded: &Loaded,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, AppError> {
        let opened = store::open(&loaded.settings.store, |tls| {
            let config = client::tls(tls.ca_file.as_deref());
            config.map_err(|error| StoreError::Unavailable(chain(&error)))
        })?;
        let longest = loaded.settings.tokens.max_proof_life();
        let own = || Names::Own(OwnNames::new(clock.now(), longest));
        let names = opened.names.map_or_else(own, Names::Shared);
        let mut kept = KnownState::default();
        kept.read(&opened.state);
        let held = Arc::new(Held::default());
        let now = clock.now();
        let mut first = control::snapshot(loaded, &kept, (None, &held), now, &metrics)?;
        // FAIL-CLOSED: before a required engine was read, nobody knows what was reported of agents.
        let is_required = opened.shared.as_ref().is_some_and(|(_, of)| of.required);
        let store = feeds::state::SHARED_STATE.into();
        first.reported = first.reported.with_silent(&store, is_required);
        let snapshots = Arc::new(Snapshots::new(first).measured(Arc::clone(&metrics)));
        let status = Arc::new(Status::default());
        let context = StateFeedContext {
            store: opened.store,
            snapshots: Arc::clone(&snapshots),
            status: Arc::clone(&status),
            clock: Arc::clone(&clock),
        };
        let keys = KeyFeed::new(KeyFeedContext {
            snapshots: Arc::clone(&snapshots),
            status: Arc::clone(&status),
            metrics: Arc::clone(&metrics),
            clock: Arc::clone(&clock),
        });
        let state = Arc::new(StateFeed::new(context, kept.foreign));
        let context = SignalContext {
            state: Arc::clone(&state),
            snapshots: Arc::clone(&snapshots),
            status: Arc::clone(&status),
            metrics: Arc::clone(&metrics),
            clock: Arc::clone(&clock),
        };
        let signals = SignalFeed::new(context.clone());
        let graph = GraphFeed::new(context);
        // Before calls are taken, so that what is required counts from the first one.
        signals.follow(&loaded.settings.signals);
        graph.follow(loaded.settings.graph.as_ref());
        Ok(Self {
            clock,
            metrics,
            snapshots,
            status,
            held,
            state,
            signals: Arc::new(signals),
            graph: Arc::new(graph),
            keys: Arc::new(keys),
            shared: opened.shared,
            names: Arc::new(names),
        })
    }

    /// What the workers share.
    pub(super) fn shared(&self, loaded: &Loaded, recorder: &Recorder) -> Shared {
        let metrics = Arc::clone(&self.metrics);
        Shared {
            snapshots: Arc::clone(&self.snapshots),
            clock: Arc::clone(&self.clock),
            authenticator: Arc::new(Authenticator::new(loaded.settings.tokens)),
            keys: Arc::clone(&self.keys),
            names: Arc::clone(&self.names),
            discovered: Arc::new(Discovered::with_capacity(DISCOVERED_AGENTS)),
            recorder: recorder.clone(),
            meters: Arc::new(Meters::new(metrics, &loaded.settings.resources)),
        }
    }

    /// Follows the Workload API and the state that replicas share from now on, where the configuration names them.
    pub(super) fn follow(&mut self, loaded: &Loaded, tasks: &mut JoinSet<()>) {
        if let Some(settings) = loaded.settings.spiffe.clone() {
            let (held, status) = (Arc::clone(&self.held), Arc::clone(&self.status));
            let feed = SvidFeed::new(settings, held, status, Arc::clone(&self.clock));
            tasks.spawn(feed.follow());
        }
        tasks.spawn(Arc::clone(&self.state).forget_what_is_over());
        if let Some((changes, freshness)) = self.shared.take() {
            tasks.spawn(Arc::clone(&self.state).follow(changes, freshness));
        }
    }

    /// The feed of detections, and what they look for.
    pub(super) fn detections(
        &self,
        loaded: &Loaded,
        recorder: &Recorder,
    ) -> Result<(DetectionFeed, InForce), AppError> {
        let context = DetectionFeedContext {
            state: Arc::clone(&self.state),
            snapshots: Arc::clone(&self.snapshots),
            recorder: recorder.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: Arc::clone(&self.clock),
        };
        let settings = &loaded.settings.detections;
        let looked_for = Arc::new(ArcSwapOption::new(settings.rules.map(Arc::new)));
        let feed = DetectionFeed::start(context, settings.queue, Arc::clone(&looked_for));
        Ok((feed.map_err(AppError::Detections)?, looked_for))
    }
}
