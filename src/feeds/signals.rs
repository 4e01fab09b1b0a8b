//! Receives what other systems report of agents: streams of the OpenID Shared Signals Framework 1.0, pushed (RFC 8935) or
//! asked for (RFC 8936), and signed JSON of tools that do not speak it.
//!
//! Each source has a path and keys of its own, so that none can speak on another one's. What a report says is kept before
//! it is acknowledged. Never here: a report that is believed because of what it names, and one that is acknowledged and
//! not kept.

mod access;
mod address;
mod delivery;
mod error;
mod meaning;
mod reporter;
pub mod settings;
mod stream;
mod transmitter;
mod upkeep;
pub mod webhook;
mod word;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::state::StateFeed;
use super::status::{Source, Status};
use crate::clock::Clock;
use crate::snapshot::{Cause, Snapshots};
use crate::telemetry::{ChangeSource, Metrics};
use crate::types::Timestamp;
pub use delivery::{MAX_EVENT_BYTES, Refusal};
pub use error::TransmitterError;
pub use upkeep::Action;
pub(super) use word::detection_id;

use reporter::Reporter;
use settings::SourceSettings;
use stream::Stream;
use webhook::{Unacceptable, Webhook};

/// What those work with who ask others, or are told, about agents.
#[derive(Debug, Clone)]
pub struct SignalContext {
    /// Where what is said is kept.
    pub state: Arc<StateFeed>,
    /// What is known.
    pub snapshots: Arc<Snapshots>,
    /// Where they say how they fare.
    pub status: Arc<Status>,
    /// Where reports are counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Every source of the configuration. Dropping it ends them.
#[derive(Debug)]
pub struct SignalFeed {
    context: SignalContext,
    sources: Mutex<BTreeMap<Arc<str>, Running>>,
}

/// A source with its tasks.
#[derive(Debug)]
struct Running {
    kind: Kind,
    tasks: JoinSet<()>,
}

/// What a source is.
#[derive(Debug, Clone)]
enum Kind {
    Stream(Arc<Stream>),
    Webhook(Arc<Webhook>),
}

/// How one source fares, for people.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its name.
    pub name: Arc<str>,
    /// The issuer of its events.
    pub issuer: Option<Arc<str>>,
    /// `push`, `poll` or `webhook`.
    pub delivery: &'static str,
    /// The stream's id at the transmitter, if it is known.
    pub stream_id: Option<String>,
    /// When it was last heard of.
    pub last_heard: Option<Timestamp>,
    /// Whether calls are refused while it is silent for too long.
    pub required: bool,
    /// `ok`, `faulty`, or `silent`: not heard of, or not for longer than allowed.
    pub status: &'static str,
    /// What is wrong.
    pub faults: Vec<String>,
}

impl SignalFeed {
    /// A feed without sources.
    #[must_use]
    pub const fn new(context: SignalContext) -> Self {
        Self {
            context,
            sources: Mutex::new(BTreeMap::new()),
        }
    }

    /// Follows these sources: starts those that are new or changed, ends those that are gone. To be called within a
    /// runtime, at the start and after every reload.
    pub fn follow(&self, settings: &[SourceSettings]) {
        let mut sources = self.sources.lock();
        sources.retain(|name, _| {
            let stays = settings.iter().any(|source| source.name() == name);
            if !stays {
                self.context
                    .status
                    .forget(&Source::Signals(Arc::clone(name)));
                let cause = Cause::now(ChangeSource::Configuration);
                self.context.state.hears_of(name, true, cause);
            }
            stays
        });
        for settings in settings {
            let name = settings.name();
            if !sources
                .get(name)
                .is_some_and(|running| running.is(settings))
            {
                let running = Running::start(settings.clone(), self.context.clone());
                sources.insert(Arc::clone(name), running);
            }
        }
    }

    /// Ends every source: what they work with is let go when this returns.
    pub async fn end(&self) {
        let sources = std::mem::take(&mut *self.sources.lock());
        for mut running in sources.into_values() {
            running.tasks.shutdown().await;
        }
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let sources = self.sources.lock();
        sources.get(name).map(|running| running.kind.clone())
    }

    fn stream(&self, name: &str) -> Option<Arc<Stream>> {
        match self.kind(name)? {
            Kind::Stream(stream) => Some(stream),
            Kind::Webhook(_) => None,
        }
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

    /// The most bytes of a report to the webhook of this name; `None`: there is no such webhook.
    #[must_use]
    pub fn webhook_limit(&self, name: &str) -> Option<usize> {
        match self.kind(name)? {
            Kind::Webhook(webhook) => Some(webhook.limit()),
            Kind::Stream(_) => None,
        }
    }

    /// Takes a report that came to the webhook of this name. What it says is kept, and in force, when this returns.
    ///
    /// # Errors
    /// [`Unacceptable`] says what to answer; none: there is no such webhook.
    pub async fn receive_webhook(
        &self,
        name: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<Result<(), Unacceptable>> {
        match self.kind(name)? {
            Kind::Webhook(webhook) => Some(webhook.receive(headers, body).await),
            Kind::Stream(_) => None,
        }
    }

    /// Does what an operator wants with the stream of this name.
    ///
    /// # Errors
    /// [`TransmitterError`]; none: there is no such stream.
    pub async fn act(&self, name: &str, action: Action) -> Option<Result<(), TransmitterError>> {
        let stream = self.stream(name)?;
        Some(stream.act(action).await)
    }

    /// How every source fares.
    #[must_use]
    pub fn report(&self) -> Vec<Report> {
        let sources = self.sources.lock();
        let sources = sources.values().map(|running| match &running.kind {
            Kind::Stream(stream) => stream.report(),
            Kind::Webhook(webhook) => webhook.report(),
        });
        sources.collect()
    }

    /// How long ago each source was last heard of; what was never heard of is as old as the source.
    #[must_use]
    pub fn ages(&self) -> Vec<(Arc<str>, Duration)> {
        let sources = self.sources.lock();
        let reporters = sources.values().map(|running| running.kind.reporter());
        reporters
            .map(|reporter| (Arc::clone(&reporter.name), reporter.age()))
            .collect()
    }
}

impl Kind {
    fn reporter(&self) -> &Reporter {
        match self {
            Self::Stream(stream) => stream.reporter(),
            Self::Webhook(webhook) => webhook.reporter(),
        }
    }
}

impl Running {
    fn start(settings: SourceSettings, context: SignalContext) -> Self {
        let mut tasks = JoinSet::new();
        let kind = match settings {
            SourceSettings::Stream(settings) => {
                let stream = Arc::new(Stream::new(settings, context));
                tasks.spawn(Arc::clone(&stream).keep_up());
                Kind::Stream(stream)
            }
            SourceSettings::Webhook(settings) => {
                Kind::Webhook(Arc::new(Webhook::new(settings, context)))
            }
        };
        kind.reporter().judge_age();
        let watched = kind.clone();
        tasks.spawn(async move { watched.reporter().watch_age().await });
        Self { kind, tasks }
    }

    /// Whether it runs by these settings.
    fn is(&self, settings: &SourceSettings) -> bool {
        match (&self.kind, settings) {
            (Kind::Stream(stream), SourceSettings::Stream(of)) => stream.settings() == of,
            (Kind::Webhook(webhook), SourceSettings::Webhook(of)) => webhook.settings() == of,
            (Kind::Stream(_), SourceSettings::Webhook(_))
            | (Kind::Webhook(_), SourceSettings::Stream(_)) => false,
        }
    }
}
