//! What is supposed of the session, in the place of what a token would show and a socket would tell. Of what is not said,
//! the directory, the sources of risk and the database of countries have the word, else it is unknown.
//!
//! Never here: a fact that nobody gave.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::capability::Operation;
use crate::decision::Knowledge;
use crate::identity::{Account, Caller, ControlEvidence, Evidence, User};
use crate::risk::Assessment;
use crate::types::ids::is_guid;
use crate::types::{
    Attributes, ClientAppType, Country, DevicePlatform, Fact, InsiderRiskLevel, RiskLevel,
    Timestamp, TransferMethod,
};

/// From where, with what, and at which risk.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// What Graph's What-If has no word for.
    pub shown: Shown,
    /// The address.
    pub address: Option<IpAddr>,
    /// Its country.
    pub country: Option<Country>,
    /// The platform of the device.
    pub platform: Option<DevicePlatform>,
    /// What the human uses; without it a mobile app or desktop client, since who presents a bearer token is no browser.
    pub client_app: Option<ClientAppType>,
    /// How the session came to the client; `None` within: by neither of the ways that policies ask for.
    pub transfer_method: Option<Option<TransferMethod>>,
    /// The properties of the device.
    pub device: Option<Attributes>,
    /// The levels of risk that are given.
    pub risk: Levels,
}

/// What Graph's What-If has no word for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Shown {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The human's groups, by id, in place of the directory's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// The human's directory roles, by template id, in place of the directory's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_roles: Option<Vec<String>>,
    /// Whether multifactor authentication was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
    /// The authentication contexts of the operation, in place of those that are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_contexts: Option<Vec<String>>,
}

/// Levels of risk in place of what is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    /// Of the agent, and of the agent user.
    pub agent: Option<Fact<RiskLevel>>,
    /// Of the classic workload.
    pub service_principal: Option<Fact<RiskLevel>>,
    /// Of the human.
    pub user: Option<Fact<RiskLevel>>,
    /// Of the human's sign-in.
    pub sign_in: Option<Fact<RiskLevel>>,
    /// Of the human as an insider.
    pub insider: Option<Fact<InsiderRiskLevel>>,
}

impl Session {
    /// The caller, less what the directory says of its human where another thing is supposed.
    pub(super) fn assume(&self, mut caller: Caller) -> Caller {
        let entry = match &mut caller {
            Caller::OnBehalfOf { human, .. } => human.entry.as_mut(),
            Caller::NotAgent(caller) => match &mut caller.account {
                Account::Human(entry) => entry.as_mut(),
                Account::Unnamed | Account::Workload(_) => None,
            },
            Caller::Autonomous(_) | Caller::AgentUser { .. } => None,
        };
        if let Some(entry) = entry {
            let user: &User = entry;
            let mut user = user.clone();
            if self.shown.groups.is_some() {
                user.groups = None;
            }
            if self.shown.directory_roles.is_some() {
                user.directory_roles = None;
            }
            *entry = Arc::new(user);
        }
        caller
    }

    /// The operation with the contexts that are supposed.
    pub(super) fn marked(&self, operation: Operation) -> Operation {
        match &self.shown.authentication_contexts {
            None => operation,
            Some(contexts) => operation.with_authentication_contexts(shared(contexts)),
        }
    }

    pub(super) fn assume_risk(&self, risk: &mut Assessment) {
        fn put<T: Copy>(into: &mut Fact<T>, given: Option<Fact<T>>) {
            if let Some(given) = given {
                *into = given;
            }
        }
        put(&mut risk.agent, self.risk.agent);
        put(&mut risk.agent_user, self.risk.agent);
        put(&mut risk.service_principal, self.risk.service_principal);
        put(&mut risk.user, self.risk.user);
        put(&mut risk.sign_in, self.risk.sign_in);
        put(&mut risk.insider, self.risk.insider);
    }

    /// What a token would show.
    pub(super) fn evidence(&self) -> Evidence {
        let list = |given: &Option<Vec<String>>| given.as_deref().map(|all| shared(all).into());
        let app = ClientAppType::MobileAppsAndDesktopClients;
        Evidence {
            groups: list(&self.shown.groups),
            directory_roles: list(&self.shown.directory_roles),
            platform: self.platform,
            client_app_type: Some(self.client_app.unwrap_or(app)),
            transfer_method: self.transfer_method,
            device: self.device.clone(),
            controls: ControlEvidence {
                mfa: self.shown.mfa,
                ..ControlEvidence::default()
            },
            ..Evidence::default()
        }
    }

    pub(super) fn address(&self) -> Fact<IpAddr> {
        self.address.map_or(Fact::Unknown, Fact::Known)
    }

    pub(super) fn country(&self, knowledge: &Knowledge<'_>) -> Fact<Option<Country>> {
        match (self.country, self.address) {
            (Some(country), _) => Fact::Known(Some(country)),
            (None, Some(address)) => knowledge.country(Fact::Known(address)),
            (None, None) => Fact::Unknown,
        }
    }
}

/// Ids, of which GUIDs compare without regard to case.
fn shared(texts: &[String]) -> Vec<Arc<str>> {
    let folded = |text: &String| {
        if is_guid(text) {
            text.to_ascii_lowercase().into()
        } else {
            text.as_str().into()
        }
    };
    texts.iter().map(folded).collect()
}
