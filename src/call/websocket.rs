//! WebSockets (RFC 6455), as far as a gateway reads them: the handshake of a call that asks for one, and where the
//! frames of an open one begin and end.
//!
//! No byte of a frame is changed, and no payload is looked at. Never here: IO.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Method, Version};
use hyper::ext::Protocol;

use crate::types::Reason;

/// Marks a request of HTTP/1.1 whose connection is held for a WebSocket: nothing behind its head is read as a request.
/// An extension of the request, so no peer can set or remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsksForSocket;

/// The one version of the protocol (RFC 6455 §4.1).
pub const VERSION: &str = "13";

/// The most that a Close frame may say beside its code (RFC 6455 §5.5), in bytes.
const MAX_CLOSE_TEXT: usize = 123;

/// Whether a request asks for a WebSocket: by an upgrade of HTTP/1.1, or by an extended CONNECT of HTTP/2 (RFC 8441 §4).
#[must_use]
pub fn is_asked_for(head: &Head) -> bool {
    if head.version == Version::HTTP_2 {
        is_extended_connect(head)
    } else {
        head.extensions.get::<AsksForSocket>().is_some()
    }
}

/// Whether a request is an extended CONNECT for a WebSocket: it is judged and forwarded as the GET that it stands for.
#[must_use]
pub fn is_extended_connect(head: &Head) -> bool {
    let protocol = head.extensions.get::<Protocol>();
    head.version == Version::HTTP_2
        && head.method == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// Checks the handshake of a call that asks for a WebSocket, and takes away what is not for its upstream.
///
/// # Errors
/// [`Reason::RequestMalformed`] for another version, or in HTTP/1.1 without exactly one key of 16 bytes.
pub fn check_handshake(headers: &mut HeaderMap, version: Version) -> Result<(), Reason> {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    let is_ours = one(SEC_WEBSOCKET_VERSION).is_some_and(|value| value == VERSION);
    let has_key = one(SEC_WEBSOCKET_KEY).is_some_and(|key| {
        let key = STANDARD.decode(key);
        key.is_ok_and(|key| key.len() == 16)
    });
    if !is_ours || !(has_key || version == Version::HTTP_2) {
        return Err(Reason::RequestMalformed);
    }
    if version == Version::HTTP_2 {
        // RFC 8441 §5: it means nothing there; the upstream gets one of ours.
        headers.remove(SEC_WEBSOCKET_KEY);
    }
    Ok(())
}

/// A key for a handshake of our own, of 16 random bytes.
#[must_use]
pub fn key(random: [u8; 16]) -> Option<HeaderValue> {
    HeaderValue::from_str(&STANDARD.encode(random)).ok()
}

/// What a server that agrees answers to a key (RFC 6455 §4.2.2).
#[must_use]
pub fn accept(key: &HeaderValue) -> String {
    const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let text = [key.as_bytes(), SUFFIX].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text))
}

/// Where in its frames one direction of a WebSocket is. It is told every byte that went on.
#[derive(Debug, Default)]
pub struct Frames {
    /// How much of a header has come, and the length that it gives so far.
    header: usize,
    /// How long the header is, once two bytes of it have come.
    header_end: usize,
    length_end: usize,
    length: u64,
    opcode: u8,
    /// What is left of the payload.
    left: u64,
    closed: bool,
}

impl Frames {
    /// Notes the bytes that went on.
    pub fn advance(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left == 0 {
                self.read_header(*first);
                bytes = rest;
            } else {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = available.min(self.left);
                self.left = self.left.saturating_sub(taken);
                let taken = usize::try_from(taken).unwrap_or(bytes.len());
                bytes = bytes.get(taken..).unwrap_or_default();
            }
            self.closed |= self.is_between() && self.opcode == CLOSE;
        }
    }

    /// One byte of a header (RFC 6455 §5.2).
    fn read_header(&mut self, byte: u8) {
        match self.header {
            0 => self.opcode = byte & 0x0f,
            1 => {
                let length = byte & 0x7f;
                self.length_end = match length {
                    126 => 4,
                    127 => 10,
                    _ => 2,
                };
                self.length = if length < 126 { u64::from(length) } else { 0 };
                let mask = if byte & 0x80 == 0 { 0 } else { 4 };
                self.header_end = self.length_end.saturating_add(mask);
            }
            at if at < self.length_end => {
                self.length = self.length.wrapping_shl(8) | u64::from(byte);
            }
            _ => {}
        }
        self.header = self.header.saturating_add(1);
        if self.header >= 2 && self.header == self.header_end {
            self.header = 0;
            self.left = self.length;
        }
    }

    /// Whether a frame may be put in here: none has begun that is not at its end.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.header == 0 && self.left == 0
    }

    /// Whether a whole Close frame went on: nothing may follow it (RFC 6455 §5.5.1).
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}

