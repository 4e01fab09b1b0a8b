//! Properties and values in a filter, and whether the two may be compared.

use serde_json::Number;

use super::Parser;
use crate::management::odata::QueryFault;
use crate::management::odata::filter::{Condition, Operator};
use crate::management::odata::lexer::TokenKind;
use crate::management::odata::literal::{self, Literal, fold};
use crate::management::odata::properties::{Kind, Path, find};
use crate::types::Timestamp;
use crate::types::ids::is_guid;

/// In front of a value of an enumeration: `microsoft.graph.riskLevel'high'`.
const ENUMERATIONS: &str = "microsoft.graph.";

/// What can stand on a side of an operator.
pub(super) enum Operand {
    Path(Path),
    /// With the byte where it starts.
    Value(usize, Written),
    /// `…/any(…)`, which is a condition by itself.
    Condition(Condition),
}

/// A value as it is written, before it is known what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    Null,
    Bool(bool),
    Number(Number),
    Time(Timestamp),
    Text(String),
    /// With the enumeration's name in front.
    Name(String),
}

impl<'t> Parser<'t> {
    /// A value or a property.
    pub(super) fn operand(&mut self, depth: usize) -> Result<Operand, QueryFault> {
        match self.value()? {
            Some((at, value)) => Ok(Operand::Value(at, value)),
            None => self.path(depth),
        }
    }

    /// A value, if one comes next.
    pub(super) fn value(&mut self) -> Result<Option<(usize, Written)>, QueryFault> {
        let at = self.at();
        let value = match self.tokens.first().map(|token| &token.kind) {
            Some(TokenKind::Text(None, text)) => Written::Text(text.clone()),
            Some(TokenKind::Text(Some(of), text)) if of.starts_with(ENUMERATIONS) => {
                Written::Name(text.clone())
            }
            Some(TokenKind::Text(Some(of), _)) => {
                let message = format!("expected a value, or one of an enumeration, not `{of}'…'`");
                return Err(self.wrong(&message));
            }
            Some(TokenKind::Literal(text)) => literal_of(text).ok_or_else(|| {
                self.wrong("expected a number, a time (2026-10-01T12:00:00Z) or a GUID")
            })?,
            Some(TokenKind::Word(word)) if is_guid(word) => Written::Text((*word).to_owned()),
            Some(TokenKind::Word(word)) => match word.to_ascii_lowercase().as_str() {
                "null" => Written::Null,
                "true" => Written::Bool(true),
                "false" => Written::Bool(false),
                _ => return Ok(None),
            },
            Some(TokenKind::Mark(_)) | None => return Ok(None),
        };
        self.advance();
        Ok(Some((at, value)))
    }

    /// A property, by its path from the item or from a variable.
    fn path(&mut self, depth: usize) -> Result<Operand, QueryFault> {
        let mut path = self.start_of_path()?;
        loop {
            let before = self.tokens;
            if !self.takes_mark('/') {
                return Ok(Operand::Path(path));
            }
            let at = self.at();
            let Some(TokenKind::Word(name)) = self.tokens.first().map(|token| &token.kind) else {
                return Err(self.wrong("expected the name of a property"));
            };
            let opens = matches!(before.get(2), Some(next) if next.kind == TokenKind::Mark('('));
            if opens && name.eq_ignore_ascii_case("any") {
                self.advance();
                return self.any(path, at, depth).map(Operand::Condition);
            }
            if opens || name.starts_with('$') || name.contains('.') {
                let message = format!("`/{name}` is not supported");
                return Err(self.unsupported(&message));
            }
            let (name, kind) = member(&path, name).map_err(|message| wrong_at(at, &message))?;
            path.members.push(name);
            path.kind = kind;
            self.advance();
        }
    }

    /// A variable, `$it`, or a property of the item.
    fn start_of_path(&mut self) -> Result<Path, QueryFault> {
        let Some(TokenKind::Word(name)) = self.tokens.first().map(|token| &token.kind) else {
            return Err(self.wrong("expected a property or a value"));
        };
        let variable = self.variables.iter().rposition(|(known, _)| known == name);
        let kind = variable.and_then(|at| self.variables.get(at));
        let path = match (kind, find(self.properties, name)) {
            (Some((_, kind)), _) => Path {
                variable,
                members: Vec::new(),
                kind: *kind,
            },
            (None, Some(property)) => Path {
                variable: None,
                members: vec![property.name.into()],
                kind: property.kind,
            },
            (None, None) => {
                let message = format!("there is no property `{name}`");
                return Err(self.wrong(&message));
            }
        };
        self.advance();
        Ok(path)
    }

