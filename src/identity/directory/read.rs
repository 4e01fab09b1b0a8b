//! Reads directory files: Graph's objects as they are exported (`reference/entra.md` §1.1, §1.5), one object, a
//! list below `value`, or an array.
//!
//! Graph's types are open, so members that are not read here are passed over. What is read must be of its type,
//! and an object of a type that is not read here is an error: an agent that silently went missing could not be
//! disabled. Never here: IO, and a guess.

mod accounts;
mod join;
mod object;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{AgentIdentity, AgentUser, Directory, ServicePrincipal, User};
use crate::types::json::{self, Path, Step};
use crate::types::{
    Attributes, BlueprintId, Fault, Faults, ObjectId, PrincipalId, Severity, SharedParts, text,
};
use object::Object;

/// Where an object was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: Arc<str>,
    line: u32,
    column: u32,
    member: String,
}

impl Place {
    fn fault(&self, severity: Severity, member: &str, message: String) -> Fault {
        Fault {
            file: Arc::clone(&self.file),
            line: self.line,
            column: self.column,
            member: values::join(&self.member, member),
            message,
            severity,
        }
    }
}

/// One object, and where it stands.
#[derive(Debug, Clone)]
struct Part<T> {
    place: Place,
    value: T,
}

impl<T: PartialEq> Part<Arc<T>> {
    /// Puts an object that was known in place of this one, if they are equal.
    fn keep(&mut self, known: Option<&Arc<T>>) {
        if let Some(known) = known.filter(|known| ***known == *self.value) {
            self.value = Arc::clone(known);
        }
    }
}

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

/// The objects of some files, not yet joined.
#[derive(Debug, Clone, Default)]
pub struct DirectoryParts {
    blueprints: Vec<Part<BlueprintPart>>,
    agents: Vec<Part<Arc<AgentIdentity>>>,
    agent_users: Vec<Part<Arc<AgentUser>>>,
    users: Vec<Part<Arc<User>>>,
    service_principals: Vec<Part<Arc<ServicePrincipal>>>,
    /// What the objects have in common.
    shared: SharedParts,
    /// The directory that there was before.
    before: Arc<Directory>,
}

impl DirectoryParts {
    /// None yet. Objects that are as they were in the directory `before` will be those: of a million agents a few change at a
    /// time, and both directories are in memory until no call reads the older one.
    #[must_use]
    pub fn after(before: Arc<Directory>) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// Adds the objects of another file.
    pub fn extend(&mut self, mut other: Self) {
        let before = &*self.before;
        for part in &mut other.agents {
            part.keep(before.agent(part.value.id.as_str()));
            // One that is kept has all in common already.
            if let Some(agent) = Arc::get_mut(&mut part.value) {
                agent.share(&mut self.shared);
            }
        }
        for part in &mut other.agent_users {
            part.keep(before.agent_user(part.value.id.as_str()));
        }
        for part in &mut other.users {
            part.keep(before.user(part.value.id.as_str()));
        }
        for part in &mut other.service_principals {
            part.keep(before.service_principal(part.value.id.as_str()));
        }
        self.blueprints.extend(other.blueprints);
        self.agents.extend(other.agents);
        self.agent_users.extend(other.agent_users);
        self.users.extend(other.users);
        self.service_principals.extend(other.service_principals);
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blueprints.is_empty()
            && self.agents.is_empty()
            && self.agent_users.is_empty()
            && self.users.is_empty()
            && self.service_principals.is_empty()
    }

    /// Adds those objects whose id is not here yet; gives the ids of the others. A blueprint's principal and its
    /// application are two objects.
    pub fn extend_where_new(&mut self, mut other: Self) -> Vec<Arc<str>> {
        let principals = self.blueprints.iter();
        let principals = principals.filter(|part| part.value.principal_id.is_some());
        let known: BTreeSet<Arc<str>> = principals
            .map(|part| part.value.app_id.to_shared())
            .chain(self.agents.iter().map(|part| part.value.id.to_shared()))
            .chain(
                self.agent_users
                    .iter()
                    .map(|part| part.value.id.to_shared()),
            )
            .chain(self.users.iter().map(|part| part.value.id.to_shared()))
            .chain(
                self.service_principals
                    .iter()
                    .map(|part| part.value.id.to_shared()),
            )
            .collect();
        let mut both = Vec::new();
        let mut is_new = |id: Arc<str>| {
            let is_new = !known.contains(&id);
            if !is_new {
                both.push(id);
            }
            is_new
        };
        other
            .blueprints
            .retain(|part| is_new(part.value.app_id.to_shared()));
        other
            .agents
            .retain(|part| is_new(part.value.id.to_shared()));
        other
            .agent_users
            .retain(|part| is_new(part.value.id.to_shared()));
        other.users.retain(|part| is_new(part.value.id.to_shared()));
        other
            .service_principals
            .retain(|part| is_new(part.value.id.to_shared()));
        self.extend(other);
        both
    }

