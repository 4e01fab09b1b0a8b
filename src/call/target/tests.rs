//! Spellings of paths and what becomes of them; normalising is idempotent and total.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;

/// Spellings that become a path.
const ACCEPTED: &[(&str, &str)] = &[
    ("/", "/"),
    ("/hr", "/hr"),
    ("/hr/", "/hr/"),
    ("/hr/people/7", "/hr/people/7"),
    ("/HR", "/HR"),
    ("/%61dmin", "/admin"),
    ("/%41dmin", "/Admin"),
    ("/a%2db", "/a-b"),
    ("/a%2Db", "/a-b"),
    ("/a%5fb", "/a_b"),
    ("/a%7eb", "/a~b"),
    ("/v1%2e0/x", "/v1.0/x"),
    ("/a%20b", "/a%20b"),
    ("/caf%c3%a9", "/caf%C3%A9"),
    ("/caf%C3%A9", "/caf%C3%A9"),
    ("/%24batch", "/$batch"),
    ("/$batch", "/$batch"),
    ("/a%40b", "/a@b"),
    ("/items%28%271%27%29", "/items('1')"),
    ("/a%3ab", "/a:b"),
    ("/+1", "/+1"),
    ("/%2b1", "/%2B1"),
    ("/a%3fb", "/a%3Fb"),
    ("/a%23b", "/a%23b"),
    ("/a%5bb%5D", "/a%5Bb%5D"),
    ("/100%25", "/100%25"),
    ("/100%25/x", "/100%25/x"),
    ("/%25zz", "/%25zz"),
    ("/...", "/..."),
    ("/..a", "/..a"),
    ("/.well-known/x", "/.well-known/x"),
    ("/a.", "/a."),
    ("/%F0%9F%98%80", "/%F0%9F%98%80"),
    ("/hr/search:query", "/hr/search:query"),
];

/// Spellings that are refused.
const REFUSED: &[(&str, TargetError)] = &[
    ("", TargetError::NotAPath),
    ("*", TargetError::NotAPath),
    ("admin", TargetError::NotAPath),
    ("localhost:80", TargetError::NotAPath),
    ("?/admin", TargetError::NotAPath),
    ("%2fadmin", TargetError::NotAPath),
    ("http://x/admin", TargetError::NotAPath),
    ("//", TargetError::EmptySegment),
    ("//evil/admin", TargetError::EmptySegment),
    ("/a//b", TargetError::EmptySegment),
    ("/a//", TargetError::EmptySegment),
    ("/.", TargetError::DotSegment),
    ("/..", TargetError::DotSegment),
    ("/./a", TargetError::DotSegment),
    ("/a/.", TargetError::DotSegment),
    ("/a/./b", TargetError::DotSegment),
    ("/public/../admin", TargetError::DotSegment),
    ("/a/..", TargetError::DotSegment),
    ("/a/%2e", TargetError::DotSegment),
    ("/a/%2e%2e/b", TargetError::DotSegment),
    ("/a/.%2E/b", TargetError::DotSegment),
    ("/a/%2E./b", TargetError::DotSegment),
    ("/a%2fb", TargetError::EncodedDelimiter),
    ("/a%2Fb", TargetError::EncodedDelimiter),
    ("/..%2fadmin", TargetError::EncodedDelimiter),
    ("/a%5cb", TargetError::EncodedDelimiter),
    ("/..%5Cadmin", TargetError::EncodedDelimiter),
    ("/a%00", TargetError::EncodedDelimiter),
    ("/a%00.png", TargetError::EncodedDelimiter),
    ("/a%0d%0aX:y", TargetError::EncodedDelimiter),
    ("/a%09", TargetError::EncodedDelimiter),
    ("/a%7f", TargetError::EncodedDelimiter),
    ("/a%3bx", TargetError::EncodedDelimiter),
    ("/..%3b/admin", TargetError::EncodedDelimiter),
    ("/a\\b", TargetError::Character),
    ("/..\\admin", TargetError::Character),
    ("/a;x=1", TargetError::Character),
    ("/..;/admin", TargetError::Character),
    ("/a/.;/b", TargetError::Character),
    ("/;/admin", TargetError::Character),
    ("/a#b", TargetError::Character),
    ("/a#/../secret", TargetError::Character),
    ("/a?b#c", TargetError::Character),
    ("/a b", TargetError::Character),
    ("/a\0b", TargetError::Character),
    ("/a\tb", TargetError::Character),
    ("/a\"b", TargetError::Character),
    ("/a<b>", TargetError::Character),
    ("/a{b}", TargetError::Character),
    ("/a|b", TargetError::Character),
    ("/a^b", TargetError::Character),
    ("/a`b", TargetError::Character),
    ("/a[b]", TargetError::Character),
    ("/café", TargetError::Character),
    ("/a?b=é", TargetError::Character),
    ("/a?b=\"c\"", TargetError::Character),
    ("/a?b=\u{7f}", TargetError::Character),
    ("/a%", TargetError::Percent),
    ("/a%2", TargetError::Percent),
    ("/a%zz", TargetError::Percent),
    ("/a%2g", TargetError::Percent),
    ("/a%u002f", TargetError::Percent),
    ("/a%%32%66", TargetError::Percent),
    ("/a%252f", TargetError::EncodedTwice),
    ("/a%252F", TargetError::EncodedTwice),
    ("/%252e%252e/admin", TargetError::EncodedTwice),
    ("/%25%32%65%25%32%65/admin", TargetError::EncodedTwice),
    ("/a%25%32f", TargetError::EncodedTwice),
    ("/a%25252f", TargetError::EncodedTwice),
    ("/a%c0%af", TargetError::Text),
    ("/%c0%ae%c0%ae/admin", TargetError::Text),
    ("/a%e0%80%af", TargetError::Text),
    ("/a%ff", TargetError::Text),
    ("/a%c3", TargetError::Text),
    ("/a%ed%a0%80", TargetError::Text),
    ("/a%c2%85", TargetError::Text),
    ("/%ef%bc%8e%ef%bc%8e/admin", TargetError::Text),
    ("/a%ef%bc%8fb", TargetError::Text),
    ("/a%e2%88%95b", TargetError::Text),
];

