//! Reads a `$filter` against the properties of an entity set.
//!
//! `or` binds weaker than `and`, `and` weaker than `not`. A comparison is between one property and one value, and the
//! value must be of the property's kind: a comparison that can never be met is an error, not "nothing found".

mod operand;

use super::QueryFault;
use super::filter::{Condition, Operator, TextFunction};
use super::lexer::{Token, TokenKind, split};
use super::literal::{Literal, text_of};
use super::properties::{Kind, Path, Property};
use operand::{Operand, typed};

/// The longest filter in bytes.
const MAX_BYTES: usize = 8_192;
/// How deep parentheses, `not` and `any` go.
const MAX_DEPTH: usize = 24;

/// Reads a filter.
///
/// # Errors
/// [`QueryFault`] with the first place that is not understood.
pub(super) fn parse(text: &str, properties: &'static [Property]) -> Result<Condition, QueryFault> {
    if text.len() > MAX_BYTES {
        return Err(QueryFault::unsupported(format!(
            "`$filter` is longer than {MAX_BYTES} bytes"
        )));
    }
    let mut parser = Parser {
        tokens: &split(text)?,
        end: text.len(),
        properties,
        variables: Vec::new(),
    };
    let filter = parser.either(0)?;
    if parser.tokens.is_empty() {
        Ok(filter)
    } else {
        Err(parser.wrong("expected `and`, `or` or the end"))
    }
}

/// What is left to read, and what names mean here.
struct Parser<'t> {
    tokens: &'t [Token<'t>],
    end: usize,
    properties: &'static [Property],
    /// The variables of the `any` around, outermost first.
    variables: Vec<(&'t str, Kind)>,
}

impl<'t> Parser<'t> {
    /// `a or b or c`
    fn either(&mut self, depth: usize) -> Result<Condition, QueryFault> {
        if depth > MAX_DEPTH {
            return Err(self.unsupported("the filter is nested too deep"));
        }
        let mut parts = vec![self.both(depth)?];
        while self.takes_word("or") {
            parts.push(self.both(depth)?);
        }
        Ok(one_or(parts, Condition::Or))
    }

    /// `a and b and c`
    fn both(&mut self, depth: usize) -> Result<Condition, QueryFault> {
        let mut parts = vec![self.condition(depth)?];
        while self.takes_word("and") {
            parts.push(self.condition(depth)?);
        }
        Ok(one_or(parts, Condition::And))
    }