    /// Joins the objects of all files into a directory. A directory with errors among its faults is not to be used.
    #[must_use]
    pub fn build(self) -> (Directory, Faults) {
        join::build(self)
    }
}

/// Reads one file: UTF-8, or UTF-16 with a byte order mark. Faults name the file, the line and the member;
/// objects without a fault are read all the same, so that one run names every fault.
#[must_use]
pub fn read(file: &str, bytes: &[u8]) -> (DirectoryParts, Faults) {
    let mut reader = Reader {
        file: file.into(),
        parts: DirectoryParts::default(),
        faults: Faults::new(),
    };
    match text::decode(bytes) {
        Ok(text) => reader.read_text(&text),
        Err(error) => reader.fault_at((0, 0), error.to_string()),
    }
    (reader.parts, reader.faults)
}

struct Reader {
    file: Arc<str>,
    parts: DirectoryParts,
    faults: Faults,
}

impl Reader {
    fn read_text(&mut self, text: &str) {
        match json::parse(text.as_bytes()) {
            Ok(Value::Array(items)) => self.read_items(text, &items, &[], None),
            Ok(Value::Object(members)) => self.read_root(text, &members),
            Ok(_) => self.fault_at((1, 1), "expected an object or an array".to_owned()),
            Err(error) => self.fault_at((error.line, error.column), error.message),
        }
    }

    /// One object, or Graph's answer to a list request.
    fn read_root(&mut self, text: &str, members: &Map<String, Value>) {
        let kind = members
            .get("@odata.context")
            .and_then(Value::as_str)
            .and_then(Kind::of_context);
        let Some(value) = members.get("value") else {
            return self.read_object(text, members, &[], (1, 1), kind);
        };
        let list = [Step::Member("value")];
        if members.contains_key("@odata.nextLink") {
            let message =
                "the list goes on at another page; once every page is here, remove this member";
            let at = json::locate(text, &[Step::Member("@odata.nextLink")]).unwrap_or((0, 0));
            // FAIL-CLOSED: an agent of that page would count as unknown, and not as disabled.
            self.push(at, "@odata.nextLink", Severity::Error, message.to_owned());
        }
        match value {
            Value::Array(items) => self.read_items(text, items, &list, kind),
            _ => {
                let at = json::locate(text, &list).unwrap_or((0, 0));
                let message = "expected an array of objects".to_owned();
                self.push(at, "value", Severity::Error, message);
            }
        }
    }

    fn read_items(&mut self, text: &str, items: &[Value], list: &[Step<'_>], kind: Option<Kind>) {
        // In one pass: a directory may hold a million agents.
        let places = json::locate_items(text, list).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let mut steps = list.to_vec();
            steps.push(Step::Item(index));
            let at = places.get(index).map_or((0, 0), |at| (at.line, at.column));
            match item {
                Value::Object(members) => self.read_object(text, members, &steps, at, kind),
                _ => {
                    let message = "expected an object".to_owned();
                    self.push(at, &Path(&steps).to_string(), Severity::Error, message);
                }
            }
        }
    }

    /// Reads one object. What is wrong with it is collected; an object with an error is left out.
    fn read_object(
        &mut self,
        text: &str,
        members: &Map<String, Value>,
        steps: &[Step<'_>],
        (line, column): (u32, u32),
        listed_as: Option<Kind>,
    ) {
        let mut object = Object::new(&self.file, text, members, steps);
        let place = Place {
            file: Arc::clone(&self.file),
            line,
            column,
            member: Path(steps).to_string(),
        };
        match object.kind(listed_as) {
            Some(Kind::Blueprint) => {
                let value = object.blueprint();
                push_part(&mut self.parts.blueprints, place, value);
            }
            Some(Kind::BlueprintPrincipal) => {
                let value = object.blueprint_principal();
                push_part(&mut self.parts.blueprints, place, value);
            }
            Some(Kind::AgentIdentity) => {
                let value = object.agent_identity().map(Arc::new);
                push_part(&mut self.parts.agents, place, value);
            }
            Some(Kind::AgentUser) => {
                let value = object.agent_user().map(Arc::new);
                push_part(&mut self.parts.agent_users, place, value);
            }
            Some(Kind::User) => {
                let value = object.user().map(Arc::new);
                push_part(&mut self.parts.users, place, value);
            }
            Some(Kind::ServicePrincipal) => {
                let value = object.service_principal().map(Arc::new);
                push_part(&mut self.parts.service_principals, place, value);
            }
            None => {}
        }
        self.faults.extend(object.into_faults());
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

fn push_part<T>(parts: &mut Vec<Part<T>>, place: Place, value: Option<T>) {
    parts.extend(value.map(|value| Part { place, value }));
}

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
