//! A body in chunks (RFC 9112 §7.1), followed byte by byte to its end.
//!
//! Sizes are hexadecimal digits and nothing else; lines end in CR LF; extensions are skipped, up to a limit; fields
//! behind the last chunk have the form of fields. Never here: the bytes themselves, which go on as they came.

use super::head::is_token_byte;

/// Digits of a chunk's size: enough for any body, too few to overflow.
const MAX_SIZE_DIGITS: u8 = 15;
/// All extensions of one body together, in bytes. Nobody needs them.
const MAX_EXTENSION_BYTES: u16 = 4096;
/// All fields behind the last chunk together, in bytes.
const MAX_TRAILER_BYTES: u16 = 8192;

/// Not the form that chunks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Where in the body the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the digits of a size, of which there were so many.
    Size(u8),
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the beginning of a line behind the last chunk.
    LineStart,
    FieldName,
    FieldValue,
    FieldLf,
    LastLf,
    Over,
}

/// One body.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    /// Of the chunk's data: what is left, or its size as far as it was read.
    size: u64,
    extension_bytes: u16,
    trailer_bytes: u16,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self {
            at: At::Size(0),
            size: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
        }
    }

    /// Whether the body's last byte was read.
    pub(super) fn is_over(&self) -> bool {
        self.at == At::Over
    }

    /// How many bytes at the front are of the body. What comes before a fault is; the fault is found again behind it.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut taken: usize = 0;
        while !self.is_over() {
            let Some((byte, rest)) = bytes.get(taken..).and_then(<[u8]>::split_first) else {
                break;
            };
            if self.at == At::Data {
                let available = u64::try_from(rest.len().saturating_add(1)).unwrap_or(u64::MAX);
                let data = available.min(self.size);
                self.size = self.size.saturating_sub(data);
                if self.size == 0 {
                    self.at = At::DataCr;
                }
                taken = taken.saturating_add(usize::try_from(data).unwrap_or(usize::MAX));
                continue;
            }
            match self.next(*byte) {
                Ok(at) => self.at = at,
                Err(Malformed) if taken > 0 => break,
                Err(Malformed) => return Err(Malformed),
            }
            taken = taken.saturating_add(1);
        }
        Ok(taken)
    }

    /// Where one byte leads that is not data.
    fn next(&mut self, byte: u8) -> Result<At, Malformed> {
        match (self.at, byte) {
            (At::Size(digits), _) if byte.is_ascii_hexdigit() => self.digit(digits, byte),
            (At::Size(1..) | At::Extension, b'\r') => Ok(At::SizeLf),
            (At::Size(1..), b';') | (At::Extension, b'\t' | b' '..=b'~') => {
                count(&mut self.extension_bytes, MAX_EXTENSION_BYTES)?;
                Ok(At::Extension)
            }
            (At::SizeLf, b'\n') if self.size == 0 => Ok(At::LineStart),
            (At::SizeLf, b'\n') => Ok(At::Data),
            (At::DataCr, b'\r') => Ok(At::DataLf),
            (At::DataLf, b'\n') => Ok(At::Size(0)),
            (At::LineStart, b'\r') => Ok(At::LastLf),
            (At::LastLf, b'\n') => Ok(At::Over),
            (At::LineStart | At::FieldName, _) if is_token_byte(byte) => {
                count(&mut self.trailer_bytes, MAX_TRAILER_BYTES)?;
                Ok(At::FieldName)
            }
            (At::FieldName, b':') => Ok(At::FieldValue),
            (At::FieldValue, b'\r') => Ok(At::FieldLf),
            (At::FieldValue, b'\t' | b' '..=b'~') => {
                count(&mut self.trailer_bytes, MAX_TRAILER_BYTES)?;
                Ok(At::FieldValue)
            }
            (At::FieldLf, b'\n') => Ok(At::LineStart),
            _ => Err(Malformed),
        }
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<At, Malformed> {
        if digits == 0 {
            self.size = 0;
        }
        if digits >= MAX_SIZE_DIGITS {
            return Err(Malformed);
        }
        let value = char::from(byte).to_digit(16).ok_or(Malformed)?;
        self.size = self.size << 4 | u64::from(value);
        Ok(At::Size(digits.saturating_add(1)))
    }
}

fn count(bytes: &mut u16, limit: u16) -> Result<(), Malformed> {
    *bytes = bytes.saturating_add(1);
    if *bytes > limit {
        Err(Malformed)
    } else {
        Ok(())
    }
}
