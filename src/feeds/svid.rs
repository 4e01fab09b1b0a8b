//! Keeps the gateway's SPIFFE identity fresh: follows the Workload API, and takes an identity away when its time is over.
//!
//! A word of it counts from the next handshake on; connections that are open stay so. While it is silent the last identity
//! stays as long as it is valid. Never here: a handshake with none.

use std::sync::Arc;
use std::time::Duration;

use super::jitter::pause_after;
use super::status::{Source, Status};
use crate::client::workload::{WorkloadError, WorkloadStream};
use crate::clock::Clock;
use crate::spiffe::settings::WorkloadApi;
use crate::spiffe::{Held, Svid, SvidError};
use crate::types::fault::chain;

/// The first and the longest pause after a failure, each up to half longer.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the first word on a stream may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing more need come on a stream, however short a certificate lives.
const LEAST_SILENCE: Duration = Duration::from_secs(10);
/// From one look at the end of the identity to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Follows the Workload API.
#[derive(Debug)]
pub struct SvidFeed {
    settings: WorkloadApi,
    held: Arc<Held>,
    status: Arc<Status>,
    clock: Arc<dyn Clock>,
}

/// Why there is no new identity.
#[derive(Debug, thiserror::Error)]
enum SvidFault {
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error("the Workload API gives no identity to use: {0}")]
    Svid(#[source] SvidError),
    #[error("the Workload API gives a certificate whose time is over")]
    Expired,
    #[error("the Workload API says nothing for {PATIENCE:?}")]
    Silent,
}

impl SvidFeed {
    /// A feed that has asked nobody yet: until it has, the gateway is not ready.
    #[must_use]
    pub fn new(
        settings: WorkloadApi,
        held: Arc<Held>,
        status: Arc<Status>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let feed = Self {
            settings,
            held,
            status,
            clock,
        };
        feed.lacks("no certificate has come from the Workload API yet");
        feed
    }

    /// Follows it until nobody waits for this any more.
    pub async fn follow(self) {
        tokio::join!(self.listen_again_and_again(), self.watch_the_time());
    }

    async fn listen_again_and_again(&self) {
        let mut failures = 0_u32;
        loop {
            let Err(fault) = self.listen(&mut failures).await else {
                continue;
            };
            failures = failures.saturating_add(1);
            let fault = chain(&fault);
            tracing::warn!(%fault, socket = %self.settings.socket.display(), "no new certificate of SPIFFE");
            self.status
                .failed(Source::Spiffe, self.clock.now(), vec![fault]);
            tokio::time::sleep(pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE)).await;
        }
    }

    /// Takes one word after the other from one stream. It ends well when nothing came for so long that a new stream is the
    /// better guess: one that hangs looks like one that has nothing to say.
    async fn listen(&self, failures: &mut u32) -> Result<(), SvidFault> {
        let first = async {
            let mut stream = WorkloadStream::open(&self.settings.socket).await?;
            let message = stream.next().await?;
            Ok::<_, WorkloadError>((stream, message))
        };
        let first = tokio::time::timeout(PATIENCE, first).await;
        let (mut stream, mut message) = first.map_err(|_elapsed| SvidFault::Silent)??;
        loop {
            let remaining = self.take(&message)?;
            *failures = 0;
            let patience = (remaining / 2).max(LEAST_SILENCE);
            match tokio::time::timeout(patience, stream.next()).await {
                Ok(next) => message = next?,
                Err(_elapsed) => return Ok(()),
            }
        }
    }

    /// Uses what a message says from now on; gives for how long it can be used.
    fn take(&self, message: &[u8]) -> Result<Duration, SvidFault> {
        let svid = Svid::of_message(message, self.settings.id.as_ref()).map_err(SvidFault::Svid)?;
        let now = self.clock.now();
        let remaining = svid.leaf.not_after.since(now);
        if remaining.is_zero() {
            return Err(SvidFault::Expired);
        }
        tracing::info!(id = %svid.leaf.id, until = %svid.leaf.not_after, "a certificate of SPIFFE is used");
        self.held.replace(Some(svid));
        self.status.succeeded(Source::Spiffe, now);
        Ok(remaining)
    }

    async fn watch_the_time(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let held = self.held.current();
            if held.is_some_and(|svid| svid.leaf.not_after <= self.clock.now()) {
                // FAIL-CLOSED: no certificate rather than an old one.
                self.held.replace(None);
                self.lacks(
                    "the certificate of the Workload API has expired, and no new one has come",
                );
                tracing::error!("the certificate of SPIFFE has expired, handshakes are refused");
            }
        }
    }

    fn lacks(&self, message: &str) {
        self.status.forget(&Source::Spiffe);
        let messages = vec![message.to_owned()];
        self.status
            .failed(Source::Spiffe, self.clock.now(), messages);
    }
}
