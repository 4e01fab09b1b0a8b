//! Texts as JSON writes them (RFC 8259 §7), many bytes at a time: nearly none holds what must be escaped.

/// Whether every byte of a text stands for itself (RFC 8259 §7).
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return text
            .iter()
            .all(|byte| !matches!(byte, 0..=0x1f | b'"' | b'\\'));
    };
    let (eights, _in_the_last) = text.as_chunks();
    let found = eights.iter().fold(must_escape(*last), |found, eight| {
        found | must_escape(*eight)
    });
    found == 0
}

/// Not zero where one of eight bytes must be escaped: all are looked at at once. A byte minus n borrows into its highest bit
/// where it was less than n and that bit was not set before.
const fn must_escape(eight: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const fn less(bytes: u64, than: u64) -> u64 {
        bytes.wrapping_sub(EACH.wrapping_mul(than)) & !bytes
    }
    let bytes = u64::from_ne_bytes(eight);
    let quote = bytes ^ EACH.wrapping_mul(0x22);
    let backslash = bytes ^ EACH.wrapping_mul(0x5c);
    (less(bytes, 0x20) | less(quote, 1) | less(backslash, 1)) & EACH.wrapping_mul(0x80)
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
