//! [`RecordedBody`]: the body of an answer, which counts its bytes and closes its record when it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Entry;
use crate::call::Body;
use crate::call::body::BodyError;

/// A body together with the entry of its call. Dropped before its end, it records that the client left.
#[derive(Debug)]
pub struct RecordedBody {
    inner: Body,
    /// `None` for what is not recorded.
    entry: Option<Entry>,
}

impl RecordedBody {
    /// Joins the body of an answer with the call's entry.
    #[must_use]
    pub fn new(inner: Body, entry: Entry) -> Self {
        let mut body = Self {
            inner,
            entry: Some(entry),
        };
        body.close_at_end();
        body
    }

    /// A body of an answer that is no decision.
    #[must_use]
    pub const fn unrecorded(inner: Body) -> Self {
        Self { inner, entry: None }
    }

    /// Whether all of it is in our hands: no upstream is read for it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.inner.is_whole()
    }

    /// A server does not ask again for what it knows to be over: the end is noticed with the last frame.
    fn close_at_end(&mut self) {
        if self.inner.is_end_stream()
            && let Some(entry) = &mut self.entry
        {
            entry.completed();
        }
    }
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(entry) = &mut self.entry {
            match &frame {
                Some(Ok(frame)) => entry.sent(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(_)) => entry.broken_off(),
                None => entry.completed(),
            }
        }
        self.close_at_end();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
