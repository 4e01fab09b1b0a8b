//! The one body type of the program, so that no type parameter spreads through it.
//!
//! Nothing is buffered: a frame is asked for when the other side has room for it.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::headers;

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
    Streamed(Streamed),
}

/// A peer's bytes, up to a limit.
#[derive(Debug)]
pub struct Streamed {
    incoming: Incoming,
    /// The limit in bytes; `u64::MAX` for none.
    limit: u64,
    /// Bytes that went through.
    passed: u64,
    trailers: Trailers,
    held: Held,
}

/// What becomes of the fields behind a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailers {
    /// They end here: a caller could name an identity in them, and many upstreams merge them into the headers.
    Drop,
    /// They go on, without the names that no trailer may have.
    Pass,
}

/// What lives as long as a body does.
struct Held(Option<Box<dyn Any + Send + Sync>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Held" } else { "Nothing" })
    }
}

impl Body {
    /// Streams a caller's body; more than `limit` bytes end it with [`BodyError::TooLarge`]. Its trailers are dropped.
    #[must_use]
    pub fn request(incoming: Incoming, limit: u64) -> Self {
        Self::streamed(incoming, limit, Trailers::Drop)
    }

    /// Streams an upstream's body, trailers included.
    #[must_use]
    pub fn response(incoming: Incoming) -> Self {
        Self::streamed(incoming, u64::MAX, Trailers::Pass)
    }

    fn streamed(incoming: Incoming, limit: u64, trailers: Trailers) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        Self::Streamed(Streamed {
            incoming,
            limit,
            passed: 0,
            trailers,
            held: Held(None),
        })
    }

    /// Whether all of it is in our hands: no peer is read for it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        match self {
            Self::Empty | Self::Full(_) => true,
            Self::Streamed(_) => false,
        }
    }

    /// Keeps `guard` until the body was read to its end, or is dropped. A body that we wrote ourselves drops it at once.
    #[must_use]
    pub fn holding(self, guard: impl Any + Send + Sync) -> Self {
        match self {
            Self::Streamed(mut streamed) => {
                let guard: Box<dyn Any + Send + Sync> = match streamed.held.0.take() {
                    Some(earlier) => Box::new((earlier, guard)),
                    None => Box::new(guard),
                };
                streamed.held = Held(Some(guard));
                Self::Streamed(streamed)
            }
            written @ (Self::Empty | Self::Full(_)) => written,
        }
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
        let Some(frame) = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(context))
        else {
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
            match self.trailers {
                Trailers::Drop => return Poll::Ready(None),
                Trailers::Pass => headers::clean_trailers(trailers),
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
            Self::Empty => Poll::Ready(None),
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
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Streamed(streamed) => streamed.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(0)),
            Self::Streamed(streamed) => streamed.incoming.size_hint(),
        }
    }
}
