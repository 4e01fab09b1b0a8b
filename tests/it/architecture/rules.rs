//! The rules of the architecture test, and the tables that they read. Each takes one file and gives its breaches.

use std::fmt;

use super::source::{Source, end_of_group, line_of, name_at, words};

/// The rooms and their numbers: a room names only rooms with a smaller one. CONTRIBUTING.md tells what each is for.
const ROOMS: &[(&str, u8)] = &[
    ("types", 0),
    ("call", 1),
    ("telemetry", 1),
    ("policy", 2),
    ("identity", 2),
    ("capability", 2),
    ("countries", 2),
    ("risk", 3),
    ("detection", 4),
    ("decision", 4),
    ("enforcement", 5),
    ("assertion", 5),
    ("spiffe", 5),
    ("clock", 6),
    ("client", 6),
    ("upstream", 6),
    ("record", 6),
    ("store", 6),
    ("snapshot", 7),
    ("feeds", 8),
    ("issuance", 8),
    ("gateway", 9),
    ("listener", 10),
    ("management", 10),
    ("config", 11),
    ("app", 12),
    ("demo", 13),
    ("cli", 14),
    ("main", 15),
];

/// The lowest room that may count and log.
const FIRST_TO_MEASURE: u8 = 6;

const PURE: &[&str] = &[
    "types",
    "policy",
    "risk",
    "detection",
    "decision",
    "capability",
    "countries",
];

/// What a pure room never says.
pub(super) const IMPURE: &[&str] = &[
    "async",
    ".await",
    "tokio",
    "hyper",
    "tracing",
    "rand",
    "now_v7",
    "new_v4",
    "f32",
    "f64",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "std::env",
    "std::fs",
    "std::io",
    "std::process",
    "std::thread",
];

/// Where a pure room may say such a word after all, and why.
const PURE_ALL_THE_SAME: &[(&str, &str, &str)] = &[
    (
        "src/types/json.rs",
        "f64",
        "serde hands numbers over as such; they are kept, and nothing computes with them",
    ),
    (
        "src/types/json/line.rs",
        "f32",
        "serde hands numbers over as such; they are refused",
    ),
    (
        "src/types/json/line.rs",
        "f64",
        "serde hands numbers over as such; they are refused",
    ),
];

/// Crates, and modules of crates, that only some rooms name.
pub(super) const RESERVED: &[(&str, &[&str])] = &[
    ("anyhow", &["app", "demo", "cli", "main"]),
    ("axum", &["management", "demo"]),
    ("clap", &["cli", "main"]),
    ("comfy_table", &["cli"]),
    ("hyper::client", &["client", "upstream"]),
    ("hyper_util::client", &["client", "upstream"]),
    ("jsonwebtoken", &["identity", "demo"]),
    ("maxminddb", &["countries"]),
    ("moka", &["identity", "feeds"]),
    ("prometheus", &["telemetry"]),
    ("rcgen", &["demo"]),
    ("redb", &["store"]),
    ("redis", &["store"]),
    ("schemars", &["config", "cli"]),
    ("serde_saphyr", &["config"]),
];

/// The one file that compares what somebody sends with a secret.
const SECRETS: &str = "src/types/secret.rs";

/// What only that file says: by these, and by nothing else, is a secret compared.
pub(super) const COMPARING: &[&str] = &["constant_time", "verify_slices_are_equal", "hmac"];

/// Who else reads a secret, how often, and what for: to send it on, or to hand it to what checks tokens.
const READING: &[(&str, usize, &str)] = &[
    (
        "src/identity/requester.rs",
        1,
        "a token, whose signature is checked",
    ),
    (
        "src/feeds/client_token.rs",
        1,
        "a unit test looks at what was granted",
    ),
    (
        "src/feeds/graph/connection.rs",
        1,
        "the bearer token that Graph is sent",
    ),
    (
        "src/feeds/graph/token.rs",
        2,
        "the proof that the token endpoint is sent",
    ),
    (
        "src/feeds/signals/access.rs",
        2,
        "what a transmitter and its token endpoint are sent",
    ),
    (
        "src/feeds/signals/transmitter.rs",
        1,
        "the header that a transmitter is told to send",
    ),
    (
        "src/store/redis/connection.rs",
        1,
        "the password that the store is sent",
    ),
];

