//! [`RecordedBody`]: the body of an answer, which counts its bytes and closes its record when it ends or is cut.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Entry;
use crate::call::Body;
use crate::call::body::BodyError;
use crate::enforcement::OpenCall;
use crate::enforcement::open_calls::{Side, trailers};
use crate::telemetry;
use crate::types::Reason;

/// A body together with the entry of its call. Dropped before its end, it records that the client left.
#[derive(Debug)]
pub struct RecordedBody {
    inner: Body,
    /// `None` for what is not recorded.
    entry: Option<Entry>,
    /// The call that was forwarded for it.
    call: Option<Arc<OpenCall>>,
    /// Counts the call as open.
    gauge: Option<telemetry::OpenCall>,
    /// Whether its last frame, or an error, was handed out.
    ended: bool,
}

/// What a body gives next.
type Next = Option<Result<Frame<Bytes>, BodyError>>;

impl RecordedBody {
    /// Joins the body of an answer of our own with the call's entry.
    #[must_use]
    pub fn new(inner: Body, entry: Entry) -> Self {
        Self::joined(inner, Some(entry), None)
    }

    /// Joins the body of an upstream's answer with its call.
    #[must_use]
    pub fn forwarded(
        inner: Body,
        entry: Entry,
        call: Arc<OpenCall>,
        gauge: telemetry::OpenCall,
    ) -> Self {
        Self::joined(inner, Some(entry), Some((call, gauge)))
    }

    /// A body of an answer that is no decision.
    #[must_use]
    pub fn unrecorded(inner: Body) -> Self {
        Self::joined(inner, None, None)
    }

    fn joined(
        inner: Body,
        entry: Option<Entry>,
        call: Option<(Arc<OpenCall>, telemetry::OpenCall)>,
    ) -> Self {
        let (call, gauge) = call.unzip();
        let mut body = Self {
            inner,
            entry,
            call,
            gauge,
            ended: false,
        };
        if body.inner.is_end_stream() {
            // One that is cut already says so when it is asked for its first frame.
            let _is_cut = body.end().is_err();
        }
        body
    }

    /// Whether all of it is in our hands: no upstream is read for it.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.inner.is_whole()
    }

    /// The call that was forwarded for it.
    #[must_use]
    pub const fn call(&self) -> Option<&Arc<OpenCall>> {
        self.call.as_ref()
    }

    /// The answer is out to its end, unless the call was cut before.
    fn end(&mut self) -> Result<(), Reason> {
        self.call.as_ref().map_or(Ok(()), |call| call.answered())?;
        self.ended = true;
        self.gauge = None;
        if let Some(entry) = &mut self.entry {
            entry.completed();
        }
        Ok(())
    }

    /// The call was cut: nothing of its upstream goes out any more, and the upstream's side is let go of.
    fn cut(&mut self, reason: Reason) -> Next {
        self.ended = true;
        self.gauge = None;
        self.inner = Body::Empty;
        if let Some(entry) = &mut self.entry {
            entry.cut(reason);
        }
        let says = self
            .call
            .as_ref()
            .is_some_and(|call| call.may_say_its_end());
        Some(if says {
            Ok(Frame::trailers(trailers(reason)))
        } else {
            Err(BodyError::Cut)
        })
    }

    fn poll_inner(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        let Some(call) = self.call.as_ref().filter(|_| polled.is_pending()) else {
            return polled;
        };
        std::task::ready!(call.poll_cut(Side::Caller, context));
        // FAIL-CLOSED: whatever it was cut for.
        let reason = call.cut_reason().unwrap_or(Reason::FactsUnavailable);
        Poll::Ready(self.cut(reason))
    }
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Next> {
        if self.ended {
            return Poll::Ready(None);
        }
        let cut = self.call.as_ref().and_then(|call| call.cut_reason());
        if let Some(reason) = cut {
            return Poll::Ready(self.cut(reason));
        }
        let frame = std::task::ready!(self.poll_inner(context));
        if self.ended {
            return Poll::Ready(frame);
        }
        if let Some(entry) = &mut self.entry {
            match &frame {
                Some(Ok(frame)) => entry.sent(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(BodyError::Expired)) => entry.failed(Reason::UpstreamTimeout),
                Some(Err(_)) => entry.broken_off(),
                None => {}
            }
        }
        // A server does not ask again for what it knows to be over: the end is noticed with the last frame.
        let is_last = match &frame {
            None => true,
            Some(Ok(_)) => self.inner.is_end_stream(),
            Some(Err(_)) => false,
        };
        if is_last && let Err(reason) = self.end() {
            return Poll::Ready(self.cut(reason));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for RecordedBody {
    fn drop(&mut self) {
        let ended = self.call.as_ref().map_or(Ok(()), |call| call.answered());
        if let (Err(reason), Some(entry)) = (ended, &mut self.entry) {
            entry.cut(reason);
        }
    }
}
