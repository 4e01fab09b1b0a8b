//! What was found as a page for a browser: one file that needs nothing else, runs no script, and is light or dark as its
//! reader is. Never here: a text from a record that is not escaped.

mod chart;

use super::report::{Found, Row, shares, short};
use super::tally::Examples;
use crate::cli::markup::{self, add};
use crate::cli::table::thousands;

/// How many rows a table of the page has.
const ROWS: usize = 50;
/// How many bars a chart beside a table has.
const BARS: usize = 10;

/// The page.
pub(super) fn page(found: &Found<'_>) -> String {
    let tally = found.tally;
    let changes = tally.changes;
    let mut body = String::new();
    let mut add = |text: &str| body.push_str(text);
    add("<header><h1>Impact of a policy change</h1>");
    add(&format!(
        "<p>{} calls would be newly blocked and {} newly allowed, of {} that were decided again.</p><dl>",
        thousands(changes.newly_blocked),
        thousands(changes.newly_allowed),
        thousands(tally.replayed())
    ));
    for (term, text) in [
        ("Records", Some(found.records_in_words())),
        ("Policies", Some(found.policies_in_words())),
        ("Period", found.period_in_words()),
    ] {
        if let Some(text) = text {
            add(&format!("<dt>{term}</dt><dd>{}</dd>", escape(&text)));
        }
    }
    add("</dl></header>");
    add(&tiles(found));
    add(&chart::shares(tally));
    add(&chart::timeline(&tally.timeline));
    for (name, title, rows, _) in found.tables() {
        add(&section(name, title, &rows));
    }
    add(&examples(
        "Newly blocked, for example",
        &tally.newly_blocked,
    ));
    add(&examples(
        "Newly allowed, for example",
        &tally.newly_allowed,
    ));
    add(&refusals(found));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
<title>Impact of a policy change</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
}

const STYLE: &str = include_str!("page/style.css");

/// The four numbers that matter, side by side.
fn tiles(found: &Found<'_>) -> String {
    let tally = found.tally;
    let tiles = [
        ("blocked", "newly blocked", tally.changes.newly_blocked),
        ("allowed", "newly allowed", tally.changes.newly_allowed),
        ("same-blocked", "blocked as before", tally.blocked_as_before),
        ("same", "allowed as before", tally.allowed_as_before),
    ];
    let mut text = "<section class=\"tiles\">".to_owned();
    let shares = shares(tiles.map(|(_, _, count)| count));
    for ((class, title, count), part) in tiles.into_iter().zip(shares) {
        add(
            &mut text,
            format_args!(
                "<div class=\"tile {class}\"><b>{}</b><span>{title}</span><small>{part}</small></div>",
                thousands(count)
            ),
        );
    }
    if tally.not_replayable() > 0 {
        add(
            &mut text,
            format_args!(
                "<div class=\"tile unknown\"><b>{}</b><span>cannot be decided again</span><small>see below</small></div>",
                thousands(tally.not_replayable())
            ),
        );
    }
    text + "</section>"
}

/// A chart of the largest changes, and the table behind it.
fn section(name: &str, title: &str, rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "<section><h2>By {}</h2>",
        name.trim_end_matches('s').replace("policie", "policy")
    );
    text.push_str(&chart::bars(
        rows.get(..BARS.min(rows.len())).unwrap_or_default(),
    ));
    let has_calls = rows.iter().any(|row| row.counts.calls.is_some());
    let of_calls = if has_calls {
        "<th class=\"n\">Of calls</th>"
    } else {
        ""
    };
    add(
        &mut text,
        format_args!(
            "<table><thead><tr><th>{}</th><th class=\"n\">Newly blocked</th><th class=\"n\">Newly allowed</th>{of_calls}</tr></thead><tbody>",
            capital(title)
        ),
    );
    for row in rows.iter().take(ROWS) {
        let calls = row.counts.calls.map_or_else(String::new, |calls| {
            format!("<td class=\"n\">{}</td>", thousands(calls))
        });
        let id = if row.display_name.is_some() {
            format!("<small>{}</small>", escape(&row.id))
        } else {
            String::new()
        };
        add(
            &mut text,
            format_args!(
                "<tr><td>{}{id}</td>{}{}{calls}</tr>",
                escape(row.shown()),
                cell("blocked", row.counts.newly_blocked),
                cell("allowed", row.counts.newly_allowed)
            ),
        );
    }
    text.push_str("</tbody></table>");
    if rows.len() > ROWS {
        let more = rows.len() - ROWS;
        add(
            &mut text,
            format_args!(
                "<p class=\"more\">and {} more</p>",
                thousands(u64::try_from(more).unwrap_or(0))
            ),
        );
    }
    text + "</section>"
}

/// A count that stands out where there is one.
fn cell(class: &str, count: u64) -> String {
    let class = if count == 0 { "none" } else { class };
    format!("<td class=\"n {class}\">{}</td>", thousands(count))
}

fn examples(title: &str, examples: &Examples) -> String {
    let mut rows = String::new();
    for (_, example) in examples.iter().take(ROWS) {
        add(
            &mut rows,
            format_args!(
                "<tr><td class=\"t\">{}</td><td>{}</td><td><code>{}</code><small>{}</small></td><td>{}</td><td><code>{}</code></td></tr>",
                short(example.at),
                escape(&example.who()),
                escape(&format!("{} {}", example.method, example.path)),
                escape(&example.resource),
                escape(&example.why()),
                escape(&example.decision_id)
            ),
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<section><h2>{title}</h2><table><thead><tr><th>When</th><th>Who</th><th>Call</th><th>Policies</th><th>Decision</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )
}

fn refusals(found: &Found<'_>) -> String {
    let refusals = found.tally.refusals();
    if refusals.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (reason, count, place) in refusals {
        add(
            &mut rows,
            format_args!(
                "<tr><td class=\"n\">{}</td><td>{}</td><td><code>{}</code></td></tr>",
                thousands(count),
                escape(reason),
                escape(&found.place(place))
            ),
        );
    }
    format!(
        "<section><h2>Cannot be decided again</h2><p>These records do not hold every fact that policies read. They are counted nowhere above.</p>\
<table><thead><tr><th class=\"n\">Records</th><th>Why</th><th>The first</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )
}

fn capital(title: &str) -> String {
    let mut letters = title.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|letter| letter.to_ascii_lowercase()))
        .collect()
}

/// A text as HTML shows it. Control characters, and such as turn the direction of writing, have nothing to say here.
fn escape(text: &str) -> String {
    markup::escape(text, |character| match character {
        '\'' => Some("&#39;"),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some("\u{FFFD}"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_record_is_markup() {
        assert_eq!(
            escape("<script>\"a\" & 'b'\u{202E}\n"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{FFFD}\u{FFFD}"
        );
    }
}
