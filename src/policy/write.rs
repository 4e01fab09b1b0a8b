//! A policy or a named location as a file of its own: which name, which members, in which order.
//!
//! One object is always the same text, so that a folder under version control shows what changed and nothing else.
//! Never here: a file, and a member that is left out because nobody knows it.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use super::read;
use super::read::members::MEMBERS;

/// The order of a named location's members; those of a policy have theirs in [`MEMBERS`].
const LOCATION_MEMBERS: [&str; 10] = [
    "@odata.type",
    "id",
    "displayName",
    "createdDateTime",
    "modifiedDateTime",
    "isTrusted",
    "ipRanges",
    "countriesAndRegions",
    "countryLookupMethod",
    "includeUnknownCountriesAndRegions",
];

/// The longest name of a file, without its ending.
const MAX_STEM: usize = 80;

/// The object without what its annotations say of the export. A type (`@odata.type`) says which of several shapes an
/// object has, and stays.
#[must_use]
pub fn without_annotations(object: &Map<String, Value>) -> Map<String, Value> {
    read::without_annotations(object)
}

/// The object as a text: two blanks per level, members in Graph's order, those that nobody knows after them by name.
#[must_use]
pub fn to_text(object: &Map<String, Value>) -> String {
    let ordered = Ordered {
        value: Node::Object(object),
        path: String::new(),
    };
    // Texts and numbers that were read can be written, so this is never the empty text.
    let mut text = serde_json::to_string_pretty(&ordered).unwrap_or_default();
    text.push('\n');
    text
}

/// A name for the object's file, without its ending: what people call it, in letters that every file system takes; its id
/// where nothing of that is left.
#[must_use]
pub fn file_stem(display_name: &str, id: &str) -> String {
    let slug = slug(display_name);
    if slug.is_empty() {
        self::slug(id)
    } else {
        slug
    }
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if slug.len() == MAX_STEM {
            break;
        }
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// A value whose members are written in order.
struct Ordered<'a> {
    value: Node<'a>,
    /// The way to it, with dots.
    path: String,
}

#[derive(Clone, Copy)]
enum Node<'a> {
    Object(&'a Map<String, Value>),
    Other(&'a Value),
}

impl<'a> Ordered<'a> {
    fn of(value: &'a Value, path: String) -> Self {
        let value = match value {
            Value::Object(object) => Node::Object(object),
            other => Node::Other(other),
        };
        Self { value, path }
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Node::Object(object) => {
                let mut members: Vec<_> = object
                    .iter()
                    .map(|(name, value)| (self.below(name), name, value))
                    .collect();
                members.sort_by_cached_key(|(path, ..)| place(path));
                let mut map = to.serialize_map(Some(members.len()))?;
                for (path, name, value) in members {
                    map.serialize_entry(name, &Ordered::of(value, path))?;
                }
                map.end()
            }
            Node::Other(Value::Array(items)) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    // An item's members are no members of the policy, and go by their names.
                    list.serialize_element(&Ordered::of(item, self.below("[]")))?;
                }
                list.end()
            }
            Node::Other(value) => value.serialize(to),
        }
    }
}

/// Where a member stands: first a type, then what is known, in its order, then the others by name (as the map has them).
fn place(path: &str) -> (bool, usize) {
    let is_type = path.ends_with("@odata.type");
    let in_policy = MEMBERS.iter().position(|member| member.path == path);
    let in_location = LOCATION_MEMBERS.iter().position(|name| *name == path);
    (!is_type, in_policy.or(in_location).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn members_stand_in_graphs_order_and_unknown_ones_after_them_by_name() {
        let policy = object(
            r##"{"zeta": 1.50, "alpha": [], "grantControls": {"builtInControls": ["block"], "operator": "OR"},
                "conditions": {"users": {"excludeUsers": [], "includeUsers": ["None"]}, "applications": null},
                "state": "enabled", "displayName": "A", "id": "p"}"##,
        );
        let expected = r#"{
  "id": "p",
  "displayName": "A",
  "state": "enabled",
  "conditions": {
    "applications": null,
    "users": {
      "includeUsers": [
        "None"
      ],
      "excludeUsers": []
    }
  },
  "grantControls": {
    "operator": "OR",
    "builtInControls": [
      "block"
    ]
  },
  "alpha": [],
  "zeta": 1.5
}
"#;
        assert_eq!(to_text(&policy), expected);
        assert_eq!(object(&to_text(&policy)), policy);
    }

    #[test]
    fn a_location_keeps_the_types_that_say_what_it_is() {
        let location = object(
            r##"{"@odata.context": "c", "id": "l", "isTrusted": true, "displayName": "Office",
                "#microsoft.graph.restore": {"target": "t"}, "@odata.type": "#microsoft.graph.ipNamedLocation",
                "ipRanges": [{"cidrAddress": "198.51.100.0/24", "@odata.type": "#microsoft.graph.iPv4CidrRange"}]}"##,
        );
        let text = to_text(&without_annotations(&location));
        let names: Vec<_> = text.lines().filter_map(|l| l.split('"').nth(1)).collect();
        let expected = [
            "@odata.type",
            "id",
            "displayName",
            "isTrusted",
            "ipRanges",
            "@odata.type",
            "cidrAddress",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_file_is_named_for_people_by_letters_that_every_file_system_takes() {
        for (name, expected) in [
            ("Agents - block high risk (v2)", "agents-block-high-risk-v2"),
            ("../../etc/passwd", "etc-passwd"),
            ("CA505: Réseau", "ca505-r-seau"),
            ("日本語", "10000000-000a"),
            ("", "10000000-000a"),
        ] {
            assert_eq!(file_stem(name, "10000000-000A"), expected);
        }
        assert_eq!(file_stem(&"a ".repeat(99), "p").len(), MAX_STEM - 1);
    }
}
