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
    entry: Entry,
}

impl RecordedBody {
    /// Joins the body of an answer with the call's entry.
    #[must_use]
    pub fn new(inner: Body, entry: Entry) -> Self {
        let mut body = Self { inner, entry };
        body.close_at_end();
        body
    }

    /// A server does not ask again for what it knows to be over: the end is noticed with the last frame.
    fn close_at_end(&mut self) {
        if self.inner.is_end_stream() {
            self.entry.completed();
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
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.entry.sent(data.len());
                }
                self.close_at_end();
            }
            Some(Err(_)) => self.entry.broken_off(),
            None => self.entry.completed(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
