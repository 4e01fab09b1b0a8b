//! The caller's trace context (W3C Trace Context): which trace a call is part of.
//!
//! Used to tie calls together, never believed for anything else.

use http::{HeaderMap, HeaderName};

/// A valid `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: [u8; 32],
    /// Whether the caller's side records the trace.
    pub sampled: bool,
}

impl TraceParent {
    /// The header's name as text.
    pub const NAME: &'static str = "traceparent";

    /// The header's name.
    pub const HEADER: HeaderName = HeaderName::from_static(Self::NAME);

    /// The one valid `traceparent` of these headers; `None` without one, with two, or with a broken one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(Self::HEADER).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(value.to_str().ok()?)
    }

    /// Reads `version-trace-parent-flags`. Members that a later version adds behind the flags are let be.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '-');
        let version = hex::<2>(parts.next()?)?;
        let trace_id = hex::<32>(parts.next()?)?;
        let parent = hex::<16>(parts.next()?)?;
        let [_, low] = hex::<2>(parts.next()?)?;
        let more = parts.next().is_some();
        let valid = version != *b"ff"
            && trace_id != [b'0'; 32]
            && parent != [b'0'; 16]
            && (version != *b"00" || !more);
        let sampled = char::from(low).to_digit(16)? & 1 == 1;
        valid.then_some(Self { trace_id, sampled })
    }
}

/// Exactly `N` lower-case hexadecimal digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: [u8; N] = text.as_bytes().try_into().ok()?;
    digits
        .iter()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        .then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn reads_valid_ones_only() {
        let parse = |version, rest| {
            TraceParent::parse(&format!("{version}-{TRACE}-b7ad6b7169203331-{rest}"))
        };
        assert!(parse("00", "01").unwrap().sampled);
        assert!(!parse("00", "00").unwrap().sampled);
        assert_eq!(parse("cc", "01-more").unwrap().trace_id, TRACE.as_bytes());
        assert_eq!(parse("00", "01-more"), None);
        assert_eq!(parse("ff", "01"), None);
        for text in [
            "",
            "00-0-0-0",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
