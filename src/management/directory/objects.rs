//! The directory's objects with Graph's members, and the collections that they are found in.

use serde_json::{Map, Value, json};

use crate::identity::{AgentIdentity, AgentUser, Blueprint, Directory};
use crate::management::odata::{Direction, EntitySet, Kind, Property};
use crate::risk::Accounts;
use crate::store::etag::ETag;
use crate::types::{Attributes, ObjectId};

/// Shown only to those who select it, as by Graph.
pub(super) const ATTRIBUTES: &str = "customSecurityAttributes";

/// One object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'d> {
    AgentIdentity(&'d AgentIdentity),
    /// A blueprint's principal, with its id.
    Principal(&'d Blueprint, &'d str),
    AgentUser(&'d AgentUser),
    /// A blueprint's application.
    Application(&'d Blueprint),
}

impl<'d> Row<'d> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::AgentIdentity(agent) => agent.id.as_str(),
            Self::Principal(_, id) => id,
            Self::AgentUser(user) => user.id.as_str(),
            Self::Application(blueprint) => blueprint
                .object_id
                .as_ref()
                .map_or(blueprint.app_id.as_str(), ObjectId::as_str),
        }
    }

    /// Whether the directory says that it may act.
    pub(super) const fn is_enabled_in_directory(&self) -> bool {
        match self {
            Self::AgentIdentity(agent) => agent.enabled,
            Self::AgentUser(user) => user.enabled,
            Self::Principal(blueprint, _) | Self::Application(blueprint) => blueprint.enabled,
        }
    }

    /// The names by which sources speak of the account.
    pub(super) fn account_ids(&self) -> Vec<&'d str> {
        match *self {
            Self::AgentIdentity(agent) => vec![agent.id.as_str()],
            Self::AgentUser(user) => vec![user.id.as_str()],
            Self::Principal(blueprint, id) => vec![id, blueprint.app_id.as_str()],
            Self::Application(_) => Vec::new(),
        }
    }

    /// The object as Graph shows it. An account is enabled if the directory and all other sources let it act.
    pub(super) fn show(&self, accounts: &Accounts, with_attributes: bool) -> Value {
        let ids = self.account_ids();
        let is_disabled = ids.iter().any(|id| accounts.is_disabled(id));
        let is_enabled = self.is_enabled_in_directory() && !is_disabled;
        let mut object = match self {
            Self::AgentIdentity(agent) => json!({
                "@odata.type": "#microsoft.graph.agentIdentity",
                "id": agent.id.as_str(),
                "appId": agent.id.as_str(),
                "displayName": agent.display_name,
                "accountEnabled": is_enabled,
                "servicePrincipalType": "ServiceIdentity",
                "agentIdentityBlueprintId": agent.blueprint.as_ref().map(AsRef::<str>::as_ref),
                "createdDateTime": agent.created_at,
            }),
            Self::Principal(blueprint, id) => json!({
                "@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal",
                "id": id,
                "appId": blueprint.app_id.as_str(),
                "displayName": blueprint.display_name,
                "accountEnabled": is_enabled,
                "servicePrincipalType": "Application",
            }),
            Self::AgentUser(user) => json!({
                "@odata.type": "#microsoft.graph.agentUser",
                "id": user.id.as_str(),
                "displayName": user.display_name,
                "userPrincipalName": user.user_principal_name,
                "accountEnabled": is_enabled,
                "identityParentId": user.identity_parent.as_str(),
            }),
            Self::Application(blueprint) => json!({
                "@odata.type": "#microsoft.graph.agentIdentityBlueprint",
                "id": self.id(),
                "appId": blueprint.app_id.as_str(),
                "displayName": blueprint.display_name,
            }),
        };
        if with_attributes && let Some(members) = object.as_object_mut() {
            let written = self.attributes().and_then(Attributes::written);
            // It was JSON when the directory was read.
            let written = written.and_then(|text| serde_json::from_str(text).ok());
            members.insert(ATTRIBUTES.to_owned(), written.unwrap_or(Value::Null));
        }
        object
    }

    /// Its version: of all that is shown of it, whatever of that a client selects.
    pub(super) fn etag(&self, accounts: &Accounts) -> ETag {
        let nothing = Map::new();
        ETag::of(self.show(accounts, true).as_object().unwrap_or(&nothing))
    }

    /// What an administrator knows of it; applications have no such member.
    const fn attributes(&self) -> Option<&'d Attributes> {
        match self {
            Self::AgentIdentity(agent) => Some(&agent.attributes),
            Self::Principal(blueprint, _) => Some(&blueprint.attributes),
            Self::AgentUser(user) => Some(&user.attributes),
            Self::Application(_) => None,
        }
    }
}

/// The object of this id, whatever it is. GUIDs count in any case.
pub(super) fn find<'d>(directory: &'d Directory, id: &str) -> Option<Row<'d>> {
    let id = ObjectId::parse(id).ok()?;
    let id = id.as_str();
    let agent = || directory.agent(id).map(|agent| Row::AgentIdentity(agent));
    let user = || directory.agent_user(id).map(|user| Row::AgentUser(user));
    let principal = || {
        let blueprint = directory.blueprint_of_principal(id)?;
        Some(Row::Principal(
            blueprint,
            blueprint.principal_id.as_ref()?.as_str(),
        ))
    };
    let application = || applications(directory).find(|row| row.id() == id);
    agent()
        .or_else(user)
        .or_else(principal)
        .or_else(application)
}

