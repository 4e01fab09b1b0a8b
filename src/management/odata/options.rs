//! The system query options of a request, read together.

use super::QueryFault;
use super::filter::Filter;
use super::keys::{Direction, Order, Place};
use super::properties::{Property, find};
use super::skip;

/// The most entities on one page. `$top` asks for fewer; whoever asks for more gets a link to the rest.
const MAX_PAGE: usize = 1_000;
/// How many there are on a page without `$top`.
const DEFAULT_PAGE: usize = 100;

/// A question to an entity set.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) filter: Option<Filter>,
    pub(super) order: Order,
    pub(super) top: usize,
    pub(super) after: Option<Place>,
    /// By the names of the schema, in the client's order.
    pub(super) select: Option<Vec<&'static str>>,
    pub(super) count: bool,
    /// What a skip token belongs to.
    question: [String; 3],
}

/// Which options an address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// A list: all of them.
    List,
    /// `/$count`: `$filter`.
    Count,
    /// One entity: `$select`.
    Entity,
}

impl Allowed {
    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::List => &[
                "$filter",
                "$orderby",
                "$top",
                "$skiptoken",
                "$select",
                "$count",
            ],
            Self::Count => &["$filter"],
            Self::Entity => &["$select"],
        }
    }
}

impl Options {
    /// Reads a query against the properties of the entity set at `path`.
    ///
    /// # Errors
    /// [`QueryFault`] for an option that is given twice, wrong, or not understood here.
    pub(super) fn parse(
        pairs: &[(String, String)],
        allowed: Allowed,
        path: &str,
        properties: &'static [Property],
        ids: Direction,
    ) -> Result<Self, QueryFault> {
        let given = Given::of(pairs, allowed)?;
        let filter = given.get("$filter");
        let order = given.get("$orderby");
        let question = [path, filter.unwrap_or_default(), order.unwrap_or_default()];
        let order = match order {
            Some(text) => Order::parse(text, properties, ids)?,
            None => Order {
                keys: Vec::new(),
                ids,
            },
        };
        let token = given.get("$skiptoken");
        Ok(Self {
            filter: filter
                .map(|text| Filter::parse(text, properties))
                .transpose()?,
            after: token
                .map(|token| skip::read(token, &question, &order))
                .transpose()?,
            order,
            top: top(given.get("$top"))?,
            select: given
                .get("$select")
                .map(|text| select(text, properties))
                .transpose()?,
            count: count(given.get("$count"))?,
            question: question.map(ToOwned::to_owned),
        })
    }

    /// A token for the page behind `last`.
    pub(super) fn skip_token(&self, last: &Place) -> String {
        let question = self.question.each_ref().map(String::as_str);
        skip::write(last, &question)
    }
}

/// Options by name, none of them twice.
struct Given<'q>(Vec<(&'static str, &'q str)>);

impl<'q> Given<'q> {
    fn of(pairs: &'q [(String, String)], allowed: Allowed) -> Result<Self, QueryFault> {
        let mut given: Vec<(&'static str, &'q str)> = Vec::new();
        for (name, value) in pairs {
            let known = allowed.options().iter();
            let known = known
                .copied()
                .find(|known| known.eq_ignore_ascii_case(name));
            let Some(known) = known else {
                let options = allowed.options().join(", ");
                let name: String = name.escape_default().take(40).collect();
                let message = format!("`{name}` is not supported here, only {options}");
                return Err(QueryFault::unsupported(message));
            };
            if given.iter().any(|(other, _)| *other == known) {
                return Err(QueryFault::wrong(format!("`{known}` is given twice")));
            }
            // What was not UTF-8 is not what the client meant.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(QueryFault::wrong(format!("`{known}` is not UTF-8")));
            }
            given.push((known, value));
        }
        Ok(Self(given))
    }

    fn get(&self, name: &str) -> Option<&'q str> {
        let mut options = self.0.iter();
        options
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

fn top(text: Option<&str>) -> Result<usize, QueryFault> {
    let Some(text) = text else {
        return Ok(DEFAULT_PAGE);
    };
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| QueryFault::wrong("`$top` expects a number from 1"))?;
    Ok(number.min(MAX_PAGE))
}

fn count(text: Option<&str>) -> Result<bool, QueryFault> {
    match text {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(QueryFault::wrong("`$count` expects true or false")),
    }
}

fn select(text: &str, properties: &'static [Property]) -> Result<Vec<&'static str>, QueryFault> {
    let mut names = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name == "*" {
            names.extend(properties.iter().map(|property| property.name));
            continue;
        }
        let property = find(properties, name).ok_or_else(|| {
            let name: String = name.escape_default().take(80).collect();
            QueryFault::wrong(format!("`$select`: there is no property `{name}`"))
        })?;
        if !names.contains(&property.name) {
            names.push(property.name);
        }
    }
    Ok(names)
}
