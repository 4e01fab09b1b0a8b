//! One direction of a tunnel: what is read from one side and written to the other, through one buffer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::call::websocket::Frames;

/// How much of one direction is in our hands at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// Which side a direction failed on.
#[derive(Debug)]
pub(super) enum Fault {
    /// Whoever sends has gone.
    From(io::Error),
    /// Whoever receives takes no more.
    To,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Flow {
    buffer: Box<[u8]>,
    /// What of the buffer was read and has not gone on.
    start: usize,
    end: usize,
    frames: Frames,
    /// Bytes that went on and were not asked for since.
    passed: usize,
    /// Whether what went on may still lie on the way.
    unflushed: bool,
    /// Whether the sender has said all.
    ended: bool,
    done: bool,
    moved_at: Instant,
    blocked_since: Option<Instant>,
}

impl Flow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            frames: Frames::default(),
            passed: 0,
            unflushed: false,
            ended: false,
            done: false,
            moved_at: now,
            blocked_since: None,
        }
    }

    /// Where in its frames the receiver is.
    pub(super) const fn frames(&self) -> &Frames {
        &self.frames
    }

    /// When a byte moved last.
    pub(super) const fn moved_at(&self) -> Instant {
        self.moved_at
    }

    /// Since when the receiver takes nothing of what waits for it.
    pub(super) const fn blocked_since(&self) -> Option<Instant> {
        self.blocked_since
    }

    /// Whether it is over: the receiver was told the end.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Ends it: nothing more is read.
    pub(super) const fn give_up(&mut self) {
        self.done = true;
        self.blocked_since = None;
    }

    /// How many bytes went on since this was asked last.
    pub(super) const fn take_passed(&mut self) -> usize {
        std::mem::replace(&mut self.passed, 0)
    }

    /// Moves what can be moved. `Ready` once the sender has said all, and the receiver was told so.
    pub(super) fn poll<R, W>(
        &mut self,
        from: &mut R,
        to: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let polled = self.poll_move(from, to, context);
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.give_up();
        }
        polled
    }

    fn poll_move<R, W>(
        &mut self,
        from: &mut R,
        to: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            if self.start < self.end {
                ready!(self.poll_write(to, context))?;
            } else if self.ended {
                return Pin::new(to)
                    .poll_shutdown(context)
                    .map_err(|_gone| Fault::To);
            } else if self.poll_read(from, context)?.is_pending() {
                if self.unflushed {
                    ready!(self.poll_flush(to, context))?;
                }
                return Poll::Pending;
            }
        }
    }

    fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        to: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>> {
        let waiting = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Poll::Ready(written) = Pin::new(to).poll_write(context, waiting) else {
            self.blocked_since.get_or_insert_with(Instant::now);
            return Poll::Pending;
        };
        let written = match written.map_err(|_gone| Fault::To)? {
            0 => return Poll::Ready(Err(Fault::To)),
            written => written,
        };
        self.frames
            .advance(waiting.get(..written).unwrap_or_default());
        self.start = self.start.saturating_add(written);
        self.passed = self.passed.saturating_add(written);
        self.unflushed = true;
        self.blocked_since = None;
        self.moved_at = Instant::now();
        Poll::Ready(Ok(()))
    }

    fn poll_flush<W: AsyncWrite + Unpin>(
        &mut self,
        to: &mut W,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Fault>> {
        let Poll::Ready(flushed) = Pin::new(to).poll_flush(context) else {
            self.blocked_since.get_or_insert_with(Instant::now);
            return Poll::Pending;
        };
        self.unflushed = false;
        self.blocked_since = None;
        Poll::Ready(flushed.map_err(|_gone| Fault::To))
    }

    fn poll_read<R: AsyncRead + Unpin>(
        &mut self,
        from: &mut R,
        context: &mut Context<'_>,
    ) -> Result<Poll<()>, Fault> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let Poll::Ready(read) = Pin::new(from).poll_read(context, &mut buffer) else {
            return Ok(Poll::Pending);
        };
        read.map_err(Fault::From)?;
        self.start = 0;
        self.end = buffer.filled().len();
        self.ended = self.end == 0;
        self.moved_at = Instant::now();
        Ok(Poll::Ready(()))
    }
}
