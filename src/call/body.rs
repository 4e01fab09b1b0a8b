//! The one body type of the program, so that no type parameter spreads through it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The peer failed or left.
    #[error("the peer's body ended early")]
    Peer(#[source] hyper::Error),
    /// More bytes came than the limit allows.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// A body that is streamed from a peer, or one that we wrote ourselves. Nothing is buffered.
#[derive(Debug, Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// Bytes that we hold.
    Full(Bytes),
    /// Bytes of a peer, as they come, up to a limit.
    Streamed {
        /// hyper's side of the stream.
        incoming: Incoming,
        /// The limit in bytes; `u64::MAX` for none.
        limit: u64,
        /// Bytes that went through.
        passed: u64,
    },
}

impl Body {
    /// Streams a peer's body; more than `limit` bytes end it with [`BodyError::TooLarge`].
    #[must_use]
    pub const fn streamed(incoming: Incoming, limit: u64) -> Self {
        Self::Streamed {
            incoming,
            limit,
            passed: 0,
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
            Self::Streamed {
                incoming,
                limit,
                passed,
            } => {
                let Some(frame) = std::task::ready!(Pin::new(incoming).poll_frame(context)) else {
                    return Poll::Ready(None);
                };
                let frame = frame.map_err(BodyError::Peer)?;
                if let Some(data) = frame.data_ref() {
                    *passed = passed.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                    if *passed > *limit {
                        return Poll::Ready(Some(Err(BodyError::TooLarge { limit: *limit })));
                    }
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Streamed { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(0)),
            Self::Streamed { incoming, .. } => incoming.size_hint(),
        }
    }
}
