//! Tokens become an [`Expression`], by recursive descent whose depth is bounded. Never here: attributes.

use std::sync::Arc;

use super::language::Kind;
use super::lexer::{Lexer, Token, unexpected};
use super::{
    Clause, Comparison, Expression, FilterError, Language, MAX_DEPTH, MAX_RULE_CHARS, Pattern,
    Predicate, Test,
};
use crate::types::attributes::fold;

const OPERATOR: &str = "`-eq`, `-ne`, `-contains`, `-notContains`, `-startsWith`, `-notStartsWith`, \
    `-endsWith`, `-notEndsWith`, `-match`, `-notMatch`, `-in`, `-notIn`, `-any` or `-all`";
const ITEM_OPERATOR: &str = "`-eq`, `-ne`, `-contains`, `-notContains`, `-startsWith`, `-notStartsWith`, \
    `-endsWith`, `-notEndsWith`, `-match`, `-notMatch`, `-in` or `-notIn`";

const FLAG_OPERATOR: &str = "`-eq` or `-ne`";
const FLAG: &str = "`True`, `False` or `null`";

/// Reads a whole rule.
pub(super) fn parse(text: &str, language: Language) -> Result<Expression<Clause>, FilterError> {
    if text.chars().nth(MAX_RULE_CHARS).is_some() {
        return Err(FilterError::TooLong);
    }
    let mut lexer = Lexer::new(text);
    let (token, column) = lexer.next()?;
    let mut parser = Parser {
        language,
        lexer,
        token,
        column,
        depth: 0,
    };
    let rule = parser.or(Parser::clause)?;
    match parser.token {
        Token::End => Ok(rule),
        _ => Err(parser.expected("`-and`, `-or` or the end of the rule")),
    }
}

/// The kinds of comparison, before it is known what they compare to.
#[derive(Debug, Clone, Copy)]
enum Operator {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    In,
}

const OPERATORS: [(&str, Operator, bool); 12] = [
    ("eq", Operator::Equals, false),
    ("ne", Operator::Equals, true),
    ("startsWith", Operator::StartsWith, false),
    ("notStartsWith", Operator::StartsWith, true),
    ("endsWith", Operator::EndsWith, false),
    ("notEndsWith", Operator::EndsWith, true),
    ("contains", Operator::Contains, false),
    ("notContains", Operator::Contains, true),
    ("match", Operator::Matches, false),
    ("notMatch", Operator::Matches, true),
    ("in", Operator::In, false),
    ("notIn", Operator::In, true),
];

/// How a kind of leaf is read.
type ReadLeaf<'a, L> = fn(&mut Parser<'a>) -> Result<L, FilterError>;

