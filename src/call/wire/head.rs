//! One head (RFC 9112 §2-§3, §5-§6): its lines have the one form that they may have, and its body one length.
//!
//! Whatever goes on from here is taken by the library behind it, so that it refuses nothing on its own, without a record.

use http::Uri;

use crate::call::headers::RequestLimits;
use crate::types::Reason;

/// The longest name of a header, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The longest method, in bytes.
const MAX_METHOD_BYTES: usize = 64;
/// Digits of a `Content-Length`: a number of more would be more than there is.
const MAX_LENGTH_DIGITS: usize = 18;

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Bytes(u64),
    Chunked,
}

/// What the fields say of the body.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
}

/// Reads the lines of a head, without the empty one at its end. Every CR and LF in it is of a CR LF.
pub(super) fn read(head: &[u8], limits: &RequestLimits) -> Result<BodyLength, Reason> {
    let mut lines = head.split(|byte| *byte == b'\n').map(without_cr);
    let is_http_11 = request_line(lines.next().unwrap_or_default(), limits)?;
    let mut framing = Framing::default();
    let mut fields: usize = 0;
    for line in lines {
        fields = fields.saturating_add(1);
        if fields > limits.max_headers {
            return Err(Reason::HeadersTooLarge);
        }
        framing.note(line)?;
    }
    match (framing.chunked, framing.length) {
        (true, None) if is_http_11 => Ok(BodyLength::Chunked),
        // Two framings, or one that the version does not have (RFC 9112 §6.1).
        (true, _) => Err(Reason::RequestMalformed),
        (false, length) => Ok(BodyLength::Bytes(length.unwrap_or(0))),
    }
}

/// `METHOD SP target SP HTTP/1.x`, with one blank each. Whether it is HTTP/1.1.
fn request_line(line: &[u8], limits: &RequestLimits) -> Result<bool, Reason> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Reason::RequestMalformed);
    };
    let is_http_11 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return Err(Reason::RequestMalformed),
    };
    if method.is_empty()
        || method.len() > MAX_METHOD_BYTES
        || !method.iter().copied().all(is_token_byte)
    {
        return Err(Reason::RequestMalformed);
    }
    if target.len() > limits.max_uri_bytes {
        return Err(Reason::UriTooLong);
    }
    // A library drops a fragment before anybody can judge it.
    let is_sound = !target.contains(&b'#') && target.iter().all(u8::is_ascii_graphic);
    if is_sound && Uri::try_from(target).is_ok() {
        Ok(is_http_11)
    } else {
        Err(Reason::RequestMalformed)
    }
}

impl Framing {
    /// Reads one field: `name: value`. A line that begins with a blank (RFC 9112 §5.2) has no name.
    fn note(&mut self, line: &[u8]) -> Result<(), Reason> {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = colon
            .and_then(|at| line.split_at_checked(at))
            .ok_or(Reason::RequestMalformed)?;
        if name.is_empty() || !name.iter().copied().all(is_token_byte) {
            return Err(Reason::RequestMalformed);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(Reason::HeadersTooLarge);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value).ok_or(Reason::RequestMalformed)?;
            if self.length.replace(length).is_some() {
                return Err(Reason::RequestMalformed);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Reason::RequestMalformed);
            }
            self.chunked = true;
        }
        Ok(())
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

/// What names consist of (RFC 9110 §5.6.2).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
