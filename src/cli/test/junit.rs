//! Results as JUnit's XML, which pipelines read: a suite per file, a case per test.
//!
//! Never here: a text that is markup.

use super::case::Ran;
use crate::cli::markup::{self, add};

/// The document.
pub(super) fn xml(ran: &[Ran]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let failures = |ran: &[Ran]| {
        ran.iter()
            .filter(|one| one.seen.is_ok() && !one.holds())
            .count()
    };
    let errors = |ran: &[Ran]| ran.iter().filter(|one| one.seen.is_err()).count();
    add(
        &mut text,
        format_args!(
            "<testsuites name=\"boomgate test\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
            ran.len(),
            failures(ran),
            errors(ran)
        ),
    );
    // Tests of one file follow each other.
    for suite in ran.chunk_by(|one, other| one.file == other.file) {
        let Some(first) = suite.first() else { continue };
        add(
            &mut text,
            format_args!(
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
                escape(&first.file),
                suite.len(),
                failures(suite),
                errors(suite)
            ),
        );
        for one in suite {
            add_case(&mut text, one);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn add_case(text: &mut String, one: &Ran) {
    add(
        text,
        format_args!(
            "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\" line=\"{}\"",
            escape(&one.name),
            one.line,
            file = escape(&one.file)
        ),
    );
    let (element, message) = match &one.seen {
        Ok(_) if one.holds() => return text.push_str("/>\n"),
        Ok(_) => ("failure", differences(one)),
        Err(reason) => ("error", reason.to_string()),
    };
    let first = message.lines().next().unwrap_or_default();
    add(
        text,
        format_args!(
            ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
            escape(first),
            escape(&message)
        ),
    );
}

fn differences(one: &Ran) -> String {
    let lines = one.differences.iter().map(|difference| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!(
            "{}: expected {}, found {}",
            difference.of,
            text(&difference.expected),
            text(&difference.found)
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text as XML shows it, without the characters that XML has no way to write.
fn escape(text: &str) -> String {
    markup::escape(text, |character| match character {
        '\n' => Some("&#10;"),
        '\u{FFFE}' | '\u{FFFF}' => Some("\u{FFFD}"),
        _ => None,
    })
}
