//! What is said on a connection to the engine: RESP, version 2, which Redis and Valkey speak.
//!
//! Commands are lists of texts; replies are read whole, within limits. A library would bring thirty crates along for
//! the six commands that are needed. Never here: a reply that is guessed, and one that grows without end.

/// The largest reply in bytes.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The longest line: a number, a status or an error.
const MAX_LINE: usize = 64 * 1024;

/// The most items of a list.
const MAX_ITEMS: usize = 4_000_000;

/// How deep lists may lie in each other.
const MAX_DEPTH: usize = 8;

/// A command, with its arguments.
#[derive(Debug)]
pub(super) struct Command {
    parts: usize,
    text: Vec<u8>,
}

impl Command {
    pub(super) fn new(name: &str) -> Self {
        let empty = Self {
            parts: 0,
            text: Vec::new(),
        };
        empty.arg(name)
    }

    pub(super) fn arg(mut self, text: &str) -> Self {
        self.add(text);
        self
    }

    pub(super) fn add(&mut self, text: &str) {
        self.parts = self.parts.saturating_add(1);
        let head = format!("${}\r\n", text.len());
        self.text.extend_from_slice(head.as_bytes());
        self.text.extend_from_slice(text.as_bytes());
        self.text.extend_from_slice(b"\r\n");
    }

    pub(super) fn args<T: ToString>(self, values: impl IntoIterator<Item = T>) -> Self {
        values
            .into_iter()
            .fold(self, |command, value| command.arg(&value.to_string()))
    }

    /// As it is sent.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", self.parts).into_bytes();
        bytes.extend_from_slice(&self.text);
        bytes
    }
}

/// What the engine replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A status or a text.
    Text(String),
    /// A number.
    Number(i64),
    /// Nothing: there is no such value, or nothing came in time.
    Nothing,
    /// A list.
    List(Vec<Self>),
    /// The engine refuses.
    Error(String),
}

/// What came is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what answers there does not speak RESP")]
pub(super) struct Garbled;

impl Reply {
    /// A reply at the beginning of `bytes`, and how long it is; `None` if its end is not there yet.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Garbled> {
        let mut reader = Reader { bytes, at: 0 };
        match reader.reply(0) {
            Ok(reply) => Ok(Some((reply, reader.at))),
            Err(Stop::Incomplete) if bytes.len() < MAX_BYTES => Ok(None),
            Err(Stop::Incomplete | Stop::Garbled) => Err(Garbled),
        }
    }

    pub(super) fn text(&self) -> Result<&str, Garbled> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(_) | Self::Nothing | Self::List(_) | Self::Error(_) => Err(Garbled),
        }
    }

    pub(super) fn number(&self) -> Result<u64, Garbled> {
        match self {
            Self::Number(number) => u64::try_from(*number).map_err(|_negative| Garbled),
            Self::Text(text) => text.parse().map_err(|_not_a_number| Garbled),
            Self::Nothing | Self::List(_) | Self::Error(_) => Err(Garbled),
        }
    }

    /// The items of a list; nothing is an empty one.
    pub(super) fn items(&self) -> Result<&[Self], Garbled> {
        match self {
            Self::List(items) => Ok(items),
            Self::Nothing => Ok(&[]),
            Self::Text(_) | Self::Number(_) | Self::Error(_) => Err(Garbled),
        }
    }
}

