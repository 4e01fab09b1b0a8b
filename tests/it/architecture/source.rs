//! Rust source as text for the architecture test: comments and literals blanked, unit tests set apart.
//!
//! No parser: a scanner that knows what is code, what is a comment, what is a string, and keeps line numbers.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
#[derive(Debug)]
pub(super) struct Source {
    /// Its path below the repository's root, with `/`.
    pub(super) path: String,
    /// The text as it is.
    pub(super) raw: String,
    /// The text with every comment and every literal's content blanked; lines stay where they were.
    pub(super) code: String,
    /// `code` with `#[cfg(test)]` items blanked as well.
    pub(super) shipped: String,
    /// How many lines ship: all but those of `#[cfg(test)]` items.
    pub(super) shipped_lines: usize,
}

impl Source {
    /// Takes a file's text.
    pub(super) fn new(path: &str, raw: &str) -> Self {
        let code = blank_comments_and_literals(raw);
        let (shipped, test_lines) = if path.ends_with("/tests.rs") || path.contains("/tests/") {
            (blank(&code), raw.lines().count())
        } else {
            blank_test_items(&code)
        };
        Self {
            path: path.to_owned(),
            raw: raw.to_owned(),
            code,
            shipped,
            shipped_lines: raw.lines().count() - test_lines,
        }
    }

    /// Reads every `.rs` file below `folder` of the repository, in the order of their paths.
    pub(super) fn all_below(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        collect(&root.join(folder), &mut paths);
        paths.sort();
        assert!(!paths.is_empty(), "no source below `{folder}`");
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            Self::new(&name.replace('\\', "/"), &text)
        };
        paths.iter().map(read).collect()
    }

    /// The room: the first name below `src/`. `None` for a file elsewhere.
    pub(super) fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        below.split(['/', '.']).next()
    }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The line of a byte offset, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Whether a byte may be part of a Rust name; the repository's names are ASCII.
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The name that starts at `offset`.
pub(super) fn name_at(code: &str, offset: usize) -> &str {
    let rest = &code[offset..];
    let length = rest.bytes().take_while(|byte| is_name(*byte)).count();
    &rest[..length]
}

/// Every place where `needle` stands as whole names: `rand` is found in `rand::x`, not in `operand`.
pub(super) fn words<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(needle)
        .map(|(at, _)| at)
        .filter(move |at| {
            let end = at + needle.len();
            let opens = !is_name(needle.as_bytes()[0]) || *at == 0 || !is_name(bytes[at - 1]);
            let last = needle.as_bytes()[needle.len() - 1];
            let closes = !is_name(last) || end == bytes.len() || !is_name(bytes[end]);
            opens && closes
        })
}

/// The offset behind the bracket that closes the one at `open`.
pub(super) fn end_of_group(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Every byte but the line breaks becomes a space.
fn blank(text: &str) -> String {
    let keep = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(keep).collect()
}

/// Blanks what is not code, byte by byte, so that every offset stays what it was.
fn blank_comments_and_literals(raw: &str) -> String {
    let mut code = String::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let end = match literal_or_comment(raw, at) {
            Some(end) => {
                code.push_str(&blank(&raw[at..end]));
                end
            }
            None if is_name(raw.as_bytes()[at]) => {
                let name = name_at(raw, at);
                code.push_str(name);
                at + name.len()
            }
            None => {
                let next = raw[at..].chars().next().map_or(1, char::len_utf8);
                code.push_str(&raw[at..at + next]);
                at + next
            }
        };
        at = end;
    }
    code
}

/// The end of the comment, string or character literal that starts at `at`, if one does.
fn literal_or_comment(raw: &str, at: usize) -> Option<usize> {
    let rest = &raw[at..];
    if rest.starts_with("//") {
        return Some(at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(end_of_block_comment(raw, at));
    }
    let opens_literal = |prefix: &&str| {
        let behind = rest.strip_prefix(prefix);
        behind.is_some_and(|behind| behind.trim_start_matches('#').starts_with('"'))
    };
    let prefix = ["br", "cr", "b", "c", "r"]
        .into_iter()
        .find(opens_literal)
        .unwrap_or("");
    let hashes = rest[prefix.len()..]
        .bytes()
        .take_while(|b| *b == b'#')
        .count();
    let open = prefix.len() + hashes;
    if rest[open..].starts_with('"') && (hashes == 0 || prefix.ends_with('r')) {
        let body = &rest[open + 1..];
        let length = if prefix.ends_with('r') {
            let close = format!("\"{}", "#".repeat(hashes));
            body.find(&close).map(|found| found + close.len())
        } else {
            end_of_escaped(body, b'"')
        };
        return Some(length.map_or(raw.len(), |length| at + open + 1 + length));
    }
    let quote = usize::from(rest.starts_with("b'"));
    let body = rest[quote..].strip_prefix('\'')?;
    let one = body.chars().next()?;
    let is_character = one == '\\' || body[one.len_utf8()..].starts_with('\'');
    let length = end_of_escaped(body, b'\'')?;
    is_character.then_some(at + quote + 1 + length)
}

/// The offset behind the closing quote of a literal whose content starts `body`.
fn end_of_escaped(body: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn end_of_block_comment(raw: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < raw.len() {
        if raw.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if raw.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    raw.len()
}

/// Blanks every item under `#[cfg(test)]`, the attribute included; tells how many lines those items have.
fn blank_test_items(code: &str) -> (String, usize) {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut shipped = String::with_capacity(code.len());
    let mut lines = 0;
    let mut rest = code;
    while let Some(start) = rest.find(ATTRIBUTE) {
        let behind = start + ATTRIBUTE.len();
        let item = rest[behind..]
            .find(['{', ';'])
            .map_or(rest.len(), |at| behind + at);
        let end = if rest[item..].starts_with('{') {
            end_of_group(rest, item)
        } else {
            (item + 1).min(rest.len())
        };
        let (item, next) = rest[start..].split_at(end - start);
        shipped.push_str(&rest[..start]);
        shipped.push_str(&blank(item));
        lines += item.lines().count();
        rest = next;
    }
    shipped.push_str(rest);
    (shipped, lines)
}

#[test]
fn comments_and_literals_are_not_code() {
    let source = Source::new(
        "src/x.rs",
        "a(); // tokio\n/* b /* c */ d */ e(\"\\\"tokio\", r#\"to\"kio\"#, b\"x\", '\\'', b'\"', 'x', \"é\", 'é');\nfn f<'a>(x: &'a str) {}\n",
    );
    assert!(!source.code.contains("tokio"), "{}", source.code);
    assert!(!source.code.contains('d'), "{}", source.code);
    assert!(
        source.code.contains("fn f<'a>(x: &'a str) {}"),
        "{}",
        source.code
    );
    assert_eq!(source.code.lines().count(), source.raw.lines().count());
}

#[test]
fn unit_tests_are_set_apart() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if x {} }\n}\nfn c() {}\n";
    let source = Source::new("src/x/y.rs", text);
    assert!(!source.shipped.contains("fn b"));
    assert!(source.shipped.contains("fn c"));
    assert_eq!(source.shipped_lines, 2);
    assert_eq!(source.room(), Some("x"));
    assert!(
        Source::new("src/x/tests.rs", "fn d() {}")
            .shipped
            .trim()
            .is_empty()
    );
}

#[test]
fn words_are_whole() {
    assert_eq!(words("operand rand rand2 x.rand()", "rand").count(), 2);
    assert_eq!(words("a.await; b.awaited", ".await").count(), 1);
}
