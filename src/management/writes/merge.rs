//! What a PATCH makes of an object (OData 4.01 protocol §11.4.3): the members that it names, at any depth of objects; all
//! others stay. A list is replaced whole, and `null` is a value.
//!
//! Never here: what a member means.

use serde_json::{Map, Value};

use crate::types::json::is_annotation;

/// The type of an object, where its place allows several.
const TYPE: &str = "@odata.type";

/// `object` with what `patch` says.
pub(in crate::management) fn merged(
    mut object: Map<String, Value>,
    patch: Map<String, Value>,
) -> Map<String, Value> {
    for (name, value) in without_annotations(patch) {
        let value = match (object.remove(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if is_same_type(&old, &new) => {
                Value::Object(merged(old, new))
            }
            (_, value) => value,
        };
        object.insert(name, value);
    }
    object
}

/// Members of an object of one type mean nothing in one of another.
fn is_same_type(old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    match (old.get(TYPE), new.get(TYPE)) {
        (Some(old), Some(new)) => old == new,
        (None, _) | (_, None) => true,
    }
}

/// The object without what is said of an answer and not of the object; types stay.
pub(in crate::management) fn without_annotations(object: Map<String, Value>) -> Map<String, Value> {
    let stays = |name: &str| !is_annotation(name) || name.ends_with(TYPE);
    let members = object.into_iter().filter(|(name, _)| stays(name));
    members
        .map(|(name, value)| (name, cleaned(value)))
        .collect()
}

fn cleaned(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(without_annotations(object)),
        Value::Array(items) => items.into_iter().map(cleaned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let object = json!({"state": "enabled", "x@odata.context": "kept", "conditions": {
            "users": {"includeUsers": ["a"], "excludeUsers": ["b"]}, "agents": {"unknown": 1}, "locations": {"a": 1}}});
        let patch = json!({"state": "disabled", "@odata.etag": "x", "conditions": {
            "users": {"includeUsers": ["c"]}, "locations": null, "platforms": {"p@odata.context": "x", "q": 1}}});
        let expected = json!({"state": "disabled", "x@odata.context": "kept", "conditions": {
            "users": {"includeUsers": ["c"], "excludeUsers": ["b"]}, "agents": {"unknown": 1}, "locations": null,
            "platforms": {"q": 1}}});
        let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
            panic!("objects")
        };
        assert_eq!(Value::Object(merged(object, patch)), expected);
    }

    #[test]
    fn an_object_of_another_type_takes_the_place_of_the_old_one() {
        let tenants = |kind: &str, members: Value| {
            let mut tenants = members;
            tenants[TYPE] = kind.into();
            Map::from_iter([("tenants".to_owned(), tenants)])
        };
        let old = tenants("#all", json!({"a": 1}));
        let same = merged(old.clone(), tenants("#all", json!({"b": 2})));
        assert_eq!(same, tenants("#all", json!({"a": 1, "b": 2})));
        let other = tenants("#enumerated", json!({"b": 2}));
        assert_eq!(merged(old, other.clone()), other);
    }
}
