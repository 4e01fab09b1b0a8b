//! Asks Microsoft Graph what it knows of agents: their risk and why (`reference/entra.md` §5), again and again.
//!
//! At first all is read, later what has changed. Every replica asks for itself; what is said twice is no news. While Graph
//! does not answer, what it said last stays in force, and grows old. Never here: an answer that could not be read and
//! counts as "no risk".

mod connection;
mod directory;
mod error;
mod list;
mod poll;
pub mod settings;
mod token;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::signals::SignalContext;
use super::status::Source;
use crate::snapshot::Cause;
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalSource};
use crate::types::Timestamp;
pub use error::GraphError;

use connection::Connection;
use list::List;
use settings::GraphSettings;

/// What the directory is called where sources are shown.
const GRAPH_DIRECTORY: &str = "graph_directory";

/// Asks Graph, if the configuration says so. Dropping it ends that.
#[derive(Debug)]
pub struct GraphFeed {
    context: SignalContext,
    running: Mutex<Option<Running>>,
}

/// The tenant that is asked, with its tasks.
#[derive(Debug)]
struct Running {
    tenant: Arc<Tenant>,
    tasks: JoinSet<()>,
}

/// The tenant that is asked.
#[derive(Debug)]
struct Tenant {
    settings: Arc<GraphSettings>,
    context: SignalContext,
    connection: Connection,
    /// The name of what it says.
    source: Arc<str>,
    /// As of when this process knows all that Graph says of risk.
    heard: Mutex<Option<Timestamp>>,
    /// As of when this process knows the directory.
    listed: Mutex<Option<Timestamp>>,
    /// Since when it is asked.
    since: Timestamp,
}

impl GraphFeed {
    /// A feed that asks nobody yet.
    #[must_use]
    pub const fn new(context: SignalContext) -> Self {
        Self {
            context,
            running: Mutex::new(None),
        }
    }

    /// Asks as these settings say: goes on if they are the same, else begins anew; `None` ends it. To be called within a
    /// runtime, at the start and after every reload.
    pub fn follow(&self, settings: Option<&GraphSettings>) {
        let mut running = self.running.lock();
        let known = running.as_ref().map(|running| &*running.tenant.settings);
        if known == settings {
            return;
        }
        if settings.is_none_or(|settings| settings.directory.is_none()) {
            self.context.status.forget(&Source::Graph(GRAPH_DIRECTORY));
        }
        *running = settings.map(|settings| Running::start(settings.clone(), self.context.clone()));
        if running.is_none() {
            for list in List::ALL {
                self.context.status.forget(&Source::Graph(list.name()));
            }
            let source = SignalSource::Graph.as_str().into();
            let cause = Cause::now(ChangeSource::Signal);
            self.context.state.hears_of(&source, true, cause);
        }
    }

    /// Ends it: what it works with is let go when this returns.
    pub async fn end(&self) {
        let running = self.running.lock().take();
        if let Some(mut running) = running {
            running.tasks.shutdown().await;
        }
    }

    /// How long ago it was known what Graph says of risk, and what its directory is; nothing if it is not asked. What was
    /// never heard is as old as the asking.
    #[must_use]
    pub fn ages(&self) -> Vec<(Arc<str>, Duration)> {
        let running = self.running.lock();
        let Some(Running { tenant, .. }) = &*running else {
            return Vec::new();
        };
        let mut ages = vec![(Arc::clone(&tenant.source), tenant.age())];
        if tenant.settings.directory.is_some() {
            let listed = tenant.listed.lock().unwrap_or(tenant.since);
            let age = self.context.clock.now().since(listed);
            ages.push((GRAPH_DIRECTORY.into(), age));
        }
        ages
    }
}

impl Running {
    fn start(settings: GraphSettings, context: SignalContext) -> Self {
        let settings = Arc::new(settings);
        let tenant = Arc::new(Tenant {
            since: context.clock.now(),
            connection: Connection::new(Arc::clone(&settings)),
            settings,
            context,
            source: SignalSource::Graph.as_str().into(),
            heard: Mutex::default(),
            listed: Mutex::default(),
        });
        tenant.judge_age();
        let mut tasks = JoinSet::new();
        for list in List::ALL {
            tasks.spawn(Arc::clone(&tenant).poll(list));
        }
        tasks.spawn(Arc::clone(&tenant).watch_age());
        if let Some(directory) = &tenant.settings.directory {
            tasks.spawn(Arc::clone(&tenant).keep_directory(directory.clone()));
        }
        Self { tenant, tasks }
    }
}

impl Tenant {
    /// As of when it is known what Graph says of risk, here or at another replica, whose words come here too.
    fn last_heard(&self) -> Option<Timestamp> {
        let snapshot = self.context.snapshots.load();
        (*self.heard.lock()).max(snapshot.reported.heard.of(&self.source))
    }

    /// All that Graph said of risk at this time is known here. Says so to those who share the store, and to whoever
    /// comes after a restart, but not each time.
    async fn note_heard(&self, at: Timestamp) -> Result<(), GraphError> {
        let max_age = self.settings.freshness.max_age;
        let is_lately = |known: Timestamp| at.since(known) < max_age / 4;
        let snapshot = self.context.snapshots.load();
        if !snapshot
            .reported
            .heard
            .of(&self.source)
            .is_some_and(is_lately)
        {
            let source = Arc::clone(&self.source);
            let cause = Cause::now(ChangeSource::Signal);
            let said = vec![Entry::Heard { source, at }];
            let kept = self.context.state.keep(cause, said).await;
            kept.map_err(GraphError::Store)?;
        }
        *self.heard.lock() = Some(at);
        self.judge_age();
        Ok(())
    }

    fn age(&self) -> Duration {
        let heard = self.last_heard().unwrap_or(self.since);
        self.context.clock.now().since(heard)
    }

    /// Whether it is known what Graph says of risk.
    fn judge_age(&self) {
        let freshness = self.settings.freshness;
        // FAIL-CLOSED: what was never heard is not fresh, however young.
        let is_fresh = self.last_heard().is_some() && self.age() <= freshness.max_age;
        let is_known = is_fresh || !freshness.required;
        let cause = Cause::now(ChangeSource::Signal);
        self.context.state.hears_of(&self.source, is_known, cause);
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
