//! What an entity is made of, as far as queries may name it: the part of Graph's schema that a type is checked with.
//!
//! A property that is not listed is an error of the query, so that a typing error is not "nothing found".

use serde_json::Value;

/// What a property holds, and so how it compares.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text, compared without regard to case, as Graph's directory does.
    Text,
    /// An id: byte for byte, but a GUID in any case.
    Id,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// `Edm.DateTimeOffset`.
    Time,
    /// One of an enumeration's names. They have no order that a client could rely on.
    Name(&'static [&'static str]),
    /// An enumeration that has grown: its first names, and those that came later, which a client sees only if it says
    /// that it knows them (`Prefer: include-unknown-enum-members`).
    GrownName(&'static [&'static str], &'static [&'static str]),
    /// A complex value.
    Object(&'static [Property]),
    /// A collection.
    List(&'static Self),
    /// JSON whose members are not listed. A comparison with a value of another kind than the literal's is unequal.
    Open,
}

/// A property by its name.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// As Graph writes it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Property {
    /// A property.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }
}

/// The property of this name; Graph does not look at its case.
pub(super) fn find(properties: &'static [Property], name: &str) -> Option<&'static Property> {
    properties
        .iter()
        .find(|property| property.name.eq_ignore_ascii_case(name))
}

/// What a client sees that does not know the names which came later.
pub(super) fn hide_later_names(entity: &mut Value, properties: &[Property]) {
    for property in properties {
        let Some(value) = entity.get_mut(property.name) else {
            continue;
        };
        match property.kind {
            Kind::GrownName(_, later) if value.as_str().is_some_and(|v| later.contains(&v)) => {
                *value = Value::from("unknownFutureValue");
            }
            Kind::Object(inner) => hide_later_names(value, inner),
            Kind::GrownName(..)
            | Kind::Text
            | Kind::Id
            | Kind::Bool
            | Kind::Number
            | Kind::Time
            | Kind::Name(_)
            | Kind::List(_)
            | Kind::Open => {}
        }
    }
}

/// Where a value is: in the item itself, or in a variable of an `any` around it.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// The `any` whose variable it starts at, the outermost being 0; `None`: it starts at the item.
    pub(super) variable: Option<usize>,
    pub(super) members: Vec<Box<str>>,
    pub(super) kind: Kind,
}

impl Path {
    /// The value; `None` where there is none, or null.
    pub(super) fn find<'v>(&self, item: &'v Value, variables: &[&'v Value]) -> Option<&'v Value> {
        let start = match self.variable {
            None => item,
            Some(at) => variables.get(at)?,
        };
        let value = self
            .members
            .iter()
            .try_fold(start, |value, member| value.get(&**member))?;
        (!value.is_null()).then_some(value)
    }

    /// As a client writes it.
    pub(super) fn written(&self) -> String {
        self.members.join("/")
    }
}
