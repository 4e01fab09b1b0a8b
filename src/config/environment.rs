//! `${NAME}` in any text of the file: the value of an environment variable.
//!
//! `$${` stands for `${`. A variable that is not set is a fault, never an empty text. The variables are read
//! through a function that the caller gives, so that nothing here depends on the process.

use super::member::MemberPath;
use super::tree::{Node, Text, Value};

/// Looks up one environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the environment of this process has a variable, whatever its value is.
#[must_use]
pub fn is_in_environment(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// Puts the values in, everywhere in `tree`; calls `refuse` with each text that cannot be filled in.
pub fn expand(
    tree: &mut Node,
    environment: Environment<'_>,
    refuse: &mut dyn FnMut(&MemberPath, &Node, String),
) {
    visit(tree, &MemberPath::root(), environment, refuse);
}

fn visit(
    node: &mut Node,
    path: &MemberPath,
    environment: Environment<'_>,
    refuse: &mut dyn FnMut(&MemberPath, &Node, String),
) {
    match &mut node.value {
        Value::Text(text) => match fill_in(&text.written, environment) {
            Ok(value) => text.value = value,
            Err(message) => refuse(path, node, message),
        },
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                visit(item, &path.item(index), environment, refuse);
            }
        }
        Value::Map(members) => {
            for member in members {
                visit(
                    &mut member.node,
                    &path.key(&member.name),
                    environment,
                    refuse,
                );
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill_in(written: &str, environment: Environment<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return Err("`${` without `}`; write `$${` for the characters themselves".to_owned());
        };
        if !is_name(name) {
            let message = "expected `${NAME}`, a name of letters, digits and `_`";
            return Err(message.to_owned());
        }
        match environment(name) {
            Some(value) => filled.push_str(&value),
            None => return Err(format!("the environment variable `{name}` is not set")),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl Text {
    /// Whether the text is one environment variable and nothing else.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        self.written
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(is_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, String> {
        fill_in(text, &|name| (name == "HOST").then(|| "hr${X}".to_owned()))
    }

    #[test]
    fn fills_in_once_and_refuses_what_is_not_set() {
        assert_eq!(fill("https://${HOST}/x").unwrap(), "https://hr${X}/x");
        assert_eq!(fill("$${HOST} $5").unwrap(), "${HOST} $5");
        assert!(fill("${PORT}").unwrap_err().contains("`PORT` is not set"));
        assert!(fill("${HOST").is_err());
        assert!(fill("${a-b}").is_err());
        assert!(fill("${}").is_err());
    }
}
