//! One request and its answer on a pooled connection, with one retry where nothing can have happened twice.
//!
//! A kept connection may have been closed by its peer without our knowing. The call is sent again, once and on a
//! fresh connection, when hyper gives it back unsent, or when its method is idempotent and it has no body
//! (RFC 9110 §9.2.2). Never here: a second retry, or one after a byte of the body was taken.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;

use super::connect::ConnectError;
use super::pool::{Lease, Pool};
use super::upload::{Progress, Upload};
use crate::call::Body;
use crate::types::Reason;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error("no connection")]
    Connect(#[from] ConnectError),
    #[error("the upstream did not answer in time")]
    Elapsed,
    #[error("the caller's body ended early")]
    Upload(Reason),
    #[error("the upstream failed")]
    Http(#[source] hyper::Error),
}

impl ExchangeError {
    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::Connect(error) => error.reason(),
            Self::Elapsed => Reason::UpstreamTimeout,
            Self::Upload(reason) => *reason,
            Self::Http(_) => Reason::UpstreamFailed,
        }
    }
}

/// What a connection gave back.
enum Attempt {
    Answered(Response<Body>),
    /// It broke; the request, if it was not sent.
    Broken(hyper::Error, Option<Box<Request<Upload>>>),
    Elapsed,
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn exchange(
    pool: &Arc<Pool>,
    request: Request<Upload>,
) -> Result<Response<Body>, ExchangeError> {
    let progress = Arc::clone(&request.body().progress);
    let lease = pool.lease().await?;
    let reused = lease.is_reused();
    let spare = (reused && is_repeatable(&request)).then(|| copy(&request));
    match attempt(pool, lease, request).await {
        Attempt::Broken(error, unsent)
            if reused && !progress.has_begun() && !error.is_parse() && !error.is_user() =>
        {
            let Some(again) = unsent.map(|request| *request).or(spare) else {
                return Err(failure(error, &progress));
            };
            tracing::debug!(%error, "a kept connection broke, the call goes on a fresh one");
            let lease = pool.fresh_lease().await?;
            finish(Box::pin(attempt(pool, lease, again)).await, &progress)
        }
        attempt => finish(attempt, &progress),
    }
}

fn finish(attempt: Attempt, progress: &Progress) -> Result<Response<Body>, ExchangeError> {
    match attempt {
        Attempt::Answered(response) => Ok(response),
        Attempt::Elapsed => Err(ExchangeError::Elapsed),
        Attempt::Broken(error, _) => Err(failure(error, progress)),
    }
}

/// Whose fault a broken exchange is.
fn failure(error: hyper::Error, progress: &Progress) -> ExchangeError {
    match progress.failure() {
        Some(reason) => ExchangeError::Upload(reason),
        None => ExchangeError::Http(error),
    }
}

/// Sends a request on one connection, which goes back to the pool once its answer was read.
async fn attempt(pool: &Arc<Pool>, lease: Lease, request: Request<Upload>) -> Attempt {
    let progress = Arc::clone(&request.body().progress);
    let timeout = pool.endpoint.settings.response_timeout;
    progress.restart();
    match lease {
        Lease::Http1 { mut sender, .. } => {
            let sending = sender.try_send_request(request);
            let attempt = answer(sending, &progress, timeout).await;
            if matches!(attempt, Attempt::Answered(_)) {
                pool.give_back(sender);
            }
            attempt
        }
        Lease::Http2 {
            mut sender,
            streams,
            ..
        } => {
            let sending = sender.try_send_request(request);
            match answer(sending, &progress, timeout).await {
                Attempt::Answered(response) => {
                    Attempt::Answered(response.map(|body| body.holding(streams)))
                }
                Attempt::Broken(error, unsent) => {
                    if unsent.is_some() || sender.is_closed() {
                        pool.forget(&streams);
                    }
                    Attempt::Broken(error, unsent)
                }
                Attempt::Elapsed => Attempt::Elapsed,
            }
        }
    }
}

/// What hyper returns for a request that may not have been sent.
type Sent = Result<Response<Incoming>, hyper::client::conn::TrySendError<Request<Upload>>>;

/// Waits for the head. The time counts from the last movement of the body, so that a long upload is no timeout.
async fn answer(
    sending: impl Future<Output = Sent>,
    progress: &Progress,
    timeout: Duration,
) -> Attempt {
    let mut sending = pin!(sending);
    loop {
        let due = progress.moved_at() + timeout;
        match tokio::time::timeout_at(due.into(), sending.as_mut()).await {
            Ok(Ok(response)) => return Attempt::Answered(response.map(Body::response)),
            Ok(Err(mut broken)) => {
                let unsent = broken.take_message().map(Box::new);
                return Attempt::Broken(broken.into_error(), unsent);
            }
            Err(_elapsed) if progress.moved_at() + timeout <= Instant::now() => {
                return Attempt::Elapsed;
            }
            Err(_elapsed) => {}
        }
    }
}

/// Whether sending it twice is as good as once.
fn is_repeatable(request: &Request<Upload>) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    );
    idempotent && request.body().is_end_stream()
}

/// The same request without a body.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let progress = Arc::clone(&request.body().progress);
    let mut copy = Request::new(Upload::new(Body::Empty, progress, Duration::ZERO));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    copy
}
