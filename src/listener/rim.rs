//! The rim: how many calls a listener bears at once. It may refuse a call; it never admits one.
//!
//! tower's limit gives a place back with the response's head, and its load-shed layer drops the request: neither
//! counts a stream that goes on, nor lets the refusal be recorded. So this is a semaphore, and the refusal is
//! the handler's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::cuttable;
use crate::call::ConnectionFacts;
use crate::call::body::BodyError;
use crate::enforcement::OpenCall;
use crate::gateway::PendingTunnel;

/// Answers calls. One per worker.
pub trait CallHandler: Send + Sync + 'static {
    /// The body of its answers.
    type Body: HttpBody<Data = Bytes, Error = BodyError> + Send + Unpin + 'static;

    /// Answers one call.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Answers one call that is too many: it is refused and recorded, and nothing else.
    fn shed(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Whether an answer's body is in our hands whole, so that its call is over but for its peer's reading.
    fn is_whole(body: &Self::Body) -> bool;

    /// The call that was forwarded for an answer, if there is one: it can be cut while the answer goes out.
    fn open_call(_body: &Self::Body) -> Option<&Arc<OpenCall>> {
        None
    }

    /// Whether there is a resource whose calls may become WebSockets.
    fn has_websockets(&self) -> bool {
        false
    }
}

/// Marks an answer that is in our hands whole. Its call is not under way any more: whoever does not read what it is
/// refused with, as an HTTP/2 peer without a window need not, holds neither a place nor its connection open by that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole;

/// The places of one listener in one worker.
#[derive(Debug)]
pub(super) struct Rim {
    places: Arc<Semaphore>,
}

impl Rim {
    pub(super) fn new(max_concurrent_calls: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(
                max_concurrent_calls.min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    /// Hands a call to its handler, or sheds it. A call keeps its place until its response's last byte is known.
    pub(super) async fn call<H: CallHandler>(
        &self,
        handler: &H,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> Response<Placed<H::Body>> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let mut response = match place {
            Some(_) => handler.handle(request, connection).await,
            None => handler.shed(request, connection).await,
        };
        if let Some(call) = H::open_call(response.body()) {
            cuttable::hand_out(Arc::clone(call));
        }
        if let Some(tunnel) = response.extensions().get::<PendingTunnel>() {
            tunnel.hold(place);
            return response.map(|body| Placed { body, _place: None });
        }
        let is_whole = H::is_whole(response.body());
        if is_whole {
            response.extensions_mut().insert(Whole);
        }
        response.map(|body| Placed {
            body,
            _place: place.filter(|_| !is_whole),
        })
    }
}

/// A body that keeps its call's place until it was read to its end, or is dropped.
#[derive(Debug)]
pub(super) struct Placed<B> {
    body: B,
    _place: Option<OwnedSemaphorePermit>,
}

impl<B: HttpBody + Unpin> HttpBody for Placed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
