//! Checks a located tree against the JSON Schema, and says of every fault where it is and what was expected.
//!
//! It knows the part of the schema language that our own schema uses: `type`, `properties`,
//! `additionalProperties`, `required`, `enum`, `const`, `oneOf`, `anyOf`, `items`, `$ref`, bounds, and the
//! `format`s of [`super::raw::text`]. A test holds that the schema uses nothing else.

use serde_json::Value as Json;

use super::member::MemberPath;
use super::raw::text;
use super::suggest::nearest;
use super::tree::{Member, Node, Place, Text, Value};

/// Receives one fault: the member, its place, what is wrong.
pub type Refuse<'a> = &'a mut dyn FnMut(&MemberPath, Place, String);

/// Checks `tree` against `schema`.
pub fn check(schema: &Json, tree: &Node, refuse: Refuse<'_>) {
    let mut walk = Walk { schema, refuse };
    walk.node(schema, tree, &MemberPath::root());
}

struct Walk<'a, 'r> {
    schema: &'a Json,
    refuse: Refuse<'r>,
}

impl<'a> Walk<'a, '_> {
    fn node(&mut self, schema: &'a Json, node: &Node, path: &MemberPath) {
        let schema = self.resolve(schema);
        if let Some(words) = words(schema) {
            return self.word(schema, &words, node, path);
        }
        if let Some(branches) = list(schema, "anyOf") {
            let branch = branches
                .iter()
                .map(|branch| self.resolve(branch))
                .find(|branch| is_of_type(branch, node));
            return match branch {
                Some(branch) => self.node(branch, node, path),
                None => {
                    let kinds: Vec<_> = branches.iter().map(expected).collect();
                    self.mismatch(schema, &kinds.join(" or "), node, path);
                }
            };
        }
        if !is_of_type(schema, node) {
            return self.mismatch(schema, &expected(schema), node, path);
        }
        match &node.value {
            Value::Map(members) => self.map(schema, members, node, path),
            Value::List(items) => self.list(schema, items, node, path),
            Value::Text(text) => self.text(schema, text, node, path),
            Value::Number(number) => self.number(schema, number, node, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn map(&mut self, schema: &'a Json, members: &[Member], node: &Node, path: &MemberPath) {
        let known = schema.get("properties").and_then(Json::as_object);
        let others = schema.get("additionalProperties");
        let mut slips = Vec::new();
        for (at, member) in members.iter().enumerate() {
            let path = path.key(&member.name);
            let earlier = members.iter().take(at).find(|m| m.name == member.name);
            if let Some(earlier) = earlier {
                let message = format!("given twice, first in line {}", earlier.place.line);
                (self.refuse)(&path, member.place, message);
                continue;
            }
            let schema = known.and_then(|known| known.get(&member.name)).or(others);
            match schema {
                None | Some(Json::Bool(false)) => {
                    let names = known.into_iter().flatten().map(|(name, _)| name.as_str());
                    let near = nearest(&member.name, names.clone());
                    let message = match near {
                        Some(near) => format!("unknown key, did you mean `{near}`?"),
                        None => format!("unknown key, expected {}", quoted(names)),
                    };
                    (self.refuse)(&path, member.place, message);
                    slips.extend(near);
                }
                Some(schema) => self.node(schema, &member.node, &path),
            }
        }
        let required = list(schema, "required").into_iter().flatten();
        for name in required.filter_map(Json::as_str) {
            // A key that was misspelt is told once.
            if node.get(name).is_none() && !slips.contains(&name) {
                let schema = known.and_then(|known| known.get(name));
                let wanted = schema.map(|schema| expected(self.resolve(schema)));
                let message = format!("is missing, expected {}", wanted.unwrap_or_default());
                (self.refuse)(&path.key(name), node.place, message);
            }
        }
    }

    fn list(&mut self, schema: &'a Json, items: &[Node], node: &Node, path: &MemberPath) {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let bound = |name| schema.get(name).and_then(Json::as_u64);
        if bound("minItems").is_some_and(|min| count < min) {
            let message = "is empty, expected at least one item".to_owned();
            (self.refuse)(path, node.place, message);
        }
        if let Some(max) = bound("maxItems").filter(|max| count > *max) {
            let message = format!("has {count} items, expected at most {max}");
            (self.refuse)(path, node.place, message);
        }
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.node(schema, item, &path.item(index));
            }
        }
    }

    fn text(&mut self, schema: &Json, text: &Text, node: &Node, path: &MemberPath) {
        if let Some(Err(predicate)) = check_of(schema).map(|check| check(&text.value)) {
            (self.refuse)(path, node.place, format!("`{}` {predicate}", text.written));
        }
    }

    fn number(
        &mut self,
        schema: &Json,
        number: &serde_json::Number,
        node: &Node,
        path: &MemberPath,
    ) {
        let bound = |name| schema.get(name).and_then(Json::as_u64);
        let (min, max) = (bound("minimum").unwrap_or(0), bound("maximum"));
        let fits = number
            .as_u64()
            .is_some_and(|value| value >= min && max.is_none_or(|max| value <= max));
        if !fits {
            let message = match max {
                Some(max) => format!("`{number}` is out of range, expected {min} to {max}"),
                None => format!("`{number}` is out of range, expected {min} or more"),
            };
            (self.refuse)(path, node.place, message);
        }
    }

    /// One of a closed set of words.
    fn word(&mut self, schema: &Json, words: &[&str], node: &Node, path: &MemberPath) {
        let Value::Text(text) = &node.value else {
            return self.mismatch(schema, &expected(schema), node, path);
        };
        if words.contains(&text.value.as_str()) {
            return;
        }
        let hint = nearest(&text.written, words.iter().copied())
            .map_or_else(String::new, |word| format!(", did you mean `{word}`?"));
        let all = quoted(words.iter().copied());
        let message = format!("`{}` is not one of {all}{hint}", text.written);
        (self.refuse)(path, node.place, message);
    }

    fn mismatch(&mut self, schema: &Json, expected: &str, node: &Node, path: &MemberPath) {
        let hint = match &node.value {
            Value::Null => "; give it a value or take the key out",
            Value::Number(number) if reads_as_text(schema, &number.to_string()) => {
                "; put it in quotes"
            }
            Value::Bool(value) if reads_as_text(schema, &value.to_string()) => "; put it in quotes",
            _ => "",
        };
        let message = format!("expected {expected}, found {}{hint}", node.kind());
        (self.refuse)(path, node.place, message);
    }

    /// The schema that a `$ref` leads to.
    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let target = schema
            .get("$ref")
            .and_then(Json::as_str)
            .and_then(|target| self.schema.pointer(target.trim_start_matches('#')));
        target.unwrap_or(schema)
    }
}

