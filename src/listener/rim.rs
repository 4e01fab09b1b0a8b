//! The rim: how many calls a listener bears at once. It may refuse a call; it never admits one.
//!
//! tower's limit gives a place back with the response's head, and its load-shed layer drops the request: neither
//! counts a stream that goes on, nor lets the refusal be recorded. So this is a semaphore, and the refusal is
//! the handler's.

use std::future::Future;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use crate::call::{Body, ConnectionFacts};

/// Answers calls. One per worker.
pub trait CallHandler: Send + Sync + 'static {
    /// Answers one call.
    fn handle(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// Answers one call that is too many: it is refused and recorded, and nothing else.
    fn shed(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

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

    /// Hands a call to its handler, or sheds it. A call keeps its place until its response's last byte.
    pub(super) async fn call<H: CallHandler>(
        &self,
        handler: &H,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> Response<Body> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => {
                let response = handler.handle(request, connection).await;
                response.map(|body| body.holding(place))
            }
            Err(_full) => handler.shed(request, connection).await,
        }
    }
}
