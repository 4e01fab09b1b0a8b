//! HTTP/1.1: lets bytes through to the library only once they were read strictly ([`crate::call::wire`]).
//!
//! Behind a head that is refused nothing of the peer goes on. In its place the library gets a request of our own, the
//! last one of the connection, so that the refusal keeps its turn among the answers, and gets an id and a record as
//! every other one. Never here: which request that is to the one who answers ([`super::activity`] knows).

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::activity::Activity;
use crate::call::RequestLimits;
use crate::call::wire::{Fault, Reader};
use crate::types::Reason;

/// What stands for a head that was refused.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
/// How much is asked for at a time while a head is read.
const READ_BYTES: usize = 8 * 1024;
/// How much of what a peer still sends behind its answer is read and thrown away, so that it gets to see that answer.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;
/// How much is kept of what a peer sends before it knows whether its connection becomes a WebSocket.
const MAX_EARLY_BYTES: usize = 8 * 1024;

/// The request, counted from 1, of whose body not all came; 0 for none.
#[derive(Debug, Default)]
pub(super) struct InBody(AtomicUsize);

impl InBody {
    fn note(&self, reader: &Reader) {
        let request = if reader.is_in_body() {
            reader.heads()
        } else {
            0
        };
        self.0.store(request, Ordering::Relaxed);
    }

    /// Whether it is request `number`, counted from 0.
    pub(super) fn is_of(&self, number: usize) -> bool {
        self.0.load(Ordering::Relaxed) == number.saturating_add(1)
    }
}

/// The bytes of a connection on their way in.
#[derive(Debug)]
pub(super) struct Heads {
    reader: Reader,
    /// Bytes that were read and have not gone on.
    held: Vec<u8>,
    /// How many of them may.
    cleared: usize,
    /// Whether the bytes that are held were not looked at since those before them went on.
    unchecked: bool,
    /// Whether nothing of the peer goes on any more.
    refused: bool,
    discarded: usize,
}

impl Heads {
    pub(super) const fn new(limits: RequestLimits) -> Self {
        Self {
            reader: Reader::new(limits),
            held: Vec::new(),
            cleared: 0,
            unchecked: false,
            refused: false,
            discarded: 0,
        }
    }

