//! One head (RFC 9112 §2-§3, §5-§6), line by line as they come: each has the one form that it may have, and the body one
//! length.
//!
//! Whatever goes on from here is taken by the library behind it, so that it refuses nothing on its own, without a record.
//! Every call pays for this: one pass over the bytes, many at a time, and no allocation for what clients send.

use http::Uri;

use crate::call::headers::RequestLimits;
use crate::types::{Reason, eight};

/// The longest name of a header, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The longest method, in bytes.
const MAX_METHOD_BYTES: usize = 64;
/// The longest target that the library takes, in bytes.
const MAX_TARGET_BYTES: usize = 65_534;
/// Digits of a `Content-Length`: a number of more would be more than there is.
const MAX_LENGTH_DIGITS: usize = 18;

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Bytes(u64),
    Chunked,
    /// There is none, and what follows is no request if the connection becomes a WebSocket.
    Switch,
}

/// A head, as far as it has come.
#[derive(Debug)]
pub(super) struct Head {
    /// So many bytes at its front are sound.
    sound: usize,
    /// Where the line begins that is not at its end.
    line: usize,
    /// What its lines say; `None` before the request line.
    fields: Option<Fields>,
}

/// What the lines of a head say of its body.
#[derive(Debug)]
struct Fields {
    is_http_11: bool,
    count: usize,
    length: Option<u64>,
    chunked: bool,
    /// What `Upgrade` asks for: a WebSocket and nothing else, or anything. The latter too where there could be none.
    upgrade: Option<Protocol>,
    /// Whether `Connection` names `Upgrade`.
    names_upgrade: bool,
}

/// What a connection is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    WebSocket,
    Other,
}

impl Head {
    pub(super) const fn new() -> Self {
        Self {
            sound: 0,
            line: 0,
            fields: None,
        }
    }

    /// Reads on; the bytes are those from before, and more. Where the head ends and how long its body is, once its end
    /// has come.
    pub(super) fn advance(
        &mut self,
        bytes: &[u8],
        limits: &RequestLimits,
    ) -> Result<Option<(usize, BodyLength)>, Reason> {
        loop {
            let rest = bytes.get(self.sound..).unwrap_or_default();
            let plain = plain_bytes(rest);
            self.sound = self.sound.saturating_add(plain);
            match rest.get(plain..) {
                Some([b'\r', b'\n', ..]) => {}
                Some([b'\r'] | []) | None => break,
                Some(_) => return Err(Reason::RequestMalformed),
            }
            let line = bytes.get(self.line..self.sound).unwrap_or_default();
            let is_first = self.line == 0;
            self.sound = self.sound.saturating_add(2);
            self.line = self.sound;
            match &mut self.fields {
                Some(fields) if line.is_empty() => {
                    return Ok(Some((self.sound, fields.body_length()?)));
                }
                Some(fields) => fields.note(line, limits)?,
                // RFC 9112 §2.2: an empty line before a request is of an old client.
                None if line.is_empty() && is_first => {}
                None => self.fields = Some(request_line(line, limits)?),
            }
        }
        if self.sound <= limits.head_bytes() {
            Ok(None)
        } else if self.fields.is_none() {
            Err(Reason::UriTooLong)
        } else {
            Err(Reason::HeadersTooLarge)
        }
    }
}

/// `METHOD SP target SP HTTP/1.x`, with one blank each.
fn request_line(line: &[u8], limits: &RequestLimits) -> Result<Fields, Reason> {
    let (method, rest) = split_at(line, is_token_byte);
    let target = rest.strip_prefix(b" ").unwrap_or_default();
    let (simple, rest) = split_at(target, is_target_byte);
    // What only the library's own parser can tell is rare.
    let (target, version) = match rest.first() {
        Some(b' ') => (simple, rest),
        Some(_) | None => split_at(target, |byte| byte.is_ascii_graphic()),
    };
    let is_http_11 = match version {
        b" HTTP/1.1" => true,
        b" HTTP/1.0" => false,
        _ => return Err(Reason::RequestMalformed),
    };
    if method.is_empty() || method.len() > MAX_METHOD_BYTES || target.is_empty() {
        return Err(Reason::RequestMalformed);
    }
    if target.len() > limits.max_uri_bytes {
        return Err(Reason::UriTooLong);
    }
    let is_path = target.len() == simple.len() && target.starts_with(b"/");
    let is_known = is_path && target.len() <= MAX_TARGET_BYTES;
    // A library drops a fragment before anybody can judge it.
    if !is_known && (target.contains(&b'#') || Uri::try_from(target).is_err()) {
        return Err(Reason::RequestMalformed);
    }
    Ok(Fields {
        is_http_11,
        count: 0,
        length: None,
        chunked: false,
        upgrade: (!is_http_11 || method != b"GET").then_some(Protocol::Other),
        names_upgrade: false,
    })
}

