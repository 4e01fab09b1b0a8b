//! The directory: which agents there are, what they were made from, who answers for them, whether they are enabled.
//!
//! The objects have Graph's shapes and names (`reference/entra.md` §1). One directory is immutable; a change makes a new one,
//! which has the entries that are as they were in common with the one before.

pub mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evidence::List;
use crate::types::{
    AgentId, AgentUserId, AppId, Attributes, BlueprintId, GuestType, ObjectId, PrincipalId,
    SharedParts, TenantId, Timestamp,
};

/// A blueprint, with its principal in this tenant.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// `appId`.
    pub app_id: BlueprintId,
    /// Object id of its application; often the `appId` itself.
    pub object_id: Option<ObjectId>,
    /// Object id of its principal.
    pub principal_id: Option<PrincipalId>,
    /// For people.
    pub display_name: Arc<str>,
    /// Disabled: none of its agents may call.
    pub enabled: bool,
    /// Custom security attributes. They do not count for its agents.
    pub attributes: Attributes,
    /// Who answers for it.
    pub sponsors: Vec<ObjectId>,
}

/// An agent identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentIdentity {
    /// Object id, which is its app id too.
    pub id: AgentId,
    /// `agentIdentityBlueprintId`: the blueprint's **appId**.
    pub blueprint: Option<BlueprintId>,
    /// For people.
    pub display_name: Arc<str>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// Custom security attributes.
    pub attributes: Attributes,
    /// Who answers for it.
    pub sponsors: Vec<ObjectId>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

impl AgentIdentity {
    /// Has what is as it was in common with the agent that it was before.
    fn share_with(&mut self, before: &Self) {
        if self.blueprint == before.blueprint {
            self.blueprint.clone_from(&before.blueprint);
        }
        if self.attributes == before.attributes {
            self.attributes.clone_from(&before.attributes);
        }
        if self.sponsors == before.sponsors {
            self.sponsors.clone_from(&before.sponsors);
        }
    }

    /// Keeps what many agents have in common once.
    fn share(&mut self, parts: &mut SharedParts) {
        if let Some(blueprint) = &mut self.blueprint {
            blueprint.share(parts);
        }
        self.attributes.share(parts);
        self.sponsors.iter_mut().for_each(|one| one.share(parts));
        self.sponsors.shrink_to_fit();
    }
}

/// An agent user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUser {
    /// Object id.
    pub id: AgentUserId,
    /// `identityParentId`: its agent identity.
    pub identity_parent: AgentId,
    /// For people.
    pub display_name: Arc<str>,
    /// `userPrincipalName`.
    pub user_principal_name: Option<Arc<str>>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// Custom security attributes.
    pub attributes: Attributes,
}

/// A human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Object id.
    pub id: ObjectId,
    /// For people.
    pub display_name: Arc<str>,
    /// `userPrincipalName`.
    pub user_principal_name: Option<Arc<str>>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// Ids of the groups, nested ones included; `None` where the entry does not list them.
    pub groups: Option<List>,
    /// Template ids of the directory roles; `None` where the entry does not list them.
    pub directory_roles: Option<List>,
    /// As what the human is a guest (inside, `None`: a member); `None` where the entry does not say.
    pub guest: Option<Option<GuestType>>,
}

/// The service principal of a classic workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// Object id.
    pub id: ObjectId,
    /// `appId`.
    pub app_id: Option<AppId>,
    /// For people.
    pub display_name: Arc<str>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// `appOwnerOrganizationId`: the tenant in which the application is registered.
    pub owner_tenant: Option<TenantId>,
    /// Custom security attributes; `None` where the entry does not list them, as Graph does not unless it is asked to.
    pub attributes: Option<Attributes>,
}

/// All agents that are known, and the humans and workloads of whom something is, by id.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    blueprints: BTreeMap<BlueprintId, Arc<Blueprint>>,
    principals: BTreeMap<PrincipalId, Arc<Blueprint>>,
    agents: BTreeMap<AgentId, Arc<AgentIdentity>>,
    agent_users: BTreeMap<AgentUserId, Arc<AgentUser>>,
    /// By `userPrincipalName`, in lower case.
    agent_users_by_name: BTreeMap<Box<str>, Arc<AgentUser>>,
    users: BTreeMap<ObjectId, Arc<User>>,
    service_principals: BTreeMap<ObjectId, Arc<ServicePrincipal>>,
    service_principals_by_app: BTreeMap<AppId, Arc<ServicePrincipal>>,
}

