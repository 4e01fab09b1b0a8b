//! JSON on one line, written as `serde_json` writes it, for less: every call pays for two lines.
//!
//! Names of members are our own and are written as they stand; texts are looked at many bytes at a time, and nearly none
//! holds what must be escaped. Never here: a float, or a map whose keys are not texts; they are errors, as in
//! `serde_json`.

use std::fmt::{self, Write as _};

use serde::ser::{
    self, Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Error;

/// Appends a value to a line.
///
/// # Errors
/// What the value says of itself, and keys that are no texts.
pub(super) fn write(line: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
    value.serialize(Writer(line))
}

/// Writes one value.
struct Writer<'a>(&'a mut Vec<u8>);

/// Writes the items or members of a value, and then what closes it.
struct Members<'a> {
    line: &'a mut Vec<u8>,
    first: bool,
    close: &'static [u8],
}

/// A text on its way into a line.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text.as_bytes());
        Ok(())
    }
}

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

fn escape(line: &mut Vec<u8>, text: &[u8]) {
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

fn text(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    escape(line, text.as_bytes());
    line.push(b'"');
}

/// A member's name, as the program's source says it.
fn name(line: &mut Vec<u8>, name: &'static str) {
    line.push(b'"');
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
}

impl<'a> Writer<'a> {
    fn shown(self, value: impl fmt::Display) -> Result<(), Error> {
        // Into memory, which does not fail.
        let mut line = Escaped(self.0);
        write!(line, "{value}").map_err(Error::custom)
    }

    fn open(self, open: u8, close: &'static [u8]) -> Members<'a> {
        self.0.push(open);
        Members {
            line: self.0,
            first: true,
            close,
        }
    }

    fn variant(self, variant: &'static str, open: u8, close: &'static [u8]) -> Members<'a> {
        self.0.push(b'{');
        name(self.0, variant);
        self.open(open, close)
    }
}

impl Members<'_> {
    fn comma(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.line.push(b',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(Writer(self.line))
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.comma();
        name(self.line, key);
        value.serialize(Writer(self.line))
    }

    fn close(self) {
        self.line.extend_from_slice(self.close);
    }
}

/// Whole numbers look as they are shown.
macro_rules! whole_numbers {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(self, value: $number) -> Result<(), Error> {
            self.shown(value)
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    whole_numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.0.extend_from_slice(text);
        Ok(())
    }

    fn serialize_f32(self, _value: f32) -> Result<(), Error> {
        Err(Error::custom("a line holds no floats"))
    }

    fn serialize_f64(self, _value: f64) -> Result<(), Error> {
        Err(Error::custom("a line holds no floats"))
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        text(self.0, value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        text(self.0, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut members = self.open(b'{', b"}");
        members.member(variant, value)?;
        members.close();
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Members<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Members<'a>, Error> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members<'a>, Error> {
        Ok(self.variant(variant, b'[', b"]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Members<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Members<'a>, Error> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members<'a>, Error> {
        Ok(self.variant(variant, b'{', b"}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.0.push(b'"');
        Writer(&mut *self.0).shown(value)?;
        self.0.push(b'"');
        Ok(())
    }
}

/// Lists, however they are called.
macro_rules! lists {
    ($($of:ident $method:ident),*) => {
        $(impl $of for Members<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

/// Objects whose members' names are in the source.
macro_rules! objects {
    ($($of:ident),*) => {
        $(impl $of for Members<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.member(key, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

lists!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);
objects!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        let start = self.line.len();
        key.serialize(Writer(self.line))?;
        if self.line.get(start) == Some(&b'"') {
            Ok(())
        } else {
            Err(Error::custom("a key is a text"))
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.line.push(b':');
        value.serialize(Writer(self.line))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, proptest};
    use serde::Serialize;
    use serde_json::Value;

    use super::*;

    fn same(value: &impl Serialize) {
        let mut line = Vec::new();
        write(&mut line, value).unwrap();
        let wanted = serde_json::to_string(value).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), wanted);
    }

    /// Every form that a value can have.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Forms<'a> {
        a_text: &'a str,
        a_char: char,
        nothing: Option<u8>,
        something: Option<i64>,
        unit: (),
        tuple: (u8, &'a str),
        variants: Vec<Variant<'a>>,
        #[serde(flatten)]
        more: Option<Inner<'a>>,
        last: bool,
    }

    #[derive(Serialize)]
    struct Inner<'a> {
        map: BTreeMap<&'a str, u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
        empty: [u8; 0],
    }

    #[derive(Serialize)]
    enum Variant<'a> {
        Unit,
        One(&'a str),
        Two(i8, u64),
        Named { of: &'a str },
    }

    proptest! {
        #[test]
        fn writes_what_serde_json_writes(text in any::<String>(), other in "[\\x00-\\x7f]{0,40}", number in any::<i64>()) {
            same(&Forms {
                a_text: &text,
                a_char: text.chars().next().unwrap_or('"'),
                nothing: None,
                something: Some(number),
                unit: (),
                tuple: (7, &other),
                variants: vec![
                    Variant::Unit,
                    Variant::One(&other),
                    Variant::Two(-1, u64::MAX),
                    Variant::Named { of: &text },
                ],
                more: Some(Inner { map: [(text.as_str(), 1), (other.as_str(), 2)].into(), absent: None, empty: [] }),
                last: number > 0,
            });
            same(&Value::from(vec![text.as_str(), &other]));
            same(&format_args!("{text}{other}"));
        }
    }

    #[test]
    fn every_byte_below_the_blank_is_escaped() {
        for byte in 0..=0x7f_u8 {
            same(&char::from(byte));
        }
    }

    #[test]
    fn a_key_that_is_no_text_is_an_error() {
        let mut line = Vec::new();
        assert!(write(&mut line, &BTreeMap::from([(1, 2)])).is_err());
        assert!(write(&mut line, &1.5).is_err());
    }
}
