//! What a client asks of What-If (`reference/entra.md` §6): who signs in, to what, and what is known of it.
//!
//! Read whole: a member that is not understood is refused, since an answer without it would be one to another question.

pub(super) mod reader;

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use self::reader::Reader;
use crate::call::Resources;
use crate::countries::Countries;
use crate::decision::supposed::session::{Levels, Session, Shown};
use crate::management::graph::GraphError;
use crate::management::odata::Version;
use crate::policy::{ResourceFacts, SessionFacts};
use crate::types::{
    AppId, Attributes, ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel,
    ObjectId, RiskLevel, TransferMethod,
};

/// What a client asks.
#[derive(Debug)]
pub(super) struct Question {
    /// `signInIdentity`
    pub(super) identity: Identity,
    /// `signInContext`
    target: Target,
    /// `signInConditions`
    pub(super) conditions: Conditions,
    /// Whether policies that do not apply are left out.
    pub(super) applied_only: bool,
}

/// Who signs in, by id.
#[derive(Debug)]
pub(super) enum Identity {
    /// `agentSignIn`
    Agent(ObjectId),
    /// `userSignIn`
    User {
        id: ObjectId,
        /// As what, if the user is a guest.
        guest: Option<GuestType>,
        home_tenant: Option<Arc<str>>,
    },
    /// `servicePrincipalSignIn`
    ServicePrincipal(ObjectId),
}

/// To what.
#[derive(Debug)]
enum Target {
    /// `applicationContext`: any of these resources.
    Applications(Vec<AppId>),
    /// `userActionContext`
    UserAction(UserAction),
    /// `authContext`
    AuthenticationContext([Arc<str>; 1]),
}

/// What a user does at the issuer: Graph's `userAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserAction {
    RegisterSecurityInformation,
    RegisterOrJoinDevices,
}

impl UserAction {
    /// As policies name it.
    pub(super) const fn urn(self) -> &'static str {
        match self {
            Self::RegisterSecurityInformation => "urn:user:registersecurityinfo",
            Self::RegisterOrJoinDevices => "urn:user:registerdevice",
        }
    }
}

/// What is known beside; nothing is known of what is not given.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) agent_risk: Option<RiskLevel>,
    pub(super) user_risk: Option<RiskLevel>,
    pub(super) sign_in_risk: Option<RiskLevel>,
    pub(super) service_principal_risk: Option<RiskLevel>,
    pub(super) insider_risk: Option<InsiderRiskLevel>,
    address: Option<IpAddr>,
    country: Option<Country>,
    platform: Option<DevicePlatform>,
    client_app_type: Option<ClientAppType>,
    /// `None` within: by neither of the ways that policies ask for.
    transfer_method: Option<Option<TransferMethod>>,
    device: Option<Attributes>,
}

/// A fact that is told, or that nobody tells and that nothing waits for.
pub(super) fn told<T>(value: Option<T>) -> Fact<T> {
    value.map_or(Fact::Unknown, Fact::Known)
}

/// What attribute filters see of a resource that is not configured here.
static NO_ATTRIBUTES: &Attributes = &Attributes::NONE;

impl Question {
    /// # Errors
    /// 400 with the member that is not understood.
    pub(super) fn read(body: &Map<String, Value>, version: Version) -> Result<Self, GraphError> {
        Reader::new(body, version).question()
    }

    /// `userActionContext`, if that is asked.
    pub(super) const fn user_action(&self) -> Option<UserAction> {
        match self.target {
            Target::UserAction(action) => Some(action),
            Target::Applications(_) | Target::AuthenticationContext(_) => None,
        }
    }

    /// The resources, each to be asked about on its own.
    pub(super) fn resources<'a>(&'a self, known: &'a Resources) -> Vec<ResourceFacts<'a>> {
        let nowhere = ResourceFacts {
            app_id: Fact::Unknown,
            attributes: Fact::Unknown,
            is_agent: Fact::Unknown,
            authentication_contexts: &[],
        };
        match &self.target {
            Target::Applications(ids) => ids.iter().map(|id| resource(id, known)).collect(),
            Target::UserAction(_) => vec![nowhere],
            Target::AuthenticationContext(contexts) => vec![ResourceFacts {
                authentication_contexts: contexts,
                ..nowhere
            }],
        }
    }

    /// What is known of the session.
    pub(super) fn session(&self, countries: Option<&Countries>) -> SessionFacts<'_> {
        let conditions = &self.conditions;
        let of_address = || countries?.of(conditions.address?).ok();
        let country = conditions.country.map(Some).or_else(of_address);
        SessionFacts {
            address: told(conditions.address),
            country: told(country),
            platform: told(conditions.platform),
            client_app_type: told(conditions.client_app_type),
            transfer_method: told(conditions.transfer_method),
            device: told(conditions.device.as_ref()),
            ..SessionFacts::UNTOLD
        }
    }
}

impl Conditions {
    /// The session of a call, with what the annotation says of it.
    pub(super) fn session(self, shown: Shown) -> Session {
        Session {
            shown,
            address: self.address,
            country: self.country,
            platform: self.platform,
            client_app: self.client_app_type,
            transfer_method: self.transfer_method,
            device: self.device,
            risk: Levels {
                agent: self.agent_risk.map(Fact::Known),
                service_principal: self.service_principal_risk.map(Fact::Known),
                user: self.user_risk.map(Fact::Known),
                sign_in: self.sign_in_risk.map(Fact::Known),
                insider: self.insider_risk.map(Fact::Known),
            },
        }
    }
}

fn resource<'a>(id: &'a AppId, known: &'a Resources) -> ResourceFacts<'a> {
    let known = known.iter().find(|resource| resource.app_id == *id);
    ResourceFacts {
        app_id: Fact::Known(id.as_str()),
        attributes: Fact::Known(known.map_or(NO_ATTRIBUTES, |resource| &resource.attributes)),
        is_agent: Fact::Known(known.is_some_and(|resource| resource.is_agent)),
        authentication_contexts: &[],
    }
}
