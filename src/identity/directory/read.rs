//! Reads directory files: Graph's objects as they are exported (`reference/entra.md` §1.1, §1.5), one object, a
//! list below `value`, or an array.
//!
//! Graph's types are open, so members that are not read here are passed over. What is read must be of its type,
//! and an object of a type that is not read here is an error: an agent that silently went missing could not be
//! disabled. Never here: IO, and a guess.

mod accounts;
mod join;
mod object;
mod parts;
mod values;

use std::cell::LazyCell;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value};

use self::object::Reading;
use self::parts::{At, Object, Place, Within};
use crate::types::json::{self, Step};
use crate::types::{Attributes, BlueprintId, Fault, Faults, ObjectId, PrincipalId, Severity, text};

pub use self::parts::{DirectoryParts, FileParts};

/// A blueprint's application, or its principal: two objects of Graph that are one blueprint here.
#[derive(Debug, Clone)]
struct BlueprintPart {
    app_id: BlueprintId,
    /// `None` for the principal.
    object_id: Option<ObjectId>,
    /// `None` for the application.
    principal_id: Option<PrincipalId>,
    display_name: Option<Arc<str>>,
    enabled: bool,
    attributes: Attributes,
    sponsors: Vec<ObjectId>,
}

/// Reads one file: UTF-8, or UTF-16 with a byte order mark. Faults name the file, the line and the member;
/// objects without a fault are read all the same, so that one run names every fault.
#[must_use]
pub fn read(file: &str, bytes: &[u8]) -> (FileParts, Faults) {
    let file: Arc<str> = file.into();
    let mut reader = Reader {
        parts: FileParts::of(Arc::clone(&file)),
        file,
        faults: Faults::new(),
    };
    match text::decode(bytes) {
        Ok(text) => reader.read_text(&text),
        Err(error) => reader.fault_at((0, 0), error.to_string()),
    }
    (reader.parts, reader.faults)
}

/// The member that holds the objects of an answer of Graph's to a list request.
const LIST: &str = "value";

struct Reader {
    file: Arc<str>,
    parts: FileParts,
    faults: Faults,
}

impl Reader {
    /// Objects are read one by one while the text is: of twenty thousand in a file, one is in memory as it was written.
    fn read_text(&mut self, text: &str) {
        let (list, within): (&[_], fn(u32) -> Within) = match text.trim_start().as_bytes() {
            [b'[', ..] => (&[], Within::Array),
            _ => (&[Step::Member(LIST)], Within::List),
        };
        // In one pass, and what an item is listed as once.
        let places = json::locate_items(text, list).unwrap_or_default();
        let mut places = places.iter().map(|at| (at.line, at.column));
        let listed_as = LazyCell::new(|| {
            let context = json::text_of(text, "@odata.context")?;
            Kind::of_context(&context)
        });
        let mut index = 0;
        let root = json::parse_items(text.as_bytes(), LIST, &mut |item| {
            let (line, column) = places.next().unwrap_or_default();
            let within = within(index);
            index += 1;
            let place = Place {
                line,
                column,
                within,
            };
            self.read_item(text, &item, place, &listed_as);
        });
        match root {
            Ok(Value::Array(_)) => {}
            Ok(Value::Object(members)) => self.read_root(text, &members, &listed_as),
            Ok(_) => self.fault_at((1, 1), "expected an object or an array".to_owned()),
            Err(error) => {
                // Nothing stands of a text that is not JSON, and what was told of it may not either.
                self.parts = FileParts::of(Arc::clone(&self.file));
                self.faults = Faults::new();
                self.fault_at((error.line, error.column), error.message);
            }
        }
    }

