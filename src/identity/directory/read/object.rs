//! [`Reading`]: one object of a directory file, read member by member, with what is wrong with each.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::parts::Within;
use super::values::{attribute, last_id};
use super::{BlueprintPart, Kind, ListedAs};
use crate::identity::directory::{AgentIdentity, AgentUser};
use crate::types::json::{self, Path, Step};
use crate::types::{
    AgentId, AgentUserId, AttributeValue, Attributes, BlueprintId, Fault, Faults, IdError,
    ObjectId, PrincipalId, Severity, Timestamp,
};

/// The members that are read. Another one that differs from one of these only in case is a mistake, not an extension.
const MEMBERS: [&str; 17] = [
    "@odata.type",
    "id",
    "appId",
    "displayName",
    "accountEnabled",
    "customSecurityAttributes",
    "sponsors",
    "sponsors@odata.bind",
    "agentIdentityBlueprintId",
    "identityParentId",
    "userPrincipalName",
    "createdDateTime",
    "userType",
    "creationType",
    "memberOf",
    "transitiveMemberOf",
    "appOwnerOrganizationId",
];

/// One object, where it stands, and what was found wrong with it so far.
pub(super) struct Reading<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    members: &'a Map<String, Value>,
    within: Within,
    faults: Faults,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        file: &'a Arc<str>,
        text: &'a str,
        members: &'a Map<String, Value>,
        within: Within,
    ) -> Self {
        Self {
            file,
            text,
            members,
            within,
            faults: Faults::new(),
        }
    }

    pub(super) fn into_faults(self) -> Faults {
        self.faults
    }

    /// What the object is: by its own `@odata.type`, else as what it was listed.
    pub(super) fn kind(&mut self, listed_as: &ListedAs<'_>) -> Option<Kind> {
        self.check_spelling();
        let expected = || Kind::ALL.map(|(_, name)| format!("`#{name}`")).join(", ");
        if self.get("@odata.type").is_none() {
            let listed_as = **listed_as;
            if listed_as.is_none() {
                let expected = expected();
                let message = format!("`@odata.type` is missing, expected one of {expected}");
                self.fault(&[], message);
            }
            return listed_as;
        }
        let name = self.str_of("@odata.type")?;
        let kind = Kind::of_type(name);
        if kind.is_none() {
            let expected = expected();
            let message = format!("unknown type `{name}`, expected one of {expected}");
            self.fault(&[Step::Member("@odata.type")], message);
        }
        kind
    }

    pub(super) fn blueprint(&mut self) -> Option<BlueprintPart> {
        let app_id = self.needed_id("appId", BlueprintId::parse);
        let object_id = self.id("id", ObjectId::parse);
        let part = self.blueprint_part(app_id, None)?;
        Some(BlueprintPart { object_id, ..part })
    }

    pub(super) fn blueprint_principal(&mut self) -> Option<BlueprintPart> {
        let app_id = self.needed_id("appId", BlueprintId::parse);
        let principal_id = self.needed_id("id", PrincipalId::parse);
        let part = self.blueprint_part(app_id, principal_id)?;
        part.principal_id.is_some().then_some(part)
    }

    fn blueprint_part(
        &mut self,
        app_id: Option<BlueprintId>,
        principal_id: Option<PrincipalId>,
    ) -> Option<BlueprintPart> {
        let display_name = self.text_of("displayName");
        let enabled = self.enabled();
        let attributes = self.attributes();
        let sponsors = self.sponsors();
        self.if_sound(|| {
            Some(BlueprintPart {
                app_id: app_id?,
                object_id: None,
                principal_id,
                display_name,
                enabled,
                attributes,
                sponsors,
            })
        })
    }

    pub(super) fn agent_identity(&mut self) -> Option<AgentIdentity> {
        let id = self.needed_id("id", AgentId::parse);
        let app_id = self.id("appId", AgentId::parse);
        if let (Some(id), Some(app_id)) = (&id, &app_id)
            && id != app_id
        {
            let message =
                format!("`{app_id}` is not the `id`; an agent identity's two ids are one");
            self.fault(&[Step::Member("appId")], message);
        }
        let blueprint = self.id("agentIdentityBlueprintId", BlueprintId::parse);
        let display_name = self.text_of("displayName");
        let enabled = self.enabled();
        let attributes = self.attributes();
        let sponsors = self.sponsors();
        let created_at = self.created_at();
        self.if_sound(|| {
            let id = id?;
            Some(AgentIdentity {
                display_name: display_name.unwrap_or_else(|| id.to_shared()),
                id,
                blueprint,
                enabled,
                attributes,
                sponsors,
                created_at,
            })
        })
    }

    pub(super) fn agent_user(&mut self) -> Option<AgentUser> {
        let id = self.needed_id("id", AgentUserId::parse);
        let identity_parent = self.needed_id("identityParentId", AgentId::parse);
        let display_name = self.text_of("displayName");
        let user_principal_name = self.text_of("userPrincipalName");
        let enabled = self.enabled();
        let attributes = self.attributes();
        self.if_sound(|| {
            let id = id?;
            Some(AgentUser {
                display_name: display_name.unwrap_or_else(|| id.to_shared()),
                id,
                identity_parent: identity_parent?,
                user_principal_name,
                enabled,
                attributes,
            })
        })
    }

    /// Makes the object, unless something was wrong with it.
    pub(super) fn if_sound<T>(&self, make: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.faults.has_errors() {
            None
        } else {
            make()
        }
    }

    /// A member that is not null. Graph writes null for what has no value.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text_of(&mut self, name: &str) -> Option<Arc<str>> {
        self.str_of(name).map(Arc::from)
    }

    fn str_of(&mut self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.fault(&[Step::Member(name)], "expected a string".to_owned());
                None
            }
        }
    }

    pub(super) fn id<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, IdError>) -> Option<T> {
        let text = self.str_of(name)?;
        parse(text)
            .map_err(|error| self.fault(&[Step::Member(name)], error.to_string()))
            .ok()
    }

    pub(super) fn needed_id<T>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Result<T, IdError>,
    ) -> Option<T> {
        if self.get(name).is_none() {
            self.fault(&[], format!("`{name}` is missing"));
        }
        self.id(name, parse)
    }

    /// `accountEnabled`; an object that does not say is enabled, as an export without that member is.
    pub(super) fn enabled(&mut self) -> bool {
        match self.get("accountEnabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => {
                let message = "expected `true` or `false`".to_owned();
                self.fault(&[Step::Member("accountEnabled")], message);
                false
            }
        }
    }

    fn created_at(&mut self) -> Option<Timestamp> {
        let text = self.str_of("createdDateTime")?;
        let at = Timestamp::parse(text);
        if at.is_none() {
            let message = format!("`{text}` is not a time, expected `2026-10-01T12:34:56Z`");
            self.fault(&[Step::Member("createdDateTime")], message);
        }
        at
    }

    /// `sponsors`, as ids or objects with an id, and `sponsors@odata.bind`, as addresses that end in an id.
    fn sponsors(&mut self) -> Vec<ObjectId> {
        let mut sponsors: Vec<ObjectId> = Vec::new();
        for name in ["sponsors", "sponsors@odata.bind"] {
            let items = match self.get(name) {
                None => continue,
                Some(Value::Array(items)) => items,
                Some(_) => {
                    self.fault(&[Step::Member(name)], "expected an array".to_owned());
                    continue;
                }
            };
            for (index, item) in items.iter().enumerate() {
                let item = match item {
                    Value::Object(members) => members.get("id").unwrap_or(&Value::Null),
                    other => other,
                };
                match item.as_str().map(|text| ObjectId::parse(last_id(text))) {
                    Some(Ok(id)) if sponsors.contains(&id) => {}
                    Some(Ok(id)) => sponsors.push(id),
                    Some(Err(_)) | None => {
                        let message = "expected an id, an object with an `id`, or an address that ends in one";
                        let steps = [Step::Member(name), Step::Item(index)];
                        self.fault(&steps, message.to_owned());
                    }
                }
            }
        }
        sponsors
    }

    /// Custom security attributes: sets of values, each named `<Set>_<Name>` here, as filters name them.
    pub(super) fn attributes(&mut self) -> Attributes {
        const MEMBER: Step<'static> = Step::Member("customSecurityAttributes");
        let (written, sets) = match self.get("customSecurityAttributes") {
            None => return Attributes::none(),
            Some(value @ Value::Object(sets)) => (value, sets),
            Some(_) => {
                self.fault(&[MEMBER], "expected an object of attribute sets".to_owned());
                return Attributes::none();
            }
        };
        let mut pairs: Vec<(Arc<str>, AttributeValue)> = Vec::new();
        for (set, values) in sets.iter().filter(|(set, _)| !set.contains('@')) {
            let Value::Object(values) = values else {
                let message = "expected an object of attributes".to_owned();
                self.fault(&[MEMBER, Step::Member(set)], message);
                continue;
            };
            for (name, value) in values {
                if name.contains('@') || value.is_null() {
                    continue;
                }
                let full_name: Arc<str> = format!("{set}_{name}").into();
                let message = match attribute(value) {
                    None => {
                        "expected a string, a number, a Boolean, or an array of strings or numbers"
                            .to_owned()
                    }
                    Some(_) if pairs.iter().any(|(known, _)| *known == full_name) => {
                        format!("a second attribute with the name `{full_name}`")
                    }
                    Some(value) => {
                        pairs.push((full_name, value));
                        continue;
                    }
                };
                self.fault(&[MEMBER, Step::Member(set), Step::Member(name)], message);
            }
        }
        Attributes::from_pairs(pairs).written_as(written.to_string().into())
    }

    /// A member whose name differs in case alone from one that is read would be passed over, `accountEnabled` too.
    fn check_spelling(&mut self) {
        for name in self.members.keys() {
            let meant = MEMBERS
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name));
            if let Some(meant) = meant.filter(|known| name != *known) {
                self.fault(&[Step::Member(name)], format!("is spelt `{meant}`"));
            }
        }
    }

    /// Notes an error at a member of this object, or at the object itself.
    pub(super) fn fault(&mut self, steps: &[Step<'_>], message: String) {
        let mut all: Vec<Step<'_>> = self.within.steps();
        all.extend_from_slice(steps);
        let (line, column) = json::locate(self.text, &all).unwrap_or((0, 0));
        self.faults.push(Fault {
            file: Arc::clone(self.file),
            line,
            column,
            member: Path(&all).to_string(),
            message,
            severity: Severity::Error,
        });
    }
}
