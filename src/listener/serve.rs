//! Speaks HTTP on one connection, in the version that ALPN said, until it ends, expires or is drained.
//!
//! Never here: sniffing the version from the bytes, and anything of what the calls mean.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::accept::Drain;
use super::activity::{Activity, Begun, CallGuard, Expired, LINGER};
use super::answer::Counted;
use super::cuttable::{self, Cuttable, Ended, StreamTasks};
use super::rim::Whole;
use super::settings::Limits;
use super::switch::{self, Slot};
use super::watched::{Socket, Watched};
use crate::call::Unreadable;
use crate::gateway::Patience;
use crate::telemetry::ConnectionTrouble as Trouble;

/// The least buffer that hyper takes for HTTP/1.1, and what bodies are read by.
const BUFFER_BYTES: usize = 64 * 1024;
/// HTTP/2 flow control: enough for a fast local network, little enough for many connections.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// HTTP/2: streams that the peer reset before they were accepted; more end the connection (CVE-2023-44487).
const MAX_RESET_STREAMS: usize = 20;
/// HTTP/2: how long an answer to a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The time between two looks whether a connection may be closed.
const PARTING_LOOK: Duration = Duration::from_millis(50);
/// Header fields that hyper reads without an allocation of its own.
const DEFAULT_MAX_HEADERS: usize = 100;

/// What answers the calls of one connection.
#[derive(Debug)]
pub(super) struct Served<S> {
    pub(super) service: S,
    /// Whether HTTP/2 is told that there are WebSockets (RFC 8441 §3).
    pub(super) has_websockets: bool,
}

/// What the calls of one connection share.
struct Shared {
    http2: bool,
    activity: Arc<Activity>,
    /// Where HTTP/1.1 leaves what the connection becomes.
    slot: Slot,
    patience: Patience,
}

impl Shared {
    /// The answer of a call as it goes out. Which call that is, counted from 0; whether it asks for a WebSocket, and the way
    /// to one.
    fn answer<B: Send + 'static>(
        &self,
        mut response: Response<B>,
        (guard, number): (CallGuard, usize),
        (asks, upgrade): (bool, Option<OnUpgrade>),
    ) -> Response<Counted<B>> {
        let calls = &self.activity;
        let forwarded = cuttable::handed_out();
        calls.note_caller(forwarded.as_ref().map(|call| call.basis()));
        let mut guard = Some(guard);
        let switch = switch::take(&mut response, upgrade, self.http2, (&mut guard, calls));
        if let Some(switch) = switch {
            if self.http2 {
                tokio::spawn(switch.run(self.patience.clone()));
            } else {
                *self.slot.lock() = Some(switch);
            }
            return response.map(|body| Counted::new(body, None));
        }
        // An HTTP/2 connection says so by itself. hyper ends one whose request it did not read to its end, and does not
        // say so: the next call on it would be lost.
        let is_last = *self.patience.shutdown.borrow() || calls.in_body.is_of(number);
        let is_last = is_last && !self.http2;
        if asks || is_last {
            switch::say_last(&mut response);
        }
        let is_whole = response.extensions().get::<Whole>().is_some();
        if let Some(guard) = guard.as_mut().filter(|_| is_whole) {
            guard.end();
        }
        let guard = guard.filter(|_| !is_whole);
        let response = response.map(|body| Counted::new(body, guard));
        if !is_whole {
            calls.streams(Arc::downgrade(&response.body().answer()));
        }
        response
    }
}

