//! Spellings of what is blocked, and of what is not: every piece of noise at every place of some paths, encodings of
//! every character, pairs of both by a fixed sequence, and the targets of `tests/attacks/target.yaml`.

use std::collections::BTreeSet;

use crate::attacks;

/// What may hide a path from one reader and not from another.
const NOISE: &[&str] = &[
    "/",
    "//",
    "/./",
    "/../",
    "/x/../",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    ".%2e",
    "/%2e%2e/",
    "/.%2e/",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "..\\",
    "%5c..%5c",
    ";",
    ";x=1",
    ";/",
    "%3b",
    "%00",
    "%09",
    "%0a",
    "%0d",
    "%20",
    "%7f",
    "%25",
    "%252f",
    "%252e",
    "%25%32%66",
    "%c0%af",
    "%c0%ae",
    "%e0%80%af",
    "%ef%bc%8f",
    "%e2%88%95",
    "%u002f",
    "%2",
    "%",
    "?",
    "??",
    "#",
    "%23",
    "%3f",
    "+",
    "&",
    "*",
    "~",
    "!",
    "'",
    "(",
    ")",
    ",",
    ":",
    "@",
    "=",
    "\"",
    "<",
    "^",
    "`",
    "{",
    "|",
    "[",
    "\u{e9}",
    "%c3%a9",
    "%ad",
    "%cc%b8",
    "/%00/",
    "/ ",
    "\t",
];

/// What leads to the blocked path for some reader, or beside it.
const PATHS: &[&str] = &[
    "/hr/secret",
    "/hr/secret/1",
    "/hr/people/../secret",
    "/hr/people",
    "/hr/secrets",
    "/HR/Secret",
    "/hr/SECRET/1",
    "//hr/secret",
    "/./hr/./secret",
    "/x/../hr/secret",
    "/hr/people/..%2fsecret",
    "/hr/people/%2e%2e/secret",
    "/hr/people/..;/secret",
    "/hr\\secret",
    "http://localhost/hr/secret",
    "https://localhost/hr/secret",
    "https://localhost/hr/people",
    "https://localhost//hr/secret",
    "https://evil.example/hr/secret",
    "localhost/hr/secret",
    "*",
];

/// All targets, each once, as bytes.
pub(super) fn all() -> BTreeSet<Vec<u8>> {
    let mut targets = BTreeSet::new();
    let mut random = Sequence(7);
    let pairs = if std::env::var_os("BOOMGATE_TESTS_LONG").is_some() {
        20_000
    } else {
        1_500
    };
    for path in PATHS {
        targets.insert((*path).to_owned());
    }
    for path in ["/hr/secret", "/hr/secret/1", "/hr/people/../secret"] {
        for at in 0..=path.len() {
            targets.extend(NOISE.iter().map(|noise| insert(path, at, noise)));
            targets.extend((at + 1..=path.len()).map(|end| encoded(path, at, end)));
        }
    }
    for _ in 0..pairs {
        let mut target = PATHS[random.below(PATHS.len())].to_owned();
        for _ in 0..1 + random.below(3) {
            let at = random.below(target.len() + 1);
            if !target.is_char_boundary(at) {
                continue;
            }
            target = match random.below(4) {
                0 if target.is_char_boundary(at + 1) => encoded(&target, at, at + 1),
                1 => cased(&target, at),
                _ => insert(&target, at, NOISE[random.below(NOISE.len())]),
            };
        }
        targets.insert(target);
    }
    let mut targets: BTreeSet<Vec<u8>> = targets.iter().map(|target| latin(target)).collect();
    targets.extend(attacks::targets());
    // A target that ends the request line or is empty is no target.
    targets.retain(|target| {
        !target.is_empty()
            && !target
                .iter()
                .any(|byte| matches!(byte, b' ' | b'\r' | b'\n' | b'\t' | 0))
    });
    targets
}

fn insert(path: &str, at: usize, noise: &str) -> String {
    format!("{}{noise}{}", &path[..at], &path[at..])
}

/// The characters from `at` to `end` percent-encoded, slashes included.
fn encoded(path: &str, at: usize, end: usize) -> String {
    let middle: String = path[at..end]
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    format!("{}{middle}{}", &path[..at], &path[end..])
}

fn cased(path: &str, at: usize) -> String {
    format!("{}{}", &path[..at], path[at..].to_ascii_uppercase())
}

fn latin(text: &str) -> Vec<u8> {
    let bytes = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
    bytes.collect()
}

/// Numbers that look random and are the same each time (Knuth's constants).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: usize) -> usize {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
