//! A request's body on its way to an upstream, watched: whether it was touched, when it moved last, why it ended. A
//! caller that lets it stand still while the upstream waits has only so much time.
//!
//! hyper reports a body that fails as one error among others, and a retry must know that no byte has left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Sleep;

use crate::call::{Body, BodyError};
use crate::enforcement::OpenCall;
use crate::enforcement::open_calls::Side;
use crate::types::Reason;

/// What is known of an upload, beside it.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    begun: bool,
    moved_at: Instant,
    failed: Option<Reason>,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            begun: false,
            moved_at: Instant::now(),
            failed: None,
        })))
    }

    /// Starts the clock of a request that is about to be sent.
    pub(super) fn restart(&self) {
        self.0.lock().moved_at = Instant::now();
    }

    /// Whether a byte of the body was taken from the caller.
    pub(super) fn has_begun(&self) -> bool {
        self.0.lock().begun
    }

    /// When the body moved last, or the request was sent.
    pub(super) fn moved_at(&self) -> Instant {
        self.0.lock().moved_at
    }

    /// Why the caller's side of the body ended early, if it did.
    pub(super) fn failure(&self) -> Option<Reason> {
        self.0.lock().failed
    }
}

/// The body that is handed to hyper.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    pub(super) progress: Arc<Progress>,
    /// How long the body may stand still, and the timer of it while it does.
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// The call that it is of: when that is cut, this ends, whatever else of the call goes on.
    call: Option<Arc<OpenCall>>,
}

impl Upload {
    pub(super) fn new(body: Body, progress: Arc<Progress>, timeout: Duration) -> Self {
        Self {
            body,
            progress,
            timeout,
            timer: None,
            call: None,
        }
    }

    /// The same, of a call that can be cut.
    pub(super) fn of(mut self, call: Option<Arc<OpenCall>>) -> Self {
        self.call = call;
        self
    }

    /// The next frame, as long as the call is not cut.
    fn poll_uncut(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(call) = self.call.clone() else {
            return self.poll_in_time(context);
        };
        if !call.is_cut() {
            let polled = self.poll_in_time(context);
            if polled.is_ready() {
                return polled;
            }
            std::task::ready!(call.poll_cut(Side::Upload, context));
        }
        // The caller's side is let go of at once.
        self.body = Body::Empty;
        Poll::Ready(Some(Err(BodyError::Cut)))
    }

    /// The next frame, or that it did not come in time.
    fn poll_in_time(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.timer = None;
            return polled;
        }
        let timeout = self.timeout;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        std::task::ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyError::TooSlow { limit: timeout })))
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = std::task::ready!(self.poll_uncut(context));
        let mut state = self.progress.0.lock();
        state.begun = true;
        state.moved_at = Instant::now();
        match &polled {
            Some(Err(BodyError::TooLarge { .. })) => state.failed = Some(Reason::BodyTooLarge),
            Some(Err(BodyError::TooSlow { .. })) => state.failed = Some(Reason::RequestTimeout),
            Some(Err(BodyError::Peer(_))) => state.failed = Some(Reason::RequestMalformed),
            Some(Ok(_) | Err(BodyError::Cut | BodyError::Expired)) | None => {}
        }
        drop(state);
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
