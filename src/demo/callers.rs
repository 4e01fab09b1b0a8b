//! The demo's callers: who they are, and the claims of their tokens, in the shapes of `reference/entra.md` §2.5.

use serde_json::{Value, json};

use crate::identity::{AgentIdentity, Directory};
use crate::types::Timestamp;

/// The demo's tenant.
pub const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
/// The human of the `human` and `on-behalf-of` callers.
const HUMAN: &str = "d4d4d4d4-0000-4000-8000-000000000004";
/// The app that the `human` caller signed in with.
const HUMAN_CLIENT: &str = "f0f0f0f0-0000-4000-8000-000000000010";
/// Seconds that a token lives, as Entra's do.
const LIFETIME: i64 = 3_900;

/// One caller of the demo: `tokens/<name>.jwt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerName {
    /// Approved, low risk.
    HrAgent,
    /// Approved, for another resource.
    FinanceAgent,
    /// Not approved.
    NewAgent,
    /// High risk.
    CompromisedAgent,
    /// An agent user.
    AgentUser,
    /// The HR agent, for a human.
    OnBehalfOf,
    /// A human, without an agent.
    Human,
    /// An agent whose token does not say that it is one.
    NoMarkers,
    /// The HR agent, with a token of yesterday.
    Expired,
    /// The HR agent, signed by somebody else.
    Forged,
}

impl CallerName {
    /// Every caller.
    pub const ALL: [Self; 10] = [
        Self::HrAgent,
        Self::FinanceAgent,
        Self::NewAgent,
        Self::CompromisedAgent,
        Self::AgentUser,
        Self::OnBehalfOf,
        Self::Human,
        Self::NoMarkers,
        Self::Expired,
        Self::Forged,
    ];

    /// The name of its token's file, without `.jwt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HrAgent => "hr-agent",
            Self::FinanceAgent => "finance-agent",
            Self::NewAgent => "new-agent",
            Self::CompromisedAgent => "compromised-agent",
            Self::AgentUser => "agent-user",
            Self::OnBehalfOf => "on-behalf-of",
            Self::Human => "human",
            Self::NoMarkers => "no-markers",
            Self::Expired => "expired",
            Self::Forged => "forged",
        }
    }

    /// The display name of its agent in the sample directory.
    const fn agent_name(self) -> Option<&'static str> {
        match self {
            Self::HrAgent | Self::AgentUser | Self::OnBehalfOf | Self::Expired | Self::Forged => {
                Some("hr-agent")
            }
            Self::FinanceAgent => Some("finance-agent"),
            Self::NewAgent => Some("new-agent"),
            Self::CompromisedAgent => Some("compromised-agent"),
            Self::NoMarkers => Some("no-markers"),
            Self::Human => None,
        }
    }

    /// The claims of its token for `audience`; `None` where the sample directory lacks its agent.
    #[must_use]
    pub fn claims(self, directory: &Directory, audience: &str, now: Timestamp) -> Option<Value> {
        let agent = match self.agent_name() {
            Some(name) => Some(
                directory
                    .agents()
                    .find(|agent| agent.display_name.as_ref() == name)?,
            ),
            None => None,
        };
        let mut claims = common(audience, self.issued_at(now));
        match (self, agent) {
            (Self::Human, _) => add(&mut claims, &delegated(HUMAN_CLIENT, HUMAN, "2 3", "2 3")),
            (Self::OnBehalfOf, Some(agent)) => {
                add(
                    &mut claims,
                    &delegated(agent.id.as_str(), HUMAN, "11 9 3", "2 3"),
                );
                add(&mut claims, &blueprint(agent));
            }
            (Self::AgentUser, Some(agent)) => {
                let user = directory
                    .agent_users()
                    .find(|user| user.identity_parent == agent.id)?;
                let client = agent.id.as_str();
                add(
                    &mut claims,
                    &delegated(client, user.id.as_str(), "11 9 3", "13"),
                );
                add(&mut claims, &blueprint(agent));
            }
            (Self::NoMarkers, Some(agent)) => add(&mut claims, &app_only(agent)),
            (_, Some(agent)) => {
                add(&mut claims, &app_only(agent));
                add(&mut claims, &blueprint(agent));
                let facets =
                    json!({"idtyp": "app", "xms_act_fct": "9 3 11", "xms_sub_fct": "11 3 9"});
                add(&mut claims, &facets);
            }
            (_, None) => return None,
        }
        Some(claims)
    }

    /// When its token was issued: a day ago for the expired one.
    fn issued_at(self, now: Timestamp) -> i64 {
        let now = now.as_seconds();
        if self == Self::Expired {
            now.saturating_sub(86_400)
        } else {
            now
        }
    }
}

/// What every token holds.
fn common(audience: &str, issued_at: i64) -> Value {
    json!({
        "aud": audience,
        "iss": issuer(),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at.saturating_add(LIFETIME),
        "tid": TENANT,
        "uti": uuid::Uuid::new_v4().simple().to_string(),
        "ver": "2.0",
    })
}

/// The v2 issuer of the demo's tenant (`reference/entra.md` §10).
#[must_use]
pub fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

/// An agent on its own.
fn app_only(agent: &AgentIdentity) -> Value {
    let id = agent.id.as_str();
    json!({"azp": id, "azpacr": "2", "oid": id, "sub": id, "roles": ["Sample.Read.All"]})
}

/// A client for a subject: a human or an agent user.
fn delegated(client: &str, subject: &str, actor_facets: &str, subject_facets: &str) -> Value {
    json!({
        "azp": client,
        "azpacr": "2",
        "idtyp": "user",
        "oid": subject,
        "sub": format!("pairwise-{subject}"),
        "scp": "Sample.Read",
        "xms_act_fct": actor_facets,
        "xms_sub_fct": subject_facets,
    })
}

/// The agent's blueprint.
fn blueprint(agent: &AgentIdentity) -> Value {
    match &agent.blueprint {
        Some(blueprint) => json!({"xms_par_app_azp": blueprint}),
        None => json!({}),
    }
}

fn add(claims: &mut Value, more: &Value) {
    if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
        claims.extend(
            more.iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
}
