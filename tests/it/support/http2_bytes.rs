//! HTTP/2 frames by hand (RFC 9113), for requests that no client library sends.

use tokio::io::AsyncReadExt;

use super::client::{PATIENCE, RawClient};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a server did with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It answered with this status; 0 for one that is not in HPACK's static table.
    Status(u16),
    /// It reset the stream, or ended the connection.
    Refused,
}

/// A frame of stream `stream`.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A field block of literals without indexing and without Huffman coding (RFC 7541 §6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            push_text(&mut bytes, text.as_bytes());
        }
    }
    bytes
}

/// Octets with their number in front, a 7-bit prefix (RFC 7541 §5.1, §5.2).
pub(crate) fn push_text(bytes: &mut Vec<u8>, text: &[u8]) {
    match u8::try_from(text.len()) {
        Ok(short @ ..=126) => bytes.push(short),
        Ok(_) | Err(_) => {
            bytes.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap() | 0x80);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
    }
    bytes.extend_from_slice(text);
}

/// Sends one request without a body on a fresh connection that begins with these settings (RFC 9113 §6.5), and reads what
/// becomes of it.
pub(crate) async fn request_under(
    client: &mut RawClient,
    settings: &[u8],
    fields: &[(&str, &str)],
) -> Answer {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, settings));
    bytes.extend(frame(1, 0x5, 1, &block(fields)));
    client.send(&bytes).await.unwrap();
    tokio::time::timeout(PATIENCE, read_answer(client))
        .await
        .expect("the server should have answered")
}

async fn read_answer(client: &mut RawClient) -> Answer {
    loop {
        let mut head = [0; 9];
        if client.0.read_exact(&mut head).await.is_err() {
            return Answer::Refused;
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        if client.0.read_exact(&mut payload).await.is_err() {
            return Answer::Refused;
        }
        match head[3] {
            1 => return Answer::Status(status(&payload)),
            3 | 7 => return Answer::Refused,
            _ => {}
        }
    }
}

/// `:status`, which comes first: a name of the static table (RFC 7541 appendix A), its value plain or Huffman-coded.
pub(crate) fn status(block: &[u8]) -> u16 {
    match block {
        [0x88, ..] => 200,
        [0x8c, ..] => 400,
        [0x8d, ..] => 404,
        // Literal with incremental indexing and name 8; the digits are Huffman codes of five or six bits.
        [0x48, length, rest @ ..] if length & 0x80 != 0 => {
            huffman_digits(&rest[..usize::from(length & 0x7f)])
        }
        [0x48, 3, digits @ ..] => String::from_utf8_lossy(&digits[..3]).parse().unwrap_or(0),
        _ => 0,
    }
}

/// Three digits in HPACK's Huffman code (RFC 7541 appendix B): 0-2 have five bits, 3-9 six.
fn huffman_digits(bytes: &[u8]) -> u16 {
    let mut bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
    let mut number = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | u16::from(bits.next().unwrap_or(1));
        }
        let digit = if code <= 2 {
            code
        } else {
            code = code << 1 | u16::from(bits.next().unwrap_or(1));
            code - 0x19 + 3
        };
        number = number * 10 + digit;
    }
    number
}
