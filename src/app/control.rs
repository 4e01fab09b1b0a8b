//! The control side of a running gateway: it serves management, and turns changed files into the next snapshot.
//!
//! A reload is all or nothing: with one error the last good state stays, and `/readyz`, a metric and the log say so.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{AppError, Environment, load};
use crate::config::{Loaded, Settings};
use crate::feeds::{Change, Source, Status, Watch, keep_keys};
use crate::gateway::Shared;
use crate::identity::issuers::Issuer;
use crate::identity::Issuers;
use crate::listener::settings::{ClientCertificates, ServerTls};
use crate::listener::{self, ListenerHandle, tls};
use crate::management::settings::ManagementSettings;
use crate::management::{self, State};
use crate::risk::RiskTable;
use crate::snapshot::Snapshot;
use crate::store::{StateStore, StoreError};
use crate::telemetry::Metrics;
use crate::upstream::UpstreamTable;

/// The control side's parts.
pub(super) struct Control {
    pub(super) path: PathBuf,
    pub(super) environment: Environment,
    pub(super) shared: Shared,
    pub(super) store: Arc<dyn StateStore>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) status: Arc<Status>,
    pub(super) listeners: Vec<ListenerHandle>,
    pub(super) management_tls: Arc<ArcSwap<ServerConfig>>,
    /// What the running listeners, records and caches were started with.
    pub(super) settings: Settings,
}

impl Control {
    /// Starts the management listener; gives its address.
    pub(super) fn serve_management(
        &self,
        tasks: &mut JoinSet<()>,
        stopped: watch::Receiver<bool>,
    ) -> Result<SocketAddr, AppError> {
        let settings = self.settings.management.clone();
        let socket = listener::bind_alone(&"management".into(), settings.address)?;
        let address = socket.local_addr().map_err(AppError::Signals)?;
        let router = management::router(State {
            snapshots: Arc::clone(&self.shared.snapshots),
            store: Arc::clone(&self.store),
            metrics: Arc::clone(&self.metrics),
            status: Arc::clone(&self.status),
            discovered: Arc::clone(&self.shared.discovered),
            clock: Arc::clone(&self.shared.clock),
            settings: Arc::new(settings),
        });
        let tls = Arc::clone(&self.management_tls);
        tasks.spawn(listener::serve_management(socket, tls, router, stopped));
        Ok(address)
    }

    /// Reloads whenever a watched file changes or SIGHUP asks for it.
    pub(super) async fn follow(mut self, mut watch: Watch) {
        loop {
            let change = watch.changed().await;
            if change == Change::Hangup {
                self.shared.recorder.reopen();
            }
            if let Some(loaded) = self.reload() {
                watch.set_paths(loaded.watched);
            }
        }
    }

    /// Loads everything anew and swaps it in, or keeps what there is.
    fn reload(&mut self) -> Option<Loaded> {
        let now = self.shared.clock.now();
        match load(&self.path, self.environment).and_then(|loaded| self.apply(loaded)) {
            Ok(loaded) => {
                self.status.succeeded(Source::Configuration, now);
                self.metrics.config_reload(true, now);
                tracing::info!(generation = %loaded.generation, "configuration reloaded");
                Some(loaded)
            }
            Err(fault) => {
                let messages = messages(&fault);
                for message in &messages {
                    tracing::error!("configuration not reloaded: {message}");
                }
                self.status.failed(Source::Configuration, now, messages);
                self.metrics.config_reload(false, now);
                None
            }
        }
    }

