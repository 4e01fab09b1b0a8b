//! Texts as JSON writes them (RFC 8259 §7), copied and looked at many bytes at a time: nearly none holds what must be
//! escaped.

use crate::types::{Buffer, eight};

/// Copies a text, and says whether each of its bytes stands for itself (RFC 8259 §7). `to` is as long as the text.
///
/// A text is taken in parts of one size, the last of which may be some of the one before it.
fn copy_plain(to: &mut [u8], text: &[u8]) -> bool {
    if let (Some(to_last), Some(last)) = (to.last_chunk_mut(), text.last_chunk()) {
        let mut found = [0; 16];
        copy_part(to_last, last, &mut found);
        for (to, part) in to.as_chunks_mut().0.iter_mut().zip(text.as_chunks().0) {
            copy_part(to, part, &mut found);
        }
        return u128::from_ne_bytes(found) == 0;
    }
    to.copy_from_slice(text);
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => !(must_escape_one(*first) || must_escape_one(*last)),
        _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some([a, b, c, d]), Some([e, f, g, h])) => {
                !must_escape_one([*a, *b, *c, *d, *e, *f, *g, *h])
            }
            _ => !text.iter().any(|byte| must_escape(*byte)),
        },
    }
}

/// Copies a part, and marks which of its bytes must be escaped. No step depends on what they are, so that all are looked at
/// at once.
#[inline]
fn copy_part(to: &mut [u8; 16], part: &[u8; 16], found: &mut [u8; 16]) {
    *to = *part;
    for (found, byte) in found.iter_mut().zip(part) {
        *found |= u8::from(must_escape(*byte));
    }
}

/// Whether one of the bytes must be escaped.
#[inline]
const fn must_escape_one(part: [u8; 8]) -> bool {
    let word = u64::from_ne_bytes(part);
    eight::has_control(word) || eight::has(word, b'"') || eight::has(word, b'\\')
}

const fn must_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Appends a text's bytes, each as it stands in JSON.
pub(super) fn escape(line: &mut Buffer, text: &[u8]) {
    let start = line.len();
    if !copy_plain(line.next(text.len()), text) {
        line.truncate(start);
        escape_each(line, text);
    }
}

/// Appends a text in quotes.
pub(super) fn text(line: &mut Buffer, text: &str) {
    let start = line.len();
    let place = line.next(text.len() + 2);
    if let [open, middle @ .., close] = place
        && copy_plain(middle, text.as_bytes())
    {
        (*open, *close) = (b'"', b'"');
        return;
    }
    line.truncate(start);
    line.push(b'"');
    escape_each(line, text.as_bytes());
    line.push(b'"');
}

#[cold]
fn escape_each(line: &mut Buffer, text: &[u8]) {
    for byte in text {
        let short = match byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => {
                let digit = |value: u8| {
                    if value < 10 {
                        b'0' | value
                    } else {
                        b'a' + value - 10
                    }
                };
                line.put(b"\\u00");
                line.put(&[digit(byte >> 4), digit(byte & 0x0f)]);
                continue;
            }
            _ => {
                line.push(*byte);
                continue;
            }
        };
        line.put(&[b'\\', short]);
    }
}