/// The most lines that a file may have without its unit tests.
const LONGEST_FILE: usize = 400;

/// Files with a limit of their own, and why.
const OWN_LIMITS: &[(&str, usize, &str)] = &[
    (
        "src/gateway.rs",
        199,
        "the path of a call reads from top to bottom",
    ),
    ("src/main.rs", 119, "it only starts"),
];

/// One breach of one rule.
#[derive(Debug)]
pub(super) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Source {
    fn finding(&self, offset: usize, what: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line: line_of(&self.raw, offset),
            what: what.into(),
        }
    }
}

fn number_of(room: &str) -> Option<u8> {
    let mut rooms = ROOMS.iter();
    rooms
        .find(|(name, _)| *name == room)
        .map(|(_, number)| *number)
}

fn may_name(room: &str, other: &str) -> bool {
    let (Some(from), Some(to)) = (number_of(room), number_of(other)) else {
        return false;
    };
    let is_quiet = other != "telemetry" || from >= FIRST_TO_MEASURE;
    room == other || (to < from && is_quiet)
}

/// Every room that `source` names by a path from the crate's root, with the offset.
fn named_rooms(source: &Source) -> Vec<(usize, &str)> {
    let root = if source.room() == Some("main") {
        "boomgate::"
    } else {
        "crate::"
    };
    let starts = words(&source.code, root).map(|at| at + root.len());
    let names = starts.map(|at| (at, name_at(&source.code, at)));
    names
        .filter(|(_, name)| number_of(name).is_some())
        .collect()
}

/// A room names only rooms with a smaller number.
pub(super) fn room_order(source: &Source) -> Vec<Finding> {
    let Some(room) = source.room().filter(|room| *room != "lib") else {
        return Vec::new();
    };
    if number_of(room).is_none() {
        return vec![source.finding(0, format!("`{room}` is not in the table of rooms"))];
    }
    let named = named_rooms(source).into_iter();
    named
        .filter(|(_, other)| !may_name(room, other))
        .map(|(at, other)| source.finding(at, format!("`{room}` may not name `{other}`")))
        .collect()
}

/// Rooms are named by `crate::room`, one `use` each: no groups over rooms, and no way out by `super`.
pub(super) fn plain_paths(source: &Source) -> Vec<Finding> {
    let groups = words(&source.code, "crate::{")
        .map(|at| source.finding(at, "one `use crate::room::…` per room, no group over rooms"));
    // In `src/a/b.rs` two `super` reach the root; a module of unit tests lies one deeper.
    let depth = source.path.matches('/').count();
    let climbs = |code: &str, most: usize| {
        let chain = "super::".repeat(most);
        code.match_indices(&chain)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let shipped = climbs(&source.shipped, depth).into_iter();
    let tests = climbs(&source.code, depth + 1).into_iter();
    let climbs = shipped
        .chain(tests)
        .map(|at| source.finding(at, "leaves its room by `super`: write `crate::room`"));
    groups.chain(climbs).collect()
}

/// Pure rooms do no IO, read no clock, wait for nothing, log nothing, and hold nothing without an order.
pub(super) fn purity(source: &Source) -> Vec<Finding> {
    if !source.room().is_some_and(|room| PURE.contains(&room)) {
        return Vec::new();
    }
    let is_listed = |word: &str| {
        let mut listed = PURE_ALL_THE_SAME.iter();
        listed.any(|(path, known, _)| *path == source.path && *known == word)
    };
    let found = IMPURE
        .iter()
        .filter(|word| !is_listed(word))
        .flat_map(|word| words(&source.shipped, word).map(move |at| (at, word)));
    found
        .map(|(at, word)| source.finding(at, format!("a pure room says `{word}`")))
        .collect()
}

/// A crate that belongs to some rooms is named in no other.
pub(super) fn reserved_crates(source: &Source) -> Vec<Finding> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    let foreign = RESERVED.iter().filter(|(_, rooms)| !rooms.contains(&room));
    foreign
        .flat_map(|(name, rooms)| {
            uses_of_crate(&source.shipped, name)
                .into_iter()
                .map(move |at| {
                    source.finding(
                        at,
                        format!("`{name}` is named only in {}", rooms.join(", ")),
                    )
                })
        })
        .collect()
}

