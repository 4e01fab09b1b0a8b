//! Percent-encoding (RFC 3986 §2.1) of text that becomes part of an address. Never here: decoding, which calls need.

/// One segment of a path, or one value of a query: all but unreserved characters (§2.3) is encoded.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    text.bytes().map(encoded).collect()
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_an_id_ends_its_segment() {
        assert_eq!(percent_encoded("aZ09-._~"), "aZ09-._~");
        assert_eq!(
            percent_encoded("spiffe://t/é?x#%"),
            "spiffe%3A%2F%2Ft%2F%C3%A9%3Fx%23%25"
        );
    }
}
