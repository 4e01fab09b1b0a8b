//! What goes on on one connection, as far as its time limits need to know: calls under way, a head that has
//! begun, the last byte written.
//!
//! hyper's own limit on a head also runs while a kept-alive connection waits for its next call, so that it cannot
//! tell a slow head from an idle connection. Here they are two limits. Never here: closing anything.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::settings::Limits;
use crate::enforcement::OpenCall;

/// The shared state of one connection's activity.
#[derive(Debug)]
pub(super) struct Activity {
    /// Whether bytes outside a call are the beginning of a head. In HTTP/2 they may be a ping as well.
    bytes_begin_a_head: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    calls: usize,
    /// When the last call ended, or the connection began.
    idle_since: Instant,
    /// When the head that is being read began.
    head_since: Option<Instant>,
    last_write: Instant,
    aborted: bool,
    /// HTTP/2: the last call that is over.
    last: Option<Arc<OpenCall>>,
}

/// Which limit a connection has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// The time for a head.
    Head,
    /// The time without a call.
    Idle,
}

impl Activity {
    /// A connection that has just begun. Its first head is due from now on.
    pub(super) fn new(http2: bool, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            bytes_begin_a_head: !http2,
            state: Mutex::new(State {
                calls: 0,
                idle_since: now,
                head_since: Some(now),
                last_write: now,
                aborted: false,
                last: None,
            }),
        })
    }

    /// Notes a call; it ends when the guard is dropped.
    pub(super) fn begin_call(self: &Arc<Self>) -> CallGuard {
        let mut state = self.state.lock();
        state.calls = state.calls.saturating_add(1);
        state.head_since = None;
        drop(state);
        CallGuard(Arc::clone(self))
    }

    /// The next limit that the connection runs into, and when; `None` while a call is under way.
    pub(super) fn next_limit(&self, limits: &Limits) -> Option<(Instant, Expired)> {
        let state = self.state.lock();
        if state.calls > 0 {
            return None;
        }
        let idle = (state.idle_since + limits.idle_timeout, Expired::Idle);
        let head = state
            .head_since
            .map(|since| (since + limits.header_timeout, Expired::Head));
        Some(head.filter(|head| head.0 < idle.0).unwrap_or(idle))
    }

    /// Whether no call is under way and nothing was written for this long.
    pub(super) fn is_quiet_for(&self, time: Duration) -> bool {
        let state = self.state.lock();
        state.calls == 0 && state.last_write.elapsed() >= time
    }

    /// Whether no call is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.state.lock().calls == 0
    }

    /// A call of an HTTP/2 connection is over.
    pub(super) fn note_last(&self, call: Arc<OpenCall>) {
        self.state.lock().last = Some(call);
    }

    /// The last call that is over, if it is another one than when this was asked before.
    pub(super) fn take_last(&self) -> Option<Arc<OpenCall>> {
        self.state.lock().last.take()
    }

    /// The connection ends at once, and with it what of it lies in the operating system's hands.
    pub(super) fn abort(&self) {
        self.state.lock().aborted = true;
    }

    fn note_read(&self) {
        let mut state = self.state.lock();
        if self.bytes_begin_a_head && state.calls == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    fn note_write(&self) {
        self.state.lock().last_write = Instant::now();
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct CallGuard(Arc<Activity>);

impl Drop for CallGuard {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.calls = state.calls.saturating_sub(1);
        state.idle_since = Instant::now();
    }
}

/// A stream whose reads and writes are noted.
#[derive(Debug)]
pub(super) struct Watched<I: Socket> {
    pub(super) io: I,
    pub(super) activity: Arc<Activity>,
}

/// A stream over a socket.
pub(super) trait Socket {
    /// The socket.
    fn socket(&self) -> SockRef<'_>;
}

impl Socket for TcpStream {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self)
    }
}

impl Socket for TlsStream<TcpStream> {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.get_ref().0)
    }
}

impl<I: Socket> Drop for Watched<I> {
    /// One that is aborted is reset: what its peer has not got yet it does not get, and no answer that its end delimits
    /// looks whole.
    fn drop(&mut self) {
        if self.activity.state.lock().aborted
            && let Err(error) = self.io.socket().set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "a connection cannot be reset, it is closed");
        }
    }
}

impl<I: AsyncRead + Socket + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.note_read();
        }
        polled
    }
}

impl<I: AsyncWrite + Socket + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        if polled.is_ready() {
            self.activity.note_write();
        }
        polled
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(context, buffers);
        if polled.is_ready() {
            self.activity.note_write();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

/// A response's body whose call is under way until the last byte was handed over.
#[derive(Debug)]
pub(super) struct Counted<B> {
    pub(super) body: B,
    pub(super) call: Option<CallGuard>,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.call = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
