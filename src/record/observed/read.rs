//! From the lines of a record file to what was observed.
//!
//! The answer to a call stands in a line of its own, which names the call by its id alone: calls that are open are
//! remembered, up to a limit. Never here: a guess in place of a member that is missing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::StatusCode;
use serde::Deserialize;

use super::{Observed, Text, Unanswered, client, fate, target, tls_mark, token_mark};
use crate::detection::{Call, Doer};
use crate::record::replay::NotReplayable;
use crate::risk::RiskSubject;
use crate::types::{AgentId, AgentUserId, BlueprintId, CallId, Reason, Timestamp};

/// How many calls can be open at once; those that began first are forgotten.
const MAX_OPEN: usize = 100_000;

/// Reads records, line by line.
#[derive(Debug, Default)]
pub struct ObservedReader {
    open: BTreeMap<CallId, Unanswered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    created_date_time: Option<String>,
    app_id: Option<String>,
    user_id: Option<String>,
    agent: Option<AgentSignIn>,
    ip_address: Option<IpAddr>,
    user_agent: Option<String>,
    unique_token_identifier: Option<String>,
    boomgate: Own,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentSignIn {
    parent_app_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    caller: Option<String>,
    reason: Option<String>,
    resource: Option<Text>,
    method: Option<String>,
    path: Option<String>,
    issuer: Option<String>,
    tls_client: Option<String>,
    agent_risk_level: Option<String>,
    agent_user_risk_level: Option<String>,
    /// Of a change, which is no call.
    change: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    result: String,
    status: Option<u16>,
}

impl ObservedReader {
    /// Reads one line. `None`: it tells of no call of an agent, or of no answer to one.
    ///
    /// # Errors
    /// [`NotReplayable`] says what is missing, or is not what a gateway writes there.
    pub fn read(&mut self, line: &[u8]) -> Result<Option<Observed>, NotReplayable> {
        let line: Line = serde_json::from_slice(line)
            .map_err(|fault| NotReplayable::NotARecord(fault.to_string()))?;
        if line.boomgate.change.is_some() {
            return Ok(None);
        }
        let id = uuid::Uuid::try_parse(&line.id);
        let id = CallId::from_uuid(id.map_err(|_not_one| NotReplayable::Malformed("id"))?);
        if let Some(outcome) = &line.boomgate.outcome {
            let unanswered = self.open.remove(&id);
            let status = outcome.status.filter(|_| outcome.result != "refused");
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            return Ok(unanswered
                .zip(status)
                .map(|(of, status)| of.answered(status)));
        }
        let Some(call) = line.call(id)? else {
            return Ok(None);
        };
        if let Some(unanswered) = Unanswered::of(&call, id) {
            self.open.insert(id, unanswered);
        }
        if self.open.len() > MAX_OPEN {
            self.open.pop_first();
        }
        Ok(Some(Observed::Call(call)))
    }
}

impl Line {
    fn call(&self, id: CallId) -> Result<Option<Call>, NotReplayable> {
        let own = &self.boomgate;
        let (doer, level) = match own.caller.as_deref() {
            Some("agent_identity") => (self.agent_identity(false)?, None),
            Some("on_behalf_of") => (self.agent_identity(true)?, None),
            Some("agent_user") => {
                let doer = Doer {
                    agent: AgentUserId::parse(needed(self.user_id.as_deref(), "userId")?)
                        .map_err(|_not_one| NotReplayable::Malformed("userId"))?
                        .to_shared(),
                    subject: RiskSubject::AgentUser,
                    on_behalf: false,
                };
                (doer, Some(own.agent_user_risk_level.as_deref()))
            }
            // Nobody was identified, or it is no agent.
            Some(_) | None => return Ok(None),
        };
        let is_harmless = own.agent_risk_level.as_deref() == Some("none")
            && level.is_none_or(|level| level == Some("none"));
        let at = needed(self.created_date_time.as_deref(), "createdDateTime")?;
        let reason = needed(own.reason.as_deref(), "boomgate.reason")?;
        let reason = Reason::parse(reason).ok_or(NotReplayable::Malformed("boomgate.reason"))?;
        let blueprint = self
            .agent
            .as_ref()
            .and_then(|of| of.parent_app_id.as_deref());
        let blueprint = blueprint.and_then(|id| BlueprintId::parse(id).ok());
        let resource = needed(own.resource.as_ref(), "boomgate.resource")?;
        let (method, path) = (own.method.as_deref(), own.path.as_deref());
        let token = self.unique_token_identifier.as_deref();
        Ok(Some(Call {
            doer,
            at: Timestamp::parse(at).ok_or(NotReplayable::Malformed("createdDateTime"))?,
            blueprint: blueprint.map(|id| id.to_shared()),
            resource: Text::clone(resource),
            target: target(
                resource,
                needed(method, "boomgate.method")?,
                needed(path, "boomgate.path")?,
            ),
            token: own
                .issuer
                .as_deref()
                .zip(token)
                .map(|(of, id)| token_mark(of, id)),
            address: needed(self.ip_address, "ipAddress")?.to_canonical(),
            client: client(self.user_agent.as_deref()),
            tls: own.tls_client.as_deref().map(tls_mark),
            fate: fate(reason, is_harmless),
            id: Some(id),
        }))
    }

    fn agent_identity(&self, on_behalf: bool) -> Result<Doer, NotReplayable> {
        let id = AgentId::parse(needed(self.app_id.as_deref(), "appId")?);
        Ok(Doer {
            agent: id
                .map_err(|_not_one| NotReplayable::Malformed("appId"))?
                .to_shared(),
            subject: RiskSubject::AgentIdentity,
            on_behalf,
        })
    }
}

fn needed<T>(member: Option<T>, name: &'static str) -> Result<T, NotReplayable> {
    member.ok_or(NotReplayable::Incomplete(name))
}