struct Parser<'a> {
    language: Language,
    lexer: Lexer<'a>,
    /// The token that is looked at, and its column.
    token: Token<'a>,
    column: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or<L>(&mut self, leaf: ReadLeaf<'a, L>) -> Result<Expression<L>, FilterError> {
        let first = self.and(leaf)?;
        let mut more = Vec::new();
        while self.take_word("or")? {
            more.push(self.and(leaf)?);
        }
        Ok(joined(first, more, Expression::Or))
    }

    fn and<L>(&mut self, leaf: ReadLeaf<'a, L>) -> Result<Expression<L>, FilterError> {
        let first = self.not(leaf)?;
        let mut more = Vec::new();
        while self.take_word("and")? {
            more.push(self.not(leaf)?);
        }
        Ok(joined(first, more, Expression::And))
    }

    fn not<L>(&mut self, leaf: ReadLeaf<'a, L>) -> Result<Expression<L>, FilterError> {
        if self.take_word("not")? {
            return self.nested(|parser| parser.not(leaf).map(Box::new).map(Expression::Not));
        }
        if self.token == Token::Open {
            return self.parenthesised(leaf);
        }
        leaf(self).map(Expression::Leaf)
    }

    fn parenthesised<L>(&mut self, leaf: ReadLeaf<'a, L>) -> Result<Expression<L>, FilterError> {
        self.take_token(&Token::Open, "`(`")?;
        let inner = self.nested(|parser| parser.or(leaf))?;
        self.take_token(&Token::Close, "`-and`, `-or` or `)`")?;
        Ok(inner)
    }

    /// What is asked of a property.
    fn clause(&mut self) -> Result<Clause, FilterError> {
        let attribute = self.property()?;
        let predicate = match self.language.kind_of(&attribute) {
            Kind::Flag => Predicate::Compare(self.flag()?),
            Kind::Text if self.take_word("any")? => {
                Predicate::AnyItem(self.parenthesised(Self::item)?)
            }
            Kind::Text if self.take_word("all")? => {
                Predicate::AllItems(self.parenthesised(Self::item)?)
            }
            Kind::Text => Predicate::Compare(self.comparison(OPERATOR)?),
        };
        Ok(Clause {
            language: self.language,
            attribute,
            predicate,
        })
    }

    /// What is asked of a Boolean.
    fn flag(&mut self) -> Result<Comparison, FilterError> {
        let negated = self.take_word("ne")?;
        if !negated && !self.take_word("eq")? {
            return Err(self.expected(FLAG_OPERATOR));
        }
        if self.take_null()? {
            let test = Test::Missing;
            return Ok(Comparison { negated, test });
        }
        let word = match &self.token {
            Token::Word(word) => word,
            Token::Text(text) => text.as_str(),
            _ => return Err(self.expected(FLAG)),
        };
        let mut flags = ["true", "false"].into_iter();
        let Some(flag) = flags.find(|flag| flag.eq_ignore_ascii_case(word)) else {
            return Err(self.expected(FLAG));
        };
        self.advance()?;
        let test = Test::Equals(flag.into());
        Ok(Comparison { negated, test })
    }

    /// What is asked of an item of a collection: `_` and a comparison.
    fn item(&mut self) -> Result<Comparison, FilterError> {
        self.take_token(&Token::Word("_"), "`_`, `-not` or `(`")?;
        let column = self.column;
        let comparison = self.comparison(ITEM_OPERATOR)?;
        if comparison.test == Test::Missing {
            let expected =
                "an operator other than `-eq null` and `-ne null`: an item is never null";
            return Err(unexpected(
                column,
                expected,
                "a comparison with null".to_owned(),
            ));
        }
        Ok(comparison)
    }

    fn property(&mut self) -> Result<Arc<str>, FilterError> {
        let Token::Word(word) = self.token else {
            return Err(self.expected(self.language.expected()));
        };
        let Some(name) = self.language.name_of(word) else {
            return Err(self.expected(self.language.expected()));
        };
        self.advance()?;
        Ok(name.into())
    }

    fn comparison(&mut self, expected: &'static str) -> Result<Comparison, FilterError> {
        let (Token::Word(word) | Token::Hyphenated(word)) = self.token else {
            return Err(self.expected(expected));
        };
        let known = OPERATORS
            .iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(word));
        let Some((_, operator, negated)) = known else {
            return Err(self.expected(expected));
        };
        self.advance()?;
        Ok(Comparison {
            negated: *negated,
            test: self.test(*operator)?,
        })
    }

    fn test(&mut self, operator: Operator) -> Result<Test, FilterError> {
        Ok(match operator {
            Operator::Equals if self.take_null()? => Test::Missing,
            Operator::Equals => Test::Equals(self.text("a text in double quotes, or `null`")?),
            Operator::StartsWith => Test::StartsWith(self.text(TEXT)?),
            Operator::EndsWith => Test::EndsWith(self.text(TEXT)?),
            Operator::Contains => Test::Contains(self.text(TEXT)?),
            Operator::Matches => Test::Matches(self.pattern()?),
            Operator::In => Test::In(self.list()?),
        })
    }

    fn text(&mut self, expected: &'static str) -> Result<Arc<str>, FilterError> {
        let Token::Text(text) = &self.token else {
            return Err(self.expected(expected));
        };
        let folded = fold(text);
        self.advance()?;
        Ok(folded)
    }

    fn pattern(&mut self) -> Result<Pattern, FilterError> {
        let Token::Text(source) = &self.token else {
            return Err(self.expected(TEXT));
        };
        let Some(pattern) = Pattern::compile(source) else {
            return Err(FilterError::Pattern {
                column: self.column,
                pattern: source.clone(),
            });
        };
        self.advance()?;
        Ok(pattern)
    }

    fn list(&mut self) -> Result<Box<[Arc<str>]>, FilterError> {
        self.take_token(&Token::OpenList, "a list in `[` and `]`")?;
        let mut items = vec![self.text(TEXT)?];
        while self.token == Token::Comma {
            self.advance()?;
            items.push(self.text(TEXT)?);
        }
        self.take_token(&Token::CloseList, "`,` or `]`")?;
        Ok(items.into())
    }

    fn take_null(&mut self) -> Result<bool, FilterError> {
        match self.token {
            Token::Word(word) if word.eq_ignore_ascii_case("null") => self.advance().map(|()| true),
            _ => Ok(false),
        }
    }

    /// Steps over this operator, if it stands here.
    fn take_word(&mut self, operator: &str) -> Result<bool, FilterError> {
        match self.token {
            Token::Word(word) | Token::Hyphenated(word) if word.eq_ignore_ascii_case(operator) => {
                self.advance().map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn take_token(&mut self, token: &Token<'_>, expected: &'static str) -> Result<(), FilterError> {
        if self.token == *token {
            return self.advance();
        }
        Err(self.expected(expected))
    }

    fn advance(&mut self) -> Result<(), FilterError> {
        (self.token, self.column) = self.lexer.next()?;
        Ok(())
    }

    /// Reads one level deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth == MAX_DEPTH {
            return Err(FilterError::TooDeep {
                column: self.column,
            });
        }
        self.depth = self.depth.saturating_add(1);
        let inner = read(self);
        self.depth = self.depth.saturating_sub(1);
        inner
    }

    fn expected(&self, expected: &'static str) -> FilterError {
        unexpected(self.column, expected, self.token.describe())
    }
}

const TEXT: &str = "a text in double quotes";

fn joined<L>(
    first: Expression<L>,
    more: Vec<Expression<L>>,
    join: fn(Box<[Expression<L>]>) -> Expression<L>,
) -> Expression<L> {
    if more.is_empty() {
        return first;
    }
    join(std::iter::once(first).chain(more).collect())
}
