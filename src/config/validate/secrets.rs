//! Secrets that a configuration refers to: from the environment or a file, never from the text of the configuration.
//!
//! Never here: a secret in a message, whatever is wrong with it.

use super::{Checker, Extent};
use crate::config::member::MemberPath;
use crate::types::Secret;

/// The fewest characters of a secret by which somebody is let in.
const MIN_CHARACTERS: usize = 32;
/// The largest file of a secret, in bytes.
const MAX_BYTES: u64 = 4096;

/// The secret at `at`. Where nobody needs one, none is read.
pub(super) fn secret(check: &mut Checker<'_>, at: &MemberPath) -> Option<String> {
    if check.extent() == Extent::Judging {
        return None;
    }
    let text = check.text(at)?;
    if text.is_variable() {
        return Some(text.value.clone());
    }
    if text.written.starts_with("file:") {
        let path = check.locate_text(text.value.trim_start_matches("file:"));
        let bytes = check.read(at, &path, MAX_BYTES)?;
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            check.error(at, "the secret is not text");
        }
        return text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let message = "a secret must not stand in the file itself, expected `${NAME}` or `file:PATH`";
    check.error(at, message);
    None
}

/// One by which somebody is let in, and which travels in a header (RFC 6750 §2.1). Faults call it `what`.
pub(super) fn credential(check: &mut Checker<'_>, at: &MemberPath, what: &str) -> Option<Secret> {
    let secret = secret(check, at)?;
    if secret.len() < MIN_CHARACTERS || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!(
            "the {what} is not usable, expected at least {MIN_CHARACTERS} printable ASCII characters without blanks"
        );
        check.error(at, message);
        return None;
    }
    Some(Secret::new(secret))
}
