//! A slow twin of the filter: no lexer, no parser, no paths. It knows what it asked and looks at the JSON itself.

use proptest::prelude::{
    Just, ProptestConfig, Strategy, TestCaseError, any, prop, prop_assert, prop_assert_eq,
    prop_oneof, proptest,
};
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::PROPERTIES;
use crate::management::odata::Filter;

/// A filter as somebody means it.
#[derive(Debug, Clone)]
enum Meant {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Text(&'static str, &'static str, Option<&'static str>),
    Size(&'static str, i32),
    Enabled(bool),
    Starts(&'static str),
    In(Vec<&'static str>),
    AnyTag(&'static str, &'static str),
    HasTags,
}

const OPERATORS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];
const TEXTS: [&str; 6] = ["", "a", "AB", "ab", "b'c", "ß"];
/// Where the generated items have a text that may be missing.
const PLACES: [&str; 2] = ["name", "agent/agentType"];

impl Meant {
    fn written(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match self {
            Self::And(one, other) => format!("({}) and ({})", one.written(), other.written()),
            Self::Or(one, other) => format!("({}) or ({})", one.written(), other.written()),
            Self::Not(inner) => format!("not ({})", inner.written()),
            Self::Text(place, operator, text) => {
                let text = text.map_or("null".to_owned(), quoted);
                format!("{place} {operator} {text}")
            }
            Self::Size(operator, number) => format!("{number} {operator} size"),
            Self::Enabled(as_it_is) => {
                let written = if *as_it_is {
                    "enabled"
                } else {
                    "enabled eq false"
                };
                written.to_owned()
            }
            Self::Starts(text) => format!("startsWith(name,{})", quoted(text)),
            Self::In(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
                format!("name in ({})", texts.join(","))
            }
            Self::AnyTag(operator, text) => format!("tags/any(t:t {operator} {})", quoted(text)),
            Self::HasTags => "tags/any()".to_owned(),
        }
    }

    /// 1: true, -1: false, 0: null. `and` is the least, `or` the greatest, `not` the negative.
    fn means(&self, item: &Value) -> i8 {
        let sign = |met: bool| if met { 1 } else { -1 };
        match self {
            Self::And(one, other) => one.means(item).min(other.means(item)),
            Self::Or(one, other) => one.means(item).max(other.means(item)),
            Self::Not(inner) => -inner.means(item),
            Self::Text(place, operator, text) => {
                let value = match *place {
                    "name" => item["name"].as_str(),
                    _ => item["agent"]["agentType"].as_str(),
                };
                sign(text_stands(value, operator, *text))
            }
            Self::Size(operator, number) => {
                let Some(size) = item["size"].as_f64() else {
                    return sign(*operator == "ne");
                };
                let number = f64::from(*number);
                sign(match *operator {
                    "eq" => number == size,
                    "ne" => number != size,
                    "gt" => number > size,
                    "ge" => number >= size,
                    "lt" => number < size,
                    _ => number <= size,
                })
            }
            Self::Enabled(true) => item["enabled"].as_bool().map_or(0, sign),
            Self::Enabled(false) => sign(item["enabled"] == json!(false)),
            Self::Starts(text) => {
                let name = item["name"].as_str();
                name.map_or(0, |name| sign(folded(name).starts_with(&folded(text))))
            }
            Self::In(texts) => {
                let name = item["name"].as_str();
                sign(texts.iter().any(|text| text_stands(name, "eq", Some(text))))
            }
            Self::AnyTag(operator, text) => {
                let tags = item["tags"].as_array().cloned().unwrap_or_default();
                let meets = |tag: &Value| text_stands(tag.as_str(), operator, Some(text));
                sign(tags.iter().any(meets))
            }
            Self::HasTags => sign(item["tags"].get(0).is_some()),
        }
    }
}

fn folded(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .into_bytes()
}

fn text_stands(value: Option<&str>, operator: &str, text: Option<&str>) -> bool {
    let (Some(value), Some(text)) = (value, text) else {
        let same = value.is_none() && text.is_none();
        return match operator {
            "eq" => same,
            "ne" => !same,
            _ => false,
        };
    };
    let (value, text) = (folded(value), folded(text));
    match operator {
        "eq" => value == text,
        "ne" => value != text,
        "gt" => value > text,
        "ge" => value >= text,
        "lt" => value < text,
        _ => value <= text,
    }
}

fn meant() -> impl Strategy<Value = Meant> {
    let leaf = prop_oneof![
        (select(&PLACES), select(&OPERATORS), select(&TEXTS))
            .prop_map(|(place, operator, text)| { Meant::Text(place, operator, Some(text)) }),
        (select(&PLACES), select(&OPERATORS[..2]))
            .prop_map(|(place, operator)| Meant::Text(place, operator, None)),
        (select(&OPERATORS), -2..3).prop_map(|(operator, number)| Meant::Size(operator, number)),
        any::<bool>().prop_map(Meant::Enabled),
        select(&TEXTS).prop_map(Meant::Starts),
        prop::collection::vec(select(&TEXTS), 1..3).prop_map(Meant::In),
        (select(&OPERATORS), select(&TEXTS)).prop_map(|(o, text)| Meant::AnyTag(o, text)),
        Just(Meant::HasTags),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Meant::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Meant::Or(a.into(), b.into())),
            inner.prop_map(|a| Meant::Not(a.into())),
        ]
    })
}

/// An item of which anything may be missing or null.
pub(super) fn item() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            1 => Just(None),
            1 => Just(Some(Value::Null)),
            4 => select(&TEXTS).prop_map(|text| Some(json!(text))),
        ]
    };
    let size = prop::option::of(prop_oneof![
        (-2..3).prop_map(|n| json!(n)),
        Just(json!(0.5))
    ]);
    let tags = prop::option::of(prop::collection::vec(select(&TEXTS), 0..3));
    let agent = prop::option::of(text());
    (text(), size, prop::option::of(any::<bool>()), agent, tags).prop_map(
        |(name, size, enabled, agent, tags)| {
            let agent = agent.map(|of| of.map_or(json!({}), |of| json!({"agentType": of})));
            let members = [
                ("name", name),
                ("size", size),
                ("enabled", enabled.map(|enabled| json!(enabled))),
                ("agent", agent),
                ("tags", tags.map(|tags| json!(tags))),
            ];
            let members = members.into_iter();
            let given = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(given.collect::<Map<_, _>>())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn a_filter_means_what_its_slow_twin_means(meant in meant(), item in item()) {
        let written = meant.written();
        let filter = Filter::parse(&written, PROPERTIES);
        let filter = filter.map_err(|fault| TestCaseError::fail(format!("{written}: {fault}")))?;
        prop_assert_eq!(filter.passes(&item), meant.means(&item) == 1, "{}", written);
    }

    #[test]
    fn no_text_makes_the_reader_fail_otherwise_than_by_a_fault(
        text in "([a-z]{1,5}|name|tags/any\\(|t:|[ (),/:']|eq|not|and|'[a-zß']*'|[0-9.:TZ+-]{1,22}|\\PC){0,20}",
        item in item(),
    ) {
        if let Ok(filter) = Filter::parse(&text, PROPERTIES) {
            let negated = Filter::parse(&format!("not ({text})"), PROPERTIES);
            let negated = negated.map_err(|fault| TestCaseError::fail(fault.message))?;
            prop_assert!(!(filter.passes(&item) && negated.passes(&item)));
        }
    }
}
