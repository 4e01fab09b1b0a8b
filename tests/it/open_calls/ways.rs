//! The ways in which an agent is blocked while its calls are open.

use http::{Method, StatusCode};
use serde_json::json;

use boomgate::demo::issuer::Issuer;

use crate::support::site::{AGENT, ISSUER, Site, agent, block};

/// How the default agent is blocked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Block {
    /// An administrator confirms that it is compromised.
    Risk,
    /// The management API disables its account.
    Account,
    /// The file of the directory disables it.
    Directory,
    /// A policy comes that blocks it.
    Policy,
    /// The risk file says so.
    RiskFile,
    /// The key that signed its token is withdrawn.
    Issuer,
    /// Its resource is no longer where it was.
    Resource,
}

/// Those that concern no other agent.
pub(super) const BLOCKS: [Block; 5] = [
    Block::Risk,
    Block::Account,
    Block::Directory,
    Block::Policy,
    Block::RiskFile,
];

impl Block {
    /// What a call that is open then is cut for.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Risk | Self::Policy | Self::RiskFile => "blocked_by_policy",
            Self::Account | Self::Directory => "agent_disabled",
            Self::Issuer => "token_key_unknown",
            Self::Resource => "resource_unknown",
        }
    }

    /// Who brings the change.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Risk => "management",
            Self::Account
            | Self::Directory
            | Self::Policy
            | Self::RiskFile
            | Self::Issuer
            | Self::Resource => "configuration",
        }
    }

    /// Blocks it.
    pub(super) async fn block(self, site: &Site) {
        let write = |name: &str, text: String| std::fs::write(site.path(name), text).unwrap();
        match self {
            Self::Risk => confirm_compromised(site, AGENT).await,
            Self::Account => {
                let path = format!("/beta/servicePrincipals/{AGENT}");
                let body = json!({"accountEnabled": false}).to_string();
                let answer = site.manage(Method::PATCH, &path, &body).await;
                assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
            }
            Self::Directory => {
                let mut disabled = agent(AGENT, "hr-agent");
                disabled["accountEnabled"] = json!(false);
                let text = std::fs::read_to_string(site.path("agents/agents.json")).unwrap();
                let mut all: serde_json::Value = serde_json::from_str(&text).unwrap();
                let agents = all["value"].as_array_mut().unwrap();
                *agents.iter_mut().find(|one| one["id"] == AGENT).unwrap() = disabled;
                write("agents/agents.json", all.to_string());
            }
            Self::Policy => {
                let of =
                    json!({"clientApplications": {"includeAgentIdServicePrincipals": [AGENT]}});
                write("policies/of-one.json", block("of-one", of).1.to_string());
            }
            Self::RiskFile => {
                let risky = json!({"id": AGENT, "identityType": "agentIdentity", "riskLevel": "high",
                    "riskState": "atRisk", "riskLastModifiedDateTime": "2026-10-01T12:00:00Z"});
                write("risky.json", json!({"value": [risky]}).to_string());
            }
            Self::Issuer => {
                let next = Issuer::new().unwrap();
                write("keys.json", next.key_set(ISSUER).to_string());
            }
            Self::Resource => {
                let text = std::fs::read_to_string(site.path("boomgate.yaml")).unwrap();
                write(
                    "boomgate.yaml",
                    text.replace("path_prefixes: [/hr]", "path_prefixes: [/people]"),
                );
            }
        }
    }
}

/// Confirms that an agent is compromised.
pub(crate) async fn confirm_compromised(site: &Site, agent: &str) {
    let path = "/beta/identityProtection/riskyAgents/confirmCompromised";
    let body = json!({"agentIds": [agent]}).to_string();
    let answer = site.manage(Method::POST, path, &body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

/// Changes the configuration in a way that concerns no call, and waits until it is in force.
pub(super) async fn reload(site: &Site) {
    let reloads = async || {
        let labels = [("result", "success")];
        site.count("boomgate_config_reloads_total", &labels).await
    };
    let before = reloads().await;
    let file = site.path("boomgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n# {before}")).unwrap();
    site.until("the change is in force", async |_| reloads().await > before)
        .await;
}
