//! Eight bytes at once, as the parts of one number: for texts too short for the processor's wide registers.
//!
//! Whether one of them is sought is exact; which one it is, is not known here: a carry may mark a byte above it too.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Whether a byte is a control character (below 0x20).
#[must_use]
pub const fn has_control(word: u64) -> bool {
    word.wrapping_sub(0x20 * ONES) & !word & HIGH != 0
}

/// Whether a byte is this one, which is of ASCII.
#[must_use]
pub const fn has(word: u64, byte: u8) -> bool {
    let differs = word ^ u64::from_ne_bytes([byte; 8]);
    differs.wrapping_sub(ONES) & !differs & HIGH != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_missed_and_nothing_is_found_where_nothing_is() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                for filler in [b'a', 0x20, 0x7e, 0x80, 0xff] {
                    let mut bytes = [filler; 8];
                    bytes[at] = byte;
                    let word = u64::from_ne_bytes(bytes);
                    assert_eq!(has_control(word), byte < 0x20, "{bytes:?}");
                    assert_eq!(has(word, b'"'), byte == b'"', "{bytes:?}");
                }
            }
        }
    }
}
