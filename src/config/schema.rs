//! The JSON Schema of the configuration file (draft 2020-12), made from [`super::raw`].
//!
//! It is shipped for editors as `config/boomgate.schema.json`, and it is what [`super::structure`] enforces.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::raw::Config;

/// The schema. A release build reads the one that is shipped, which a test holds to be the same: to make it takes code of
/// nearly a megabyte, which would stay in memory (`docs/sidecar.md`).
#[must_use]
pub fn schema() -> Value {
    #[cfg(not(debug_assertions))]
    if let Ok(shipped) = serde_json::from_str(include_str!("../../config/boomgate.schema.json")) {
        return shipped;
    }
    made()
}

/// The schema, made from the types.
fn made() -> Value {
    of::<Config>("Boomgate configuration")
}

/// The schema of any file that is checked as the configuration is.
#[must_use]
pub fn of<T: schemars::JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(Tidy);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// The schema as it is shipped.
#[must_use]
pub fn shipped() -> String {
    let mut text = format!("{:#}", made());
    text.push('\n');
    text
}

/// Makes the schema say no more than we accept: a key without a value is not the same as no key, so nothing is `null`.
#[derive(Debug, Clone)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
            branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = branches.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.ensure_object().entry(key).or_insert(value);
                }
            }
        }
        if schema
            .get("default")
            .is_some_and(|default| default.is_null() || default.is_object())
        {
            schema.remove("default");
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key of every schema below `schema`, except the names of properties and definitions.
    fn keywords(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
        let Value::Object(members) = schema else {
            return;
        };
        for (name, value) in members {
            found.insert(name.clone());
            match (name.as_str(), value) {
                ("properties" | "$defs", Value::Object(named)) => {
                    named.values().for_each(|schema| keywords(schema, found));
                }
                ("oneOf" | "anyOf", Value::Array(branches)) => {
                    branches.iter().for_each(|schema| keywords(schema, found));
                }
                ("items" | "additionalProperties", schema) => keywords(schema, found),
                _ => {}
            }
        }
    }

    #[test]
    fn the_schema_uses_only_what_the_check_of_the_structure_enforces() {
        let mut found = std::collections::BTreeSet::new();
        keywords(&schema(), &mut found);
        let enforced = [
            "$defs",
            "$ref",
            "additionalProperties",
            "anyOf",
            "const",
            "enum",
            "format",
            "items",
            "maxItems",
            "maximum",
            "minItems",
            "minimum",
            "oneOf",
            "properties",
            "required",
            "type",
        ];
        // A pattern says in an editor what the format's parser says here.
        let for_people = [
            "$schema",
            "default",
            "description",
            "examples",
            "pattern",
            "title",
            "writeOnly",
        ];
        found.retain(|name| {
            !enforced.contains(&name.as_str()) && !for_people.contains(&name.as_str())
        });
        assert_eq!(found, std::collections::BTreeSet::new());
    }

    #[test]
    fn nothing_is_null_and_every_setting_is_described() {
        let text = shipped();
        assert!(!text.contains("\"null\"") && !text.contains(": null"));
        let Value::Object(definitions) = &schema()["$defs"] else {
            panic!("no definitions");
        };
        for (name, definition) in definitions {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property.get("description").is_some(), "{name}.{key}");
            }
        }
    }
}