    /// Swaps a loaded configuration in: first what can fail, then the one pointer that calls read.
    fn apply(&mut self, loaded: Loaded) -> Result<Loaded, AppError> {
        let next = first_snapshot(&loaded, self.store.as_ref())?;
        let management = tls::load(&server_tls(&loaded.settings.management))
            .map_err(AppError::ManagementTls)?;
        for handle in &self.listeners {
            let settings = loaded.settings.listeners.iter().find(|l| &l.name == handle.name());
            if let Some(tls) = settings.and_then(|listener| listener.tls.as_ref()) {
                handle.reload(tls).map_err(AppError::ManagementTls)?;
            }
        }
        self.management_tls.store(management);
        self.shared.meters.bind(&next.resources);
        self.shared.snapshots.update(|current| Snapshot {
            issuers: Arc::new(keep_keys(&next.issuers, &current.issuers)),
            ..next.clone()
        });
        self.shared.keys.follow();
        self.shared.discovered.forget(|id| next.directory.agent(id).is_some());
        self.tell_what_waits_for_a_restart(&loaded.settings);
        Ok(loaded)
    }

    /// Listeners' addresses, records and workers are set up once.
    fn tell_what_waits_for_a_restart(&self, next: &Settings) {
        let addresses = |settings: &Settings| {
            settings.listeners.iter().map(|l| (Arc::clone(&l.name), l.address)).collect::<Vec<_>>()
        };
        let waits = [
            ("listeners", addresses(&self.settings) != addresses(next)),
            ("management.address", self.settings.management.address != next.management.address),
            ("records", self.settings.records != next.records),
            ("tokens", self.settings.tokens != next.tokens),
            ("workers", self.settings.workers != next.workers),
        ];
        for (setting, _) in waits.iter().filter(|(_, changed)| *changed) {
            tracing::warn!("`{setting}` has changed; that takes effect at the next start");
        }
    }
}

/// A snapshot of what was loaded, with the risk that was kept. Its issuers have no keys yet.
pub(super) fn first_snapshot(loaded: &Loaded, store: &dyn StateStore) -> Result<Snapshot, AppError> {
    let settings = &loaded.settings;
    let issuers = settings.issuers.iter().map(|settings| Issuer {
        settings: Arc::new(settings.clone()),
        keys: None,
    });
    Ok(Snapshot {
        generation: Arc::clone(&loaded.generation),
        resources: Arc::clone(&settings.resources),
        issuers: Arc::new(Issuers::new(issuers.collect())),
        directory: Arc::clone(&loaded.directory),
        policies: Arc::clone(&loaded.policies),
        risk: with_kept(&loaded.risk, store)?,
        decisions: settings.decisions,
        responses: Arc::new(settings.responses.clone()),
        upstreams: Arc::new(UpstreamTable::new(&settings.upstreams).map_err(AppError::Upstream)?),
    })
}

/// The risk file's word, except where the management API said something newer.
fn with_kept(file: &RiskTable, store: &dyn StateStore) -> Result<RiskTable, StoreError> {
    let kept = store.all()?;
    Ok(kept.into_iter().fold(file.clone(), |table, entry| {
        let newer = table.get(&entry.id).is_none_or(|old| old.last_modified <= entry.last_modified);
        if newer { table.with(entry) } else { table }
    }))
}

/// The management listener's TLS, which a reload swaps.
pub(super) fn management_tls(
    settings: &ManagementSettings,
) -> Result<Arc<ArcSwap<ServerConfig>>, AppError> {
    let config = tls::load(&server_tls(settings)).map_err(AppError::ManagementTls)?;
    Ok(Arc::new(ArcSwap::new(config)))
}

fn server_tls(settings: &ManagementSettings) -> ServerTls {
    ServerTls {
        certificate_file: settings.certificate_file.clone(),
        key_file: settings.key_file.clone(),
        client_certificates: ClientCertificates::Off,
        allow_tls12: false,
    }
}

/// One line per fault, as an operator reads them.
fn messages(fault: &AppError) -> Vec<String> {
    match fault {
        AppError::Configuration(faults) => faults.iter().map(ToString::to_string).collect(),
        other => {
            let causes = std::iter::successors(Some(other as &dyn std::error::Error), |e| e.source());
            vec![causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")]
        }
    }
}
