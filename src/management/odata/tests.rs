//! OData: cases as data, a slow twin of the filter, and lists that change while they are paged through.

mod lists;
mod twin;

use serde_json::{Value, json};

use super::{Filter, Kind, Property};

/// A set with a property of every kind.
pub(super) static PROPERTIES: &[Property] = &[
    Property::new("id", Kind::Id),
    Property::new("name", Kind::Text),
    Property::new("enabled", Kind::Bool),
    Property::new("size", Kind::Number),
    Property::new("at", Kind::Time),
    Property::new("level", Kind::Name(&["low", "medium", "high"])),
    Property::new(
        "agent",
        Kind::Object(&[
            Property::new("agentType", Kind::Text),
            Property::new("parent", Kind::Object(&[Property::new("name", Kind::Text)])),
        ]),
    ),
    Property::new("tags", Kind::List(&Kind::Text)),
    Property::new(
        "policies",
        Kind::List(&Kind::Object(&[
            Property::new("result", Kind::Text),
            Property::new("controls", Kind::List(&Kind::Text)),
        ])),
    ),
    Property::new("open", Kind::Open),
];

/// The items that the cases are about.
fn items() -> Vec<Value> {
    vec![
        json!({"id": "a", "name": "Ada", "enabled": true, "size": 1, "at": "2026-10-01T12:00:00Z", "level": "low",
            "agent": {"agentType": "agenticAppInstance", "parent": {"name": "HR"}},
            "tags": ["red", "green"],
            "policies": [{"result": "failure", "controls": ["Block"]}, {"result": "notApplied", "controls": []}],
            "open": {"depth": {"is": 3}, "list": [1, 2]}}),
        json!({"id": "b", "name": "Bob's", "enabled": false, "size": 2.5, "at": "2026-10-02T12:00:00.5Z", "level": "high",
            "agent": null, "tags": [], "policies": [{"result": "success", "controls": ["Mfa"]}],
            "open": "text"}),
        json!({"id": "c", "name": null, "size": 18_446_744_073_709_551_615_u64, "level": "medium",
            "agent": {"agentType": null}, "tags": ["blue"], "open": true}),
        json!({"id": "A9A9A9A9-0000-4000-8000-00000000000D", "name": "ÄRGER, (x) and 'y'", "enabled": true, "size": -7,
            "at": "2026-10-01T14:00:00+02:00"}),
    ]
}

/// `filter => ids`, or `filter => ! a part of the message`.
const CASES: &str = include_str!("tests/filters.txt");

#[test]
fn every_filter_gives_what_the_table_says() {
    let items = items();
    let mut seen = 0;
    for (number, line) in CASES.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        seen += 1;
        let (filter, expected) = line.rsplit_once("=>").unwrap();
        let (filter, expected) = (filter.trim_end(), expected.trim());
        let place = format!("filters.txt:{}: {filter}", number + 1);
        match (
            Filter::parse(filter, PROPERTIES),
            expected.strip_prefix('!'),
        ) {
            (Ok(filter), None) => {
                let passing = items.iter().filter(|item| filter.passes(item));
                let ids: Vec<_> = passing
                    .map(|item| item["id"].as_str().unwrap().get(..1).unwrap())
                    .collect();
                assert_eq!(ids.join(" ").to_lowercase(), expected, "{place}");
            }
            (Err(fault), Some(part)) => {
                assert!(fault.message.contains(part.trim()), "{place}: {fault}");
            }
            (Ok(filter), Some(_)) => panic!("{place}: is read as {filter:?}"),
            (Err(fault), None) => panic!("{place}: {fault}"),
        }
    }
    assert!(seen > 90, "only {seen} cases were read");
}

#[test]
fn no_filter_is_too_deep_or_too_long_for_us() {
    let nested = |n: usize| format!("{}enabled{}", "(".repeat(n), ")".repeat(n));
    assert!(Filter::parse(&nested(10), PROPERTIES).is_ok());
    for deep in [
        nested(4_000),
        format!("{}enabled", "not ".repeat(2_000)),
        format!("{}enabled", "not(".repeat(2_000)),
        format!("open/any(x:{}", "x/any(x:".repeat(500)),
    ] {
        let fault = Filter::parse(&deep, PROPERTIES).unwrap_err();
        assert!(
            fault.unsupported && fault.message.contains("too deep"),
            "{fault}"
        );
    }
    let long = format!("name eq '{}'", "x".repeat(8_192));
    assert!(Filter::parse(&long, PROPERTIES).unwrap_err().unsupported);
    let wide = vec!["enabled"; 700].join(" or ");
    assert!(
        Filter::parse(&wide, PROPERTIES)
            .unwrap()
            .passes(&json!({"enabled": true}))
    );
}
