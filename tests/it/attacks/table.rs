//! The rows as a page for readers.

use std::fmt::Write;

use super::rows::{File, Frame, Row, Seen, Then};

/// What stands above the tables.
const HEAD: &str = "\
# Attacks

What the gateway does with each attack of `tests/attacks`: the page is generated from there, and a test holds the two together. Every
row is sent to a whole gateway through its TLS listener. Every refusal has a decision id and a record with the reason that is named
here, but for what the HTTP/2 library refuses on its own: a stream that is reset, or a connection that is closed, has no record.
A call that is permitted and whose body breaks off is recorded as permitted, with its end in the outcome.

`Upstream` is what the API behind the gateway saw. `open` means that the connection goes on and is still in step; after every other
HTTP/1.1 refusal it is closed, so that no byte behind the fault is taken for a request.
";

pub(super) fn page(files: &[(String, File)]) -> String {
    let mut page = HEAD.to_owned();
    let count: usize = files.iter().map(|(_, file)| file.rows.len()).sum();
    writeln!(page, "\n{count} attacks.").unwrap();
    for (name, file) in files {
        writeln!(page, "\n## {}\n\n`tests/attacks/{name}.yaml`\n", file.about).unwrap();
        page.push_str(
            "| attack | sent | answer | connection | upstream |\n| --- | --- | --- | --- | --- |\n",
        );
        for row in &file.rows {
            writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                cell(&row.attack),
                cell(&sent(row)),
                cell(&answer(row)),
                match row.then() {
                    Then::Open => "open",
                    Then::Reset => "stream reset",
                    Then::Closed => "closed",
                },
                cell(&upstream(&row.upstream)),
            )
            .unwrap();
        }
    }
    page
}

/// What is sent, on one line.
fn sent(row: &Row) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(
        row.head
            .iter()
            .map(|head| code(&head.replace('\n', "\r\n"))),
    );
    parts.extend(row.bytes.iter().map(|bytes| code(bytes)));
    parts.extend(row.fields.iter().map(|fields| code(&fields.join(", "))));
    parts.extend(row.frames.iter().flatten().map(frame));
    if row.repeat > 1 {
        parts.push(format!("all of it {} times", row.repeat));
    }
    parts.extend(row.body.iter().map(|body| format!("body {}", code(body))));
    if row.sni != "localhost" {
        parts.push(format!("SNI `{}`", row.sni));
    }
    if row.anonymous {
        parts.push("no credential".to_owned());
    }
    parts.join(", ")
}

fn frame(frame: &Frame) -> String {
    let kind = format!("{:?}", frame.kind).to_uppercase();
    let content = match &frame.fields {
        Some(fields) => code(&fields.join(", ")),
        None if frame.payload.is_empty() => "empty".to_owned(),
        None => code(&frame.payload),
    };
    let times = match frame.repeat {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    format!("{kind} on stream {} {content}{times}", frame.stream)
}

fn answer(row: &Row) -> String {
    let statuses: Vec<String> = row.answers.iter().map(ToString::to_string).collect();
    let statuses = statuses.join(", ");
    match &row.reason {
        Some(reason) => format!("{statuses} `{reason}`"),
        None if statuses.is_empty() => "none".to_owned(),
        None => statuses,
    }
}

fn upstream(seen: &[Seen]) -> String {
    if seen.is_empty() {
        return "nothing".to_owned();
    }
    let seen = seen.iter().map(|seen| {
        let mut text = code(&seen.line);
        for (name, value) in &seen.has {
            write!(text, ", `{name}: {value}`").unwrap();
        }
        for name in &seen.lacks {
            write!(text, ", no `{name}`").unwrap();
        }
        text
    });
    seen.collect::<Vec<_>>().join("; ")
}

/// Bytes as they would be written in a program.
fn code(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '\r' => shown.push_str("\\r"),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\\' => shown.push_str("\\\\"),
            ' '..='~' => shown.push(c),
            other => write!(shown, "\\x{:02X}", u32::from(other)).unwrap(),
        }
    }
    if shown.contains('`') {
        format!("`` {shown} ``")
    } else {
        format!("`{shown}`")
    }
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