fn list<'a>(schema: &'a Json, name: &str) -> Option<&'a Vec<Json>> {
    schema.get(name).and_then(Json::as_array)
}

/// The parser of a text's form.
fn check_of(schema: &Json) -> Option<text::Check> {
    text::check_of(schema.get("format")?.as_str()?)
}

fn reads_as_text(schema: &Json, text: &str) -> bool {
    check_of(schema).is_some_and(|check| check(text).is_ok())
}

/// The words of an `enum`, or of a `oneOf` whose branches are each an `enum` or a `const`.
fn words(schema: &Json) -> Option<Vec<&str>> {
    if let Some(words) = list(schema, "enum") {
        return Some(words.iter().filter_map(Json::as_str).collect());
    }
    if let Some(word) = schema.get("const").and_then(Json::as_str) {
        return Some(vec![word]);
    }
    let branches = list(schema, "oneOf")?.iter().map(words);
    let words: Option<Vec<Vec<&str>>> = branches.collect();
    words.map(|words| words.into_iter().flatten().collect())
}

fn is_of_type(schema: &Json, node: &Node) -> bool {
    match (schema.get("type").and_then(Json::as_str), &node.value) {
        (Some("object"), Value::Map(_))
        | (Some("array"), Value::List(_))
        | (Some("string"), Value::Text(_))
        | (Some("boolean"), Value::Bool(_)) => true,
        (Some("integer"), Value::Number(number)) => !number.is_f64(),
        _ => false,
    }
}

/// What a value of this schema is called, with an example of a text that has a form.
fn expected(schema: &Json) -> String {
    if let Some(words) = words(schema) {
        return format!("one of {}", quoted(words));
    }
    let kind = match schema.get("type").and_then(Json::as_str) {
        Some("object") => "a mapping",
        Some("array") => "a list",
        Some("boolean") => "`true` or `false`",
        Some("integer") => "a whole number",
        _ => "text",
    };
    let examples = list(schema, "examples").and_then(|examples| examples.first());
    match examples.and_then(Json::as_str) {
        Some(example) => format!("{kind} such as `{example}`"),
        None => kind.to_owned(),
    }
}

fn quoted<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
