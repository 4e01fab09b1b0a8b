//! A call that has become a WebSocket: its bytes go both ways until one side ends, it is cut, or its time is up.
//!
//! No more is read from one side than the other has room for. A frame of our own is only put where one may begin, and
//! nothing follows it. Never here: what a message says, and a byte of the caller's before its upstream has agreed.

mod flow;

use std::any::Any;
use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;

use self::flow::{Fault, Flow};
use crate::call::websocket::{CloseCode, close_frame};
use crate::call::{OpenLimits, Switched};
use crate::enforcement::OpenCall;
use crate::enforcement::open_calls::Side;
use crate::record::Entry;
use crate::telemetry;
use crate::types::Reason;

/// How long a peer may take for the Close frame that it is sent.
const CLOSE_TIME: Duration = Duration::from_millis(250);
/// How long a peer that was sent one is listened to, so that it gets to read it.
const LINGER: Duration = Duration::from_secs(2);
/// How long one side goes on when the other has ended and nothing moves any more.
const HALF_CLOSED: Duration = Duration::from_secs(10);
/// How long before the end of a drain it is said that it is over.
const FAREWELL_TIME: Duration = Duration::from_secs(1);
/// Where there is no limit: longer than anybody waits.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// A connection to an upstream that is no longer HTTP, with the call that it is of.
#[derive(Debug)]
pub struct Tunnel {
    upstream: Box<Switched>,
    call: Arc<OpenCall>,
    entry: Entry,
    gauge: telemetry::OpenCall,
}

/// A tunnel on its way to the caller's connection: an extension of the answer that says so.
#[derive(Debug, Clone)]
pub struct PendingTunnel(Arc<Mutex<Option<Tunnel>>>);

/// How long the caller's side may hold a tunnel open.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How long the caller may take nothing of what waits for it.
    pub write: Duration,
    /// Says `true` when the gateway stops …
    pub shutdown: watch::Receiver<bool>,
    /// … after which this much time is left.
    pub drain: Duration,
}

/// How the caller's connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Farewell {
    /// As every connection does.
    Close,
    /// At once, and with it all that the caller has not got yet.
    Abort,
}

/// How a tunnel came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Both sides have said all that they had to say.
    Completed,
    CallerLeft,
    UpstreamBroke,
    /// The caller does not take what waits for it.
    Blocked,
    Cut(Reason),
    /// No byte moved for too long, or it took too long in all.
    Expired,
    Drained,
}

impl PendingTunnel {
    /// On the way.
    #[must_use]
    pub(super) fn new(tunnel: Tunnel) -> Self {
        Self(Arc::new(Mutex::new(Some(tunnel))))
    }

    /// Keeps `guard` as long as the tunnel.
    pub fn hold(&self, guard: impl Any + Send + Sync) {
        if let Some(tunnel) = &mut *self.0.lock() {
            tunnel.upstream.hold(guard);
        }
    }

    /// The tunnel, for the one who has the caller's connection.
    #[must_use]
    pub fn take(&self) -> Option<Tunnel> {
        self.0.lock().take()
    }
}

impl Tunnel {
    pub(super) const fn new(
        upstream: Box<Switched>,
        call: Arc<OpenCall>,
        entry: Entry,
        gauge: telemetry::OpenCall,
    ) -> Self {
        Self {
            upstream,
            call,
            entry,
            gauge,
        }
    }

