//! The connections of one worker to one endpoint of an upstream.
//!
//! HTTP/1.1: idle connections, the one used last first, so that those in excess grow old and go. HTTP/2: as few
//! connections as the peer's stream limit allows. Never here: a connection that was upgraded, that is closed, or
//! on which an answer is still being read.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use hyper::client::conn::{http1, http2};
use parking_lot::Mutex;
use tokio::time::Sleep;

use super::connect::{ConnectError, Sender, Streams, connect};
use super::member::Member;
use super::settings::UpstreamProtocol;
use super::table::Upstream;
use super::upload::Upload;

/// One worker's connections to one endpoint.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) upstream: Arc<Upstream>,
    pub(super) member: Arc<Member>,
    kept: Mutex<Kept>,
    /// Held while an HTTP/2 connection is opened, so that calls that come together share it.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    sweeping: bool,
}

/// A connection of HTTP/1.1 that no call uses.
#[derive(Debug)]
pub(super) struct Free {
    pub(super) sender: http1::SendRequest<Upload>,
    /// Ends the wait for an answer, where an earlier call has waited for one: to set it later costs less than a new one.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
struct Idle {
    free: Free,
    since: Instant,
}

#[derive(Debug)]
struct Shared {
    sender: http2::SendRequest<Upload>,
    streams: Arc<Streams>,
    used_at: Instant,
}

/// A connection for one call.
#[derive(Debug)]
pub(super) enum Lease {
    /// This call's alone.
    Http1 { free: Free, reused: bool },
    /// One stream among others.
    Http2 {
        sender: http2::SendRequest<Upload>,
        streams: Arc<Streams>,
        reused: bool,
    },
}

impl Lease {
    /// Whether an earlier call used the connection: its peer may have closed it since.
    pub(super) const fn is_reused(&self) -> bool {
        match self {
            Self::Http1 { reused, .. } | Self::Http2 { reused, .. } => *reused,
        }
    }
}

impl Pool {
    pub(super) fn new(upstream: &Arc<Upstream>, member: &Arc<Member>) -> Arc<Self> {
        Arc::new(Self {
            upstream: Arc::clone(upstream),
            member: Arc::clone(member),
            kept: Mutex::default(),
            opening: tokio::sync::Mutex::new(()),
        })
    }

    /// A connection that is ready for a call: a kept one, else a fresh one, within the connect timeout.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, ConnectError> {
        if let Some(lease) = self.kept_lease() {
            return Ok(lease);
        }
        // Boxed: this is the rare way, and all calls would carry the room for it.
        Box::pin(self.within_timeout(async {
            let _opening = self.opening_if_shared().await;
            match self.kept_lease() {
                Some(lease) => Ok(lease),
                None => self.open().await,
            }
        }))
        .await
    }

    /// A connection that no call has used.
    pub(super) async fn fresh_lease(self: &Arc<Self>) -> Result<Lease, ConnectError> {
        self.within_timeout(self.open()).await
    }

    /// Keeps an HTTP/1.1 connection for the next call, once the answer of this one was read.
    pub(super) fn give_back(self: &Arc<Self>, mut free: Free) {
        if free.sender.is_ready() {
            return self.keep(free);
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            // An answer that was not read to its end closes the connection.
            if free.sender.ready().await.is_ok() {
                pool.keep(free);
            }
        });
    }

    /// Takes a connection that failed out of the pool. Its other streams go on.
    pub(super) fn forget(&self, streams: &Arc<Streams>) {
        let mut kept = self.kept.lock();
        kept.shared
            .retain(|shared| !Arc::ptr_eq(&shared.streams, streams));
    }

    async fn within_timeout(
        &self,
        opening: impl Future<Output = Result<Lease, ConnectError>>,
    ) -> Result<Lease, ConnectError> {
        tokio::time::timeout(self.upstream.settings.connect_timeout, opening)
            .await
            .unwrap_or(Err(ConnectError::Elapsed))
    }

    async fn opening_if_shared(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        match self.upstream.settings.protocol {
            UpstreamProtocol::Http1 => None,
            UpstreamProtocol::Http2 => Some(self.opening.lock().await),
        }
    }

    async fn open(self: &Arc<Self>) -> Result<Lease, ConnectError> {
        // Boxed: this is the rare way, and its state is large.
        match Box::pin(connect(&self.upstream, &self.member)).await? {
            Sender::Http1(sender) => Ok(Lease::Http1 {
                free: Free {
                    sender,
                    timer: None,
                },
                reused: false,
            }),
            Sender::Http2(sender, streams) => {
                let mut kept = self.kept.lock();
                kept.shared.push(Shared {
                    sender: sender.clone(),
                    streams: Arc::clone(&streams),
                    used_at: Instant::now(),
                });
                self.sweep_later(&mut kept);
                Ok(Lease::Http2 {
                    sender,
                    streams,
                    reused: false,
                })
            }
        }
    }

    /// The idle connection used last, or a shared one with room for a stream.
    fn kept_lease(&self) -> Option<Lease> {
        let mut kept = self.kept.lock();
        let timeout = self.upstream.settings.idle_timeout;
        while let Some(Idle { free, since }) = kept.idle.pop() {
            let is_open = free.sender.is_ready() && !free.sender.is_closed();
            if is_open && since.elapsed() < timeout {
                return Some(Lease::Http1 { free, reused: true });
            }
        }
        kept.shared.retain(|shared| !shared.sender.is_closed());
        let shared = kept.shared.iter_mut().find(|shared| shared.has_room())?;
        shared.used_at = Instant::now();
        Some(Lease::Http2 {
            sender: shared.sender.clone(),
            streams: Arc::clone(&shared.streams),
            reused: true,
        })
    }

    fn keep(self: &Arc<Self>, free: Free) {
        let mut kept = self.kept.lock();
        if free.sender.is_closed() || kept.idle.len() >= self.upstream.settings.max_idle {
            return;
        }
        let since = Instant::now();
        kept.idle.push(Idle { free, since });
        self.sweep_later(&mut kept);
    }

    /// Starts the task that closes what nobody used for the idle timeout. It ends with the last connection.
    fn sweep_later(self: &Arc<Self>, kept: &mut Kept) {
        if std::mem::replace(&mut kept.sweeping, true) {
            return;
        }
        let timeout = self.upstream.settings.idle_timeout;
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(timeout).await;
                let swept_all = Weak::upgrade(&pool).is_none_or(|pool| pool.sweep());
                if swept_all {
                    return;
                }
            }
        });
    }

    /// Closes what is too old. Returns whether nothing is left.
    fn sweep(&self) -> bool {
        let timeout = self.upstream.settings.idle_timeout;
        let mut kept = self.kept.lock();
        kept.idle
            .retain(|idle| !idle.free.sender.is_closed() && idle.since.elapsed() < timeout);
        kept.shared.retain(|shared| {
            let in_use = shared.stream_count() > 0 || shared.used_at.elapsed() < timeout;
            !shared.sender.is_closed() && in_use
        });
        kept.sweeping = !(kept.idle.is_empty() && kept.shared.is_empty());
        !kept.sweeping
    }
}

impl Shared {
    fn stream_count(&self) -> usize {
        Arc::strong_count(&self.streams).saturating_sub(1)
    }

    fn has_room(&self) -> bool {
        self.sender.is_ready() && self.stream_count() < self.streams.limit()
    }
}