impl Fields {
    /// Reads one field: `name: value`. A line that begins with a blank (RFC 9112 §5.2) has no name.
    fn note(&mut self, line: &[u8], limits: &RequestLimits) -> Result<(), Reason> {
        self.count = self.count.saturating_add(1);
        if self.count > limits.max_headers {
            return Err(Reason::HeadersTooLarge);
        }
        let (name, rest) = split_at(line, is_token_byte);
        let value = rest.strip_prefix(b":").ok_or(Reason::RequestMalformed)?;
        if name.is_empty() {
            return Err(Reason::RequestMalformed);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(Reason::HeadersTooLarge);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value.trim_ascii()).ok_or(Reason::RequestMalformed)?;
            if self.length.replace(length).is_some() {
                return Err(Reason::RequestMalformed);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Reason::RequestMalformed);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            let is_socket = value.trim_ascii().eq_ignore_ascii_case(b"websocket");
            self.upgrade = match self.upgrade {
                None if is_socket => Some(Protocol::WebSocket),
                None | Some(_) => Some(Protocol::Other),
            };
        } else if name.eq_ignore_ascii_case(b"connection") {
            let mut options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            self.names_upgrade |= options.any(|option| option.eq_ignore_ascii_case(b"upgrade"));
        }
        Ok(())
    }

    fn body_length(&self) -> Result<BodyLength, Reason> {
        match (self.chunked, self.length) {
            (true, None) if self.is_http_11 => Ok(BodyLength::Chunked),
            // Two framings, or one that the version does not have (RFC 9112 §6.1).
            (true, _) => Err(Reason::RequestMalformed),
            (false, None | Some(0)) if self.asks_for_socket() => Ok(BodyLength::Switch),
            (false, length) => Ok(BodyLength::Bytes(length.unwrap_or(0))),
        }
    }

    /// Whether the request asks to make a WebSocket of its connection (RFC 6455 §4.1). Any other wish is passed over.
    fn asks_for_socket(&self) -> bool {
        self.names_upgrade && self.upgrade == Some(Protocol::WebSocket)
    }
}

/// Digits and nothing else: no sign, no blank, no list.
fn decimal(text: &[u8]) -> Option<u64> {
    let is_number =
        (1..=MAX_LENGTH_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    is_number
        .then(|| std::str::from_utf8(text).ok()?.parse().ok())
        .flatten()
}

/// What is at the front for which this holds, and the rest.
fn split_at(bytes: &[u8], holds: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !holds(*byte));
    bytes
        .split_at_checked(end.unwrap_or(bytes.len()))
        .unwrap_or((bytes, &[]))
}

/// How many bytes at the front are what lines consist of: neither a control character, but for the tab, nor DEL.
fn plain_bytes(bytes: &[u8]) -> usize {
    let plain = plain_parts::<32>(bytes, |part| {
        // No step depends on what the bytes are, so that all are looked at at once.
        part.iter().fold(true, |all, byte| all & is_plain(*byte))
    });
    let rest = bytes.get(plain..).unwrap_or_default();
    let plain_of_rest = plain_parts::<8>(rest, |part| {
        let word = u64::from_ne_bytes(*part);
        !(eight::has_control(word) || eight::has(word, 0x7f))
    });
    let rest = rest.get(plain_of_rest..).unwrap_or_default();
    let before = rest.iter().position(|byte| !is_plain(*byte));
    plain + plain_of_rest + before.unwrap_or(rest.len())
}

/// How many bytes at the front are plain, in whole parts.
fn plain_parts<const COUNT: usize>(
    bytes: &[u8],
    is_all_plain: impl Fn(&[u8; COUNT]) -> bool,
) -> usize {
    let (parts, _tail) = bytes.as_chunks::<COUNT>();
    parts.iter().take_while(|part| is_all_plain(part)).count() * COUNT
}

const fn is_plain(byte: u8) -> bool {
    (byte == b'\t') | ((byte >= b' ') & (byte != 0x7f))
}

/// A set of bytes.
type Set = [bool; 256];

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "done by the compiler, which would not go on past the end"
)]
const fn set(others: &[u8]) -> Set {
    let mut set = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        set[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut others = others;
    while let [byte, rest @ ..] = others {
        set[*byte as usize] = true;
        others = rest;
    }
    set
}

/// What names consist of (RFC 9110 §5.6.2).
static TOKEN: Set = set(b"!#$%&'*+-.^_`|~");
/// What path and query consist of (RFC 3986 §3.3-§3.4).
static TARGET: Set = set(b"-._~!$&'()*+,;=:@/%?");

pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

fn is_target_byte(byte: u8) -> bool {
    TARGET.get(usize::from(byte)).copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bytes_are_counted_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for length in 0..45 {
                for at in 0..length {
                    for filler in [b'a', b'\t', 0x80, 0xff] {
                        let mut bytes = vec![filler; length];
                        bytes[at] = byte;
                        let expected = bytes.iter().take_while(|byte| is_plain(**byte)).count();
                        assert_eq!(plain_bytes(&bytes), expected, "{bytes:?}");
                    }
                }
            }
        }
    }
}
