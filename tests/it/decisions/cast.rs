//! Who and what the tables speak of: `cast.yaml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use boomgate::types::attributes::fold;
use boomgate::types::{AttributeValue, Attributes};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cast {
    pub(super) blueprints: BTreeMap<String, Blueprint>,
    pub(super) agents: BTreeMap<String, Agent>,
    pub(super) agent_users: BTreeMap<String, AgentUser>,
    pub(super) humans: BTreeMap<String, Human>,
    pub(super) workloads: BTreeMap<String, Workload>,
    /// Groups, roles, strengths, agreements, tenants: names for ids.
    pub(super) ids: BTreeMap<String, String>,
    pub(super) resources: BTreeMap<String, Resource>,
    /// Named locations in Graph's shape.
    pub(super) locations: BTreeMap<String, Value>,
    pub(super) mfa_trusted_ips: Vec<String>,
    pub(super) compliant_network: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Blueprint {
    pub(super) app_id: String,
    pub(super) principal_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) blueprint: Option<String>,
    #[serde(default, deserialize_with = "attributes")]
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentUser {
    pub(super) id: String,
    pub(super) agent: String,
    #[serde(default, deserialize_with = "attributes")]
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Human {
    pub(super) id: String,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) roles: Vec<String>,
    /// As what he is a guest, and of which tenant.
    pub(super) guest: Option<String>,
    pub(super) tenant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    pub(super) id: String,
    pub(super) in_tenant: bool,
    #[serde(default, deserialize_with = "attributes")]
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Resource {
    pub(super) app_id: String,
    #[serde(default)]
    pub(super) is_agent: bool,
    #[serde(default, deserialize_with = "attributes")]
    pub(super) attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Flag(bool),
    One(String),
    Many(Vec<String>),
}

pub(super) fn attributes<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Attributes, D::Error> {
    let values = BTreeMap::<String, Values>::deserialize(from)?;
    Ok(Attributes::from_pairs(values.into_iter().map(
        |(name, values)| {
            let values = match values {
                Values::Flag(on) => AttributeValue::One(on.to_string().into()),
                Values::One(one) => AttributeValue::One(fold(&one)),
                Values::Many(many) => {
                    AttributeValue::Many(many.iter().map(|one| fold(one)).collect())
                }
            };
            (Arc::from(name), values)
        },
    )))
}

impl Cast {
    /// The id that a `$name` in a policy stands for.
    pub(super) fn id(&self, name: &str) -> &str {
        if let Some(name) = name.strip_suffix(".principal") {
            return &self.blueprints[name].principal_id;
        }
        let location = self.locations.get(name).and_then(|one| one["id"].as_str());
        let ids = [
            self.blueprints.get(name).map(|one| one.app_id.as_str()),
            self.agents.get(name).map(|one| one.id.as_str()),
            self.agent_users.get(name).map(|one| one.id.as_str()),
            self.humans.get(name).map(|one| one.id.as_str()),
            self.workloads.get(name).map(|one| one.id.as_str()),
            self.ids.get(name).map(String::as_str),
            self.resources.get(name).map(|one| one.app_id.as_str()),
            location,
        ];
        let mut ids = ids.into_iter().flatten();
        ids.next().unwrap_or_else(|| panic!("`${name}` is nobody"))
    }

    /// The ids that names stand for.
    pub(super) fn ids(&self, names: &[String]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(self.id(name))).collect()
    }

    /// Puts ids in the place of names.
    pub(super) fn resolve(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(name) = text.strip_prefix('$') {
                    *text = self.id(name).to_owned();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.resolve(item)),
            Value::Object(members) => members.values_mut().for_each(|one| self.resolve(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
