//! From a file's bytes to its text: UTF-8 with or without a byte order mark, UTF-16 with one.
//!
//! Exports made with PowerShell are UTF-16 with a byte order mark (`reference/entra.md` §3.8). Never here:
//! a guess, or a replacement character in place of what could not be read.

use std::borrow::Cow;

/// Why bytes are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not UTF-8, and no byte order mark says that it is UTF-16.
    #[error("not UTF-8 (byte {0}), and no byte order mark says that it is UTF-16")]
    Utf8(usize),
    /// Every other byte at its start is zero, as in UTF-16, and no byte order mark says so.
    #[error(
        "looks like UTF-16 without a byte order mark, expected UTF-8 or UTF-16 with a byte order mark"
    )]
    Unmarked,
    /// A byte order mark says UTF-16, and the bytes are not.
    #[error("the byte order mark says UTF-16, and byte {0} begins what is not")]
    Utf16(usize),
}

/// Reads UTF-8 (RFC 3629), with or without a byte order mark, or UTF-16 (RFC 2781) with one; the mark is left out.
///
/// # Errors
/// [`TextError`] with the offset of the first byte that is neither.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        [0, _, ..] | [_, 0, ..] => Err(TextError::Unmarked),
        _ => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], mark: usize) -> Result<Cow<'_, str>, TextError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|fault| TextError::Utf8(fault.valid_up_to().saturating_add(mark)))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, TextError> {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut at = 2_usize;
    for character in char::decode_utf16(units.iter().copied().map(unit)) {
        let character = character.map_err(|_unpaired| TextError::Utf16(at))?;
        at = at.saturating_add(character.len_utf16().saturating_mul(2));
        text.push(character);
    }
    if rest.is_empty() {
        Ok(Cow::Owned(text))
    } else {
        Err(TextError::Utf16(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let marked = format!("\u{FEFF}{text}");
        marked.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn reads_each_encoding_and_leaves_the_mark_out() {
        let text = "{\"a\": \"é𝄞\"}";
        assert_eq!(decode(text.as_bytes()).as_deref(), Ok(text));
        assert_eq!(
            decode(format!("\u{FEFF}{text}").as_bytes()).as_deref(),
            Ok(text)
        );
        assert_eq!(
            decode(&utf16_bytes(text, u16::to_le_bytes)).as_deref(),
            Ok(text)
        );
        assert_eq!(
            decode(&utf16_bytes(text, u16::to_be_bytes)).as_deref(),
            Ok(text)
        );
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn refuses_what_is_neither_and_says_where() {
        assert_eq!(decode(b"ab\xFFc"), Err(TextError::Utf8(2)));
        assert_eq!(decode(b"{\0}\0"), Err(TextError::Unmarked));
        assert_eq!(decode(b"\0{\0}"), Err(TextError::Unmarked));
        assert_eq!(decode(b"\xEF\xBB\xBFa\xC0"), Err(TextError::Utf8(4)));
        assert_eq!(
            decode(b"\xFF\xFEa\0b"),
            Err(TextError::Utf16(4)),
            "half a unit"
        );
        assert_eq!(
            decode(b"\xFF\xFEa\0\x00\xD8b\0"),
            Err(TextError::Utf16(4)),
            "half a pair"
        );
    }
}
