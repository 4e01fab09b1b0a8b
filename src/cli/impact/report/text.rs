//! What was found, as tables. Never here: counting.

use std::io::{self, Write};

use clap::builder::styling::AnsiColor;

use super::{Found, Row, RowCounts, share, shares, short};
use crate::cli::impact::tally::{Counts, Examples};
use crate::cli::management::printable;
use crate::cli::table::{align_right, table, thousands, write_table};

impl Found<'_> {
    /// For people.
    pub(in crate::cli::impact) fn write_text(&self, to: &mut dyn Write) -> io::Result<()> {
        let tally = self.tally;
        let mut head = table();
        head.add_row(["records", &self.records_in_words()]);
        head.add_row(["policies", &self.policies_in_words()]);
        if let Some(period) = self.period_in_words() {
            head.add_row(["period", &period]);
        }
        write_table(head, to)?;
        writeln!(to)?;
        self.write_calls(to)?;
        for (_, title, rows, others) in self.tables() {
            self.write_rows(title, &rows, others, to)?;
        }
        self.write_examples("newly blocked", &tally.newly_blocked, to)?;
        self.write_examples("newly allowed", &tally.newly_allowed, to)?;
        self.write_refusals(to)?;
        let changed = tally.changes.changed();
        let (style, words) = match changed {
            0 if tally.replayed() == 0 => (
                AnsiColor::Red.on_default().bold(),
                "no decision could be made again".to_owned(),
            ),
            0 => (
                AnsiColor::Green.on_default().bold(),
                "nothing would change".to_owned(),
            ),
            _ => (
                AnsiColor::Yellow.on_default().bold(),
                format!(
                    "{} calls would be newly blocked, {} newly allowed",
                    thousands(tally.changes.newly_blocked),
                    thousands(tally.changes.newly_allowed)
                ),
            ),
        };
        writeln!(to, "{style}{words}{style:#}")
    }

    fn write_calls(&self, to: &mut dyn Write) -> io::Result<()> {
        let tally = self.tally;
        let mut lines = table();
        lines.add_row(["CALLS", "COUNT", "SHARE"]);
        let parts = [
            ("allowed as before", tally.allowed_as_before),
            ("blocked as before", tally.blocked_as_before),
            ("newly blocked", tally.changes.newly_blocked),
            ("newly allowed", tally.changes.newly_allowed),
        ];
        let shares = shares(parts.map(|(_, count)| count));
        for ((what, count), part) in parts.into_iter().zip(shares) {
            lines.add_row([what, &thousands(count), &part]);
            let on_unknown = tally.changes.on_unknown;
            if what == "newly blocked" && on_unknown > 0 {
                let part = share(on_unknown, tally.replayed());
                lines.add_row([
                    "  for want of a required fact",
                    &thousands(on_unknown),
                    &part,
                ]);
            }
        }
        align_right(&mut lines, 1);
        align_right(&mut lines, 2);
        write_table(lines, to)?;
        writeln!(to)
    }

    fn write_rows(
        &self,
        title: &str,
        rows: &[Row],
        others: Counts,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let has_calls = rows.iter().any(|row| row.counts.calls.is_some());
        let mut lines = table();
        let mut head = vec![title, "NEWLY BLOCKED", "NEWLY ALLOWED"];
        if has_calls {
            head.push("OF CALLS");
        }
        lines.add_row(head);
        for row in rows.iter().take(self.top) {
            let mut cells = vec![
                printable(row.shown()),
                thousands(row.counts.newly_blocked),
                thousands(row.counts.newly_allowed),
            ];
            cells.extend(row.counts.calls.map(thousands));
            lines.add_row(cells);
        }
        let rest = rows.iter().skip(self.top);
        let further = rest.clone().count();
        if further > 0 {
            let sum = |of: fn(&RowCounts) -> u64| rest.clone().map(|row| of(&row.counts)).sum();
            let mut cells = vec![
                format!("{further} more"),
                thousands(sum(|counts| counts.newly_blocked)),
                thousands(sum(|counts| counts.newly_allowed)),
            ];
            if has_calls {
                cells.push(thousands(sum(|counts| counts.calls.unwrap_or(0))));
            }
            lines.add_row(cells);
        }
        if others.changed() > 0 {
            let mut cells = vec![
                "(too many to tell apart)".to_owned(),
                thousands(others.newly_blocked),
                thousands(others.newly_allowed),
            ];
            if has_calls {
                cells.push(thousands(others.calls));
            }
            lines.add_row(cells);
        }
        (1..4).for_each(|column| align_right(&mut lines, column));
        write_table(lines, to)?;
        writeln!(to)
    }

    fn write_examples(
        &self,
        title: &str,
        examples: &Examples,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        let mut lines = table();
        for (_, example) in examples.iter().take(self.top) {
            lines.add_row([
                format!("  {}", short(example.at)),
                printable(&example.who()),
                printable(&format!("{} {}", example.method, example.path)),
                printable(&example.why()),
                printable(&example.decision_id),
            ]);
        }
        if lines.row_count() > 0 {
            writeln!(to, "{title}, for example:")?;
            write_table(lines, to)?;
            writeln!(to)?;
        }
        Ok(())
    }

    fn write_refusals(&self, to: &mut dyn Write) -> io::Result<()> {
        let refusals = self.tally.refusals();
        if refusals.is_empty() {
            return Ok(());
        }
        let warn = AnsiColor::Yellow.on_default().bold();
        writeln!(
            to,
            "{warn}cannot be decided again{warn:#}, and counted nowhere above:"
        )?;
        let mut lines = table();
        for (reason, count, place) in refusals {
            let count = format!("  {}", thousands(count));
            lines.add_row([
                count,
                printable(reason),
                format!("first at {}", self.place(place)),
            ]);
        }
        write_table(lines, to)?;
        writeln!(to)
    }
}
