//! The control side of a running gateway: it serves management, and turns changed files into the next snapshot.
//!
//! A reload is all or nothing: with one error the last good state stays, and `/readyz`, a metric and the log say so.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{AppError, Environment, management_tls};
use crate::assertion::Signer;
use crate::config::{self, Loaded, ReadDirectory, Settings};
use crate::feeds::detections::InForce;
use crate::feeds::graph::GraphFeed;
use crate::feeds::signals::SignalFeed;
use crate::feeds::{
    Change, KnownState, ReloadError, Reloaded, Reloads, Source, StateFeed, Status, Watch, keep_keys,
};
use crate::gateway::Shared;
use crate::identity::issuers::Issuer;
use crate::identity::{IssuerKeys, Issuers};
use crate::listener::tls::{self, LoadedTls, TlsInUse};
use crate::listener::{self, ListenerHandle};
use crate::management::settings::{Folders, ManagementSettings};
use crate::management::{self, State};
use crate::policy::{PolicyOutcome, PolicyState};
use crate::risk::read::FILE_SOURCE;
use crate::snapshot::{Cause, Snapshot};
use crate::spiffe::Held;
use crate::telemetry::{ChangeSource, Metrics};
use crate::types::fault::chain;
use crate::types::{Fault, Faults, Severity, Timestamp};
use crate::upstream::UpstreamTable;

/// How often files that change while they are read are read again before the next look.
const MAX_READS: usize = 10;

/// What [`config::attempt`] gives.
type Attempt = (Option<Loaded>, Faults, BTreeSet<PathBuf>);

/// The control side's parts.
pub(super) struct Control {
    pub(super) path: PathBuf,
    pub(super) environment: Environment,
    pub(super) shared: Shared,
    pub(super) state: Arc<StateFeed>,
    pub(super) signals: Arc<SignalFeed>,
    pub(super) graph: Arc<GraphFeed>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) status: Arc<Status>,
    /// The identity that SPIFFE's Workload API gives, if one is used.
    pub(super) held: Arc<Held>,
    pub(super) listeners: Vec<ListenerHandle>,
    pub(super) management_tls: Arc<TlsInUse>,
    /// What the running listeners, records and caches were started with.
    pub(super) started: Settings,
    /// The settings in force.
    pub(super) current: Settings,
    /// The directory in force. One of the same files is not read again.
    pub(super) directory: ReadDirectory,
    /// The files and folders that are watched.
    pub(super) files: BTreeSet<PathBuf>,
    /// What the management listener asks of its clients.
    pub(super) management: Arc<ArcSwap<ManagementSettings>>,
    /// The folders that the management API writes.
    pub(super) folders: Arc<ArcSwap<Folders>>,
    /// How it asks for a reload.
    pub(super) reloads: Reloads,
    /// What detections look for.
    pub(super) looked_for: InForce,
}

impl Control {
    /// Starts the management listener; gives its address.
    pub(super) fn serve_management(
        &self,
        tasks: &mut JoinSet<()>,
        stopped: watch::Receiver<bool>,
    ) -> Result<SocketAddr, AppError> {
        let address = self.started.management.address;
        let socket = listener::bind_alone(&"management".into(), address)?;
        let address = socket.local_addr().map_err(AppError::Signals)?;
        let router = management::router(State {
            snapshots: Arc::clone(&self.shared.snapshots),
            reported: Arc::clone(&self.state),
            signals: Arc::clone(&self.signals),
            graph: Arc::clone(&self.graph),
            metrics: Arc::clone(&self.metrics),
            status: Arc::clone(&self.status),
            discovered: Arc::clone(&self.shared.discovered),
            clock: Arc::clone(&self.shared.clock),
            settings: Arc::clone(&self.management),
            folders: Arc::clone(&self.folders),
            authenticator: Arc::clone(&self.shared.authenticator),
            keys: Arc::clone(&self.shared.keys),
            reloads: self.reloads.clone(),
            recorder: self.shared.recorder.clone(),
            detections: Arc::clone(&self.looked_for),
        });
        let tls = Arc::clone(&self.management_tls);
        tasks.spawn(async move {
            if let Err(fault) = listener::serve_management(socket, tls, router, stopped).await {
                tracing::error!(%fault, "management is not served");
            }
        });
        Ok(address)
    }

    /// Reloads whenever a watched file changes or SIGHUP asks for it.
    pub(super) async fn follow(mut self, mut watch: Watch) {
        loop {
            let change = watch.look().await;
            match change {
                Change::None => self.confirm_risk_file(),
                Change::Files => drop(self.reload(&mut watch).await),
                Change::Hangup => {
                    self.shared.recorder.reopen();
                    drop(self.reload(&mut watch).await);
                }
                Change::Asked => {
                    let reloaded = self.reload(&mut watch).await;
                    watch.answer(&reloaded);
                }
            }
            let files = self.files.iter().cloned().collect();
            watch.set(files, self.current.reload_interval);
        }
    }

