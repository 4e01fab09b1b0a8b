//! The encodings that exports come in: UTF-8, with or without a byte order mark, and UTF-16 with one
//! (`reference/entra.md` §3.8). Never here: a guess, and a replacement character.

/// The text of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [_, 0, ..] | [0, _, ..] => Err(
            "looks like UTF-16 without a byte order mark; expected UTF-8, or UTF-16 with one"
                .into(),
        ),
        plain => utf8(plain),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(fault) => Err(format!(
            "not UTF-8 after {} bytes; expected UTF-8, or UTF-16 with a byte order mark",
            fault.valid_up_to()
        )),
    }
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the byte order mark says UTF-16, but the number of bytes is odd".into());
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<_, _>>()
        .map_err(|fault| {
            format!(
                "the byte order mark says UTF-16, but `{:#06x}` is half of a character",
                fault.unpaired_surrogate()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    }

    #[test]
    fn reads_every_encoding_of_exports() {
        let text = "{\"displayName\": \"Bl\u{f8}kk \u{1f6a7}\"}";
        let with_mark = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with_mark,
            utf16_bytes(text, u16::to_le_bytes),
            utf16_bytes(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn refuses_what_is_no_text() {
        for bytes in [
            b"{\"a\":\"\xff\"}".as_slice(),
            b"\xFF\xFE{",
            b"\xFF\xFE\x00\xD8{\x00",
            b"{\x00}\x00",
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
