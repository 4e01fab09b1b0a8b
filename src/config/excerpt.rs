//! The line of a file that a fault is about, for people to look at. A value that may be a secret is left out.

use crate::types::Fault;

/// The most characters of a line that are shown.
const MAX_CHARACTERS: usize = 160;
/// A key with one of these in its name may hold a secret, also where the name is misspelt.
const SECRET_NAMES: [&str; 4] = ["token", "secret", "password", "passwd"];

/// A line, and the column that the fault is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, without what may be secret and without control characters.
    pub line: String,
    /// How many characters stand before the fault.
    pub before: usize,
}

/// The line of `text` that `fault` is about; `None` where it is about the whole file, or where the line may be part of a secret.
#[must_use]
pub fn excerpt(text: &str, fault: &Fault) -> Option<Excerpt> {
    let index = usize::try_from(fault.line).ok()?.checked_sub(1)?;
    let line = text.lines().nth(index)?;
    if is_inside_secret(text, index, line) {
        return None;
    }
    let before = usize::try_from(fault.column).ok()?.saturating_sub(1);
    let line = if fault.message.starts_with("unknown key") {
        // Nobody knows what it holds: `admin_tokn` is one, too.
        up_to_value(line, before)
    } else {
        without_secret(line)
    };
    let shown: String = line
        .chars()
        .take(MAX_CHARACTERS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let before = before.min(shown.chars().count());
    Some(Excerpt {
        line: shown,
        before,
    })
}

/// The line, up to the value of the key that stands after so many characters.
fn up_to_value(line: &str, before: usize) -> &str {
    let key_at = line.char_indices().nth(before).map(|(at, _)| at);
    let colon = key_at.and_then(|at| Some(at.saturating_add(line.get(at..)?.find(':')?)));
    line.get(..=colon.unwrap_or(line.len())).unwrap_or_default()
}

/// The line, up to the value of the first key that may hold a secret.
fn without_secret(line: &str) -> &str {
    let lower = line.to_ascii_lowercase();
    let secret_at = SECRET_NAMES
        .iter()
        .filter_map(|name| lower.find(name))
        .min();
    let value_at = secret_at.and_then(|at| {
        let colon = lower.get(at..)?.find(':')?;
        at.checked_add(colon)?.checked_add(1)
    });
    match value_at {
        // A mapping of its own, such as `tokens:`, has nothing to hide on its line.
        Some(at) => line.get(..at).unwrap_or_default(),
        None => line,
    }
}

/// Whether the line belongs to a text that began on a line above, below a key that may hold a secret.
fn is_inside_secret(text: &str, index: usize, line: &str) -> bool {
    let indent = |line: &str| line.chars().take_while(|c| *c == ' ').count();
    let above = text
        .lines()
        .take(index)
        .filter(|line| !line.trim().is_empty());
    let parent = above.filter(|above| indent(above) < indent(line)).last();
    parent.is_some_and(|parent| {
        let parent = parent.to_ascii_lowercase();
        let names_secret = SECRET_NAMES.iter().any(|name| parent.contains(name));
        let has_key = line.contains(": ") || line.trim_end().ends_with(':');
        names_secret && !has_key
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Severity;

    fn at(text: &str, line: u32, column: u32) -> Option<Excerpt> {
        let fault = Fault {
            file: "f".into(),
            line,
            column,
            member: String::new(),
            message: String::new(),
            severity: Severity::Error,
        };
        excerpt(text, &fault)
    }

    #[test]
    fn the_line_of_the_fault_is_shown() {
        let shown = at("a: 1\n  b: é\tx\n", 2, 6).unwrap();
        assert_eq!(shown.line, "  b: é x");
        assert_eq!(shown.before, 5);
        assert_eq!(at("a: 1\n", 0, 0), None);
        assert_eq!(at("a: 1\n", 9, 1), None);
        assert_eq!(
            at(&"x".repeat(1000), 1, 900).unwrap().before,
            MAX_CHARACTERS
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = |text, line| at(text, line, 1).map_or_else(String::new, |e| e.line);
        assert_eq!(
            shown("  admin_tokn: x\n  admin_token: hunter2 # y", 2),
            "  admin_token:"
        );
        assert_eq!(shown("m: {Secret: hunter2, b: c}", 1), "m: {Secret:");
        assert_eq!(shown("\"password\": \"hunter2\"", 1), "\"password\":");
        assert_eq!(
            shown("m:\n  admin_token: |\n    hunter2\n    hunter3\n", 4),
            ""
        );
        assert_eq!(shown("tokens:\n  max_size: 1\n", 2), "  max_size: 1");
    }
}
