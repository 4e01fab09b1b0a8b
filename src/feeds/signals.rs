//! Receives security events of other systems: streams of the OpenID Shared Signals Framework 1.0, pushed (RFC 8935) or
//! asked for (RFC 8936).
//!
//! Each stream has a path, an issuer, an audience and keys of its own, so that no issuer can speak on another one's. What
//! an event says is kept before it is acknowledged. Never here: an event that is believed because of what it names, and
//! one that is acknowledged and not kept.

mod access;
mod address;
mod delivery;
mod error;
mod meaning;
pub mod settings;
mod transmitter;
mod upkeep;
mod word;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::state::StateFeed;
use super::status::{Source, Status};
use crate::clock::Clock;
use crate::identity::KeySet;
use crate::snapshot::{Cause, Snapshots};
use crate::telemetry::{ChangeSource, Metrics};
use crate::types::Timestamp;
pub use delivery::{MAX_EVENT_BYTES, Refusal};
pub use error::TransmitterError;
pub use upkeep::Action;
pub(super) use word::detection_id;

use settings::StreamSettings;

/// What those work with who ask others, or are told, about agents.
#[derive(Debug, Clone)]
pub struct SignalContext {
    /// Where what is said is kept.
    pub state: Arc<StateFeed>,
    /// What is known.
    pub snapshots: Arc<Snapshots>,
    /// Where they say how they fare.
    pub status: Arc<Status>,
    /// Where events are counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Every stream of the configuration. Dropping it ends them.
#[derive(Debug)]
pub struct SignalFeed {
    context: SignalContext,
    streams: Mutex<BTreeMap<Arc<str>, Running>>,
}

/// A stream with its tasks.
#[derive(Debug)]
struct Running {
    stream: Arc<Stream>,
    tasks: JoinSet<()>,
}

/// One stream.
#[derive(Debug)]
struct Stream {
    settings: StreamSettings,
    context: SignalContext,
    /// The issuer's keys; none before they were loaded.
    keys: watch::Sender<Option<Arc<KeySet>>>,
    /// Members of complex subjects that must be understood, by the transmitter's word.
    critical: Mutex<BTreeSet<String>>,
    /// When this process last heard of the transmitter.
    heard: Mutex<Option<Timestamp>>,
    /// Since when there has been this stream.
    since: Timestamp,
    /// The stream's id at the transmitter.
    id: Mutex<Option<String>>,
    /// Whether the operator has deleted the stream, and not resumed it since.
    is_deleted: Mutex<bool>,
    /// Wakes the upkeep: a key is not known, or an operator wants something.
    wake: Notify,
    /// Held by the one event that waits for new keys.
    waiting: tokio::sync::Mutex<()>,
}

/// How one stream fares, for people.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamReport {
    /// Its name.
    pub name: Arc<str>,
    /// The issuer of its events.
    pub issuer: Arc<str>,
    /// `push` or `poll`.
    pub delivery: &'static str,
    /// The stream's id at the transmitter, if it is known.
    pub stream_id: Option<String>,
    /// When the transmitter was last heard of.
    pub last_heard: Option<Timestamp>,
    /// Whether calls are refused while it is silent for too long.
    pub required: bool,
    /// `ok`, `faulty`, or `silent`: not heard of, or not for longer than allowed.
    pub status: &'static str,
    /// What is wrong.
    pub faults: Vec<String>,
}

impl SignalFeed {
    /// A feed without streams.
    #[must_use]
    pub const fn new(context: SignalContext) -> Self {
        Self {
            context,
            streams: Mutex::new(BTreeMap::new()),
        }
    }

    /// Follows these streams: starts those that are new or changed, ends those that are gone. To be called within a
    /// runtime, at the start and after every reload.
    pub fn follow(&self, settings: &[StreamSettings]) {
        let mut streams = self.streams.lock();
        streams.retain(|name, _| {
            let stays = settings.iter().any(|stream| stream.name == *name);
            if !stays {
                self.context
                    .status
                    .forget(&Source::Signals(Arc::clone(name)));
                self.context
                    .state
                    .hears_of(name, true, Cause::now(ChangeSource::Signal));
            }
            stays
        });
        for settings in settings {
            let name = &settings.name;
            let same = |running: &Running| running.stream.settings == *settings;
            if !streams.get(name).is_some_and(same) {
                let running = Running::start(settings.clone(), self.context.clone());
                streams.insert(Arc::clone(name), running);
            }
        }
    }

    /// Ends every stream: what they work with is let go when this returns.
    pub async fn end(&self) {
        let streams = std::mem::take(&mut *self.streams.lock());
        for mut running in streams.into_values() {
            running.tasks.shutdown().await;
        }
    }

