//! What holds of the reader of `$filter`, whatever the text. The fuzz target looks for text that breaks it;
//! `tests/it/fuzz_call.rs` replays the corpus.

use boomgate::management::odata::{Filter, Kind, Property};
use serde_json::{Value, json};

/// A property of each kind.
static PROPERTIES: [Property; 9] = [
    Property::new("displayName", Kind::Text),
    Property::new("id", Kind::Id),
    Property::new("isEnabled", Kind::Bool),
    Property::new("count", Kind::Number),
    Property::new("createdDateTime", Kind::Time),
    Property::new("riskLevel", Kind::GrownName(&["low", "high"], &["hidden"])),
    Property::new(
        "status",
        Kind::Object(&[Property::new("errorCode", Kind::Number)]),
    ),
    Property::new("tags", Kind::List(&Kind::Text)),
    Property::new("extension", Kind::Open),
];

/// Reading a filter ends, and says the same each time; one that is read has an answer for every item; and its negation
/// passes no item that it passes itself.
pub fn odata_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let filter = match Filter::parse(text, &PROPERTIES) {
        Ok(filter) => filter,
        Err(fault) => {
            assert!(!fault.message.is_empty());
            assert_eq!(Filter::parse(text, &PROPERTIES).err(), Some(fault));
            return;
        }
    };
    let negated = Filter::parse(&format!("not ({text})"), &PROPERTIES);
    for item in items() {
        let passes = filter.passes(&item);
        // One that is as deep as may be has no room for another pair of parentheses.
        if let Ok(negated) = &negated {
            assert!(!(passes && negated.passes(&item)), "{text}");
        }
    }
}

fn items() -> [Value; 4] {
    [
        json!({}),
        json!({"displayName": null, "tags": [], "status": null, "extension": null}),
        json!({"displayName": "HR agent", "id": "a9a9a9a9-0000-4000-8000-000000000002", "isEnabled": true, "count": 7,
            "createdDateTime": "2026-11-26T12:00:00Z", "riskLevel": "high", "status": {"errorCode": 53003},
            "tags": ["a", "B"], "extension": {"a": [1]}}),
        json!({"displayName": 1, "id": [], "isEnabled": "x", "count": "y", "createdDateTime": "never", "riskLevel": 3,
            "status": "x", "tags": "x", "extension": "x"}),
    ]
}
