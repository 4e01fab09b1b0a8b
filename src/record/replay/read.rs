//! From a line's members to its facts: what is absent was not known, and `optionalFacts` says how.

use std::sync::Arc;

use super::line::{Boomgate, Line};
use super::{
    NotReplayable, RecordedAgent, RecordedControls, RecordedFacts, RecordedHuman, RecordedResource,
    RecordedSession, RecordedSubject, RecordedWorkload,
};
use crate::record::model::facts::{ALL, client_app_name};
use crate::types::{
    ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel, RiskLevel,
    Timestamp, TransferMethod,
};

type Result<T> = std::result::Result<T, NotReplayable>;

/// Reads one line.
pub(super) fn read(line: &[u8]) -> Result<RecordedFacts> {
    let line: Line = serde_json::from_slice(line)
        .map_err(|fault| NotReplayable::NotARecord(fault.to_string()))?;
    let decision = line.boomgate.as_ref();
    let decision = decision.ok_or(NotReplayable::NoDecision)?;
    let caller = decision.caller.as_deref();
    let caller = caller.ok_or(NotReplayable::NoDecision)?;
    if let Some(name) = decision.truncated_facts.first() {
        return Err(NotReplayable::Truncated(name.clone()));
    }
    let members = Members {
        line: &line,
        own: decision,
    };
    let entra_parity = decision.entra_parity;
    let at = needed(line.created_date_time.as_deref(), "createdDateTime")?;
    Ok(RecordedFacts {
        entra_parity: needed(entra_parity, "boomgate.entraParity")?,
        at: Timestamp::parse(at).ok_or(NotReplayable::Malformed("createdDateTime"))?,
        subject: members.subject(caller)?,
        resource: members.resource(),
        session: members.session()?,
    })
}

/// The members of one decision.
struct Members<'a> {
    line: &'a Line,
    own: &'a Boomgate,
}