    /// `(x: …)` or `()` behind `any`.
    fn any(&mut self, path: Path, at: usize, depth: usize) -> Result<Condition, QueryFault> {
        let element = match path.kind {
            Kind::List(element) => *element,
            Kind::Open => Kind::Open,
            _ => {
                let message = format!("`{}` is not a collection", path.written());
                return Err(wrong_at(at, &message));
            }
        };
        if !self.variables.is_empty() && path.variable.is_none() {
            // Each element of one collection against each of another: the cost of a query must not multiply.
            let message = "`any` inside `any` is supported on the outer one's variable only";
            return Err(self.unsupported(message));
        }
        self.expect_mark('(')?;
        if self.takes_mark(')') {
            return Ok(Condition::Any(path, None));
        }
        let Some(TokenKind::Word(variable)) = self.tokens.first().map(|token| &token.kind) else {
            return Err(self.wrong("expected a variable"));
        };
        let variable: &'t str = variable;
        self.advance();
        self.expect_mark(':')?;
        self.variables.push((variable, element));
        let condition = self.either(depth.saturating_add(1))?;
        self.variables.pop();
        self.expect_mark(')')?;
        Ok(Condition::Any(path, Some(Box::new(condition))))
    }
}

/// A member's name as the schema writes it, and what it holds; else a message.
fn member(of: &Path, name: &str) -> Result<(Box<str>, Kind), String> {
    let problem = match of.kind {
        Kind::Open => return Ok((name.into(), Kind::Open)),
        Kind::Object(properties) => match find(properties, name) {
            Some(property) => return Ok((property.name.into(), property.kind)),
            None => "has no property",
        },
        Kind::List(_) => "is a collection, expected `any` and not",
        Kind::Text
        | Kind::Id
        | Kind::Bool
        | Kind::Number
        | Kind::Time
        | Kind::Name(_)
        | Kind::GrownName(..) => "is a single value and has no property",
    };
    Err(format!("`{}` {problem} `{name}`", of.written()))
}

/// A value as a comparison with the property needs it.
pub(super) fn typed(
    path: &Path,
    operator: Operator,
    at: usize,
    value: Written,
) -> Result<Literal, QueryFault> {
    let has_order = !matches!(operator, Operator::Eq | Operator::Ne);
    let unordered = |what: &str| {
        let message = format!("{what} has no order, expected `eq` or `ne`");
        Err(wrong_at(at, &message))
    };
    match (path.kind, value) {
        (_, Written::Null) if has_order => unordered("null"),
        (_, Written::Null) => Ok(Literal::Null),
        (Kind::Bool | Kind::Open, Written::Bool(_)) if has_order => unordered("a boolean"),
        (Kind::Bool | Kind::Open, Written::Bool(value)) => Ok(Literal::Bool(value)),
        (Kind::Number | Kind::Open, Written::Number(value)) => Ok(Literal::Number(value)),
        (Kind::Time | Kind::Open, Written::Time(value)) => Ok(Literal::Time(value)),
        (Kind::Text | Kind::Open, Written::Text(value)) => Ok(Literal::Text(fold(&value))),
        (Kind::Id, Written::Text(value)) => Ok(Literal::Id(literal::id(&value))),
        (Kind::Name(_) | Kind::GrownName(..), Written::Text(_) | Written::Name(_)) if has_order => {
            unordered("an enumeration")
        }
        (
            kind @ (Kind::Name(_) | Kind::GrownName(..)),
            Written::Text(value) | Written::Name(value),
        ) => {
            let names: Vec<&str> = match kind {
                Kind::Name(names) => names.to_vec(),
                Kind::GrownName(first, later) => [first, later].concat(),
                _ => Vec::new(),
            };
            if names.iter().any(|name| name.eq_ignore_ascii_case(&value)) {
                return Ok(Literal::Text(fold(&value)));
            }
            let message = format!(
                "`{}` is never that, expected one of {}",
                path.written(),
                names.join(", ")
            );
            Err(wrong_at(at, &message))
        }
        (kind, _) => {
            let message = format!("`{}` is {}", path.written(), expected(kind));
            Err(wrong_at(at, &message))
        }
    }
}

/// What a property of this kind is compared with.
const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Id => "a text, expected one in quotes",
        Kind::Bool => "a boolean, expected true or false",
        Kind::Number => "a number, expected one without quotes",
        Kind::Time => "a time, expected one without quotes (2026-10-01T12:00:00Z)",
        Kind::Name(_) | Kind::GrownName(..) => {
            "of an enumeration, expected one of its names in quotes"
        }
        Kind::Object(_) => "an object, expected one of its properties",
        Kind::List(_) => "a collection, expected `any`",
        Kind::Open => "not to be compared with this value",
    }
}

/// A number, a time or a GUID.
fn literal_of(text: &str) -> Option<Written> {
    if is_guid(text) {
        return Some(Written::Text(text.to_owned()));
    }
    let number = literal::number(text).map(Written::Number);
    number.or_else(|| literal::time(text).map(Written::Time))
}

/// A fault at a byte of the filter.
pub(super) fn wrong_at(at: usize, message: &str) -> QueryFault {
    let at = at.saturating_add(1);
    QueryFault::wrong(format!("`$filter`, character {at}: {message}"))
}
