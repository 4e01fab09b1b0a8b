//! The members of a record that hold facts, as they stand in a line.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use crate::types::{AttributeValue, Attributes};

/// The members of a sign-in that hold facts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) created_date_time: Option<String>,
    pub(super) app_id: Option<Arc<str>>,
    pub(super) service_principal_id: Option<Arc<str>>,
    pub(super) agent: Option<AgentSignIn>,
    pub(super) user_id: Option<Arc<str>>,
    pub(super) resource_id: Option<Arc<str>>,
    pub(super) ip_address: Option<IpAddr>,
    pub(super) location: Option<Location>,
    pub(super) client_app_used: Option<String>,
    pub(super) original_transfer_method: Option<String>,
    #[serde(default)]
    pub(super) authentication_context_class_references: Vec<ContextReference>,
    pub(super) boomgate: Option<Boomgate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentSignIn {
    pub(super) parent_app_id: Option<Arc<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) country_or_region: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ContextReference {
    pub(super) id: Arc<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Boomgate {
    pub(super) caller: Option<String>,
    pub(super) entra_parity: Option<bool>,
    pub(super) account: Option<String>,
    pub(super) blueprint_principal_id: Option<Arc<str>>,
    pub(super) agent_risk_level: Option<String>,
    #[serde(default)]
    pub(super) agent_attributes: Named,
    pub(super) agent_user_risk_level: Option<String>,
    #[serde(default)]
    pub(super) agent_user_attributes: Named,
    pub(super) groups: Option<Vec<Arc<str>>>,
    pub(super) directory_roles: Option<Vec<Arc<str>>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) guest: Option<Option<Guest>>,
    pub(super) user_risk_level: Option<String>,
    pub(super) sign_in_risk_level: Option<String>,
    pub(super) insider_risk_level: Option<String>,
    pub(super) in_tenant: Option<bool>,
    pub(super) workload_attributes: Option<Named>,
    pub(super) service_principal_risk_level: Option<String>,
    pub(super) resource_attributes: Option<Named>,
    pub(super) resource_is_agent: Option<bool>,
    pub(super) device_platform: Option<String>,
    pub(super) device: Option<Named>,
    pub(super) agent_contexts: Option<Vec<Arc<str>>>,
    #[serde(default)]
    pub(super) controls: Controls,
    #[serde(default)]
    pub(super) optional_facts: Vec<String>,
    #[serde(default)]
    pub(super) truncated_facts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Guest {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) home_tenant_id: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Controls {
    pub(super) mfa: Option<bool>,
    pub(super) approved_application: Option<bool>,
    pub(super) compliant_application: Option<bool>,
    pub(super) password_change: Option<bool>,
    pub(super) risk_remediation: Option<bool>,
    pub(super) authentication_strengths: Option<Vec<Arc<str>>>,
    pub(super) terms_of_use: Option<Vec<Arc<str>>>,
    pub(super) custom_factors: Option<Vec<Arc<str>>>,
}

/// Attributes by name.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Named(BTreeMap<Arc<str>, OneOrMany>);

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(Arc<str>),
    Many(Box<[Arc<str>]>),
}

impl From<&Named> for Attributes {
    fn from(named: &Named) -> Self {
        Self::from_pairs(named.0.iter().map(|(name, value)| {
            let value = match value {
                OneOrMany::One(value) => AttributeValue::One(Arc::clone(value)),
                OneOrMany::Many(values) => AttributeValue::Many(values.clone()),
            };
            (Arc::clone(name), value)
        }))
    }
}

/// A member that is there, though it may be `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}
