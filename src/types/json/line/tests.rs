//! The same as `serde_json` writes, whatever is written.

use std::collections::BTreeMap;

use proptest::prelude::{any, proptest};
use serde::Serialize;
use serde_json::Value;

use super::*;

fn same(value: &impl Serialize) {
    let mut line = Buffer::default();
    write(&mut line, value).unwrap();
    let wanted = serde_json::to_string(value).unwrap();
    assert_eq!(std::str::from_utf8(line.bytes()).unwrap(), wanted);
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
    let mut line = Buffer::default();
    assert!(write(&mut line, &BTreeMap::from([(1, 2)])).is_err());
    assert!(write(&mut line, &1.5).is_err());
}

/// The same members by serde's `flatten`, and by name.
macro_rules! outer {
    ($name:ident, $way:meta) => {
        #[derive(Serialize)]
        struct $name<'a> {
            #[serde($way)]
            first: Option<Inner<'a>>,
            between: u8,
            #[serde($way)]
            second: Inner<'a>,
            #[serde($way)]
            last: Absent,
        }
    };
}

#[derive(Serialize, Clone, Copy)]
struct Absent {
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
}

outer!(Flat, flatten);
outer!(Unnamed, rename = "");

#[test]
fn members_without_a_name_stand_in_its_place() {
    let inner = || Inner {
        map: BTreeMap::from([("\"}", 1)]),
        absent: None,
        empty: [],
    };
    for first in [true, false] {
        for absent in [None, Some(1)] {
            let last = Absent { absent };
            let flat = Flat {
                first: first.then(inner),
                between: 1,
                second: inner(),
                last,
            };
            let unnamed = Unnamed {
                first: first.then(inner),
                between: 1,
                second: inner(),
                last,
            };
            let mut line = Buffer::default();
            write(&mut line, &unnamed).unwrap();
            let wanted = serde_json::to_string(&flat).unwrap();
            assert_eq!(std::str::from_utf8(line.bytes()).unwrap(), wanted);
        }
    }
}

#[test]
fn what_is_no_object_needs_a_name() {
    #[derive(Serialize)]
    struct Of<T> {
        #[serde(rename = "")]
        unnamed: T,
    }
    let mut line = Buffer::default();
    assert!(write(&mut line, &Of { unnamed: "{}" }).is_err());
    assert!(write(&mut line, &Of { unnamed: 1 }).is_err());
    assert!(write(&mut line, &Of { unnamed: [true] }).is_err());
}
