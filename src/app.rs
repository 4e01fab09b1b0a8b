//! Room 12: the composition root. A configuration becomes a running gateway, and a running gateway ends.
//!
//! The only place that knows all rooms and wires the seams between them. Never here: rules, and waiting on the path.

mod control;
mod known;
mod management_tls;
mod opening;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::call::ConnectionFacts;
use crate::clock::{Clock, SystemClock};
use crate::config::Loaded;
use crate::config::settings::Shutdown;
use crate::enforcement::OpenCall;
use crate::feeds::graph::GraphFeed;
use crate::feeds::signals::SignalFeed;
use crate::feeds::{self, KeyFeed, Status, Watch};
use crate::gateway::Gateway;
use crate::listener::tls::TlsInUse;
use crate::listener::{self, CallHandler, ListenError, ListenerHandle, Listeners, Workers};
use crate::record::{DecisionLine, RecordError, RecordedBody, Recorder, RecorderThread};
use crate::snapshot::Snapshots;
use crate::store::StoreError;
use crate::telemetry::{Metrics, MetricsError};

use control::Control;
use known::Known;

/// How long the last records may take at least, however short calls are drained.
const RECORDS_PATIENCE: Duration = Duration::from_secs(5);

/// Looks up one environment variable.
pub type Environment = fn(&str) -> Option<String>;