impl Members<'_> {
    fn subject(&self, caller: &str) -> Result<RecordedSubject> {
        Ok(match (caller, self.own.account.as_deref()) {
            ("agent_identity", _) => RecordedSubject::AgentIdentity(self.agent()?),
            ("agent_user", _) => RecordedSubject::AgentUser {
                id: needed(self.line.user_id.clone(), "userId")?,
                attributes: (&self.own.agent_user_attributes).into(),
                risk: risk(
                    self.own.agent_user_risk_level.as_deref(),
                    "boomgate.agentUserRiskLevel",
                )?,
                agent: self.agent()?,
            },
            ("on_behalf_of", _) => RecordedSubject::OnBehalfOf {
                human: self.human()?,
                agent: self.agent()?,
            },
            ("not_agent", Some("human")) => RecordedSubject::Human(self.human()?),
            ("not_agent", Some("workload")) => RecordedSubject::Workload(self.workload()?),
            ("not_agent", _) => return Err(NotReplayable::Malformed("boomgate.account")),
            _ => return Err(NotReplayable::Malformed("boomgate.caller")),
        })
    }

    fn agent(&self) -> Result<RecordedAgent> {
        let agent = self.line.agent.as_ref();
        Ok(RecordedAgent {
            id: needed(self.line.app_id.clone(), "appId")?,
            blueprint_app_id: agent.and_then(|agent| agent.parent_app_id.clone()),
            blueprint_principal_id: self.own.blueprint_principal_id.clone(),
            attributes: (&self.own.agent_attributes).into(),
            risk: risk(
                self.own.agent_risk_level.as_deref(),
                "boomgate.agentRiskLevel",
            )?,
        })
    }

    fn human(&self) -> Result<RecordedHuman> {
        let guest = match &self.own.guest {
            None => None,
            Some(None) => Some(None),
            Some(Some(guest)) => {
                let kind = GuestType::parse(&guest.kind);
                let kind = kind.ok_or(NotReplayable::Malformed("boomgate.guest"))?;
                Some(Some((kind, guest.home_tenant_id.clone())))
            }
        };
        Ok(RecordedHuman {
            id: self.fact("userId", self.line.user_id.clone()),
            groups: self.fact("groups", self.own.groups.clone()),
            roles: self.fact("directoryRoles", self.own.directory_roles.clone()),
            guest: self.fact("guest", guest),
            user_risk: risk(
                self.own.user_risk_level.as_deref(),
                "boomgate.userRiskLevel",
            )?,
            sign_in_risk: risk(
                self.own.sign_in_risk_level.as_deref(),
                "boomgate.signInRiskLevel",
            )?,
            insider_risk: level(
                self.own.insider_risk_level.as_deref(),
                "boomgate.insiderRiskLevel",
                InsiderRiskLevel::parse,
            )?,
        })
    }

    fn workload(&self) -> Result<RecordedWorkload> {
        let attributes = self.own.workload_attributes.as_ref();
        Ok(RecordedWorkload {
            id: needed(self.line.service_principal_id.clone(), "servicePrincipalId")?,
            in_tenant: self.fact("inTenant", self.own.in_tenant),
            attributes: self.fact("workloadAttributes", attributes.map(Into::into)),
            risk: risk(
                self.own.service_principal_risk_level.as_deref(),
                "boomgate.servicePrincipalRiskLevel",
            )?,
        })
    }

    fn resource(&self) -> RecordedResource {
        let attributes = self.own.resource_attributes.as_ref();
        let contexts = self.line.authentication_context_class_references.iter();
        RecordedResource {
            app_id: self.fact("resourceId", self.line.resource_id.clone()),
            attributes: self.fact("resourceAttributes", attributes.map(Into::into)),
            is_agent: self.fact("resourceIsAgent", self.own.resource_is_agent),
            authentication_contexts: contexts.map(|of| Arc::clone(&of.id)).collect(),
        }
    }

    fn session(&self) -> Result<RecordedSession> {
        let location = self.line.location.as_ref();
        let country = location.map(|location| location.country_or_region.as_deref());
        let country = match country {
            Some(Some(text)) => {
                let country = Country::parse(text);
                Some(Some(country.ok_or(NotReplayable::Malformed("location"))?))
            }
            Some(None) => Some(None),
            None => None,
        };
        let platform = word(
            self.own.device_platform.as_deref(),
            "boomgate.devicePlatform",
            DevicePlatform::parse,
        )?;
        let client_app = word(
            self.line.client_app_used.as_deref(),
            "clientAppUsed",
            client_app_type,
        )?;
        let method = word(
            self.line.original_transfer_method.as_deref(),
            "originalTransferMethod",
            transfer_method,
        )?;
        let device = self.own.device.as_ref();
        Ok(RecordedSession {
            address: self.fact("ipAddress", self.line.ip_address),
            country: self.fact("country", country),
            platform: self.fact("devicePlatform", platform),
            client_app_type: self.fact("clientAppUsed", client_app),
            transfer_method: self.fact("originalTransferMethod", method),
            device: self.fact("device", device.map(Into::into)),
            agent_contexts: self.fact("agentContexts", self.own.agent_contexts.clone()),
            controls: self.controls(),
        })
    }

    fn controls(&self) -> RecordedControls {
        let controls = &self.own.controls;
        let strengths = controls.authentication_strengths.clone();
        RecordedControls {
            mfa: self.fact("mfa", controls.mfa),
            approved_application: self.fact("approvedApplication", controls.approved_application),
            compliant_application: self
                .fact("compliantApplication", controls.compliant_application),
            password_change: self.fact("passwordChange", controls.password_change),
            risk_remediation: self.fact("riskRemediation", controls.risk_remediation),
            authentication_strengths: self.fact("authenticationStrengths", strengths),
            terms_of_use: self.fact("termsOfUse", controls.terms_of_use.clone()),
            custom_factors: self.fact("customFactors", controls.custom_factors.clone()),
        }
    }

    /// What a fact was, of which this is what the record holds.
    fn fact<T>(&self, name: &str, recorded: Option<T>) -> Fact<T> {
        let is_optional = |known: &String| known == name || known == ALL;
        match recorded {
            Some(value) => Fact::Known(value),
            None if self.own.optional_facts.iter().any(is_optional) => Fact::Unknown,
            None => Fact::RequiredUnknown,
        }
    }
}

fn needed<T>(member: Option<T>, name: &'static str) -> Result<T> {
    member.ok_or(NotReplayable::Incomplete(name))
}

/// A member that, if it is there, is one of a closed set of words.
fn word<T>(
    text: Option<&str>,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let parsed = |text| parse(text).ok_or(NotReplayable::Malformed(name));
    text.map(parsed).transpose()
}

fn risk(text: Option<&str>, name: &'static str) -> Result<Fact<RiskLevel>> {
    level(text, name, RiskLevel::parse)
}

fn level<L>(
    text: Option<&str>,
    name: &'static str,
    parse: impl Fn(&str) -> Option<L>,
) -> Result<Fact<L>> {
    match needed(text, name)? {
        "unknown" => Ok(Fact::Unknown),
        "requiredUnknown" => Ok(Fact::RequiredUnknown),
        text => parse(text)
            .map(Fact::Known)
            .ok_or(NotReplayable::Malformed(name)),
    }
}

fn client_app_type(text: &str) -> Option<ClientAppType> {
    let mut all = ClientAppType::ALL.iter().copied();
    all.find(|kind| client_app_name(*kind) == text)
}

fn transfer_method(text: &str) -> Option<Option<TransferMethod>> {
    match text {
        "none" => Some(None),
        text => TransferMethod::parse(text).map(Some),
    }
}