    /// Reads from `io` what may go on. No byte read and `Ready` is the end.
    pub(super) fn poll_read<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        activity: &Activity,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.cleared > 0 {
                self.hand_over(buffer);
                return Poll::Ready(Ok(()));
            }
            if self.refused {
                return self.poll_discard(io, context);
            }
            if self.reader.is_at_switch() {
                return if activity.is_switched() {
                    self.poll_switched(io, context, buffer)
                } else {
                    self.poll_early(io, context)
                };
            }
            if self.unchecked {
                self.unchecked = false;
                self.check_held(activity)?;
                continue;
            }
            if activity.is_head_overdue() && !self.reader.is_in_body() {
                self.refuse(activity, Reason::RequestTimeout);
                continue;
            }
            if self.held.is_empty() {
                let before = buffer.filled().len();
                ready!(Pin::new(&mut *io).poll_read(context, buffer))?;
                if buffer.filled().len() == before {
                    return Poll::Ready(Ok(()));
                }
                activity.note_read();
                self.check_in_place(activity, before, buffer)?;
                if buffer.filled().len() > before {
                    return Poll::Ready(Ok(()));
                }
            } else {
                if ready!(self.poll_more(io, context))? == 0 {
                    // The peer left in the middle of a head.
                    return Poll::Ready(Ok(()));
                }
                activity.note_read();
                self.check_held(activity)?;
            }
        }
    }

    /// Whether a peer that was answered before it had said everything has said all that it will: one that was refused,
    /// or one whose call needed no body for its answer.
    pub(super) fn poll_finished<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        activity: &Activity,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let is_ignored = self.reader.is_at_switch() && !activity.is_switched();
        if self.refused || self.reader.is_in_body() || is_ignored {
            activity.note_farewell();
            // An error is an end too.
            ready!(self.poll_discard(io, context)).unwrap_or_default();
        }
        Poll::Ready(())
    }

    /// Leaves in `buffer` what may go on of the bytes that have just come, and holds the rest.
    fn check_in_place(
        &mut self,
        activity: &Activity,
        before: usize,
        buffer: &mut ReadBuf<'_>,
    ) -> io::Result<()> {
        let new = buffer.filled().get(before..).unwrap_or_default();
        let cleared = match self.reader.advance(new) {
            Ok(cleared) => {
                let rest = new.get(cleared..).unwrap_or_default();
                self.held.extend_from_slice(rest);
                self.note_position(activity);
                cleared
            }
            Err(fault) => {
                self.fail(activity, fault)?;
                0
            }
        };
        buffer.set_filled(before.saturating_add(cleared));
        // What is left may be a head of its own, or a fault; what is before it goes on first.
        self.unchecked = cleared > 0 && !self.held.is_empty();
        Ok(())
    }

    fn check_held(&mut self, activity: &Activity) -> io::Result<()> {
        match self.reader.advance(&self.held) {
            Ok(cleared) => {
                self.cleared = cleared;
                self.note_position(activity);
            }
            Err(fault) => self.fail(activity, fault)?,
        }
        Ok(())
    }

    /// Notes the request that asks for a WebSocket, before anybody gets to see it, and one whose body goes on.
    fn note_position(&self, activity: &Activity) {
        activity.in_body.note(&self.reader);
        if self.reader.is_at_switch() {
            activity.note_asks(self.reader.heads().saturating_sub(1));
        }
    }

    /// Keeps what comes before the answer, and hears when the peer leaves. No byte of it goes on from here.
    fn poll_early<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.held.len() < MAX_EARLY_BYTES {
            if ready!(self.poll_more(io, context))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    /// The connection is a WebSocket: what was kept goes on, and then what comes.
    fn poll_switched<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Pin::new(io).poll_read(context, buffer);
        }
        let length = self.held.len().min(buffer.remaining());
        buffer.put_slice(self.held.get(..length).unwrap_or_default());
        self.held.drain(..length);
        Poll::Ready(Ok(()))
    }

    fn fail(&mut self, activity: &Activity, fault: Fault) -> io::Result<()> {
        match fault {
            Fault::Head(reason) => {
                self.refuse(activity, reason);
                Ok(())
            }
            // The call that the body belongs to fails by it, once; it is still answered.
            Fault::Body => {
                self.refused = true;
                self.held.clear();
                let message = "the body is not in the form of chunks";
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
        }
    }

    fn refuse(&mut self, activity: &Activity, reason: Reason) {
        activity.refuse(self.reader.heads(), reason);
        self.refused = true;
        self.held.clear();
        self.held.extend_from_slice(SUBSTITUTE);
        self.cleared = self.held.len();
    }

    /// Moves cleared bytes into `buffer`, as many as it takes.
    fn hand_over(&mut self, buffer: &mut ReadBuf<'_>) {
        let length = self.cleared.min(buffer.remaining());
        buffer.put_slice(self.held.get(..length).unwrap_or_default());
        self.held.drain(..length);
        self.cleared = self.cleared.saturating_sub(length);
        self.unchecked = self.cleared == 0 && !self.refused && !self.held.is_empty();
    }

    /// Reads more behind what is held. How much it was.
    fn poll_more<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let start = self.held.len();
        self.held.resize(start.saturating_add(READ_BYTES), 0);
        let mut more = ReadBuf::new(self.held.get_mut(start..).unwrap_or_default());
        let polled = Pin::new(io).poll_read(context, &mut more);
        let length = more.filled().len();
        self.held.truncate(start.saturating_add(length));
        polled.map_ok(|()| length)
    }

    /// Reads and throws away. `Ready` is the end, or as much as anybody may send after a refusal.
    fn poll_discard<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut waste = [0; 1024];
        while self.discarded < MAX_DISCARDED_BYTES {
            let mut buffer = ReadBuf::new(&mut waste);
            ready!(Pin::new(&mut *io).poll_read(context, &mut buffer))?;
            let length = buffer.filled().len();
            if length == 0 {
                break;
            }
            self.discarded = self.discarded.saturating_add(length);
        }
        Poll::Ready(Ok(()))
    }
}