/// Why a gateway did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A listener cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A listener's certificate, key or CA bundle cannot be used.
    #[error("a listener's certificates cannot be used")]
    Tls(#[source] listener::TlsError),
    /// An upstream's certificates cannot be used.
    #[error("an upstream's settings cannot be used")]
    Upstream(#[source] crate::upstream::UpstreamError),
    /// No key for assertions can be made.
    #[error("decisions cannot be asserted to upstreams")]
    Assertion(#[source] crate::assertion::KeyError),
    /// Records cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Metrics cannot be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Kept state cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread that looks at the traffic cannot be started.
    #[error("the thread of detections cannot be started")]
    Detections(#[source] std::io::Error),
    /// The Workload API is followed from the start on, or never.
    #[error("`spiffe` takes effect at the next start, expected no such section until then")]
    WorkloadApi,
    /// Signals cannot be heard.
    #[error("signals of the operating system cannot be heard")]
    Signals(#[source] std::io::Error),
}

/// A running gateway. Its feeds and its control plane run in the runtime that it was started in.
#[derive(Debug)]
#[must_use = "a gateway that is dropped stops without draining"]
pub struct App {
    listeners: Vec<(Arc<str>, SocketAddr)>,
    /// Those of them that take no connection before the gateway is ready.
    waiting: Vec<Arc<str>>,
    management: SocketAddr,
    recorder: Recorder,
    recorder_thread: RecorderThread,
    keys: Arc<KeyFeed>,
    signals: Arc<SignalFeed>,
    graph: Arc<GraphFeed>,
    status: Arc<Status>,
    snapshots: Arc<Snapshots>,
    workers: Workers,
    stop: watch::Sender<bool>,
    stop_management: watch::Sender<bool>,
    tasks: JoinSet<()>,
    shutdown: Shutdown,
}

impl App {
    /// Starts what was loaded from the configuration at `path`, and follows the files that it names. It takes what was loaded,
    /// so that nobody keeps it once there is something newer.
    ///
    /// # Errors
    /// [`AppError`]; then nothing runs.
    pub fn start(path: &Path, environment: Environment, loaded: Loaded) -> Result<Self, AppError> {
        Self::start_at(path, environment, loaded, Arc::new(SystemClock))
    }

    /// The same, by this clock.
    ///
    /// # Errors
    /// [`AppError`]; then nothing runs.
    pub fn start_at(
        path: &Path,
        environment: Environment,
        loaded: Loaded,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AppError> {
        let settings = &loaded.settings;
        let mut known = Known::read(&loaded, clock, Metrics::new()?)?;
        let metrics = Arc::clone(&known.metrics);
        let (recorder, recorder_thread) = Recorder::start(&settings.records, Arc::clone(&metrics))?;
        let shared = known.shared(&loaded, &recorder);
        let (detections, looked_for) = known.detections(&loaded, &recorder)?;
        let mut tasks = JoinSet::new();
        known.follow(&loaded, &mut tasks);
        let Known {
            snapshots,
            status,
            held,
            state,
            signals,
            graph,
            keys,
            clock,
            ..
        } = known;
        let management_tls = management_tls::load(&settings.management, &held)?;
        let (stop, stopped) = watch::channel(false);
        let (reloads, asked) = feeds::reload::channel();
        let sockets = Listeners::bind(&settings.listeners, workers(&loaded), &metrics, &held)?;
        let (handles, closed) = (sockets.handles(), sockets.closed()?);
        let watched = loaded.files.iter().cloned().collect();
        let control = Control {
            path: path.to_owned(),
            environment,
            shared: shared.clone(),
            state: Arc::clone(&state),
            signals: Arc::clone(&signals),
            graph: Arc::clone(&graph),
            metrics,
            status: Arc::clone(&status),
            held,
            listeners: sockets.handles(),
            management_tls: Arc::new(TlsInUse::new(management_tls)),
            management: Arc::new(ArcSwap::from_pointee(settings.management.clone())),
            started: settings.clone(),
            current: settings.clone(),
            directory: loaded.directory,
            files: loaded.files,
            folders: Arc::new(ArcSwap::from_pointee(control::folders(settings))),
            reloads,
            looked_for,
        };
        let (stop_management, management_stopped) = watch::channel(false);
        let management = control.serve_management(&mut tasks, management_stopped)?;
        keys.follow();
        snapshots.load().upstreams.follow();
        let watch =
            Watch::new(watched, settings.reload_interval, asked).map_err(AppError::Signals)?;
        control.loaded_well();
        tasks.spawn(control.follow(watch));
        tasks.spawn(Arc::clone(&snapshots).free_what_is_replaced());
        tasks.spawn(detections.follow());
        let workers = listener::run(
            sockets,
            move |_worker| Arc::new(Gateway::start(shared.clone())),
            &stopped,
            settings.shutdown.drain_timeout,
        )?;
        opening::begin(&mut tasks, closed, (&snapshots, &status), clock);
        Ok(Self {
            listeners: addresses(&handles),
            waiting: waiting(&handles),
            management,
            recorder,
            recorder_thread,
            keys,
            signals,
            graph,
            status,
            snapshots,
            workers,
            stop,
            stop_management,
            tasks,
            shutdown: settings.shutdown,
        })
    }

    /// Where calls come in: names and addresses, with the ports that were chosen for port 0.
    #[must_use]
    pub fn listeners(&self) -> &[(Arc<str>, SocketAddr)] {
        &self.listeners
    }

    /// Whether a listener takes connections from the start. Others say so in the log when they do.
    #[must_use]
    pub fn listens_at_once(&self, listener: &str) -> bool {
        !self.waiting.iter().any(|waiting| **waiting == *listener)
    }

    /// Where the control plane listens.
    #[must_use]
    pub const fn management(&self) -> SocketAddr {
        self.management
    }

    /// All that decisions read now.
    #[must_use]
    pub const fn snapshots(&self) -> &Arc<Snapshots> {
        &self.snapshots
    }

    /// Follows the decisions from now on.
    #[must_use]
    pub fn decisions(&self) -> broadcast::Receiver<Arc<DecisionLine>> {
        self.recorder.subscribe()
    }

    /// Waits until every issuer was asked for its keys once.
    pub async fn keys_asked_for(&self) {
        self.keys.first_attempts().await;
    }

    /// Stops: says so on `/readyz` for as long as the operator wants, takes no more connections, lets calls under way
    /// end, and writes the last records. The control plane answers until the last call has ended.
    ///
    /// # Errors
    /// [`AppError`] if a worker failed, or records remain unwritten.
    pub async fn stop(self) -> Result<(), AppError> {
        self.status.drain();
        tokio::time::sleep(self.shutdown.delay).await;
        // A worker that has ended needs no word of it.
        self.stop.send_replace(true);
        let (workers, records) = (self.workers, self.recorder_thread);
        let drained = tokio::task::spawn_blocking(move || workers.join()).await;
        self.stop_management.send_replace(true);
        let mut tasks = self.tasks;
        tasks.shutdown().await;
        self.signals.end().await;
        self.graph.end().await;
        drop(self.recorder);
        let patience = self.shutdown.drain_timeout.max(RECORDS_PATIENCE);
        let written = tokio::task::spawn_blocking(move || records.finish(patience)).await;
        if let Ok(drained) = drained {
            drained?;
        }
        if let Ok(written) = written {
            written?;
        }
        Ok(())
    }
}

impl CallHandler for Gateway {
    type Body = RecordedBody;

    fn handle(
        &self,
        request: http::Request<hyper::body::Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> impl Future<Output = http::Response<RecordedBody>> {
        Self::handle(self, request, connection)
    }

    async fn shed(
        &self,
        request: http::Request<hyper::body::Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> http::Response<RecordedBody> {
        Self::shed(self, request, &connection).await
    }

    fn is_whole(body: &RecordedBody) -> bool {
        body.is_whole()
    }

    fn open_call(body: &RecordedBody) -> Option<&Arc<OpenCall>> {
        body.call()
    }

    fn has_websockets(&self) -> bool {
        Self::has_websockets(self)
    }
}

/// Where calls come in, by name.
fn addresses(handles: &[ListenerHandle]) -> Vec<(Arc<str>, SocketAddr)> {
    let of = |handle: &ListenerHandle| (Arc::clone(handle.name()), handle.address());
    handles.iter().map(of).collect()
}

/// The listeners that share their port, by name.
fn waiting(handles: &[ListenerHandle]) -> Vec<Arc<str>> {
    let waiting = handles.iter().filter(|handle| handle.shares_port());
    waiting.map(|handle| Arc::clone(handle.name())).collect()
}

/// One worker per core, unless the operator says otherwise.
fn workers(loaded: &Loaded) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    loaded.settings.workers.unwrap_or_else(cores)
}
