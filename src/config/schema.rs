//! The JSON Schema of the configuration file (draft 2020-12), made from [`super::raw`].
//!
//! It is shipped for editors as `config/boomgate.schema.json`, and it is what [`super::structure`] enforces.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::raw::Config;

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(Tidy);
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), "Boomgate configuration".into());
    schema.to_value()
}

/// The schema as it is shipped.
#[must_use]
pub fn shipped() -> String {
    let mut text = format!("{:#}", schema());
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

    #[test]
    fn show() {
        println!("{}", shipped());
    }
}