/// Where a path that starts with `name` begins; `self.name`, `crate::name` and a field `name:` are none.
fn uses_of_crate(code: &str, name: &str) -> Vec<usize> {
    let is_path = |at: &usize| {
        let before = code[..*at].trim_end();
        let behind = code[at + name.len()..].trim_start();
        let follows =
            behind.starts_with("::") || (before.ends_with("use") && behind.starts_with([';', ' ']));
        let leads = before.ends_with("::") && !before[..before.len() - 2].ends_with([' ', '(']);
        follows && !leads && !before.ends_with('.')
    };
    words(code, name).filter(is_path).collect()
}

/// Secrets are compared in one place, in constant time, and read where the table says; there nothing is compared.
pub(super) fn secrets_apart(source: &Source) -> Vec<Finding> {
    if source.path == SECRETS {
        return ["PartialEq", "Hash", "Ord", "PartialOrd"]
            .into_iter()
            .flat_map(|name| words(&source.code, name).map(move |at| (at, name)))
            .filter(|(at, name)| !(*name == "PartialEq" && source.code[..*at].ends_with("impl ")))
            .map(|(at, name)| source.finding(at, format!("a secret derives `{name}`")))
            .collect();
    }
    let comparing = COMPARING
        .iter()
        .flat_map(|word| words(&source.code, word).map(move |at| (at, word)))
        .map(|(at, word)| source.finding(at, format!("`{word}` is said in {SECRETS} only")));
    let calls: Vec<_> = words(&source.code, "expose").collect();
    let allowed = READING.iter().find(|(path, ..)| *path == source.path);
    let allowed = allowed.map_or(0, |(_, count, _)| *count);
    let readings = calls.iter().skip(allowed).map(|at| {
        source.finding(
            *at,
            "reads a secret: compare it with `Secret::is`, or list it",
        )
    });
    let compared = calls
        .iter()
        .filter(|at| {
            let ends = |c: char| matches!(c, ';' | '{' | '}');
            let start = source.shipped[..**at].rfind(ends).map_or(0, |at| at + 1);
            let statement = &source.shipped[start..];
            let end = statement.find(ends).unwrap_or(statement.len());
            let marks = [
                "==",
                "!=",
                ".eq(",
                ".ne(",
                ".cmp(",
                "starts_with",
                "contains",
            ];
            marks.iter().any(|mark| statement[..end].contains(mark))
        })
        .map(|at| source.finding(*at, "compares a secret that it has read"));
    comparing.chain(readings).chain(compared).collect()
}

/// Every file says first what it is for; `foo/tests.rs` says it by its name.
pub(super) fn module_docs(source: &Source) -> Vec<Finding> {
    let first = source.raw.lines().next().unwrap_or("");
    let says = first.strip_prefix("//! ").unwrap_or("");
    if source.path.ends_with("/tests.rs") || says.split(' ').count() > 2 {
        return Vec::new();
    }
    vec![source.finding(0, "opens with a `//!` sentence that says what it is for")]
}

/// Files stay short enough to be read at one sitting; unit tests do not count.
pub(super) fn file_sizes(source: &Source) -> Vec<Finding> {
    let mut limits = OWN_LIMITS.iter();
    let limit = limits
        .find(|(path, ..)| *path == source.path)
        .map_or(LONGEST_FILE, |(_, limit, _)| *limit);
    if source.shipped_lines <= limit {
        return Vec::new();
    }
    let what = format!(
        "{} lines without tests, the limit is {limit}",
        source.shipped_lines
    );
    vec![source.finding(source.raw.len(), what)]
}

