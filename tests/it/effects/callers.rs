//! The four kinds of caller, and what a gateway did with a call of theirs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::site::{Answer, BLUEPRINT, HUMAN, Site};

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    /// An agent identity on its own.
    Agent(&'static str),
    /// An agent user, with its agent identity.
    AgentUser(&'static str, &'static str),
    /// This agent identity for a human.
    OnBehalfOf(&'static str),
    /// A human with a client that is not an agent.
    Human,
}

impl Caller {
    /// Its token, as Entra makes it.
    pub(crate) fn token(self, site: &Site) -> String {
        let delegated = |client: &str, subject: &str, actor: &str, facets: &str| {
            json!({"azp": client, "idtyp": "user", "oid": subject, "sub": "pairwise",
                "xms_act_fct": actor, "xms_sub_fct": facets})
        };
        let claims = match self {
            Self::Agent(id) => return site.agent_token(id),
            Self::AgentUser(user, agent) => delegated(agent, user, "11 9 3", "13"),
            Self::OnBehalfOf(agent) => delegated(agent, HUMAN, "11 9 3", "2 3"),
            Self::Human => {
                let client = "c1c1c1c1-0000-4000-8000-000000000001";
                let mut claims = delegated(client, HUMAN, "2 3", "2 3");
                claims["xms_par_app_azp"] = Value::Null;
                claims
            }
        };
        site.token(&claims)
    }

    /// Its token without all that marks agents.
    pub(crate) fn unmarked_token(self, site: &Site) -> String {
        let (id_type, client, subject) = match self {
            Self::Agent(id) => ("app", id, id),
            Self::AgentUser(user, agent) => ("user", agent, user),
            Self::OnBehalfOf(agent) => ("user", agent, HUMAN),
            Self::Human => return self.token(site),
        };
        site.token(
            &json!({"idtyp": id_type, "azp": client, "oid": subject, "sub": "pairwise",
            "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null}),
        )
    }

    /// Gets a path.
    pub(crate) async fn get(self, site: &Site, path: &str) -> Seen {
        Seen::of(site, site.get(path, &self.token(site)).await).await
    }
}

/// What became of a call.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) answer: Answer,
    pub(crate) record: Value,
}

impl Seen {
    /// Reads the record of a call, and checks that the upstream saw the call if it was allowed, and only then.
    pub(crate) async fn of(site: &Site, answer: Answer) -> Self {
        let id = answer.header("boomgate-decision-id").to_owned();
        let (record, _) = site.record(&id).await;
        let calls = site.upstream.calls();
        let arrived = calls
            .iter()
            .any(|call| call.header("boomgate-decision-id") == Some(&id));
        assert_eq!(arrived, answer.status == 200, "{answer:?}");
        Self { answer, record }
    }

    pub(crate) fn status(&self) -> u16 {
        self.answer.status.as_u16()
    }

    /// The policies that applied, with their results.
    pub(crate) fn applied(&self) -> BTreeMap<&str, &str> {
        let applied = &self.record["appliedConditionalAccessPolicies"];
        let pairs = applied.as_array().unwrap().iter().map(|policy| {
            let (id, result) = (policy["id"].as_str(), policy["result"].as_str());
            (id.unwrap(), result.unwrap())
        });
        pairs.collect()
    }
}

/// A directory entry's attribute, in Graph's shape.
pub(crate) fn with_attribute(mut object: Value, name: &str, value: Value) -> Value {
    let (set, attribute) = name.split_once('_').unwrap();
    object["customSecurityAttributes"][set] =
        json!({"@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue"});
    if value.is_array() {
        let kind = format!("{attribute}@odata.type");
        object["customSecurityAttributes"][set][kind] = json!("#Collection(String)");
    }
    object["customSecurityAttributes"][set][attribute] = value;
    object
}

/// A risk report in Graph's shape.
pub(crate) fn risky(id: &str, kind: &str, level: &str) -> Value {
    json!({"id": id, "identityType": kind, "riskLevel": level, "riskState": "atRisk",
        "blueprintId": BLUEPRINT, "riskLastModifiedDateTime": "2026-09-01T08:00:00Z"})
}