fn agent_identities(directory: &Directory) -> impl Iterator<Item = Row<'_>> {
    directory.agents().map(|agent| Row::AgentIdentity(agent))
}

fn principals(directory: &Directory) -> impl Iterator<Item = Row<'_>> {
    directory.blueprints().filter_map(|blueprint| {
        let id = blueprint.principal_id.as_ref()?;
        Some(Row::Principal(blueprint, id.as_str()))
    })
}

fn agent_users(directory: &Directory) -> impl Iterator<Item = Row<'_>> {
    directory.agent_users().map(|user| Row::AgentUser(user))
}

fn applications(directory: &Directory) -> impl Iterator<Item = Row<'_>> {
    directory
        .blueprints()
        .map(|blueprint| Row::Application(blueprint))
}

/// Rows of a directory.
type Rows = for<'d> fn(&'d Directory) -> Box<dyn Iterator<Item = Row<'d>> + 'd>;

/// A collection that Graph has, or one of its types by a cast.
#[derive(Debug)]
pub(super) struct Collection {
    /// What it is found under.
    pub(super) path: &'static str,
    /// The names of the type that it is narrowed to, as clients write them; `None` for the whole collection.
    pub(super) casts: Option<[&'static str; 2]>,
    /// Whether `/{id}` finds these objects without a cast.
    pub(super) is_whole: bool,
    /// Whether they may be enabled and disabled.
    pub(super) are_accounts: bool,
    /// For messages.
    pub(super) what: &'static str,
    pub(super) set: EntitySet,
    pub(super) rows: Rows,
    pub(super) holds: fn(&Row<'_>) -> bool,
}

/// All of them.
pub(super) static COLLECTIONS: [Collection; 5] = [
    Collection {
        path: "servicePrincipals",
        casts: None,
        is_whole: true,
        are_accounts: true,
        what: "agent identity and no blueprint's principal",
        set: service_principals("servicePrincipals"),
        rows: |directory| Box::new(agent_identities(directory).chain(principals(directory))),
        holds: |row| matches!(row, Row::AgentIdentity(_) | Row::Principal(..)),
    },
    Collection {
        path: "servicePrincipals",
        casts: Some(["microsoft.graph.agentIdentity", "graph.agentIdentity"]),
        is_whole: false,
        are_accounts: true,
        what: "agent identity",
        set: service_principals("servicePrincipals/microsoft.graph.agentIdentity"),
        rows: |directory| Box::new(agent_identities(directory)),
        holds: |row| matches!(row, Row::AgentIdentity(_)),
    },
    Collection {
        path: "servicePrincipals",
        casts: Some([
            "microsoft.graph.agentIdentityBlueprintPrincipal",
            "graph.agentIdentityBlueprintPrincipal",
        ]),
        is_whole: false,
        are_accounts: true,
        what: "blueprint's principal",
        set: service_principals(
            "servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
        ),
        rows: |directory| Box::new(principals(directory)),
        holds: |row| matches!(row, Row::Principal(..)),
    },
    Collection {
        path: "users",
        casts: Some(["microsoft.graph.agentUser", "graph.agentUser"]),
        is_whole: true,
        are_accounts: true,
        what: "agent user",
        set: EntitySet {
            path: "users/microsoft.graph.agentUser",
            properties: USER,
            only_selected: &[ATTRIBUTES],
            order: Direction::Ascending,
        },
        rows: |directory| Box::new(agent_users(directory)),
        holds: |row| matches!(row, Row::AgentUser(_)),
    },
    Collection {
        path: "applications",
        casts: Some([
            "microsoft.graph.agentIdentityBlueprint",
            "graph.agentIdentityBlueprint",
        ]),
        is_whole: true,
        are_accounts: false,
        what: "blueprint",
        set: EntitySet {
            path: "applications/microsoft.graph.agentIdentityBlueprint",
            properties: APPLICATION,
            only_selected: &[],
            order: Direction::Ascending,
        },
        rows: |directory| Box::new(applications(directory)),
        holds: |row| matches!(row, Row::Application(_)),
    },
];

const fn service_principals(path: &'static str) -> EntitySet {
    EntitySet {
        path,
        properties: SERVICE_PRINCIPAL,
        only_selected: &[ATTRIBUTES],
        order: Direction::Ascending,
    }
}

const SERVICE_PRINCIPAL: &[Property] = &[
    Property::new("id", Kind::Id),
    Property::new("appId", Kind::Id),
    Property::new("displayName", Kind::Text),
    Property::new("accountEnabled", Kind::Bool),
    Property::new("servicePrincipalType", Kind::Text),
    Property::new("agentIdentityBlueprintId", Kind::Id),
    Property::new("createdDateTime", Kind::Time),
    Property::new(ATTRIBUTES, Kind::Open),
];

const USER: &[Property] = &[
    Property::new("id", Kind::Id),
    Property::new("displayName", Kind::Text),
    Property::new("userPrincipalName", Kind::Text),
    Property::new("accountEnabled", Kind::Bool),
    Property::new("identityParentId", Kind::Id),
    Property::new(ATTRIBUTES, Kind::Open),
];

const APPLICATION: &[Property] = &[
    Property::new("id", Kind::Id),
    Property::new("appId", Kind::Id),
    Property::new("displayName", Kind::Text),
];
