//! Reads a record back into the facts that its decision was made on, so that other policies can be asked about the same
//! call. The inverse of what `model` writes; a test holds that to generated facts.
//!
//! Never here: a guess. A record that does not hold a fact whole is not replayable, and says why.

mod line;
mod read;

use std::net::IpAddr;
use std::sync::Arc;

use crate::policy::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
use crate::types::{
    Attributes, ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel,
    RiskLevel, Timestamp, TransferMethod,
};

/// Why a line cannot be decided on again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReplayable {
    /// It records a refusal before any decision, or how a call ended.
    #[error("no decision was made in it")]
    NoDecision,
    /// It was written by a version that did not record all that policies read.
    #[error("`{0}` is missing: it was written by an older version")]
    Incomplete(&'static str),
    /// There was too much of a fact to record it whole.
    #[error("`{0}` was too long to be recorded whole")]
    Truncated(String),
    /// A member holds what no gateway writes there.
    #[error("`{0}` is not what a gateway writes there")]
    Malformed(&'static str),
    /// It is not a record.
    #[error("it is not a record: {0}")]
    NotARecord(String),
}

/// The facts of one recorded decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFacts {
    subject: RecordedSubject,
    resource: RecordedResource,
    session: RecordedSession,
    at: Timestamp,
    entra_parity: bool,
}

impl RecordedFacts {
    /// Reads one line of a record file.
    ///
    /// # Errors
    /// Why the line cannot be decided on again. [`NotReplayable::NoDecision`] is nothing unusual: half of all lines say
    /// how a call ended.
    pub fn read(line: &[u8]) -> Result<Self, NotReplayable> {
        read::read(line)
    }

    /// The facts, for an evaluation.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            subject: self.subject.facts(),
            resource: self.resource.facts(),
            session: self.session.facts(),
            now: self.at,
            entra_parity: self.entra_parity,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RecordedSubject {
    AgentIdentity(RecordedAgent),
    AgentUser {
        id: Arc<str>,
        attributes: Attributes,
        risk: Fact<RiskLevel>,
        agent: RecordedAgent,
    },
    OnBehalfOf {
        human: RecordedHuman,
        agent: RecordedAgent,
    },
    Human(RecordedHuman),
    Workload(RecordedWorkload),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedAgent {
    id: Arc<str>,
    blueprint_app_id: Option<Arc<str>>,
    blueprint_principal_id: Option<Arc<str>>,
    attributes: Attributes,
    risk: Fact<RiskLevel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedHuman {
    id: Fact<Arc<str>>,
    groups: Fact<Vec<Arc<str>>>,
    roles: Fact<Vec<Arc<str>>>,
    guest: Fact<Option<(GuestType, Option<Arc<str>>)>>,
    user_risk: Fact<RiskLevel>,
    sign_in_risk: Fact<RiskLevel>,
    insider_risk: Fact<InsiderRiskLevel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedWorkload {
    id: Arc<str>,
    in_tenant: Fact<bool>,
    attributes: Fact<Attributes>,
    risk: Fact<RiskLevel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedResource {
    app_id: Fact<Arc<str>>,
    attributes: Fact<Attributes>,
    is_agent: Fact<bool>,
    authentication_contexts: Vec<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedSession {
    address: Fact<IpAddr>,
    country: Fact<Option<Country>>,
    platform: Fact<DevicePlatform>,
    client_app_type: Fact<ClientAppType>,
    transfer_method: Fact<Option<TransferMethod>>,
    device: Fact<Attributes>,
    agent_contexts: Fact<Vec<Arc<str>>>,
    controls: RecordedControls,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RecordedControls {
    mfa: Fact<bool>,
    approved_application: Fact<bool>,
    compliant_application: Fact<bool>,
    password_change: Fact<bool>,
    risk_remediation: Fact<bool>,
    authentication_strengths: Fact<Vec<Arc<str>>>,
    terms_of_use: Fact<Vec<Arc<str>>>,
    custom_factors: Fact<Vec<Arc<str>>>,
}

impl RecordedSubject {
    fn facts(&self) -> Subject<'_> {
        match self {
            Self::AgentIdentity(agent) => Subject::AgentIdentity(agent.facts()),
            Self::AgentUser {
                id,
                attributes,
                risk,
                agent,
            } => Subject::AgentUser {
                user: AgentUserFacts {
                    id,
                    attributes,
                    risk: *risk,
                },
                agent: agent.facts(),
            },
            Self::OnBehalfOf { human, agent } => Subject::OnBehalfOf {
                human: human.facts(),
                agent: agent.facts(),
            },
            Self::Human(human) => Subject::Human(human.facts()),
            Self::Workload(workload) => Subject::Workload(workload.facts()),
        }
    }
}

impl RecordedAgent {
    fn facts(&self) -> AgentFacts<'_> {
        AgentFacts {
            id: &self.id,
            blueprint_app_id: self.blueprint_app_id.as_deref(),
            blueprint_principal_id: self.blueprint_principal_id.as_deref(),
            attributes: &self.attributes,
            risk: self.risk,
        }
    }
}

impl RecordedHuman {
    fn facts(&self) -> HumanFacts<'_> {
        let guest = self.guest.as_ref().map(|guest| {
            guest.as_ref().map(|(kind, home_tenant)| GuestFacts {
                kind: *kind,
                home_tenant: home_tenant.as_deref(),
            })
        });
        HumanFacts {
            id: self.id.as_ref().map(AsRef::as_ref),
            groups: self.groups.as_ref().map(Vec::as_slice),
            roles: self.roles.as_ref().map(Vec::as_slice),
            guest,
            user_risk: self.user_risk,
            sign_in_risk: self.sign_in_risk,
            insider_risk: self.insider_risk,
        }
    }
}

impl RecordedWorkload {
    fn facts(&self) -> WorkloadFacts<'_> {
        WorkloadFacts {
            id: &self.id,
            in_tenant: self.in_tenant,
            attributes: self.attributes.as_ref(),
            risk: self.risk,
        }
    }
}

impl RecordedResource {
    fn facts(&self) -> ResourceFacts<'_> {
        ResourceFacts {
            app_id: self.app_id.as_ref().map(AsRef::as_ref),
            attributes: self.attributes.as_ref(),
            is_agent: self.is_agent,
            authentication_contexts: &self.authentication_contexts,
        }
    }
}

impl RecordedSession {
    fn facts(&self) -> SessionFacts<'_> {
        SessionFacts {
            address: self.address,
            country: self.country,
            platform: self.platform,
            client_app_type: self.client_app_type,
            transfer_method: self.transfer_method,
            device: self.device.as_ref(),
            agent_contexts: self.agent_contexts.as_ref().map(Vec::as_slice),
            controls: self.controls.facts(),
        }
    }
}

impl RecordedControls {
    fn facts(&self) -> ControlFacts<'_> {
        ControlFacts {
            mfa: self.mfa,
            approved_application: self.approved_application,
            compliant_application: self.compliant_application,
            password_change: self.password_change,
            risk_remediation: self.risk_remediation,
            authentication_strengths: self.authentication_strengths.as_ref().map(Vec::as_slice),
            terms_of_use: self.terms_of_use.as_ref().map(Vec::as_slice),
            custom_factors: self.custom_factors.as_ref().map(Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests;