#[test]
fn every_accepted_spelling_has_one_normal_form() {
    for (spelling, normal) in ACCEPTED {
        let target = Target::parse(spelling);
        assert_eq!(
            target.map(|t| t.path.to_string()),
            Ok((*normal).to_owned()),
            "{spelling}"
        );
    }
}

#[test]
fn refuses_what_could_be_read_in_two_ways() {
    for (spelling, error) in REFUSED {
        assert_eq!(Target::parse(spelling), Err(*error), "{spelling}");
    }
}

#[test]
fn the_query_is_kept_as_it_came_and_is_no_part_of_the_path() {
    let target = Target::parse("/hr?next=/../admin&x=%2f%zz&y[]=1;2").unwrap();
    assert_eq!(target.path.as_ref(), "/hr");
    assert_eq!(
        target.query.as_deref(),
        Some("next=/../admin&x=%2f%zz&y[]=1;2")
    );
    assert_eq!(Target::parse("/hr?").unwrap().query.as_deref(), Some(""));
}

/// Decodes every `%XX`, as a server does.
fn decode(path: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        octets.push(match byte {
            b'%' => octet(bytes.next(), bytes.next()).unwrap(),
            byte => byte,
        });
    }
    octets
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(path in "/(%[0-9a-fA-F]{2}|[a-z0-9./~$+@:%;]|%25){0,24}") {
        if let Ok(normal) = normalise(&path) {
            prop_assert_eq!(normalise(&normal), Ok(normal));
        }
    }

    #[test]
    fn what_a_server_decodes_is_the_same_before_and_after(path in "/(%[2-7][0-9a-fA-F]|[a-zA-Z0-9./]){0,24}") {
        if let Ok(normal) = normalise(&path) {
            prop_assert_eq!(decode(&normal), decode(&path));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        if let Ok(target) = Target::parse(&text) {
            prop_assert!(target.path.starts_with('/') && target.path.is_ascii());
        }
    }

    #[test]
    fn a_path_has_no_dot_or_inner_empty_segment(path in "(/|%2e|\\.|a){1,12}") {
        if let Ok(normal) = normalise(&path) {
            let segments: Vec<&str> = normal.split('/').skip(1).collect();
            prop_assert!(segments.iter().all(|s| *s != "." && *s != ".."));
            prop_assert!(segments.iter().rev().skip(1).all(|s| !s.is_empty()));
        }
    }
}