/// Serves one connection. Returns when it is closed; with what was wrong with it, if its peer was to blame.
pub(super) async fn serve<I, S, B>(
    io: I,
    http2: bool,
    Served {
        service,
        has_websockets,
    }: Served<S>,
    limits: &Limits,
    drain: Drain,
) -> Option<Trouble>
where
    I: AsyncRead + AsyncWrite + Socket + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let activity = Activity::new(http2, Instant::now());
    let patience = Patience {
        write: limits.write_timeout,
        shutdown: drain.shutdown.clone(),
        drain: drain.deadline,
    };
    let shared = Arc::new(Shared {
        http2,
        activity: Arc::clone(&activity),
        slot: Slot::default(),
        patience,
    });
    let of_calls = Arc::clone(&shared);
    let counted = service_fn(move |mut request: Request<Incoming>| {
        let Begun {
            guard,
            refused,
            asks,
            number,
        } = of_calls.activity.begin_call();
        if let Some(reason) = refused {
            request.extensions_mut().insert(Unreadable(reason));
        }
        let upgrade = switch::prepare(&mut request, asks);
        let response = service.call(request);
        let shared = Arc::clone(&of_calls);
        async move {
            let Ok(response) = response.await;
            let call = (guard, number);
            Ok::<_, Infallible>(shared.answer(response, call, (asks, upgrade)))
        }
    });
    let watched = Arc::clone(&activity);
    if http2 {
        let io = TokioIo::new(Watched::http2(io, watched));
        let tasks = StreamTasks(Arc::clone(&activity));
        let mut builder = http2_builder(tasks, limits);
        if has_websockets {
            builder.enable_connect_protocol();
        }
        let connection = builder.serve_connection(io, counted);
        return drive(pin!(connection), &activity, limits, drain.shutdown).await;
    }
    let io = TokioIo::new(Watched::http1(io, watched, limits.request()));
    let connection = http1_builder(limits).serve_connection(io, counted);
    let connection = pin!(connection.with_upgrades());
    let trouble = drive(connection, &activity, limits, drain.shutdown).await;
    let switch = shared.slot.lock().take();
    if let Some(switch) = switch {
        switch.run(shared.patience.clone()).await;
    }
    trouble
}

