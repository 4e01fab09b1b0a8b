//! Paths without what they name: a record shows which kind of thing was called, not which one.
//!
//! A configured operation's template is shown instead where there is one; this is for the rest. It errs towards
//! hiding: an id, an address, a name with digits, a random word becomes `{id}`.

/// What stands for a segment that is not shown.
const HIDDEN: &str = "{id}";

/// More segments than this are not shown.
const MAX_SEGMENTS: usize = 16;

/// A longer segment is not the name of a kind of thing.
const MAX_SEGMENT_BYTES: usize = 40;

/// A longer word, between capitals, hyphens and the like, is not one of any language's everyday words.
const MAX_WORD_BYTES: usize = 20;

/// A name of more words than this is a title or a sentence.
const MAX_WORDS: usize = 6;

/// So many consonants in a row are not a word.
const MAX_CONSONANTS: usize = 5;

/// A path in normal form, with what could name one thing or person hidden. It is bounded in length.
pub(super) fn path(path: &str) -> String {
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let mut shown = String::new();
    for segment in segments.by_ref().take(MAX_SEGMENTS) {
        shown.push('/');
        shown.push_str(if names_a_kind(segment) {
            segment
        } else {
            HIDDEN
        });
    }
    if segments.next().is_some() {
        shown.push_str("/**");
    }
    shown
}

/// Whether a segment is the name of a kind of thing (`people`, `riskyAgents`, `v1.0`), as far as its looks tell.
fn names_a_kind(segment: &str) -> bool {
    if segment.len() > MAX_SEGMENT_BYTES {
        return false;
    }
    is_version(segment)
        || (segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'$' | b':'))
            && !is_hexadecimal(segment)
            && has_few_digits(segment)
            && has_words(segment))
}

/// Eight or more hexadecimal digits and nothing else.
fn is_hexadecimal(segment: &str) -> bool {
    segment.len() >= 8 && segment.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `v1`, `v1.0`, `v2025-01`: a version.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        (1..=10).contains(&rest.len())
            && rest.starts_with(|c: char| c.is_ascii_digit())
            && rest
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'))
    })
}

/// At most one digit, and that within or after letters: `oauth2`, `b2b`; not `7`, `user-7`, `a1b2`.
fn has_few_digits(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let stands_alone = segment
        .split(['-', '_', '.', '$', ':'])
        .any(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    digits == 0 || (digits == 1 && !stands_alone)
}

/// Whether all its words could be words, and are not just scattered letters.
fn has_words(segment: &str) -> bool {
    let (count, letters) = words(segment).fold((0_usize, 0_usize), |(count, letters), word| {
        (count.saturating_add(1), letters.saturating_add(word.len()))
    });
    let scattered = count > 2 && letters < count.saturating_mul(3);
    count <= MAX_WORDS && !scattered && words(segment).all(is_word)
}

/// The words of a name, by its capitals and separators.
fn words(segment: &str) -> impl Iterator<Item = &str> {
    let mut rest = segment;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let first = rest.chars().next()?;
        let upper_start = first.is_ascii_uppercase();
        // A word is capitals, then lower-case letters; it ends where the next capital or separator stands.
        let capitals = rest
            .find(|c: char| !c.is_ascii_uppercase())
            .unwrap_or(rest.len());
        let after_capitals = if upper_start { capitals } else { 0 };
        let (_, tail) = rest.split_at_checked(after_capitals)?;
        let lower = tail
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(tail.len());
        let (word, next) = rest.split_at_checked(after_capitals.checked_add(lower)?)?;
        rest = next;
        Some(word)
    })
}

/// Whether it could be a word: not too long, and not too many consonants in a row.
fn is_word(word: &str) -> bool {
    let is_vowel = |c: char| matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let is_acronym = word.len() <= MAX_CONSONANTS;
    word.len() <= MAX_WORD_BYTES
        && (is_acronym
            || word
                .split(is_vowel)
                .all(|consonants| consonants.len() <= MAX_CONSONANTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_names_of_kinds() {
        for shown in [
            "/",
            "/hr/people",
            "/beta/identityProtection/riskyAgents",
            "/v1.0/conditionalAccessPolicies/$count",
            "/oauth2/token",
            "/api/v2025-01/line-items",
            "/.well-known/openid-configuration",
            "/HTTPRoutes",
        ] {
            assert_eq!(path(shown), shown);
        }
    }

    #[test]
    fn hides_what_names_one_thing_or_person() {
        for hidden in [
            "7",
            "user-7",
            "a9a9a9a9-0000-4000-8000-000000000002",
            "deadbeefcafe1234",
            "deadbeef",
            "ada%40example.com",
            "ada@example.com",
            "sk_live_51HxYz",
            "xKcdQzRtPlmN",
            "sdfhsdkfjhskdf",
            "jsessionid=abc",
            "%C3%A5sa",
            "lowercasewordwithoutanyend",
            "eyJhbGciOiJub25lIn0.e30.x",
            "one-two-three-four-five-six-seven",
        ] {
            assert_eq!(
                path(&format!("/hr/{hidden}/pay")),
                "/hr/{id}/pay",
                "{hidden}"
            );
        }
    }

    #[test]
    fn is_bounded() {
        let long = "/a".repeat(1000);
        assert_eq!(path(&long), format!("{}/**", "/a".repeat(MAX_SEGMENTS)));
        assert_eq!(path(&format!("/{}", "a".repeat(5000))), "/{id}");
    }
}