    /// One object, or what stands around a list.
    fn read_root(&mut self, text: &str, members: &Map<String, Value>, listed_as: &ListedAs<'_>) {
        let Some(value) = members.get(LIST) else {
            let place = Place {
                line: 1,
                column: 1,
                within: Within::Whole,
            };
            return self.read_object(text, members, place, listed_as);
        };
        if members.contains_key("@odata.nextLink") {
            let message =
                "the list goes on at another page; once every page is here, remove this member";
            let at = json::locate(text, &[Step::Member("@odata.nextLink")]).unwrap_or((0, 0));
            // FAIL-CLOSED: an agent of that page would count as unknown, and not as disabled.
            self.push(at, "@odata.nextLink", Severity::Error, message.to_owned());
        }
        if !value.is_array() {
            let at = json::locate(text, &[Step::Member(LIST)]).unwrap_or((0, 0));
            let message = "expected an array of objects".to_owned();
            self.push(at, LIST, Severity::Error, message);
        }
    }

    fn read_item(&mut self, text: &str, item: &Value, place: Place, listed_as: &ListedAs<'_>) {
        if let Value::Object(members) = item {
            return self.read_object(text, members, place, listed_as);
        }
        let (file, message) = (&self.file, "expected an object".to_owned());
        let fault = At { file, place }.fault(Severity::Error, "", message);
        self.faults.push(fault);
    }

    /// Reads one object. What is wrong with it is collected; an object with an error is left out.
    fn read_object(
        &mut self,
        text: &str,
        members: &Map<String, Value>,
        place: Place,
        listed_as: &ListedAs<'_>,
    ) {
        let mut reading = Reading::new(&self.file, text, members, place.within);
        let object = reading.kind(listed_as).and_then(|kind| match kind {
            Kind::Blueprint => reading.blueprint().map(Object::Blueprint),
            Kind::BlueprintPrincipal => reading.blueprint_principal().map(Object::Blueprint),
            Kind::AgentIdentity => reading.agent_identity().map(Object::Agent),
            Kind::AgentUser => reading.agent_user().map(Object::AgentUser),
            Kind::User => reading.user().map(Object::User),
            Kind::ServicePrincipal => reading.service_principal().map(Object::ServicePrincipal),
        });
        self.faults.extend(reading.into_faults());
        if let Some(object) = object {
            self.parts.push(place, object);
        }
    }

    fn fault_at(&mut self, at: (u32, u32), message: String) {
        self.push(at, "", Severity::Error, message);
    }

    fn push(
        &mut self,
        (line, column): (u32, u32),
        member: &str,
        severity: Severity,
        message: String,
    ) {
        self.faults.push(Fault {
            file: Arc::clone(&self.file),
            line,
            column,
            member: member.to_owned(),
            message,
            severity,
        });
    }
}

/// What the objects are that do not say it, found when the first of them comes.
type ListedAs<'a> = dyn Deref<Target = Option<Kind>> + 'a;

/// Graph's types that a directory is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blueprint,
    BlueprintPrincipal,
    AgentIdentity,
    AgentUser,
    User,
    ServicePrincipal,
}

impl Kind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Blueprint, "microsoft.graph.agentIdentityBlueprint"),
        (
            Self::BlueprintPrincipal,
            "microsoft.graph.agentIdentityBlueprintPrincipal",
        ),
        (Self::AgentIdentity, "microsoft.graph.agentIdentity"),
        (Self::AgentUser, "microsoft.graph.agentUser"),
        (Self::User, "microsoft.graph.user"),
        (Self::ServicePrincipal, "microsoft.graph.servicePrincipal"),
    ];

    /// The type that `@odata.type` names, with or without `#`. Microsoft's own samples write it in several cases.
    fn of_type(name: &str) -> Option<Self> {
        let name = name.strip_prefix('#').unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(kind, _)| kind)
    }

    /// The type of a list's items that do not say it: the one that the request named
    /// (`…/$metadata#servicePrincipals/microsoft.graph.agentIdentity`), else that of the set.
    fn of_context(context: &str) -> Option<Self> {
        let (_, fragment) = context.split_once('#')?;
        let mut parts = fragment.split(['/', '(']);
        let set = match parts.clone().next()? {
            "users" => Some(Self::User),
            "servicePrincipals" => Some(Self::ServicePrincipal),
            _ => None,
        };
        parts.find_map(Self::of_type).or(set)
    }
}

#[cfg(test)]
mod tests;