const CLOSE: u8 = 0x8;

/// Why a gateway closes a WebSocket (RFC 6455 §7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// 1001: whoever served it goes away.
    GoingAway,
    /// 1008: a policy does not allow it.
    PolicyViolation,
}

/// A Close frame. `mask` is for one that goes to a server (RFC 6455 §5.3).
#[must_use]
pub fn close_frame(code: CloseCode, text: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    let code: u16 = match code {
        CloseCode::GoingAway => 1001,
        CloseCode::PolicyViolation => 1008,
    };
    let text = text.get(..text.len().min(MAX_CLOSE_TEXT)).unwrap_or("");
    let payload = [&code.to_be_bytes(), text.as_bytes()].concat();
    let length = u8::try_from(payload.len()).unwrap_or(0);
    let mut frame = vec![0x80 | CLOSE];
    match mask {
        None => {
            frame.push(length);
            frame.extend(payload);
        }
        Some(mask) => {
            frame.push(0x80 | length);
            frame.extend(mask);
            let masked = payload.iter().zip(mask.iter().cycle());
            frame.extend(masked.map(|(byte, mask)| byte ^ mask));
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_accepted_as_in_the_example_of_the_rfc() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    /// Frames of every form of length, masked and not, and where each ends.
    fn some_frames() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for length in [0_usize, 1, 125, 126, 127, 65_535, 65_536] {
            for mask in [0_u8, 0x80] {
                bytes.push(0x82);
                match length {
                    0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
                    126..65_536 => {
                        bytes.push(mask | 126);
                        bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
                    }
                    _ => {
                        bytes.push(mask | 127);
                        bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
                    }
                }
                if mask != 0 {
                    bytes.extend([1, 2, 3, 4]);
                }
                bytes.extend(vec![0x88; length]);
                ends.push(bytes.len());
            }
        }
        (bytes, ends)
    }

    #[test]
    fn ends_of_frames_are_found_however_the_bytes_come() {
        let (bytes, ends) = some_frames();
        for step in [1, 2, 3, 7, 4096, bytes.len()] {
            let mut frames = Frames::default();
            let mut at = 0;
            for piece in bytes.chunks(step) {
                frames.advance(piece);
                at += piece.len();
                assert_eq!(frames.is_between(), ends.contains(&at), "at {at} by {step}");
            }
            assert!(!frames.is_closed());
        }
    }

    #[test]
    fn a_close_frame_is_one_for_both_sides() {
        for mask in [None, Some([1, 2, 3, 4])] {
            let frame = close_frame(CloseCode::PolicyViolation, "risk", mask);
            let mut frames = Frames::default();
            let (last, before) = frame.split_last().unwrap();
            frames.advance(before);
            assert!(!frames.is_closed());
            frames.advance(&[*last]);
            assert!(frames.is_closed() && frames.is_between());
        }
        let frame = close_frame(CloseCode::GoingAway, "", None);
        assert_eq!(frame, [0x88, 2, 0x03, 0xe9]);
        let frame = close_frame(CloseCode::GoingAway, "", Some([0xff, 0, 0xff, 0]));
        assert_eq!(frame, [0x88, 0x82, 0xff, 0, 0xff, 0, 0xfc, 0xe9]);
    }

    #[test]
    fn a_length_beyond_all_measure_never_ends() {
        let mut frames = Frames::default();
        frames.advance(&[0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0x88, 0]);
        assert!(!frames.is_between());
    }
}
