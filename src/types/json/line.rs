//! JSON on one line, written as `serde_json` writes it, for less: every call pays for two lines, and one that is refused
//! for its body.
//!
//! Names of members are our own and are written as they stand; texts are looked at many bytes at a time, and nearly none
//! holds what must be escaped. A member of a struct without a name (`rename = ""`) is an object whose members stand in its
//! place: what serde calls `flatten`, but the names stay the source's. Never here: a float, or a map whose keys are not
//! texts; they are errors, as in `serde_json`.

mod escape;

use std::fmt::{self, Write as _};

use serde::ser::{
    self, Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Error;

use self::escape::{escape, text};
use crate::types::Buffer;

/// Appends a value to a line.
///
/// # Errors
/// What the value says of itself, and keys that are no texts.
pub(crate) fn write(line: &mut Buffer, value: &impl Serialize) -> Result<(), Error> {
    value.serialize(Writer(line))
}

/// Writes one value.
struct Writer<'a>(&'a mut Buffer);

/// Writes the items or members of a value, and then what closes it.
struct Members<'a> {
    line: &'a mut Buffer,
    first: bool,
    close: &'static [u8],
}

/// A text on its way into a line.
struct Escaped<'a>(&'a mut Buffer);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text.as_bytes());
        Ok(())
    }
}

/// A member's name, as the program's source says it, behind what stands before it. In its place the lengths are known, and
/// each name is a store or two.
#[inline(always)]
fn name(line: &mut Buffer, before: &'static [u8], name: &'static str) {
    let length = before.len() + name.len() + CLOSE_NAME.len();
    let (start, rest) = line.next(length).split_at_mut(before.len());
    let (middle, end) = rest.split_at_mut(name.len());
    start.copy_from_slice(before);
    middle.copy_from_slice(name.as_bytes());
    end.copy_from_slice(CLOSE_NAME);
}

const CLOSE_NAME: &[u8] = b"\":";

impl<'a> Writer<'a> {
    fn open(self, open: u8, close: &'static [u8]) -> Members<'a> {
        self.0.push(open);
        Members {
            line: self.0,
            first: true,
            close,
        }
    }

    fn variant(self, variant: &'static str, open: u8, close: &'static [u8]) -> Members<'a> {
        name(self.0, b"{\"", variant);
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

    #[inline(always)]
    fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        if key.is_empty() {
            return self.members_of(value);
        }
        if std::mem::replace(&mut self.first, false) {
            name(self.line, b"\"", key);
        } else {
            name(self.line, b",\"", key);
        }
        value.serialize(Writer(self.line))
    }

    /// The members of an object, or of none, among these: what opens it becomes the comma before them.
    fn members_of<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let start = self.line.len();
        value.serialize(Writer(self.line))?;
        match self.line.since(start) {
            [b'n', b'u', b'l', b'l'] | [b'{', b'}'] => self.line.truncate(start),
            [open @ b'{', .., b'}'] => {
                *open = b',';
                self.line.truncate(self.line.len() - 1);
                if std::mem::replace(&mut self.first, false) {
                    self.line.remove(start);
                }
            }
            _ => return Err(Error::custom("members without a name are an object's")),
        }
        Ok(())
    }

    fn close(self) {
        self.line.put(self.close);
    }
}

/// Whole numbers, without the formatter.
macro_rules! whole_numbers {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(self, value: $number) -> Result<(), Error> {
            let mut digits = itoa::Buffer::new();
            self.0.put(digits.format(value).as_bytes());
            Ok(())
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
        self.0.put(text);
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
        self.0.put(b"null");
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
        // Into memory, which does not fail.
        write!(Escaped(&mut *self.0), "{value}").map_err(Error::custom)?;
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

            #[inline(always)]
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
        if self.line.since(start).first() == Some(&b'"') {
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
mod tests;
