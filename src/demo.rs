//! Room 13: a whole deployment on one machine, for a person who wants to see it work within a minute.
//!
//! Real parts throughout: a development CA, an issuer with a key set over HTTPS, two sample APIs, and the gateway
//! that `boomgate run` would start on the configuration that is written here. Nothing here is for production.

pub mod callers;
pub mod files;
pub mod guide;
pub mod issuer;
pub mod pki;
pub mod resources;
mod samples;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::clock::{Clock, SystemClock};
use crate::config;
use crate::listener::bind_alone;
use crate::types::{Fault, Timestamp};
use callers::CallerName;
use files::{Addresses, Folder};
use issuer::{Issuer, IssuerError};
use pki::DevelopmentCa;
use resources::SampleApi;

/// How often tokens are made anew; they live a little over an hour.
const TOKEN_REFRESH: Duration = Duration::from_secs(20 * 60);

/// The audience of the HR API.
const HR_AUDIENCE: &str = "e5e5e5e5-0000-4000-8000-000000000005";
/// The audience of the finance API.
const FINANCE_AUDIENCE: &str = "e5e5e5e5-0000-4000-8000-000000000015";

/// Why a demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or folder cannot be written.
    #[error("cannot write the demo's files")]
    Files(#[source] std::io::Error),
    /// A certificate cannot be made.
    #[error("cannot make the demo's certificates")]
    Certificates(#[from] rcgen::Error),
    /// A token or key cannot be made.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A sample server cannot listen.
    #[error("cannot start the demo's servers")]
    Servers(#[source] std::io::Error),
    /// The issuer's TLS cannot be set up.
    #[error("cannot use the demo's certificates")]
    Tls(#[source] crate::listener::TlsError),
    /// The configuration that was written is not one.
    #[error("the demo's configuration has faults: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Configuration(Vec<Fault>),
    /// The gateway does not start.
    #[error(transparent)]
    App(#[from] AppError),
    /// A sample agent is missing.
    #[error("the sample directory has no agent for the caller `{0}`")]
    Caller(&'static str),
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    app: App,
    folder: Arc<Folder>,
    addresses: Addresses,
    tasks: JoinSet<()>,
}

impl Demo {
    /// Writes the demo's files into `dir`, and starts its servers and its gateway.
    ///
    /// # Errors
    /// [`DemoError`]; then nothing runs.
    pub async fn start(
        dir: PathBuf,
        gateway: SocketAddr,
        management: SocketAddr,
    ) -> Result<Self, DemoError> {
        for (name, address) in [("public", gateway), ("management", management)] {
            // Before anything is made: a second demo beside the first should leave nothing behind.
            drop(bind_alone(&name.into(), address).map_err(AppError::Listen)?);
        }
        let folder = Arc::new(Folder::create(dir).map_err(DemoError::Files)?);
        let now = OffsetDateTime::from(std::time::UNIX_EPOCH)
            .saturating_add(time::Duration::seconds(SystemClock.now().as_seconds()));
        write_certificates(&folder, now)?;
        let token_issuer = Arc::new(Issuer::new()?);
        let hr = SampleApi::hr().serve().await.map_err(DemoError::Servers)?;
        let finance = SampleApi::finance()
            .serve()
            .await
            .map_err(DemoError::Servers)?;
        let issuer = server::serve_keys(&token_issuer, folder.path())?;
        let mut addresses = Addresses {
            gateway,
            management,
            issuer,
            hr,
            finance,
        };
        folder.write_samples().map_err(DemoError::Files)?;
        let admin_token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        folder
            .write_secret("admin-token", &admin_token)
            .map_err(DemoError::Files)?;
        let path = folder
            .write_configuration(&addresses)
            .map_err(DemoError::Files)?;

        let (loaded, faults) = config::load(&path, &config::process_environment);
        let loaded = loaded.ok_or_else(|| DemoError::Configuration(faults.sorted()))?;
        let app = App::start(&path, config::process_environment, loaded)?;
        app.keys_asked_for().await;
        if let Some((_, address)) = app.listeners().first() {
            addresses.gateway = *address;
        }
        addresses.management = app.management();
        write_tokens(&app, &token_issuer, &folder, SystemClock.now())?;
        let mut demo = Self {
            app,
            folder,
            addresses,
            tasks: JoinSet::new(),
        };
        demo.keep_tokens_fresh(token_issuer);
        Ok(demo)
    }

    /// The gateway.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of the caller `hr-agent`.
    #[must_use]
    pub fn hr_agent_id(&self) -> String {
        let snapshot = self.app.snapshots().load();
        let mut agents = snapshot.directory.agents();
        let agent =
            agents.find(|agent| agent.display_name.as_ref() == CallerName::HrAgent.as_str());
        agent.map(|agent| agent.id.to_string()).unwrap_or_default()
    }

    /// Where the servers listen.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Drains the gateway and ends.
    ///
    /// # Errors
    /// [`AppError`] if the gateway does not end well.
    pub async fn stop(self) -> Result<(), AppError> {
        let mut tasks = self.tasks;
        tasks.shutdown().await;
        self.app.stop().await
    }

    /// Writes new tokens before the old ones expire.
    fn keep_tokens_fresh(&mut self, issuer: Arc<Issuer>) {
        let folder = Arc::clone(&self.folder);
        let snapshots = Arc::clone(self.app.snapshots());
        self.tasks.spawn(async move {
            loop {
                tokio::time::sleep(TOKEN_REFRESH).await;
                let directory = Arc::clone(&snapshots.load().directory);
                let written = tokens(&directory, &issuer, SystemClock.now())
                    .and_then(|tokens| write_all(&folder, &tokens));
                if let Err(fault) = written {
                    tracing::warn!("tokens not renewed: {fault}");
                }
            }
        });
    }
}

/// A folder that nobody uses yet.
#[must_use]
pub fn fresh_folder() -> PathBuf {
    let name = Uuid::new_v4().simple().to_string();
    std::env::temp_dir().join(format!("boomgate-demo-{}", name.get(..8).unwrap_or("0")))
}

fn write_certificates(folder: &Folder, now: OffsetDateTime) -> Result<(), DemoError> {
    let ca = DevelopmentCa::new(now)?;
    let server = ca.loopback_server(now)?;
    folder
        .write("ca.pem", &ca.certificate_pem())
        .map_err(DemoError::Files)?;
    folder
        .write("tls/server.pem", &server.certificate_pem)
        .map_err(DemoError::Files)?;
    folder
        .write_secret("tls/server.key", &server.key_pem)
        .map_err(DemoError::Files)
}

fn write_tokens(
    app: &App,
    issuer: &Issuer,
    folder: &Folder,
    now: Timestamp,
) -> Result<(), DemoError> {
    let directory = Arc::clone(&app.snapshots().load().directory);
    write_all(folder, &tokens(&directory, issuer, now)?)
}

/// Every caller's token, by its file's name.
fn tokens(
    directory: &crate::identity::Directory,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<Vec<(String, String)>, DemoError> {
    let forger = Issuer::new()?;
    let one = |caller: CallerName| {
        let audience = if caller == CallerName::FinanceAgent {
            FINANCE_AUDIENCE
        } else {
            HR_AUDIENCE
        };
        let claims = caller
            .claims(directory, audience, now)
            .ok_or(DemoError::Caller(caller.as_str()))?;
        let signer = if caller == CallerName::Forged {
            &forger
        } else {
            issuer
        };
        Ok((
            format!("tokens/{}.jwt", caller.as_str()),
            signer.sign(&claims)?,
        ))
    };
    CallerName::ALL.into_iter().map(one).collect()
}

fn write_all(folder: &Folder, tokens: &[(String, String)]) -> Result<(), DemoError> {
    tokens
        .iter()
        .try_for_each(|(name, token)| folder.write_secret(name, token))
        .map_err(DemoError::Files)
}
