//! Text as XML and HTML show it. Never here: a text that was escaped before.

use std::fmt::{Arguments, Write as _};

/// Puts more behind a document.
pub(super) fn add(text: &mut String, more: Arguments<'_>) {
    // A text takes whatever is written to it.
    let _written = text.write_fmt(more);
}

/// A text that is no markup. `own` says what the language writes for further characters; of the others, those that
/// control something have nothing to say there.
pub(super) fn escape(text: &str, own: fn(char) -> Option<&'static str>) -> String {
    const NOTHING: &str = "\u{FFFD}";
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let written = match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => Some("&quot;"),
            other => own(other).or_else(|| other.is_control().then_some(NOTHING)),
        };
        match written {
            Some(written) => escaped.push_str(written),
            None => escaped.push(character),
        }
    }
    escaped
}
