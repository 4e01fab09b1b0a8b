//! Reads humans and classic workloads: what policies for users and for service principals ask of them.
//!
//! What an entry does not list is not known, and never "none". Never here: a list of which only one page is there.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::object::Reading;
use super::values::last_id;
use crate::identity::directory::{ServicePrincipal, User};
use crate::identity::evidence::List;
use crate::types::json::Step;
use crate::types::{AppId, GuestType, ObjectId, TenantId};

/// The type of a membership that is a directory role.
const ROLE: &str = "microsoft.graph.directoryRole";
/// The type of a membership that neither a group nor a role is.
const UNIT: &str = "microsoft.graph.administrativeUnit";

/// Where the memberships stand: with the nested ones, or without.
const MEMBERSHIPS: [&str; 2] = ["transitiveMemberOf", "memberOf"];

impl Reading<'_> {
    pub(super) fn user(&mut self) -> Option<User> {
        self.refuse_agents("identityParentId", "#microsoft.graph.agentUser");
        let id = self.needed_id("id", ObjectId::parse);
        let display_name = self.text_of("displayName");
        let user_principal_name = self.text_of("userPrincipalName");
        let enabled = self.enabled();
        let guest = self.guest(user_principal_name.as_deref());
        let (groups, directory_roles) = self.memberships();
        self.if_sound(|| {
            let id = id?;
            Some(User {
                display_name: display_name.unwrap_or_else(|| id.to_shared()),
                id,
                user_principal_name,
                enabled,
                groups,
                directory_roles,
                guest,
            })
        })
    }

    pub(super) fn service_principal(&mut self) -> Option<ServicePrincipal> {
        self.refuse_agents("agentIdentityBlueprintId", "#microsoft.graph.agentIdentity");
        let id = self.needed_id("id", ObjectId::parse);
        let app_id = self.id("appId", AppId::parse);
        let display_name = self.text_of("displayName");
        let enabled = self.enabled();
        let owner_tenant = self.id("appOwnerOrganizationId", TenantId::parse);
        let is_listed = self.get("customSecurityAttributes").is_some();
        let attributes = self.attributes();
        self.if_sound(|| {
            let id = id?;
            Some(ServicePrincipal {
                display_name: display_name.unwrap_or_else(|| id.to_shared()),
                id,
                app_id,
                enabled,
                owner_tenant,
                attributes: is_listed.then_some(attributes),
            })
        })
    }

    /// An agent that is listed without its type would not be judged as one.
    fn refuse_agents(&mut self, member: &str, kind: &str) {
        if self.get(member).is_some() {
            let message = format!("only an agent has it, expected the `@odata.type` `{kind}`");
            self.fault(&[Step::Member(member)], message);
        }
    }

    /// By `userType`, and by what Entra leaves on the accounts of those who were invited.
    fn guest(&mut self, principal_name: Option<&str>) -> Option<Option<GuestType>> {
        let user_type = self.text_of("userType")?;
        let invited = self.text_of("creationType").as_deref() == Some("Invitation")
            || principal_name.is_some_and(|name| name.contains("#EXT#"));
        match (user_type.to_ascii_lowercase().as_str(), invited) {
            ("member", false) => Some(None),
            ("member", true) => Some(Some(GuestType::B2bCollaborationMember)),
            ("guest", true) => Some(Some(GuestType::B2bCollaborationGuest)),
            ("guest", false) => Some(Some(GuestType::InternalGuest)),
            _ => {
                let message = format!("`{user_type}` is not known, expected `Member` or `Guest`");
                self.fault(&[Step::Member("userType")], message);
                None
            }
        }
    }

    /// Ids of groups, and template ids of directory roles. A membership that is only an id may be either, so it counts as
    /// a group, and the roles are not known.
    fn memberships(&mut self) -> (Option<List>, Option<List>) {
        let mut lists = MEMBERSHIPS.into_iter();
        let Some(name) = lists.find(|name| self.get(name).is_some()) else {
            return (None, None);
        };
        let next = format!("{name}@odata.nextLink");
        if self.get(&next).is_some() {
            let message = "the list goes on at another page, expected all of it".to_owned();
            self.fault(&[Step::Member(&next)], message);
        }
        let Some(Value::Array(items)) = self.get(name) else {
            self.fault(&[Step::Member(name)], "expected an array".to_owned());
            return (None, None);
        };
        let (mut groups, mut roles) = (Vec::new(), Some(Vec::new()));
        for (index, item) in items.iter().enumerate() {
            match membership(item) {
                Some(Membership::Group(id)) => groups.push(id),
                Some(Membership::Role(id)) => {
                    if let Some(roles) = &mut roles {
                        roles.push(id);
                    }
                }
                Some(Membership::Either(id)) => {
                    groups.push(id);
                    roles = None;
                }
                Some(Membership::Other) => {}
                None => {
                    let message = "expected an id, an address that ends in one, or a group or directory role with its `id` (of a role, its `roleTemplateId`)";
                    let steps = [Step::Member(name), Step::Item(index)];
                    self.fault(&steps, message.to_owned());
                }
            }
        }
        (Some(groups.into()), roles.map(Into::into))
    }
}

/// What a human is a member of.
enum Membership {
    Group(Arc<str>),
    Role(Arc<str>),
    Either(Arc<str>),
    Other,
}

fn membership(item: &Value) -> Option<Membership> {
    let id = |text: &str| ObjectId::parse(last_id(text)).ok().map(|id| id.to_shared());
    let members = match item {
        Value::String(text) => return id(text).map(Membership::Either),
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let kind = kind_of(members);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case(UNIT)) {
        return Some(Membership::Other);
    }
    let is_role = kind.is_some_and(|kind| kind.eq_ignore_ascii_case(ROLE));
    if is_role || members.contains_key("roleTemplateId") {
        return text("roleTemplateId").and_then(id).map(Membership::Role);
    }
    let group = text("id").and_then(id)?;
    Some(match kind {
        Some(_) => Membership::Group(group),
        None => Membership::Either(group),
    })
}

fn kind_of(members: &Map<String, Value>) -> Option<&str> {
    let kind = members.get("@odata.type")?.as_str()?;
    Some(kind.strip_prefix('#').unwrap_or(kind))
}