/// Modules are `foo.rs` and `foo/bar.rs`.
pub(super) fn module_files(source: &Source) -> Vec<Finding> {
    if source.path.ends_with("/mod.rs") {
        return vec![source.finding(0, "a module is `foo.rs`, not `foo/mod.rs`")];
    }
    Vec::new()
}

/// Names are imported by name; a module of unit tests may say `use super::*`.
pub(super) fn glob_imports(source: &Source) -> Vec<Finding> {
    let imports = words(&source.code, "use").filter_map(|at| {
        let end = source.code[at..].find(';').map(|length| at + length)?;
        Some((at, &source.code[at..end]))
    });
    imports
        .filter(|(at, text)| {
            let in_tests = source.shipped[*at..].starts_with("   ");
            text.contains('*') && !(in_tests && *text == "use super::*")
        })
        .map(|(at, _)| source.finding(at, "imports by `*`"))
        .collect()
}

/// A test that is ignored tests nothing, and one that should panic does not say where.
pub(super) fn honest_tests(source: &Source) -> Vec<Finding> {
    ["#[ignore", "should_panic"]
        .into_iter()
        .flat_map(|word| source.code.match_indices(word))
        .map(|(at, word)| source.finding(at, format!("`{word}` is not used here")))
        .collect()
}

/// A new reason must be thought about everywhere, so no `match` over reasons has an arm for the rest.
pub(super) fn reasons_in_full(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in words(&source.code, "match") {
        let arms = arms_of_match(&source.code, at);
        let over_reasons = arms.iter().any(|(_, pattern)| pattern.contains("Reason::"));
        let rest = arms.iter().find(|(_, pattern)| {
            let without_guard = pattern.split(" if ").next().unwrap_or(pattern);
            without_guard.trim() == "_"
        });
        if let (true, Some((at, _))) = (over_reasons, rest) {
            findings.push(source.finding(*at, "`_ =>` in a match over `Reason`"));
        }
    }
    findings
}

/// The patterns of the `match` at `start`, guards included, with their offsets.
fn arms_of_match(code: &str, start: usize) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let mut open = start;
    while open < code.len() && bytes[open] != b'{' {
        open = match bytes[open] {
            b'(' | b'[' => end_of_group(code, open),
            b';' => return Vec::new(),
            _ => open + 1,
        };
    }
    if open >= code.len() {
        return Vec::new();
    }
    let end = end_of_group(code, open) - 1;
    let mut arms = Vec::new();
    let mut at = open + 1;
    while at < end {
        let Some(arrow) = find_outside_groups(code, at, end, "=>") else {
            break;
        };
        let pattern = &code[at..arrow];
        let first = at + pattern.len() - pattern.trim_start().len();
        arms.push((first, pattern.trim()));
        let body = arrow + 2;
        let value = body + code[body..end].len() - code[body..end].trim_start().len();
        at = if bytes[value] == b'{' {
            let behind = end_of_group(code, value);
            let comma = code[behind..end].trim_start().starts_with(',');
            behind
                + if comma {
                    code[behind..end].find(',').unwrap_or(0) + 1
                } else {
                    0
                }
        } else {
            find_outside_groups(code, value, end, ",").map_or(end, |comma| comma + 1)
        };
    }
    arms
}

/// The first `needle` between two offsets that lies in no bracket opened between them.
fn find_outside_groups(code: &str, from: usize, to: usize, needle: &str) -> Option<usize> {
    let mut at = from;
    while at < to {
        if code[at..].starts_with(needle) {
            return Some(at);
        }
        at = match code.as_bytes()[at] {
            b'(' | b'[' | b'{' => end_of_group(code, at),
            _ => at + 1,
        };
    }
    None
}