/// Why a reply cannot be read.
enum Stop {
    Incomplete,
    Garbled,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, depth: usize) -> Result<Reply, Stop> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or(Stop::Garbled)?;
        match kind {
            b"+" => self.utf8(rest).map(Reply::Text),
            b"-" => self.utf8(rest).map(Reply::Error),
            b":" => number(rest).map(Reply::Number),
            b"$" => match length(rest, MAX_BYTES)? {
                None => Ok(Reply::Nothing),
                Some(length) => {
                    let text = self.take(length)?;
                    if self.take(2)? != b"\r\n" {
                        return Err(Stop::Garbled);
                    }
                    self.utf8(text).map(Reply::Text)
                }
            },
            b"*" if depth < MAX_DEPTH => match length(rest, MAX_ITEMS)? {
                None => Ok(Reply::Nothing),
                Some(length) => {
                    let items = (0..length).map(|_| self.reply(depth.saturating_add(1)));
                    items.collect::<Result<_, _>>().map(Reply::List)
                }
            },
            _ => Err(Stop::Garbled),
        }
    }

    /// A line without its end.
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.bytes.get(self.at..).ok_or(Stop::Garbled)?;
        let within = rest.get(..MAX_LINE).unwrap_or(rest);
        let end = within.windows(2).position(|two| two == b"\r\n");
        match end {
            Some(end) => {
                let line = self.take(end)?;
                self.take(2)?;
                Ok(line)
            }
            None if within.len() == MAX_LINE => Err(Stop::Garbled),
            None => Err(Stop::Incomplete),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.checked_add(length).ok_or(Stop::Garbled)?;
        let taken = self.bytes.get(self.at..end).ok_or(Stop::Incomplete)?;
        self.at = end;
        Ok(taken)
    }

    /// Everything that a gateway keeps is text.
    fn utf8(&self, bytes: &[u8]) -> Result<String, Stop> {
        String::from_utf8(bytes.to_vec()).map_err(|_not_text| Stop::Garbled)
    }
}

fn number(digits: &[u8]) -> Result<i64, Stop> {
    let text = std::str::from_utf8(digits).map_err(|_not_text| Stop::Garbled)?;
    text.parse().map_err(|_not_a_number| Stop::Garbled)
}

/// A length up to `limit`; `None` for -1, which stands for nothing.
fn length(digits: &[u8], limit: usize) -> Result<Option<usize>, Stop> {
    let number = number(digits)?;
    if number == -1 {
        return Ok(None);
    }
    let length = usize::try_from(number).map_err(|_negative| Stop::Garbled)?;
    if length > limit {
        return Err(Stop::Garbled);
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Text(text.to_owned())
    }

    #[test]
    fn a_command_is_a_list_of_texts() {
        let command = Command::new("SET").arg("key").args([7]).arg("\u{e4}\r\n");
        let sent = String::from_utf8(command.encode()).unwrap();
        assert_eq!(sent, "*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1\r\n7\r\n$4\r\n\u{e4}\r\n\r\n");
    }

    #[test]
    fn replies_of_every_kind_are_read() {
        for (bytes, reply) in [
            ("+OK\r\n", text("OK")),
            ("-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (":-7\r\n", Reply::Number(-7)),
            ("$-1\r\n", Reply::Nothing),
            ("*-1\r\n", Reply::Nothing),
            ("$0\r\n\r\n", text("")),
            ("$4\r\na\r\nb\r\n", text("a\r\nb")),
            ("*0\r\n", Reply::List(Vec::new())),
            (
                "*2\r\n*1\r\n:1\r\n$1\r\na\r\n",
                Reply::List(vec![Reply::List(vec![Reply::Number(1)]), text("a")]),
            ),
        ] {
            let more = format!("{bytes}+next");
            let read = Reply::parse(more.as_bytes()).unwrap();
            assert_eq!(read, Some((reply, bytes.len())), "{bytes}");
            for end in 0..bytes.len() {
                assert_eq!(Reply::parse(&bytes.as_bytes()[..end]), Ok(None), "{bytes} up to {end}");
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        let deep = "*1\r\n".repeat(MAX_DEPTH + 2);
        let long = "+".repeat(MAX_LINE + 1);
        for bytes in [
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
            ":x\r\n",
            "$-2\r\n",
            "$1\r\nab\r\n",
            "$999999999999\r\n",
            "*5000000\r\n",
            &deep,
            &long,
        ] {
            assert_eq!(Reply::parse(bytes.as_bytes()), Err(Garbled), "{bytes:.40}");
        }
        assert_eq!(Reply::parse(b"$1\r\n\xff\r\n"), Err(Garbled));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _any = Reply::parse(&bytes);
        }

        #[test]
        fn a_text_is_read_as_it_was_sent(sent in ".{0,40}") {
            let command = Command::new(&sent).encode();
            let read = Reply::parse(&command).unwrap();
            prop_assert_eq!(read, Some((Reply::List(vec![text(&sent)]), command.len())));
        }
    }
}
