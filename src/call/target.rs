//! The request target (RFC 9112 §3.2, RFC 3986), brought into one normal form.
//!
//! Two spellings that a server may read as one path become one text here, and a spelling that servers read in
//! different ways is refused: whoever judges the text and whoever serves it then see the same path.
//! The query is checked for its characters only and kept as it came; no decision reads it.
//!
//! Normal form: unreserved characters and the delimiters that mean nothing inside a segment stand for
//! themselves, every other octet is `%XX` in upper case. Normalising twice changes nothing.
//! Never here: guessing what was meant. No segment is removed, merged or resolved.

use std::sync::Arc;

/// A target in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The path: starts with `/`, no empty segment but the last, no dot segment.
    pub path: Arc<str>,
    /// The query without `?`, as it came.
    pub query: Option<Arc<str>>,
}

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither `*` nor an authority nor a bare word is a path.
    #[error("the path does not start with `/`")]
    NotAPath,
    /// A character that RFC 3986 does not allow there, a fragment included.
    #[error("the target holds a character that must be percent-encoded")]
    Character,
    /// `%` without two hexadecimal digits.
    #[error("the path holds a `%` without two hexadecimal digits")]
    Percent,
    /// An encoded slash, backslash, semicolon or control character.
    #[error("the path holds an encoded delimiter or control character")]
    EncodedDelimiter,
    /// Still percent-encoded once it is decoded.
    #[error("the path is percent-encoded twice")]
    EncodedTwice,
    /// Octets that are not UTF-8, or a character that some servers fold into a delimiter.
    #[error("the path holds octets that are not UTF-8, or that fold into a delimiter")]
    Text,
    /// `.` or `..`
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `//`
    #[error("the path holds an empty segment")]
    EmptySegment,
}

impl Target {
    /// Reads `path[?query]`.
    ///
    /// # Errors
    /// [`TargetError`] says what could be read in two ways.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        if query.is_some_and(|query| !query.bytes().all(is_query_byte)) {
            return Err(TargetError::Character);
        }
        Ok(Self {
            path: normalise(path)?.into(),
            query: query.map(Into::into),
        })
    }
}

/// Brings a path into normal form. Configured prefixes and templates take the same way as requests.
///
/// # Errors
/// [`TargetError`] says what could be read in two ways.
pub fn normalise(path: &str) -> Result<String, TargetError> {
    if !path.starts_with('/') {
        return Err(TargetError::NotAPath);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let octet = octet(bytes.next(), bytes.next()).ok_or(TargetError::Percent)?;
            push_encoded(&mut normal, octet)?;
            decoded.push(octet);
        } else if is_segment_byte(byte) || byte == b'/' {
            normal.push(char::from(byte));
            decoded.push(byte);
        } else {
            return Err(TargetError::Character);
        }
    }
    check_text(&decoded)?;
    check_segments(&normal)?;
    Ok(normal)
}

/// Writes one octet that came percent-encoded.
fn push_encoded(normal: &mut String, octet: u8) -> Result<(), TargetError> {
    match octet {
        b'/' | b'\\' | b';' | 0..=0x1f | 0x7f => Err(TargetError::EncodedDelimiter),
        // Some servers read a bare `+` as a blank, so `+` and `%2B` stay two texts.
        byte if is_segment_byte(byte) && byte != b'+' => {
            normal.push(char::from(byte));
            Ok(())
        }
        byte => {
            normal.push('%');
            normal.push(hex_digit(byte >> 4));
            normal.push(hex_digit(byte & 0x0f));
            Ok(())
        }
    }
}

/// What a segment may hold unencoded: `pchar` (RFC 3986 §3.3) without `;`, behind which some servers
/// cut a segment off, so that `/admin;x` would be `/admin` for them.
const fn is_segment_byte(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'
        | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

/// What a query may hold: RFC 3986 §3.4, and the brackets, braces, bars and carets that clients send unencoded.
const fn is_query_byte(byte: u8) -> bool {
    is_segment_byte(byte)
        || matches!(
            byte,
            b'/' | b'?' | b'%' | b';' | b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'`'
        )
}

/// The decoded path is UTF-8, and holds nothing that another server's next reading turns into a delimiter.
fn check_text(decoded: &[u8]) -> Result<(), TargetError> {
    let text = std::str::from_utf8(decoded).map_err(|_not_utf8| TargetError::Text)?;
    if text.chars().any(folds_into_delimiter) {
        return Err(TargetError::Text);
    }
    // An octet that is `%` here was `%25` before; two hexadecimal digits behind it are a second encoding.
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        let mut digits = behind.bytes();
        if octet(digits.next(), digits.next()).is_some() {
            return Err(TargetError::EncodedTwice);
        }
        rest = behind;
    }
    Ok(())
}

/// C1 controls, and characters that compatibility folding or a "best fit" code page makes `.`, `/`, `\`, `%` or `;`.
const fn folds_into_delimiter(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{2024}'..='\u{2026}' | '\u{2028}' | '\u{2029}' | '\u{2044}' | '\u{2215}' | '\u{2216}'
        | '\u{fe52}' | '\u{fe54}' | '\u{fe68}' | '\u{fe6a}'
        | '\u{ff05}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff1b}' | '\u{ff3c}')
}

/// No dot segment anywhere, no empty segment but the last.
fn check_segments(normal: &str) -> Result<(), TargetError> {
    let mut segments = normal.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(TargetError::DotSegment),
            "" if segments.peek().is_some() => return Err(TargetError::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

/// The octet of two hexadecimal digits.
pub(super) fn octet(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let value = |digit: Option<u8>| {
        char::from(digit?)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some(value(high)? << 4 | value(low)?)
}

/// The upper-case digit of a value below 16.
fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
