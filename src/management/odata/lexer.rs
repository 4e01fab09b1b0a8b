//! The words of a `$filter` (OData 4.01 ABNF, the part that is understood here).

use super::QueryFault;

/// One word, with the byte where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) at: usize,
    pub(super) kind: TokenKind<'t>,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind<'t> {
    /// A name, an operator, `true`, `null`, or a GUID that starts with a letter.
    Word(&'t str),
    /// Starts with a digit or a sign: a number, a time, a GUID.
    Literal(&'t str),
    /// In quotes, which are taken off; `''` is one quote. With the enumeration's name in front, if there is one.
    Text(Option<&'t str>, String),
    /// `(`, `)`, `,`, `/`, `:`
    Mark(char),
}

/// Splits a filter.
///
/// # Errors
/// [`QueryFault`] at the first character that starts no word.
pub(super) fn split(text: &str) -> Result<Vec<Token<'_>>, QueryFault> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len().saturating_sub(rest.len());
        let length = match first {
            ' ' | '\t' => {
                rest = rest.trim_start_matches([' ', '\t']);
                continue;
            }
            '(' | ')' | ',' | '/' | ':' => {
                tokens.push(Token {
                    at,
                    kind: TokenKind::Mark(first),
                });
                1
            }
            '\'' => {
                let (value, length) = quoted(rest, at)?;
                tokens.push(Token {
                    at,
                    kind: TokenKind::Text(None, value),
                });
                length
            }
            _ if is_of_literal(first) && !first.is_ascii_alphabetic() => {
                let length = run(rest, is_of_literal);
                let word = rest.get(..length).unwrap_or_default();
                tokens.push(Token {
                    at,
                    kind: TokenKind::Literal(word),
                });
                length
            }
            _ if is_of_word(first) => {
                let length = run(rest, is_of_word);
                let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
                if behind.starts_with('\'') {
                    let (value, quoted) = quoted(behind, at.saturating_add(length))?;
                    tokens.push(Token {
                        at,
                        kind: TokenKind::Text(Some(word), value),
                    });
                    length.saturating_add(quoted)
                } else {
                    tokens.push(Token {
                        at,
                        kind: TokenKind::Word(word),
                    });
                    length
                }
            }
            other => {
                return Err(QueryFault::wrong(format!(
                    "`$filter`, character {}: `{}` starts no word",
                    at.saturating_add(1),
                    other.escape_default()
                )));
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

/// How many bytes at the start belong together.
fn run(text: &str, belongs: fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A name with its namespace; `-` for GUIDs, `@` and `$` so that the message can show them whole.
const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '$' | '#')
}

/// Numbers, times, GUIDs.
const fn is_of_literal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | ':')
}

/// The text in quotes at the start, and how many bytes it takes with them.
fn quoted(text: &str, at: usize) -> Result<(String, usize), QueryFault> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    loop {
        let Some((before, behind)) = rest.split_once('\'') else {
            return Err(QueryFault::wrong(format!(
                "`$filter`, character {}: the quote is never closed",
                at.saturating_add(1)
            )));
        };
        value.push_str(before);
        match behind.strip_prefix('\'') {
            Some(behind) => {
                value.push('\'');
                rest = behind;
            }
            None => return Ok((value, text.len().saturating_sub(behind.len()))),
        }
    }
}