    /// `not …`, `( … )`, `startsWith( … )`, `… eq …`, `… in ( … )`, `…/any( … )`
    fn condition(&mut self, depth: usize) -> Result<Condition, QueryFault> {
        let depth = depth.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(self.unsupported("the filter is nested too deep"));
        }
        if self.takes_word("not") {
            let (at, next) = (self.at(), self.tokens.first().map(|token| &token.kind));
            let is_grouped = next == Some(&TokenKind::Mark('('));
            let negated = self.condition(depth)?;
            // `not a eq b` is `(not a) eq b` to OData, which nobody means.
            if matches!(negated, Condition::Compare(..) | Condition::In(..)) && !is_grouped {
                let message = "expected parentheses around a comparison behind `not`";
                return Err(operand::wrong_at(at, message));
            }
            return Ok(Condition::Not(Box::new(negated)));
        }
        if self.takes_mark('(') {
            let inner = self.either(depth)?;
            self.expect_mark(')')?;
            return Ok(inner);
        }
        if let Some(function) = self.text_function()? {
            return self.text_condition(function, depth);
        }
        match self.operand(depth)? {
            Operand::Condition(filter) => Ok(filter),
            Operand::Path(path) => self.comparison(path),
            Operand::Value(at, value) => {
                let operator = self.operator()?;
                let operator = operator.ok_or_else(|| self.wrong("expected an operator"))?;
                let Operand::Path(path) = self.operand(depth)? else {
                    return Err(operand::wrong_at(
                        at,
                        "expected a comparison with a property",
                    ));
                };
                let literal = typed(&path, operator, at, value)?;
                Ok(Condition::Compare(path, mirrored(operator), literal))
            }
        }
    }

    /// What follows a property: an operator and a value, `in` and values, or nothing.
    fn comparison(&mut self, path: Path) -> Result<Condition, QueryFault> {
        if self.takes_word("in") {
            self.expect_mark('(')?;
            let mut literals = vec![self.value_for(&path, Operator::Eq)?];
            while self.takes_mark(',') {
                literals.push(self.value_for(&path, Operator::Eq)?);
            }
            self.expect_mark(')')?;
            return Ok(Condition::In(path, literals));
        }
        if let Some(operator) = self.operator()? {
            let literal = self.value_for(&path, operator)?;
            return Ok(Condition::Compare(path, operator, literal));
        }
        match path.kind {
            Kind::Bool => Ok(Condition::Holds(path)),
            _ => Err(self.wrong(&format!(
                "expected an operator (eq, ne, gt, ge, lt, le, in) behind `{}`",
                path.written()
            ))),
        }
    }

    fn value_for(&mut self, path: &Path, operator: Operator) -> Result<Literal, QueryFault> {
        match self.value()? {
            Some((at, value)) => typed(path, operator, at, value),
            None => Err(self.wrong("expected a value; two properties are not compared here")),
        }
    }

    /// `startsWith`, where a parenthesis follows; another function is refused.
    fn text_function(&mut self) -> Result<Option<TextFunction>, QueryFault> {
        let [first, second, ..] = self.tokens else {
            return Ok(None);
        };
        let (TokenKind::Word(name), TokenKind::Mark('(')) = (&first.kind, &second.kind) else {
            return Ok(None);
        };
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => TextFunction::StartsWith,
            "endswith" => TextFunction::EndsWith,
            "contains" => TextFunction::Contains,
            _ => {
                let message = format!("the function `{name}` is not supported");
                return Err(self.unsupported(&message));
            }
        };
        self.advance();
        self.advance();
        Ok(Some(function))
    }

    /// `property, 'text')`
    fn text_condition(
        &mut self,
        function: TextFunction,
        depth: usize,
    ) -> Result<Condition, QueryFault> {
        let at = self.at();
        let Operand::Path(path) = self.operand(depth)? else {
            return Err(operand::wrong_at(at, "expected a property"));
        };
        if !matches!(path.kind, Kind::Text | Kind::Id | Kind::Open) {
            let message = format!("`{}` is not a text", path.written());
            return Err(operand::wrong_at(at, &message));
        }
        self.expect_mark(',')?;
        let text = match self.tokens.first().map(|token| &token.kind) {
            Some(TokenKind::Text(None, text)) => text_of(path.kind, text),
            _ => return Err(self.wrong("expected a text in quotes")),
        };
        self.advance();
        self.expect_mark(')')?;
        Ok(Condition::Text(function, path, text))
    }

    /// `eq` and its like; another word is left alone.
    fn operator(&mut self) -> Result<Option<Operator>, QueryFault> {
        let Some(TokenKind::Word(word)) = self.tokens.first().map(|token| &token.kind) else {
            return Ok(None);
        };
        let operator = match word.to_ascii_lowercase().as_str() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            "has" | "add" | "sub" | "mul" | "div" | "divby" | "mod" => {
                let message = format!("the operator `{word}` is not supported");
                return Err(self.unsupported(&message));
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(operator))
    }
}

/// A list of one is that one.
fn one_or(mut parts: Vec<Condition>, joined: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            joined(parts)
        }
        None => joined(parts),
    }
}

/// The operator with its sides exchanged.
const fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Eq => Operator::Eq,
        Operator::Ne => Operator::Ne,
        Operator::Gt => Operator::Lt,
        Operator::Ge => Operator::Le,
        Operator::Lt => Operator::Gt,
        Operator::Le => Operator::Ge,
    }
}

/// The words themselves.
impl<'t> Parser<'t> {
    /// The byte where the next word starts.
    fn at(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.at)
    }

    fn advance(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let next = self.tokens.first().map(|token| &token.kind);
        let is_it = matches!(next, Some(TokenKind::Word(next)) if next.eq_ignore_ascii_case(word));
        if is_it {
            self.advance();
        }
        is_it
    }

    fn takes_mark(&mut self, mark: char) -> bool {
        let next = self.tokens.first().map(|token| &token.kind);
        let is_it = next == Some(&TokenKind::Mark(mark));
        if is_it {
            self.advance();
        }
        is_it
    }

    fn expect_mark(&mut self, mark: char) -> Result<(), QueryFault> {
        if self.takes_mark(mark) {
            Ok(())
        } else {
            Err(self.wrong(&format!("expected `{mark}`")))
        }
    }

    fn wrong(&self, message: &str) -> QueryFault {
        operand::wrong_at(self.at(), message)
    }

    fn unsupported(&self, message: &str) -> QueryFault {
        let at = self.at().saturating_add(1);
        QueryFault::unsupported(format!("`$filter`, character {at}: {message}"))
    }
}
