//! A rule's text becomes tokens, each with its column. Never here: what a word means.

use super::FilterError;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, digits, `_` and `.`: a property, an operator, `null`.
    Word(&'a str),
    /// A word after a hyphen: an operator and nothing else.
    Hyphenated(&'a str),
    /// What stood between quotes, without its escapes.
    Text(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenList,
    /// `]`
    CloseList,
    /// `,`
    Comma,
    /// After the last one.
    End,
}

impl Token<'_> {
    /// How a message names it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Hyphenated(word) => format!("`-{word}`"),
            Self::Text(text) => format!("the text `{text}`"),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenList => "`[`".to_owned(),
            Self::CloseList => "`]`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::End => "the end of the rule".to_owned(),
        }
    }
}

/// Reads tokens one by one.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            column: 1,
        }
    }

    /// The next token and its column; [`Token::End`] at the end, however often it is asked.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, usize), FilterError> {
        self.take_while(char::is_whitespace);
        let column = self.column;
        let Some(first) = self.rest.chars().next() else {
            return Ok((Token::End, column));
        };
        let token = match first {
            '(' => self.single(Token::Open),
            ')' => self.single(Token::Close),
            '[' => self.single(Token::OpenList),
            ']' => self.single(Token::CloseList),
            ',' => self.single(Token::Comma),
            '"' => self.text()?,
            '-' => {
                self.take();
                match self.take_while(is_word) {
                    "" => return Err(unexpected(column, "an operator after `-`", self.found())),
                    word => Token::Hyphenated(word),
                }
            }
            other if is_word(other) => Token::Word(self.take_while(is_word)),
            _ => {
                let expected = "a property, an operator, a text in double quotes, `(` or `[`";
                return Err(unexpected(column, expected, self.found()));
            }
        };
        Ok((token, column))
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.take();
        token
    }

    /// A text in double quotes; a backtick stands before a quote or a backtick that belongs to the text.
    fn text(&mut self) -> Result<Token<'a>, FilterError> {
        self.take();
        let mut text = String::new();
        loop {
            let column = self.column;
            match self.take() {
                Some('"') => return Ok(Token::Text(text)),
                Some('`') => match self.take() {
                    Some(escaped @ ('"' | '`')) => text.push(escaped),
                    other => {
                        let found = other.map_or_else(end, |c| format!("`{c}`"));
                        let expected = "a quote or a backtick after a backtick";
                        return Err(unexpected(column.saturating_add(1), expected, found));
                    }
                },
                Some(other) => text.push(other),
                None => return Err(unexpected(column, "a closing double quote", end())),
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let first = rest.next()?;
        self.rest = rest.as_str();
        self.column = self.column.saturating_add(1);
        Some(first)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.column = self.column.saturating_add(taken.chars().count());
        taken
    }

    fn found(&self) -> String {
        self.rest
            .chars()
            .next()
            .map_or_else(end, |c| format!("`{c}`"))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

fn end() -> String {
    Token::End.describe()
}

pub(super) const fn unexpected(
    column: usize,
    expected: &'static str,
    found: String,
) -> FilterError {
    FilterError::Unexpected {
        column,
        expected,
        found,
    }
}
