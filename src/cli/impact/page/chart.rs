//! Charts as inline SVG. Colours are those of the page's style, so that they follow light and dark.
//!
//! Lengths are whole thousandths of a chart's width: no float, so that the same counts draw the same chart.
//! Never here: a count of its own.

use super::{add, escape};
use crate::cli::impact::report::{Row, shares as percent, short};
use crate::cli::impact::tally::Tally;
use crate::cli::impact::timeline::{Bar, Timeline};
use crate::cli::table::thousands;
use crate::types::Timestamp;

/// The width of every chart, in its own units.
const WIDTH: u64 = 1_000;

/// All calls as one bar: what stays, what changes.
pub(super) fn shares(tally: &Tally) -> String {
    let all = tally.replayed();
    if all == 0 {
        return String::new();
    }
    let parts = [
        ("same", "allowed as before", tally.allowed_as_before),
        ("same-blocked", "blocked as before", tally.blocked_as_before),
        ("blocked", "newly blocked", tally.changes.newly_blocked),
        ("allowed", "newly allowed", tally.changes.newly_allowed),
    ];
    let mut text = format!(
        "<section><h2>All calls</h2><svg viewBox=\"0 0 {WIDTH} 34\" role=\"img\" aria-label=\"shares of all calls\">"
    );
    let mut legend = "<p class=\"legend\">".to_owned();
    let mut left = 0;
    let percent = percent(parts.map(|(_, _, count)| count));
    for ((class, name, count), part) in parts.into_iter().zip(percent) {
        // What is there at all is seen.
        let width = scaled(count, all, WIDTH)
            .max(u64::from(count > 0) * 3)
            .min(WIDTH - left);
        let shown = format!("{name}: {} ({part})", thousands(count));
        add(
            &mut text,
            format_args!(
                "<rect class=\"{class}\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"34\"><title>{shown}</title></rect>"
            ),
        );
        left += width;
        add(
            &mut legend,
            format_args!("<span><i class=\"{class}\"></i>{shown}</span>"),
        );
    }
    text + "</svg>" + &legend + "</p></section>"
}

/// Changes over time, one bar per span, and all calls as a faint bar behind.
pub(super) fn timeline(timeline: &Timeline) -> String {
    const HEIGHT: u64 = 160;
    let (bars, seconds) = timeline.bars();
    let most = bars.iter().map(|(_, bar)| changed(*bar)).max().unwrap_or(0);
    let count = u64::try_from(bars.len()).unwrap_or(1).max(1);
    if most == 0 {
        return String::new();
    }
    let mut text = format!(
        "<section><h2>Over time</h2><p class=\"note\">Changed calls per {}; the highest bar is {}.</p>\
<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"changed calls over time\">",
        in_words(seconds),
        thousands(most),
        HEIGHT + 26
    );
    for quarter in 0..=4 {
        let y = HEIGHT - HEIGHT * quarter / 4;
        add(
            &mut text,
            format_args!("<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>"),
        );
    }
    let left_of = |at: u64| WIDTH * at / count;
    for (at, (start, bar)) in (0..).zip(&bars) {
        let (x, next) = (left_of(at), left_of(at + 1));
        let width = (next - x)
            .saturating_sub(u64::from(count <= 60) * 2 + u64::from(count > 60))
            .max(1);
        let blocked = scaled(bar.newly_blocked, most, HEIGHT);
        let allowed = scaled(bar.newly_allowed, most, HEIGHT);
        if blocked + allowed == 0 {
            continue;
        }
        let title = format!(
            "{}: {} newly blocked, {} newly allowed, of {}",
            short(*start),
            thousands(bar.newly_blocked),
            thousands(bar.newly_allowed),
            thousands(bar.calls)
        );
        let top = HEIGHT - blocked;
        add(
            &mut text,
            format_args!(
                "<g><title>{title}</title><rect class=\"blocked\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{blocked}\"/>\
<rect class=\"allowed\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{allowed}\"/></g>",
                top - allowed.min(top)
            ),
        );
    }
    let end = bars
        .last()
        .map(|(start, _)| Timestamp::from_seconds(start.as_seconds().saturating_add(seconds)));
    if let (Some((start, _)), Some(end)) = (bars.first(), end) {
        let y = HEIGHT + 20;
        add(
            &mut text,
            format_args!("<text x=\"0\" y=\"{y}\">{}</text>", short(*start)),
        );
        add(
            &mut text,
            format_args!(
                "<text class=\"end\" x=\"{WIDTH}\" y=\"{y}\">{}</text>",
                short(end)
            ),
        );
    }
    text + "</svg></section>"
}

const fn changed(bar: Bar) -> u64 {
    bar.newly_blocked.saturating_add(bar.newly_allowed)
}

/// A bar per row: what is newly blocked, and behind it what is newly allowed.
pub(super) fn bars(rows: &[Row]) -> String {
    const LINE: u64 = 30;
    /// Where bars begin; names stand before it.
    const START: u64 = 330;
    /// What is left for the count behind a bar.
    const COUNT: u64 = 90;
    let total = |row: &Row| {
        row.counts
            .newly_blocked
            .saturating_add(row.counts.newly_allowed)
    };
    let most = rows.iter().map(total).max().unwrap_or(0);
    let height = LINE * u64::try_from(rows.len()).unwrap_or(0);
    let mut text =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"changed calls\">");
    for (at, row) in (0..).zip(rows) {
        let y = LINE * at;
        let blocked = scaled(row.counts.newly_blocked, most, WIDTH - START - COUNT);
        let allowed = scaled(row.counts.newly_allowed, most, WIDTH - START - COUNT);
        add(
            &mut text,
            format_args!(
                "<g><title>{name}: {} newly blocked, {} newly allowed</title><text class=\"end\" x=\"{}\" y=\"{}\">{short}</text>\
<rect class=\"blocked\" x=\"{START}\" y=\"{top}\" width=\"{blocked}\" height=\"20\"/>\
<rect class=\"allowed\" x=\"{}\" y=\"{top}\" width=\"{allowed}\" height=\"20\"/>\
<text x=\"{}\" y=\"{}\">{}</text></g>",
                thousands(row.counts.newly_blocked),
                thousands(row.counts.newly_allowed),
                START - 10,
                y + 19,
                START + blocked,
                START + blocked + allowed + 8,
                y + 19,
                thousands(total(row)),
                name = escape(row.shown()),
                short = escape(&shortened(row.shown())),
                top = y + 4,
            ),
        );
    }
    text + "</svg>"
}

/// As much of a name as fits before its bar.
fn shortened(name: &str) -> String {
    const FITS: usize = 40;
    if name.chars().count() <= FITS {
        return name.to_owned();
    }
    let start: String = name.chars().take(FITS - 1).collect();
    format!("{}…", start.trim_end())
}

/// A part of a length.
fn scaled(part: u64, whole: u64, length: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(length) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(length).min(length)
}

/// A span of time in its largest whole unit.
fn in_words(seconds: i64) -> String {
    let units = [
        (604_800, "week"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ];
    for (length, unit) in units {
        if seconds % length == 0 {
            return match seconds / length {
                1 => unit.to_owned(),
                count => format!("{count} {unit}s"),
            };
        }
    }
    format!("{seconds} seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_names_are_as_people_read_them() {
        for (seconds, words) in [
            (60, "minute"),
            (480, "8 minutes"),
            (7_200, "2 hours"),
            (86_400, "day"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
        assert_eq!(shortened(&"é".repeat(41)).chars().count(), 40);
        assert_eq!(scaled(1, 3, 1_000), 333);
        assert_eq!(scaled(9, 0, 10), 10);
    }
}