    /// Moves bytes between the caller and the upstream until the end, and says it to both.
    pub async fn run<C>(self, caller: &mut C, patience: Patience) -> Farewell
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        let Self {
            upstream,
            call,
            mut entry,
            gauge,
        } = self;
        let limits = upstream.limits();
        let Ok((upstream, held)) = upstream.open().await else {
            entry.broken_off();
            return Farewell::Abort;
        };
        let mut upstream = TokioIo::new(upstream);
        let mut flows = Flows::new(Instant::now());
        let moving = flows.run(
            caller,
            &mut upstream,
            (&call, &mut entry),
            &limits,
            patience,
        );
        let end = match moving.await {
            // It may have been cut in the last moment.
            End::Completed => call.answered().map_or_else(End::Cut, |()| End::Completed),
            end => end,
        };
        end.note(&mut entry);
        if let (End::Expired, Some(beside)) = (end, &limits.beside) {
            beside.note_expired();
        }
        let Some((code, text)) = end.words() else {
            return end.farewell();
        };
        // FAIL-CLOSED: whatever comes of the words, no byte of the other side goes on.
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        let [.., a, b, c, d] = (high ^ low).to_be_bytes();
        let to_upstream = close_frame(code, text, Some([a, b, c, d]));
        let to_caller = close_frame(code, text, None);
        let (is_said, _) = tokio::join!(
            say(caller, &flows.down, &to_caller),
            say(&mut upstream, &flows.up, &to_upstream),
        );
        // It is over; what follows is courtesy.
        drop((entry, call, gauge));
        if !is_said {
            return Farewell::Abort;
        }
        let listening = async { tokio::join!(until_end(caller), until_end(&mut upstream)) };
        let _heard = tokio::time::timeout(LINGER, listening).await.is_ok();
        drop(held);
        Farewell::Close
    }
}

impl End {
    /// Notes in the record how it ended.
    fn note(self, entry: &mut Entry) {
        match self {
            Self::Completed | Self::Drained => entry.completed(),
            // As it is noted where nobody says otherwise.
            Self::CallerLeft | Self::Blocked => {}
            Self::UpstreamBroke => entry.broken_off(),
            Self::Cut(reason) => entry.cut(reason),
            Self::Expired => entry.failed(Reason::UpstreamTimeout),
        }
    }

    /// What both sides are told, where it is we who end it.
    const fn words(self) -> Option<(CloseCode, &'static str)> {
        match self {
            Self::Cut(reason) => Some((CloseCode::PolicyViolation, reason.as_str())),
            Self::Expired => Some((CloseCode::GoingAway, "timeout")),
            Self::Drained => Some((CloseCode::GoingAway, "shutdown")),
            Self::Completed | Self::CallerLeft | Self::UpstreamBroke | Self::Blocked => None,
        }
    }

    const fn farewell(self) -> Farewell {
        match self {
            Self::Completed | Self::CallerLeft => Farewell::Close,
            Self::UpstreamBroke | Self::Blocked | Self::Cut(_) | Self::Expired | Self::Drained => {
                Farewell::Abort
            }
        }
    }
}

/// Both directions.
#[derive(Debug)]
struct Flows {
    /// From the upstream to the caller.
    down: Flow,
    up: Flow,
}

impl Flows {
    fn new(now: Instant) -> Self {
        Self {
            down: Flow::new(now),
            up: Flow::new(now),
        }
    }