impl Directory {
    /// A directory of these objects. Of two with one id the last counts; the reader refuses that before.
    #[must_use]
    pub fn new(
        blueprints: Vec<Blueprint>,
        agents: Vec<Arc<AgentIdentity>>,
        agent_users: Vec<Arc<AgentUser>>,
    ) -> Self {
        let blueprints: Vec<_> = blueprints.into_iter().map(Arc::new).collect();
        let by_name = |user: &Arc<AgentUser>| {
            let name = user.user_principal_name.as_ref()?.to_lowercase();
            Some((name.into(), Arc::clone(user)))
        };
        Self {
            principals: blueprints
                .iter()
                .filter_map(|b| b.principal_id.clone().map(|id| (id, Arc::clone(b))))
                .collect(),
            blueprints: blueprints
                .into_iter()
                .map(|b| (b.app_id.clone(), b))
                .collect(),
            agents: agents.into_iter().map(|a| (a.id.clone(), a)).collect(),
            agent_users_by_name: agent_users.iter().filter_map(by_name).collect(),
            agent_users: agent_users.into_iter().map(|u| (u.id.clone(), u)).collect(),
            ..Self::default()
        }
    }

    /// The same directory with these humans and classic workloads.
    #[must_use]
    pub fn with_accounts(
        mut self,
        users: Vec<Arc<User>>,
        service_principals: Vec<Arc<ServicePrincipal>>,
    ) -> Self {
        let users = users.into_iter().map(|u| (u.id.clone(), u));
        self.users.extend(users);
        for principal in service_principals {
            let by_app = principal.app_id.clone();
            let by_app = by_app.map(|app_id| (app_id, Arc::clone(&principal)));
            self.service_principals_by_app.extend(by_app);
            self.service_principals
                .insert(principal.id.clone(), principal);
        }
        self
    }

    /// The agent identity of this id.
    #[must_use]
    pub fn agent(&self, id: &str) -> Option<&Arc<AgentIdentity>> {
        self.agents.get(id)
    }

    /// The agent user of this id.
    #[must_use]
    pub fn agent_user(&self, id: &str) -> Option<&Arc<AgentUser>> {
        self.agent_users.get(id)
    }

    /// The agent user of this `userPrincipalName`.
    #[must_use]
    pub fn agent_user_named(&self, principal_name: &str) -> Option<&Arc<AgentUser>> {
        let name = principal_name.to_lowercase();
        self.agent_users_by_name.get(name.as_str())
    }

    /// The blueprint of this appId.
    #[must_use]
    pub fn blueprint(&self, app_id: &str) -> Option<&Arc<Blueprint>> {
        self.blueprints.get(app_id)
    }

    /// The blueprint whose principal has this object id.
    #[must_use]
    pub fn blueprint_of_principal(&self, id: &str) -> Option<&Arc<Blueprint>> {
        self.principals.get(id)
    }

    /// The human of this id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.users.get(id)
    }

    /// The classic workload whose service principal has this id.
    #[must_use]
    pub fn service_principal(&self, id: &str) -> Option<&Arc<ServicePrincipal>> {
        self.service_principals.get(id)
    }

    /// The classic workload whose application has this appId.
    #[must_use]
    pub fn service_principal_of(&self, app_id: &str) -> Option<&Arc<ServicePrincipal>> {
        self.service_principals_by_app.get(app_id)
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blueprints.is_empty()
            && self.agents.is_empty()
            && self.agent_users.is_empty()
            && self.users.is_empty()
            && self.service_principals.is_empty()
    }

    /// Every human, by id.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// Every classic workload, by id.
    pub fn service_principals(&self) -> impl Iterator<Item = &Arc<ServicePrincipal>> {
        self.service_principals.values()
    }

    /// Every agent identity, by id.
    pub fn agents(&self) -> impl Iterator<Item = &Arc<AgentIdentity>> {
        self.agents.values()
    }

    /// Every agent user, by id.
    pub fn agent_users(&self) -> impl Iterator<Item = &Arc<AgentUser>> {
        self.agent_users.values()
    }

    /// Every blueprint, by appId.
    pub fn blueprints(&self) -> impl Iterator<Item = &Arc<Blueprint>> {
        self.blueprints.values()
    }

    /// The client that a token names, if the directory knows it as an agent identity.
    #[must_use]
    pub fn agent_of_client(&self, client: &AppId) -> Option<&Arc<AgentIdentity>> {
        self.agents.get(client.as_str())
    }
}
