//! An answer's body on its way to the peer: its call is under way until the last byte was handed over, and it is let
//! go of when the peer does not take it.
//!
//! An HTTP/2 peer that opens no window makes nobody ask for the body, so nothing that waits inside of it can end it.
//! Therefore the connection can reach it from outside.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use super::activity::{Answer, CallGuard};

/// The most that is handed over at a time: a slow peer takes as much in the time that it has.
const MAX_FRAME_BYTES: usize = 16 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The peer took nothing of an answer for too long.
#[derive(Debug, thiserror::Error)]
#[error("the peer did not take the answer in time")]
struct GivenUp;

/// A response's body.
#[derive(Debug)]
pub(super) struct Counted<B>(Arc<Slot<B>>);

struct Slot<B>(Mutex<Content<B>>);

impl<B> fmt::Debug for Slot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

struct Content<B> {
    /// `None` once it was given up.
    body: Option<B>,
    call: Option<CallGuard>,
    /// What is left of a large frame.
    rest: Bytes,
    waits_since: Option<Instant>,
}

impl<B> Counted<B> {
    /// The body of a call; none is under way for an answer that is in our hands whole.
    pub(super) fn new(body: B, call: Option<CallGuard>) -> Self {
        Self(Arc::new(Slot(Mutex::new(Content {
            body: Some(body),
            call,
            rest: Bytes::new(),
            waits_since: None,
        }))))
    }
}

impl<B: Send + 'static> Counted<B> {
    /// The answer as its connection sees it.
    pub(super) fn answer(&self) -> Arc<dyn Answer> {
        Arc::<Slot<B>>::clone(&self.0)
    }
}

impl<B: Send> Answer for Slot<B> {
    fn waits_since(&self) -> Option<Instant> {
        self.0.lock().waits_since
    }

    fn give_up(&self) {
        let mut content = self.0.lock();
        content.waits_since = None;
        let (body, call) = (content.body.take(), content.call.take());
        // What a body holds may look at the connection when it ends.
        drop(content);
        drop((body, call));
    }
}

impl<B> Body for Counted<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.0.lock().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let content = self.0.0.lock();
        let body = content.body.as_ref();
        content.rest.is_empty() && body.is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let content = self.0.0.lock();
        match content.body.as_ref().map(Body::size_hint) {
            Some(hint) if content.rest.is_empty() => hint,
            Some(_) | None => SizeHint::default(),
        }
    }
}

impl<B> Content<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.waits_since = None;
        if self.rest.is_empty() {
            let Some(body) = &mut self.body else {
                return Poll::Ready(Some(Err(GivenUp.into())));
            };
            let frame = match std::task::ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => {
                    self.end();
                    return Poll::Ready(ended.map(|frame| frame.map_err(Into::into)));
                }
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => {
                    self.end();
                    return Poll::Ready(Some(Ok(trailers)));
                }
            }
        }
        let length = self.rest.len().min(MAX_FRAME_BYTES);
        let part = self.rest.split_to(length);
        if self.rest.is_empty() && self.body.as_ref().is_some_and(Body::is_end_stream) {
            self.end();
        } else {
            self.waits_since = Some(Instant::now());
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    /// The answer was handed over to its end, or failed on our side.
    fn end(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.end();
        }
    }
}
