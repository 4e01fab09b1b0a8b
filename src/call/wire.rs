//! The bytes of HTTP/1.1 requests (RFC 9112), read strictly before any library reads them.
//!
//! A library is lenient: it takes a bare LF for a line's end, drops a fragment, and makes one framing out of two
//! without a word. Here a request has one reading or none, and whoever is refused here gets an answer and a record.
//! The reader follows the framing, so that no byte behind a refused head, and none of a body, is taken for a request.
//! Never here: what a request means, and IO.

mod chunked;
mod head;

use self::chunked::Chunks;
use self::head::BodyLength;
use super::headers::RequestLimits;
use crate::types::Reason;

/// The end of a head.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Follows the requests of one connection.
#[derive(Debug)]
pub struct Reader {
    limits: RequestLimits,
    state: State,
    heads: usize,
}

#[derive(Debug)]
enum State {
    Head(Known),
    /// A body of so many bytes more.
    Length(u64),
    /// A body in chunks.
    Chunked(Chunks),
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
        let known = Known { sound: 0, line: 0 };
        Self {
            limits,
            state: State::Head(known),
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

    /// How many bytes at the front may go on. The rest must be shown again, with more bytes behind it.
    ///
    /// # Errors
    /// [`Fault`]: nothing that is shown may go on, nor anything after it.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut passed: usize = 0;
        loop {
            let rest = bytes.get(passed..).unwrap_or_default();
            let step = match self.step(rest) {
                // What was read before the fault goes on; the fault is found again behind it.
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
        match &mut self.state {
            State::Head(known) => match known.find_end(bytes, &self.limits) {
                Ok(Some(end)) => self.end_head(bytes.get(..end).unwrap_or_default()),
                Ok(None) => Ok(0),
                Err(reason) => Err(Fault::Head(reason)),
            },
            State::Length(left) => {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = available.min(*left);
                *left = left.saturating_sub(taken);
                if *left == 0 {
                    self.state = State::Head(Known::default());
                }
                Ok(usize::try_from(taken).unwrap_or(bytes.len()))
            }
            State::Chunked(chunks) => {
                let taken = chunks.advance(bytes).map_err(|_malformed| Fault::Body)?;
                if chunks.is_over() {
                    self.state = State::Head(Known::default());
                }
                Ok(taken)
            }
        }
    }

    /// A head is there to its end.
    fn end_head(&mut self, head: &[u8]) -> Result<usize, Fault> {
        let lines = head.strip_suffix(END_OF_HEAD).unwrap_or(head);
        let lines = lines.strip_prefix(b"\r\n").unwrap_or(lines);
        let length = head::read(lines, &self.limits).map_err(Fault::Head)?;
        self.heads = self.heads.saturating_add(1);
        self.state = match length {
            BodyLength::Bytes(0) => State::Head(Known::default()),
            BodyLength::Bytes(length) => State::Length(length),
            BodyLength::Chunked => State::Chunked(Chunks::new()),
        };
        Ok(head.len())
    }
}

/// How far a head is known.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// So many bytes at its front are sound.
    sound: usize,
    /// Where the line begins that is not at its end.
    line: usize,
}

impl Known {
    /// Where the head ends, if its end has come.
    fn find_end(&mut self, bytes: &[u8], limits: &RequestLimits) -> Result<Option<usize>, Reason> {
        loop {
            let rest = bytes.get(self.sound..).unwrap_or_default();
            let Some(plain) = rest.iter().position(|byte| !is_plain(*byte)) else {
                self.sound = bytes.len();
                break;
            };
            self.sound = self.sound.saturating_add(plain);
            match rest.get(plain..) {
                Some([b'\r', b'\n', ..]) => {}
                Some([b'\r']) => break,
                Some(_) | None => return Err(Reason::RequestMalformed),
            }
            let end = self.sound.saturating_add(2);
            // RFC 9112 §2.2: an empty line before a request is of an old client, and ends nothing.
            if self.sound == self.line && self.line > 0 {
                return Ok(Some(end));
            }
            *self = Self {
                sound: end,
                line: end,
            };
        }
        if self.sound <= limits.head_bytes() {
            Ok(None)
        } else if self.line == 0 {
            Err(Reason::UriTooLong)
        } else {
            Err(Reason::HeadersTooLarge)
        }
    }
}

/// What lines consist of; their form is looked at when they are all there.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

#[cfg(test)]
mod tests;
