//! Texts as JSON writes them (RFC 8259 §7), many bytes at a time: nearly none holds what must be escaped.

/// Whether every byte of a text stands for itself (RFC 8259 §7).
fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        return !must_any_escape(text.as_chunks().0, last);
    }
    if let Some(last) = text.last_chunk::<8>() {
        return !must_any_escape(text.as_chunks().0, last);
    }
    !text.iter().any(|byte| must_escape(*byte))
}

/// Whether one of the bytes of any part must be escaped. No step depends on what they are, so that those of a part are looked
/// at at once. The last part may hold some of the one before it.
fn must_any_escape<const COUNT: usize>(parts: &[[u8; COUNT]], last: &[u8; COUNT]) -> bool {
    let mut found = [0; COUNT];
    for part in parts.iter().chain([last]) {
        for (found, byte) in found.iter_mut().zip(part) {
            *found |= u8::from(must_escape(*byte));
        }
    }
    found != [0; COUNT]
}

const fn must_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Appends a text's bytes, each as it stands in JSON.
pub(super) fn escape(line: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        line.extend_from_slice(text);
        return;
    }
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
                line.extend_from_slice(b"\\u00");
                line.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
                continue;
            }
            _ => {
                line.push(*byte);
                continue;
            }
        };
        line.extend_from_slice(&[b'\\', short]);
    }
}

/// Appends a text in quotes.
pub(super) fn text(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    escape(line, text.as_bytes());
    line.push(b'"');
}
