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
    /// A head, of which so many bytes are known to be sound.
    Head { sound: usize },
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
        Self {
            limits,
            state: State::Head { sound: 0 },
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
            State::Head { sound } => {
                let from = *sound;
                match find_end(bytes, from, &self.limits) {
                    Ok(Some(end)) => self.end_head(bytes.get(..end).unwrap_or_default()),
                    Ok(None) => {
                        self.state = State::Head { sound: bytes.len() };
                        Ok(0)
                    }
                    Err(reason) => Err(Fault::Head(reason)),
                }
            }
            State::Length(left) => {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = available.min(*left);
                *left = left.saturating_sub(taken);
                if *left == 0 {
                    self.state = State::Head { sound: 0 };
                }
                Ok(usize::try_from(taken).unwrap_or(bytes.len()))
            }
            State::Chunked(chunks) => {
                let taken = chunks.advance(bytes).map_err(|_malformed| Fault::Body)?;
                if chunks.is_over() {
                    self.state = State::Head { sound: 0 };
                }
                Ok(taken)
            }
        }
    }

    /// A head is there to its end.
    fn end_head(&mut self, head: &[u8]) -> Result<usize, Fault> {
        let lines = head.strip_suffix(END_OF_HEAD).unwrap_or(head);
        // RFC 9112 §2.2: an empty line before a request is of an old client.
        let lines = lines.strip_prefix(b"\r\n").unwrap_or(lines);
        let length = head::read(lines, &self.limits).map_err(Fault::Head)?;
        self.heads = self.heads.saturating_add(1);
        self.state = match length {
            BodyLength::Bytes(0) => State::Head { sound: 0 },
            BodyLength::Bytes(length) => State::Length(length),
            BodyLength::Chunked => State::Chunked(Chunks::new()),
        };
        Ok(head.len())
    }
}

/// Where a head ends. `from` bytes of it were looked at before and are sound.
fn find_end(bytes: &[u8], from: usize, limits: &RequestLimits) -> Result<Option<usize>, Reason> {
    // The two bytes before may belong to the end of a line.
    let mut before = [
        from.checked_sub(2).and_then(|at| bytes.get(at)).copied(),
        from.checked_sub(1).and_then(|at| bytes.get(at)).copied(),
    ];
    let mut line_is_empty = before == [Some(b'\n'), Some(b'\r')];
    let most = limits.head_bytes();
    for (at, byte) in bytes.iter().copied().enumerate().skip(from) {
        let last = before[1];
        match byte {
            b'\n' if last != Some(b'\r') => return Err(Reason::RequestMalformed),
            b'\n' => {
                if line_is_empty {
                    return Ok(Some(at.saturating_add(1)));
                }
            }
            _ if last == Some(b'\r') => return Err(Reason::RequestMalformed),
            b'\r' => line_is_empty = last == Some(b'\n'),
            b'\t' | b' '..=b'~' | 0x80.. => {}
            _ => return Err(Reason::RequestMalformed),
        }
        before = [last, Some(byte)];
        if at >= most {
            let is_in_first_line = !bytes.get(..at).unwrap_or_default().contains(&b'\n');
            return Err(if is_in_first_line {
                Reason::UriTooLong
            } else {
                Reason::HeadersTooLarge
            });
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