    /// Everything was loaded, just now.
    pub(super) fn loaded_well(&self) {
        let report_only = PolicyState::EnabledForReportingButNotEnforced;
        let snapshot = self.shared.snapshots.load();
        for policy in snapshot.policies.iter().filter(|p| p.state == report_only) {
            let would_block = PolicyOutcome::ReportOnlyFailure.as_str();
            self.metrics.show_policy_result(&policy.id, would_block);
        }
        let now = self.shared.clock.now();
        self.status.succeeded(Source::Configuration, now);
        self.metrics.config_reload(true, now);
        self.confirm_risk_file();
    }

    /// Something was not loaded, so nothing was changed.
    fn not_loaded(&self, faults: Vec<Fault>) -> Reloaded {
        let now = self.shared.clock.now();
        let messages: Vec<_> = faults.iter().map(ToString::to_string).collect();
        for message in &messages {
            tracing::error!("configuration not reloaded: {message}");
        }
        self.status.failed(Source::Configuration, now, messages);
        self.metrics.config_reload(false, now);
        Err(ReloadError::Refused(faults.into()))
    }

    /// A fault of no file in particular.
    fn fault(&self, message: String) -> Fault {
        Fault {
            file: self.path.to_string_lossy().into(),
            line: 0,
            column: 0,
            member: String::new(),
            message,
            severity: Severity::Error,
        }
    }

    /// The risk file is as it was when it was read, so what it says is as fresh as the last look at it.
    fn confirm_risk_file(&self) {
        let configuration = self.status.of(&Source::Configuration);
        // A reload that failed passed over whatever the file says by now.
        let is_read = configuration.is_some_and(|health| health.fault.is_none());
        if self.current.sources.risk.is_none() {
            self.status.forget(&Source::RiskFile);
        } else if is_read {
            let now = self.shared.clock.now();
            self.status.succeeded(Source::RiskFile, now);
        }
    }

    /// Loads everything anew and swaps it in, or says what is wrong and keeps what there is.
    async fn reload(&mut self, watch: &mut Watch) -> Reloaded {
        let cause = Cause::now(ChangeSource::Configuration);
        let (loaded, faults, files) = match self.read(watch).await {
            Ok(attempt) => attempt,
            Err(message) => return self.not_loaded(vec![self.fault(message)]),
        };
        let applied = match loaded {
            Some(loaded) if !faults.has_errors() => {
                let applied = self.apply(&loaded, cause);
                applied.map_err(|fault| vec![self.fault(chain(&fault))])
            }
            // FAIL-CLOSED: half a configuration is none.
            Some(_) | None => Err(faults.iter().cloned().collect()),
        };
        match applied {
            Ok(()) => {
                for warning in faults.iter() {
                    tracing::warn!("{warning}");
                }
                self.files = files;
                self.loaded_well();
                tracing::info!("configuration reloaded");
                Ok(())
            }
            Err(faults) => {
                // What was tried may be put right, or what is in force put back.
                self.files.extend(files);
                self.not_loaded(faults)
            }
        }
    }

    /// Reads everything. If a file changes meanwhile then again: what was read is partly old and partly new, which is
    /// nothing that anybody wrote.
    async fn read(&self, watch: &mut Watch) -> Result<Attempt, String> {
        for _ in 0..MAX_READS {
            let (path, environment) = (self.path.clone(), self.environment);
            let before = self.directory.clone();
            // Thousands of policies take a while; management and keys go on meanwhile.
            let reading = tokio::task::spawn_blocking(move || {
                config::attempt(&path, &environment, Some(&before))
            });
            let attempt = reading.await.map_err(|fault| fault.to_string())?;
            if !watch.has_changed().await {
                return Ok(attempt);
            }
        }
        Err("the files change while they are read, again and again".to_owned())
    }

    /// Swaps a loaded configuration in: first whatever can fail, then the one pointer that calls read.
    fn apply(&mut self, loaded: &Loaded, cause: Cause) -> Result<(), AppError> {
        let settings = &loaded.settings;
        // FAIL-CLOSED: nobody asks the Workload API, so that there would never be a certificate.
        if settings.spiffe.is_some() && self.started.spiffe.is_none() {
            return Err(AppError::WorkloadApi);
        }
        let before = self.shared.snapshots.load();
        let now = self.shared.clock.now();
        let kept = KnownState::default();
        let next = snapshot(
            loaded,
            &kept,
            (Some(&before), &self.held),
            now,
            &self.metrics,
        )?;
        let management = management_tls::load(&settings.management, &self.held)?;
        let listeners = self.load_listener_tls(settings)?;

        for (handle, tls) in listeners {
            handle.use_tls(tls);
        }
        self.management_tls.replace(management);
        self.management.store(Arc::new(settings.management.clone()));
        self.folders.store(Arc::new(folders(settings)));
        self.shared.meters.bind(&next.resources);
        self.looked_for
            .store(settings.detections.rules.map(Arc::new));
        self.shared.snapshots.update(cause, |current| Snapshot {
            issuers: Arc::new(keep_keys(&next.issuers, &current.issuers)),
            risk: current.risk.with_all_of(FILE_SOURCE, &loaded.risk),
            reported: current.reported.clone(),
            ..next.clone()
        });
        self.shared.keys.follow();
        next.upstreams.follow();
        self.signals.follow(&settings.signals);
        self.graph.follow(settings.graph.as_ref());
        let known = |id: &str| {
            next.directory.agent(id).is_some() || next.directory.agent_user(id).is_some()
        };
        self.shared.discovered.forget(known);
        self.tell_what_waits_for_a_restart(settings);
        self.current = settings.clone();
        self.directory = loaded.directory.clone();
        Ok(())
    }

