//! A stream between TLS and HTTP: what comes in is read strictly or counted, what goes out is noted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::frames::{Flood, Frames};
use super::heads::Heads;
use crate::call::RequestLimits;

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

/// A stream whose reads and writes are noted.
#[derive(Debug)]
pub(super) struct Watched<I: Socket> {
    io: I,
    activity: Arc<Activity>,
    incoming: Incoming,
    /// Whether our side was closed.
    is_shut: bool,
}

#[derive(Debug)]
enum Incoming {
    Http1(Heads),
    Http2(Frames),
}

impl<I: Socket> Watched<I> {
    pub(super) fn http1(io: I, activity: Arc<Activity>, limits: RequestLimits) -> Self {
        Self::new(io, activity, Incoming::Http1(Heads::new(limits)))
    }

    pub(super) fn http2(io: I, activity: Arc<Activity>) -> Self {
        let incoming = Incoming::Http2(Frames::new(Instant::now()));
        Self::new(io, activity, incoming)
    }

    const fn new(io: I, activity: Arc<Activity>, incoming: Incoming) -> Self {
        Self {
            io,
            activity,
            incoming,
            is_shut: false,
        }
    }

    /// Notes what came of a write, or of a flush.
    fn note_write(&mut self, polled: &Poll<io::Result<usize>>) {
        match polled {
            Poll::Ready(written) => {
                self.activity.note_write();
                if let (Incoming::Http2(frames), Ok(bytes)) = (&mut self.incoming, written) {
                    frames.note_written(*bytes);
                }
            }
            Poll::Pending => self.activity.note_blocked(),
        }
    }
}

impl<I: Socket> Drop for Watched<I> {
    /// One that is aborted is reset: what its peer has not got yet it does not get, and no answer that its end delimits
    /// looks whole.
    fn drop(&mut self) {
        if self.activity.is_aborted()
            && let Err(error) = self.io.socket().set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "a connection cannot be reset, it is closed");
        }
    }
}

impl<I: AsyncRead + Socket + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            io,
            activity,
            incoming,
            ..
        } = self.get_mut();
        match incoming {
            Incoming::Http1(heads) => heads.poll_read(io, activity, context, buffer),
            Incoming::Http2(frames) => {
                let before = buffer.filled().len();
                ready!(Pin::new(io).poll_read(context, buffer))?;
                let new = buffer.filled().get(before..).unwrap_or_default();
                if let Err(Flood) = frames.read(new, Instant::now()) {
                    activity.note_flood();
                    let message = "too many frames that carry nothing";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Socket + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note_write(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(context);
        match &polled {
            Poll::Ready(_) => self.activity.note_unblocked(),
            Poll::Pending => self.activity.note_blocked(),
        }
        polled
    }

    /// Closes our side. A peer that was answered before it had said everything is listened to a little longer: unread
    /// bytes would make the operating system reset the connection, and take the answer back before it was read.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_shut {
            ready!(Pin::new(&mut this.io).poll_shutdown(context))?;
            this.is_shut = true;
        }
        if let Incoming::Http1(heads) = &mut this.incoming {
            ready!(heads.poll_finished(&mut this.io, &this.activity, context));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(context, buffers);
        self.note_write(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
