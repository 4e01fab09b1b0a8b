//! The bytes of HTTP/1.1 requests (RFC 9112), read strictly before any library reads them.
//!
//! A library is lenient: it takes a bare LF for a line's end, drops a fragment, and makes one framing out of two
//! without a word. Here a request has one reading or none, and whoever is refused here gets an answer and a record.
//! The reader follows the framing, so that no byte behind a refused head, and none of a body, is taken for a request.
//! Never here: what a request means, and IO.

mod chunked;
mod head;

use self::chunked::Chunks;
use self::head::{BodyLength, Head};
use super::headers::RequestLimits;
use crate::types::Reason;

/// Follows the requests of one connection.
#[derive(Debug)]
pub struct Reader {
    limits: RequestLimits,
    state: State,
    heads: usize,
}

#[derive(Debug)]
enum State {
    Head(Head),
    /// A body of so many bytes more.
    Length(u64),
    /// A body in chunks.
    Chunked(Chunks),
    /// The last request asks for a WebSocket: until it is answered nobody knows what follows.
    Switch,
    /// Nothing goes on any more.
    Over(Fault),
}

/// Why the bytes go no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The head is refused.
    Head(Reason),
    /// The framing of a body whose head went on.
    Body,
}

impl Reader {
    /// A connection that has just begun.
    #[must_use]
    pub const fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            state: State::Head(Head::new()),
            heads: 0,
        }
    }

    /// How many heads went on.
    #[must_use]
    pub const fn heads(&self) -> usize {
        self.heads
    }

    /// Whether a body is being read, so that bytes go on as they come.
    #[must_use]
    pub const fn is_in_body(&self) -> bool {
        matches!(self.state, State::Length(_) | State::Chunked(_))
    }

    /// Whether the head that went on last asks for a WebSocket. Nothing behind it is read as a request.
    #[must_use]
    pub const fn is_at_switch(&self) -> bool {
        matches!(self.state, State::Switch)
    }

    /// How many bytes at the front may go on. The rest must be shown again, with more bytes behind it.
    ///
    /// # Errors
    /// [`Fault`]: nothing that is shown may go on, nor anything after it.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut passed: usize = 0;
        loop {
            let rest = bytes.get(passed..).unwrap_or_default();
            let step = match self.step(rest) {
                // What was read before the fault goes on; whoever comes back for the rest is told of it.
                Err(_) if passed > 0 => return Ok(passed),
                step => step?,
            };
            passed = passed.saturating_add(step);
            if step == 0 || passed >= bytes.len() {
                return Ok(passed);
            }
        }
    }

    fn step(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let step = self.read_on(bytes);
        if let Err(fault) = step {
            self.state = State::Over(fault);
        }
        step
    }

    fn read_on(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        match &mut self.state {
            State::Over(fault) => Err(*fault),
            State::Switch => Ok(0),
            State::Head(head) => match head.advance(bytes, &self.limits) {
                Ok(Some((end, length))) => {
                    self.end_head(length);
                    Ok(end)
                }
                Ok(None) => Ok(0),
                Err(reason) => Err(Fault::Head(reason)),
            },
            State::Length(left) => {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = available.min(*left);
                *left = left.saturating_sub(taken);
                if *left == 0 {
                    self.state = State::Head(Head::new());
                }
                Ok(usize::try_from(taken).unwrap_or(bytes.len()))
            }
            State::Chunked(chunks) => {
                let taken = chunks.advance(bytes).map_err(|_malformed| Fault::Body)?;
                if chunks.is_over() {
                    self.state = State::Head(Head::new());
                }
                Ok(taken)
            }
        }
    }

    /// A head is there to its end.
    const fn end_head(&mut self, length: BodyLength) {
        self.heads = self.heads.saturating_add(1);
        self.state = match length {
            BodyLength::Bytes(0) => State::Head(Head::new()),
            BodyLength::Bytes(length) => State::Length(length),
            BodyLength::Chunked => State::Chunked(Chunks::new()),
            BodyLength::Switch => State::Switch,
        };
    }
}

#[cfg(test)]
mod tests;