    /// The TLS of every listener that still has settings, loaded but not used yet.
    fn load_listener_tls(
        &self,
        settings: &Settings,
    ) -> Result<Vec<(&ListenerHandle, LoadedTls)>, AppError> {
        let of = |handle: &ListenerHandle| {
            let mut listeners = settings.listeners.iter();
            listeners
                .find(|listener| listener.name == *handle.name())?
                .tls
                .as_ref()
        };
        let with_tls = self
            .listeners
            .iter()
            .filter_map(|handle| Some((handle, of(handle)?)));
        with_tls
            .map(|(handle, tls)| Ok((handle, tls::load(tls, &self.held).map_err(AppError::Tls)?)))
            .collect()
    }

    /// Sockets, records, caches and workers are set up once.
    fn tell_what_waits_for_a_restart(&self, next: &Settings) {
        let sockets = |settings: &Settings| -> Vec<_> {
            let listeners = settings.listeners.iter();
            listeners
                .map(|l| {
                    let shared = (l.reuse_port, l.tls.is_some());
                    (Arc::clone(&l.name), l.address, l.limits, shared)
                })
                .collect()
        };
        let now = &self.started;
        let waits = [
            ("listeners", sockets(now) != sockets(next)),
            (
                "management.address",
                now.management.address != next.management.address,
            ),
            ("records", now.records != next.records),
            ("tokens", now.tokens != next.tokens),
            ("shutdown", now.shutdown != next.shutdown),
            ("log", now.log != next.log),
            ("store", now.store != next.store),
            (
                "detections.queue",
                now.detections.queue != next.detections.queue,
            ),
            ("spiffe", now.spiffe != next.spiffe),
            ("workers", now.workers != next.workers),
        ];
        for (setting, _) in waits.iter().filter(|(_, changed)| *changed) {
            tracing::warn!("`{setting}` has changed; that takes effect at the next start");
        }
    }
}

/// A snapshot of what was loaded, with the state that was kept. Only issuers whose keys are in a file have keys yet.
pub(super) fn snapshot(
    loaded: &Loaded,
    kept: &KnownState,
    (before, held): (Option<&Snapshot>, &Arc<Held>),
    now: Timestamp,
    metrics: &Metrics,
) -> Result<Snapshot, AppError> {
    let settings = &loaded.settings;
    let sign = |settings| {
        let signer = before.and_then(|before| before.assertions.as_deref());
        let signer = Signer::new(settings, signer, now).map_err(AppError::Assertion);
        signer.map(Arc::new)
    };
    let none = UpstreamTable::default();
    let known = before.map_or(&none, |before| &before.upstreams);
    let upstreams = UpstreamTable::load(&settings.upstreams, metrics, held, known);
    let issuers = settings.issuers.iter().map(|settings| Issuer {
        settings: Arc::new(settings.clone()),
        keys: loaded.keys.get(&settings.name).map(|set| {
            Arc::new(IssuerKeys {
                set: set.clone(),
                loaded_at: now,
            })
        }),
    });
    Ok(Snapshot {
        generation: Arc::clone(&loaded.generation),
        resources: Arc::clone(&settings.resources),
        issuers: Arc::new(Issuers::new(issuers.collect())),
        directory: Arc::clone(&loaded.directory),
        policies: Arc::clone(&loaded.policies),
        countries: loaded.countries.clone(),
        risk: kept.risk.with_all_of(FILE_SOURCE, &loaded.risk),
        reported: kept.reported.clone(),
        decisions: settings.decisions,
        responses: Arc::new(settings.responses.clone()),
        assertions: settings.assertions.as_ref().map(sign).transpose()?,
        upstreams: Arc::new(upstreams.map_err(AppError::Upstream)?),
    })
}

/// The folders that the management API writes.
pub(super) fn folders(settings: &Settings) -> Folders {
    let sources = &settings.sources;
    Folders {
        policies: sources.policies.clone(),
        on_unsupported: sources.on_unsupported,
        named_locations: sources.named_locations.clone(),
        directory: sources.directory.clone(),
    }
}