    fn stream(&self, name: &str) -> Option<Arc<Stream>> {
        let streams = self.streams.lock();
        streams.get(name).map(|running| Arc::clone(&running.stream))
    }

    /// Takes an event that was pushed to the stream of this name, with the whole value of the `Authorization` header.
    /// What it says is kept, and in force, when this returns.
    ///
    /// # Errors
    /// [`Refusal`] says what to answer.
    pub async fn receive(
        &self,
        name: &str,
        authorization: Option<&[u8]>,
        event: &str,
    ) -> Result<(), Refusal> {
        let stream = self.stream(name).ok_or(Refusal::NoStream)?;
        stream.receive_pushed(authorization, event).await
    }

    /// Does what an operator wants with the stream of this name.
    ///
    /// # Errors
    /// [`TransmitterError`]; none: there is no such stream.
    pub async fn act(&self, name: &str, action: Action) -> Option<Result<(), TransmitterError>> {
        let stream = self.stream(name)?;
        Some(stream.act(action).await)
    }

    /// How every stream fares.
    #[must_use]
    pub fn report(&self) -> Vec<StreamReport> {
        let streams = self.streams.lock();
        let streams = streams.values().map(|running| running.stream.report());
        streams.collect()
    }

    /// How long ago each stream was last heard of; what was never heard of is as old as the stream.
    #[must_use]
    pub fn ages(&self) -> Vec<(Arc<str>, Duration)> {
        let streams = self.streams.lock();
        let streams = streams.values().map(|running| &running.stream);
        streams
            .map(|stream| (Arc::clone(&stream.settings.name), stream.age()))
            .collect()
    }
}

impl Running {
    fn start(settings: StreamSettings, context: SignalContext) -> Self {
        let stream = Arc::new(Stream {
            since: context.clock.now(),
            settings,
            context,
            keys: watch::Sender::new(None),
            critical: Mutex::default(),
            heard: Mutex::default(),
            id: Mutex::default(),
            is_deleted: Mutex::new(false),
            wake: Notify::new(),
            waiting: tokio::sync::Mutex::default(),
        });
        stream.judge_age();
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&stream).watch_age());
        tasks.spawn(Arc::clone(&stream).keep_up());
        Self { stream, tasks }
    }
}

impl Stream {
    fn report(&self) -> StreamReport {
        let status = self.context.status.of(&self.source()).unwrap_or_default();
        let faults = status.fault.map(|fault| fault.messages);
        StreamReport {
            status: match &faults {
                Some(_) => "faulty",
                None if self.is_fresh() => "ok",
                None => "silent",
            },
            name: Arc::clone(&self.settings.name),
            issuer: Arc::clone(&self.settings.events.issuer),
            delivery: match &self.settings.delivery {
                settings::Delivery::Push { .. } => "push",
                settings::Delivery::Poll { .. } => "poll",
            },
            stream_id: self.id.lock().clone(),
            last_heard: self.last_heard(),
            required: self.settings.freshness.required,
            faults: faults.unwrap_or_default(),
        }
    }

    fn source(&self) -> Source {
        Source::Signals(Arc::clone(&self.settings.name))
    }

    /// When the transmitter was last heard of, here or at another replica.
    fn last_heard(&self) -> Option<Timestamp> {
        let elsewhere = self
            .context
            .snapshots
            .load()
            .reported
            .heard
            .of(&self.settings.name);
        (*self.heard.lock()).max(elsewhere)
    }

    /// This process has just heard of the transmitter.
    fn note_heard(&self) {
        *self.heard.lock() = Some(self.context.clock.now());
        self.judge_age();
    }

    fn age(&self) -> Duration {
        let heard = self.last_heard().unwrap_or(self.since);
        self.context.clock.now().since(heard)
    }

    /// FAIL-CLOSED: what was never heard of is not fresh, however young.
    fn is_fresh(&self) -> bool {
        self.last_heard().is_some() && self.age() <= self.settings.freshness.max_age
    }

    /// Whether it is known what the transmitter has to say.
    fn judge_age(&self) {
        let is_known = self.is_fresh() || !self.settings.freshness.required;
        let cause = Cause::now(ChangeSource::Signal);
        self.context
            .state
            .hears_of(&self.settings.name, is_known, cause);
    }

    async fn watch_age(self: Arc<Self>) {
        let pause = self.settings.freshness.max_age / 10;
        let pause = pause.clamp(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            tokio::time::sleep(pause).await;
            self.judge_age();
        }
    }
}