    async fn run<C, U>(
        &mut self,
        caller: &mut C,
        upstream: &mut U,
        (call, entry): (&OpenCall, &mut Entry),
        limits: &OpenLimits,
        patience: Patience,
    ) -> End
    where
        C: AsyncRead + AsyncWrite + Unpin,
        U: AsyncRead + AsyncWrite + Unpin,
    {
        let write = patience.write;
        let mut drained = pin!(drained(patience));
        let mut timer = pin!(tokio::time::sleep(write));
        poll_fn(|context| {
            if call.poll_cut(Side::Caller, context).is_ready() {
                // FAIL-CLOSED: whatever it was cut for.
                let reason = call.cut_reason().unwrap_or(Reason::FactsUnavailable);
                return Poll::Ready(End::Cut(reason));
            }
            let polled = self.poll(caller, upstream, context);
            entry.sent(self.down.take_passed());
            entry.received(self.up.take_passed());
            if polled.is_ready() {
                return polled;
            }
            if drained.as_mut().poll(context).is_ready() {
                return Poll::Ready(End::Drained);
            }
            loop {
                let now = tokio::time::Instant::now();
                let (due, end) = self.next_limit(limits, write);
                let due = due.into();
                if due <= now {
                    return Poll::Ready(end);
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

    /// Moves what can be moved, in both directions.
    fn poll<C, U>(
        &mut self,
        caller: &mut C,
        upstream: &mut U,
        context: &mut Context<'_>,
    ) -> Poll<End>
    where
        C: AsyncRead + AsyncWrite + Unpin,
        U: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.down.is_done()
            && let Poll::Ready(Err(fault)) = self.down.poll(upstream, caller, context)
        {
            return Poll::Ready(match fault {
                Fault::From(error) => {
                    tracing::debug!(%error, "an upstream broke a WebSocket off");
                    End::UpstreamBroke
                }
                Fault::To => self.caller_left(),
            });
        }
        if !self.up.is_done() {
            match self.up.poll(caller, upstream, context) {
                Poll::Ready(Err(Fault::From(_))) => return Poll::Ready(self.caller_left()),
                // It may have more to say, though it hears no more.
                Poll::Ready(Err(Fault::To)) => self.up.give_up(),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        match (self.down.is_done(), self.up.is_done()) {
            (true, true) => Poll::Ready(End::Completed),
            (true, false) | (false, true) | (false, false) => Poll::Pending,
        }
    }

    /// The caller's connection is gone: whether before the end depends on whether the upstream had closed.
    const fn caller_left(&self) -> End {
        if self.down.is_done() || self.down.frames().is_closed() {
            End::Completed
        } else {
            End::CallerLeft
        }
    }

    /// The next limit that it runs into, and what comes then.
    fn next_limit(&self, limits: &OpenLimits, write: Duration) -> (Instant, End) {
        let moved_at = self.down.moved_at().max(self.up.moved_at());
        let (half, end) = match (self.down.is_done(), self.up.is_done()) {
            (true, _) => (true, End::Completed),
            // An upstream that goes on without its caller is not waited for.
            (false, true) => (true, self.caller_left()),
            (false, false) => (false, End::Expired),
        };
        let idle = limits.idle.unwrap_or(FOREVER);
        let idle = if half { idle.min(HALF_CLOSED) } else { idle };
        let mut next = (moved_at + idle, end);
        let until = limits.until.map(|until| (until, End::Expired));
        let blocked = self.down.blocked_since();
        let blocked = blocked.map(|since| (since + write, End::Blocked));
        for other in [until, blocked].into_iter().flatten() {
            if other.0 < next.0 {
                next = other;
            }
        }
        next
    }
}

/// Waits until the gateway stops, and its time is nearly up.
async fn drained(mut patience: Patience) {
    // Its sender is gone when the gateway is.
    let _stops = patience.shutdown.wait_for(|stop| *stop).await.is_ok();
    tokio::time::sleep(patience.drain.saturating_sub(FAREWELL_TIME)).await;
}

/// Says a last frame to a side, if one may be put in there and it takes it in time. Whether the side is at a clean end.
async fn say<W: AsyncWrite + Unpin>(to: &mut W, flow: &Flow, frame: &[u8]) -> bool {
    let saying = async {
        if flow.is_done() {
            return Ok(());
        }
        if !flow.frames().is_closed() {
            to.write_all(frame).await?;
        }
        to.flush().await?;
        to.shutdown().await
    };
    flow.frames().is_between()
        && tokio::time::timeout(CLOSE_TIME, saying)
            .await
            .is_ok_and(|said: io::Result<()>| said.is_ok())
}

/// Reads a side to its end, and throws it away: unread bytes would make the operating system take back what was said.
async fn until_end<R: AsyncRead + Unpin>(from: &mut R) {
    let mut waste = [0; 1024];
    while from.read(&mut waste).await.is_ok_and(|length| length > 0) {}
}
