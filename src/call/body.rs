//! The one body type of the program, so that no type parameter spreads through it.
//!
//! Nothing is buffered: a frame is asked for when the other side has room for it.

mod waiting;

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};

use super::headers;
use waiting::Waiting;

pub use waiting::{Beside, OpenLimits};

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The peer failed or left.
    #[error("the peer's body ended early")]
    Peer(#[source] hyper::Error),
    /// The peer's body stood still for too long.
    #[error("the peer's body stood still for {limit:?}")]
    TooSlow {
        /// The limit.
        limit: Duration,
    },
    /// More bytes came than the limit allows.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Nothing of the upstream's moved for too long, or the call took too long in all.
    #[error("the upstream did not go on in time")]
    Expired,
    /// The call was cut off while it was open.
    #[error("the call was cut off")]
    Cut,
}

/// A body that is streamed from a peer, or one that we wrote ourselves.
#[derive(Debug, Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// Bytes that we hold.
    Full(Bytes),
    /// Bytes of a peer, as they come.
    Streamed(Box<Streamed>),
    /// None: behind the head the connection to the upstream is no longer HTTP.
    Switched(Box<Switched>),
}

/// A connection to an upstream that is no longer HTTP.
#[derive(Debug)]
pub struct Switched {
    upgrade: OnUpgrade,
    limits: OpenLimits,
    held: Held,
}

/// A peer's bytes, up to a limit.
#[derive(Debug)]
pub struct Streamed {
    incoming: Incoming,
    /// The limit in bytes; `u64::MAX` for none.
    limit: u64,
    /// Bytes that went through.
    passed: u64,
    /// The fields behind it that go on: a caller could name an identity in others, and many upstreams merge them into
    /// the headers.
    trailers: Arc<[HeaderName]>,
    /// How long it may take, and the wait for its next frame.
    waiting: Waiting,
    held: Held,
}

/// What lives as long as a body does.
struct Held(Option<Box<dyn Any + Send + Sync>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Held" } else { "Nothing" })
    }
}

impl Body {
    /// Streams a caller's body; more than `limit` bytes end it with [`BodyError::TooLarge`].
    #[must_use]
    pub fn request(incoming: Incoming, limit: u64) -> Self {
        Self::streamed(incoming, limit)
    }

    /// Streams an upstream's body.
    #[must_use]
    pub fn response(incoming: Incoming) -> Self {
        Self::streamed(incoming, u64::MAX)
    }

    /// Lets these fields behind a body go on. Without it none does.
    #[must_use]
    pub fn with_trailers(mut self, allowed: Arc<[HeaderName]>) -> Self {
        if let Self::Streamed(streamed) = &mut self {
            streamed.trailers = allowed;
        }
        self
    }

    /// The end of HTTP on an upstream's connection.
    #[must_use]
    pub fn switched(upgrade: OnUpgrade) -> Self {
        Self::Switched(Box::new(Switched {
            upgrade,
            limits: OpenLimits::default(),
            held: Held(None),
        }))
    }

    fn streamed(incoming: Incoming, limit: u64) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        Self::Streamed(Box::new(Streamed {
            incoming,
            limit,
            passed: 0,
            trailers: Arc::default(),
            waiting: Waiting::default(),
            held: Held(None),
        }))
    }

    /// Whether all of it is in our hands: no peer is read for it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        match self {
            Self::Empty | Self::Full(_) | Self::Switched(_) => true,
            Self::Streamed(_) => false,
        }
    }

    /// Sets how long the call of this answer may be open.
    #[must_use]
    pub fn within(mut self, limits: OpenLimits) -> Self {
        match &mut self {
            Self::Streamed(streamed) => streamed.waiting = Waiting::new(limits),
            Self::Switched(switched) => switched.limits = limits,
            Self::Empty | Self::Full(_) => {}
        }
        self
    }

    /// Keeps `guard` until the body was read to its end, or is dropped. A body that we wrote ourselves drops it at once.
    #[must_use]
    pub fn holding(mut self, guard: impl Any + Send + Sync) -> Self {
        match &mut self {
            Self::Streamed(streamed) => streamed.held.add(guard),
            Self::Switched(switched) => switched.held.add(guard),
            Self::Empty | Self::Full(_) => {}
        }
        self
    }
}

impl Held {
    fn add(&mut self, guard: impl Any + Send + Sync) {
        self.0 = Some(match self.0.take() {
            Some(earlier) => Box::new((earlier, guard)),
            None => Box::new(guard),
        });
    }
}

impl Switched {
    /// Keeps `guard` as long as the connection.
    pub fn hold(&mut self, guard: impl Any + Send + Sync) {
        self.held.add(guard);
    }

    /// How long it may be open.
    #[must_use]
    pub fn limits(&self) -> OpenLimits {
        self.limits.clone()
    }

    /// The connection, and what is kept as long as it.
    ///
    /// # Errors
    /// hyper's, where the connection ended instead.
    pub async fn open(self) -> Result<(Upgraded, impl Any + Send), hyper::Error> {
        Ok((self.upgrade.await?, self.held))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(bytes)
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl Streamed {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(context);
        if self.waiting.is_over(polled.is_ready(), context) {
            self.held = Held(None);
            return Poll::Ready(Some(Err(BodyError::Expired)));
        }
        let Some(frame) = std::task::ready!(polled) else {
            self.held = Held(None);
            return Poll::Ready(None);
        };
        let mut frame = frame.map_err(BodyError::Peer)?;
        if let Some(data) = frame.data_ref() {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.passed = self.passed.saturating_add(length);
            if self.passed > self.limit {
                return Poll::Ready(Some(Err(BodyError::TooLarge { limit: self.limit })));
            }
        }
        if let Some(trailers) = frame.trailers_mut() {
            headers::keep_trailers(trailers, &self.trailers);
            if trailers.is_empty() {
                self.held = Held(None);
                return Poll::Ready(None);
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty | Self::Switched(_) => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Streamed(streamed) => streamed.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Switched(_) => true,
            Self::Full(_) => false,
            Self::Streamed(streamed) => streamed.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty | Self::Switched(_) => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(0)),
            Self::Streamed(streamed) => streamed.incoming.size_hint(),
        }
    }
}
