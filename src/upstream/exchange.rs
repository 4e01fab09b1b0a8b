//! One request and its answer, sent again only where nothing can have happened twice.
//!
//! A kept connection may have been closed by its peer without our knowing. The call is sent again, once and on a
//! fresh connection, when hyper gives it back unsent, or when its method is idempotent and it has no body
//! (RFC 9110 §9.2.2). By the same rule it goes to another endpoint, within the budget of retries; one that refuses
//! the connection costs nobody anything, and the next is tried at once. Never here: a repetition after a byte of the
//! body was taken, or of a call whose answer is late.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::connect::ConnectError;
use super::lane::{Lane, Seat};
use super::pool::{Lease, Pool};
use super::spare::Spare;
use super::upload::{Progress, Upload};
use crate::call::Body;
use crate::telemetry::UpstreamEvent;
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
    /// The answer that the caller gets unless the call goes well elsewhere.
    #[error("the upstream asks to come again")]
    Unavailable(Box<Response<Body>>),
}

impl ExchangeError {
    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::Connect(error) => error.reason(),
            Self::Elapsed => Reason::UpstreamTimeout,
            Self::Upload(reason) => *reason,
            Self::Http(_) | Self::Unavailable(_) => Reason::UpstreamFailed,
        }
    }

    /// Whether it tells something of the endpoint, and not of the caller or of our limits.
    const fn is_of_the_endpoint(&self) -> bool {
        match self {
            Self::Connect(ConnectError::Full | ConnectError::NoEndpoint) | Self::Upload(_) => false,
            Self::Connect(_) | Self::Elapsed | Self::Http(_) | Self::Unavailable(_) => true,
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

/// Why an attempt came to nothing, and what may be made of it.
struct Failed {
    error: ExchangeError,
    /// The request, where sending it again is as good as once.
    again: Option<Box<Request<Upload>>>,
    /// Whether nothing was sent to anybody, and it took no time: another endpoint may be tried at no cost.
    refused: bool,
}

impl Failed {
    fn for_good(error: ExchangeError) -> Self {
        Self {
            error,
            again: None,
            refused: false,
        }
    }
}

/// Sends a request to one endpoint after the other, as far as that is safe and within the budget, and waits for the
/// head of an answer.
pub(super) async fn exchange(
    lane: &Lane,
    mut request: Box<Request<Upload>>,
) -> Result<Response<Body>, ExchangeError> {
    let live = &lane.upstream.live;
    let rules = &lane.upstream.settings;
    let _call = live.call();
    let mut now = Instant::now();
    let until = now + rules.connect_timeout;
    let mut tried = Vec::new();
    let mut repeated = 0;
    let mut repeating;
    loop {
        let seat = lane.seat(&tried, now).await?;
        let pool = Arc::clone(seat.pool());
        if lane.upstream.has_several_hosts() {
            lane.upstream.address(&mut request, &pool.member);
        }
        let failed = match one_endpoint(&pool, seat, request).await {
            Ok(response) => return Ok(response),
            Err(failed) => failed,
        };
        tried.push(Arc::clone(&pool.member));
        now = Instant::now();
        let Some(again) = failed.again.filter(|_| lane.has_other(&tried)) else {
            return Err(failed.error);
        };
        if failed.refused && now < until {
            live.count(UpstreamEvent::FailedOver);
        } else if repeated < rules.retries.max_per_call {
            repeated = repeated.saturating_add(1);
            // Held until the answer to the repetition has come.
            repeating = live.may_repeat(&rules.retries);
            if repeating.is_none() {
                return Err(failed.error);
            }
        } else {
            return Err(failed.error);
        }
        tracing::debug!(error = %failed.error, "the call goes to another endpoint");
        request = again;
    }
}

/// Sends a request to one endpoint, and notes what that tells of the endpoint.
async fn one_endpoint(
    pool: &Arc<Pool>,
    seat: Seat,
    request: Box<Request<Upload>>,
) -> Result<Response<Body>, Failed> {
    let settings = &pool.upstream.settings;
    let result = on_pool(pool, request).await;
    match &result {
        Ok((response, _)) if !is_gateway_error(response.status()) => pool.member.succeeded(),
        Err(failed) if !failed.error.is_of_the_endpoint() => {}
        Ok(_) | Err(_) => pool.upstream.live.failed(&pool.member, &settings.ejection),
    }
    let (response, again) = result?;
    if settings.retries.on_unavailable && again.is_some() && asks_to_come_again(&response) {
        let error = ExchangeError::Unavailable(Box::new(response.map(|body| body.holding(seat))));
        let failed = Failed {
            error,
            again: again.and_then(Spare::into_request),
            refused: false,
        };
        return Err(failed);
    }
    Ok(response.map(|body| body.holding(seat)))
}

/// An answer's head, and the request where it may be sent once more.
type Answered = (Response<Body>, Option<Spare>);

async fn on_pool(pool: &Arc<Pool>, request: Box<Request<Upload>>) -> Result<Answered, Failed> {
    let progress = Arc::clone(&request.body().progress);
    let lease = match pool.lease().await {
        Ok(lease) => lease,
        Err(error) => return Err(unconnected(error, request)),
    };
    let reused = lease.is_reused();
    let repeatable = Spare::is_possible(&request);
    let may_go_on = pool.upstream.live.members().len() > 1;
    let spare = (repeatable && (reused || may_go_on)).then(|| Spare::of(&request));
    let (error, again) = match attempt(pool, lease, request).await {
        Attempt::Answered(response) => return Ok((response, spare)),
        Attempt::Elapsed => return Err(Failed::for_good(ExchangeError::Elapsed)),
        Attempt::Broken(error, unsent) => (error, unsent.or_else(|| spare?.into_request())),
    };
    let is_harmless = !progress.has_begun() && !error.is_parse() && !error.is_user();
    let Some(again) = again.filter(|_| is_harmless) else {
        return Err(Failed::for_good(failure(error, &progress)));
    };
    if !reused {
        let again = Some(again);
        let error = failure(error, &progress);
        return Err(Failed {
            error,
            again,
            refused: false,
        });
    }
    tracing::debug!(%error, "a kept connection broke, the call goes on a fresh one");
    let lease = match pool.fresh_lease().await {
        Ok(lease) => lease,
        Err(error) => return Err(unconnected(error, again)),
    };
    let spare = (repeatable && may_go_on).then(|| Spare::of(&again));
    match Box::pin(attempt(pool, lease, again)).await {
        Attempt::Answered(response) => Ok((response, spare)),
        Attempt::Elapsed => Err(Failed::for_good(ExchangeError::Elapsed)),
        Attempt::Broken(error, unsent) => {
            let may_repeat = !progress.has_begun() && !error.is_parse() && !error.is_user();
            Err(Failed {
                error: failure(error, &progress),
                again: unsent
                    .or_else(|| spare?.into_request())
                    .filter(|_| may_repeat),
                refused: false,
            })
        }
    }
}

/// No connection: nothing was sent, so the call may go elsewhere, whatever its method.
fn unconnected(error: ConnectError, request: Box<Request<Upload>>) -> Failed {
    Failed {
        refused: matches!(error, ConnectError::Tcp(_)),
        error: error.into(),
        again: Some(request),
    }
}

/// What gateways and servers say that cannot serve anybody now. A `500` is an answer to one call.
const fn is_gateway_error(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}

/// Whether an answer asks for the same call at once (RFC 9110 §10.2.3).
fn asks_to_come_again(response: &Response<Body>) -> bool {
    let after = response.headers().get(RETRY_AFTER);
    response.status() == StatusCode::SERVICE_UNAVAILABLE
        && after.is_some_and(|after| after.as_bytes() == b"0")
}

/// Whose fault a broken exchange is.
fn failure(error: hyper::Error, progress: &Progress) -> ExchangeError {
    match progress.failure() {
        Some(reason) => ExchangeError::Upload(reason),
        None => ExchangeError::Http(error),
    }
}

/// Sends a request on one connection, which goes back to the pool once its answer was read.
async fn attempt(pool: &Arc<Pool>, lease: Lease, request: Box<Request<Upload>>) -> Attempt {
    let progress = Arc::clone(&request.body().progress);
    let timeout = pool.upstream.settings.response_timeout;
    progress.restart();
    match lease {
        Lease::Http1 { mut free, .. } => {
            let sending = pin!(free.sender.try_send_request(*request));
            let attempt = answer(sending, &progress, timeout, &mut free.timer).await;
            // One that was upgraded is no longer HTTP.
            if let Attempt::Answered(response) = &attempt
                && response.status() != StatusCode::SWITCHING_PROTOCOLS
            {
                pool.give_back(free);
            }
            attempt
        }
        Lease::Http2 {
            mut sender,
            streams,
            ..
        } => {
            let sending = pin!(sender.try_send_request(*request));
            match answer(sending, &progress, timeout, &mut None).await {
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
    mut sending: Pin<&mut impl Future<Output = Sent>>,
    progress: &Progress,
    timeout: Duration,
    timer: &mut Option<Pin<Box<Sleep>>>,
) -> Attempt {
    let due = || tokio::time::Instant::from(progress.moved_at() + timeout);
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due())));
    loop {
        timer.as_mut().reset(due());
        let sent = tokio::select! {
            biased;
            sent = sending.as_mut() => Some(sent),
            () = timer.as_mut() => None,
        };
        match sent {
            Some(Ok(response)) => return Attempt::Answered(received(response)),
            Some(Err(mut broken)) => {
                let unsent = broken.take_message().map(Box::new);
                return Attempt::Broken(broken.into_error(), unsent);
            }
            None if due() <= tokio::time::Instant::now() => return Attempt::Elapsed,
            None => {}
        }
    }
}

fn received(mut response: Response<Incoming>) -> Response<Body> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upgrade = hyper::upgrade::on(&mut response);
        return response.map(|_no_body| Body::switched(upgrade));
    }
    response.map(Body::response)
}