/// HTTP/1.1. The limits are above ours, so that a request just over ours is answered and recorded by us.
fn http1_builder(limits: &Limits) -> http1::Builder {
    let head_bytes = limits.request().head_bytes().saturating_mul(2);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Activity` holds heads and idle connections to two limits; hyper has one for both.
        .header_read_timeout(None)
        .half_close(false)
        .keep_alive(true)
        .max_header_size(head_bytes)
        .max_buf_size(head_bytes.max(BUFFER_BYTES));
    // A head with more never gets here (`Heads`). Whatever number hyper is told, it fills so much memory for each call.
    if limits.max_headers > DEFAULT_MAX_HEADERS {
        builder.max_headers(limits.max_headers);
    }
    builder
}

fn http2_builder(tasks: StreamTasks, limits: &Limits) -> http2::Builder<StreamTasks> {
    // HPACK counts 32 bytes more for each field (RFC 7541 §4.1).
    let head_bytes = limits.request().head_bytes();
    let list_bytes = head_bytes.saturating_add(limits.max_headers.saturating_mul(32));
    let mut builder = http2::Builder::new(tasks);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_header_list_size(u32::try_from(list_bytes.saturating_mul(2)).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(BUFFER_BYTES)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// A connection of either version.
trait Connection: Future<Output = hyper::Result<()>> {
    /// Takes no new call: `Connection: close` in HTTP/1.1, GOAWAY in HTTP/2.
    fn close(self: Pin<&mut Self>);
}

impl<I, S, B> Connection for http1::UpgradeableConnection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn close(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> Connection for http2::Connection<I, S, E>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn close(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Why [`drive`] stops taking calls.
enum Stop {
    Ended(Ended<hyper::Result<()>>),
    Expired(Expired),
    Drained,
    /// Its last call would be refused now.
    Refused,
}

/// The connection is over. One whose call was cut is reset, however it came to its end.
fn ended<C: Connection>(
    result: Ended<hyper::Result<()>>,
    connection: &Cuttable<Pin<&mut C>>,
    activity: &Activity,
) -> Option<Trouble> {
    if connection.is_cut() {
        activity.abort();
    }
    match result {
        Ended::Itself(Err(error)) => {
            tracing::debug!(%error, "connection ended early");
            activity.is_flooded().then_some(Trouble::FrameFlood)
        }
        Ended::Itself(Ok(())) | Ended::Cut => None,
    }
}

/// Serves a connection to its end. It stays where it is: a future keeps the room of what it was handed.
async fn drive<C: Connection>(
    connection: Pin<&mut C>,
    activity: &Activity,
    limits: &Limits,
    mut shutdown: watch::Receiver<bool>,
) -> Option<Trouble> {
    let mut connection = Cuttable::new(connection);
    let stop = tokio::select! {
        biased;
        stop = until_expired(&mut connection, activity, limits) => stop,
        _ = shutdown.wait_for(|stop| *stop) => Stop::Drained,
    };
    match stop {
        Stop::Ended(result) => return ended(result, &connection, activity),
        Stop::Expired(expired) => match expired {
            Expired::Idle => connection.inner().close(),
            Expired::Silence => return Some(Trouble::HeadTimeout),
            Expired::Blocked => return Some(Trouble::WriteTimeout),
            Expired::GivenUp => return Some(Trouble::TooManyResets),
            // The last two end no connection.
            Expired::Refusal | Expired::Head | Expired::Answers => return None,
        },
        Stop::Drained => {
            if let Some(result) = until_parting(&mut connection, activity, limits).await {
                return ended(result, &connection, activity);
            }
            connection.inner().close();
        }
        Stop::Refused => connection.inner().close(),
    }
    // Calls under way go on to their end; what is left over after them is given up.
    loop {
        match tokio::time::timeout(LINGER, &mut connection).await {
            Err(_elapsed) if !activity.is_quiet_for(LINGER) => {}
            Ok(result) => return ended(result, &connection, activity),
            Err(_elapsed) => return None,
        }
    }
}

/// Drives a connection that is to take no more calls until it may be closed without losing one; or to its end.
async fn until_parting<C: Connection>(
    connection: &mut Cuttable<Pin<&mut C>>,
    activity: &Activity,
    limits: &Limits,
) -> Option<Ended<hyper::Result<()>>> {
    let since = Instant::now();
    while !activity.may_part(since) {
        let driven = until_expired(connection, activity, limits);
        match tokio::time::timeout(PARTING_LOOK, driven).await {
            Ok(Stop::Ended(result)) => return Some(result),
            Ok(_stop) => return None,
            Err(_elapsed) => {}
        }
    }
    None
}

/// Drives a connection until it ends or passes a limit. The timer is set anew only for an earlier limit or when it
/// fires, so that a call costs no timer.
async fn until_expired<C: Connection>(
    connection: &mut Cuttable<Pin<&mut C>>,
    activity: &Activity,
    limits: &Limits,
) -> Stop {
    let mut timer = pin!(tokio::time::sleep(limits.header_timeout));
    poll_fn(|context| {
        if let Poll::Ready(result) = Pin::new(&mut *connection).poll(context) {
            return Poll::Ready(Stop::Ended(result));
        }
        if let Some(last) = activity.take_last() {
            connection.watch(last, context);
        }
        if connection.is_refused() && activity.is_idle_and_of_one() {
            return Poll::Ready(Stop::Refused);
        }
        loop {
            let now = tokio::time::Instant::now();
            let limit = activity.next_limit(limits);
            let due = limit.map_or(now + limits.idle_timeout, |(at, _)| at.into());
            match limit {
                Some((_, Expired::Head)) if due <= now => {
                    activity.refuse_head();
                    if let Poll::Ready(result) = Pin::new(&mut *connection).poll(context) {
                        return Poll::Ready(Stop::Ended(result));
                    }
                    continue;
                }
                Some((_, Expired::Answers)) if due <= now => {
                    let given_up = activity.give_up_answers(limits.write_timeout);
                    if given_up > 0 {
                        tracing::debug!(given_up, "answers that their peer does not take");
                    }
                    continue;
                }
                Some((_, expired)) if due <= now => return Poll::Ready(Stop::Expired(expired)),
                Some(_) | None => {}
            }
            if due < timer.deadline() {
                timer.as_mut().reset(due);
            }
            std::task::ready!(timer.as_mut().poll(context));
            timer.as_mut().reset(due);
        }
    })
    .await
}
