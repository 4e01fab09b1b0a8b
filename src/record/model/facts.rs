//! Every fact that policy read of a call, so that a verdict can be computed again from its record alone.
//!
//! Graph's own members where a sign-in has them, the rest under `boomgate`. A fact that nobody could tell has no member;
//! `optionalFacts` names those of them that were not required. [`crate::record::replay`] reads it all back.
//! Never here: a fact that is cut short without being named in `truncatedFacts`.

mod graph;
mod notes;

use std::sync::Arc;

use serde::Serialize;

use self::notes::{Named, Notes};
use crate::policy::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
use crate::types::{DevicePlatform, Fact, GuestType, InsiderRiskLevel, RiskLevel};

pub(super) use self::graph::GraphFacts;
pub(in crate::record) use self::graph::client_app_name;

/// What `optionalFacts` says in place of a list, where no fact was required.
pub(in crate::record) const ALL: &str = "all";

/// The facts that Graph has no member for.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnFacts<'a> {
    entra_parity: bool,
    /// What a caller that is not an agent is.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blueprint_principal_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_attributes: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_user_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_user_attributes: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory_roles: Option<&'a [Arc<str>]>,
    /// `null` for a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<Option<Guest<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    insider_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_tenant: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload_attributes: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_principal_risk_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_attributes: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_is_agent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_platform: Option<DevicePlatform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_contexts: Option<&'a [Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controls: Option<Controls<'a>>,
    /// The facts that nobody could tell and that were not required.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    optional_facts: Vec<&'static str>,
    /// The facts that are not here whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    truncated_facts: Vec<&'static str>,
}

/// As what a human is a guest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Guest<'a> {
    #[serde(rename = "type")]
    kind: GuestType,
    home_tenant_id: Option<&'a str>,
}

/// What was shown of the controls that policies demand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Controls<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_application: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliant_application: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_change: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk_remediation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_strengths: Option<&'a [Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms_of_use: Option<&'a [Arc<str>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_factors: Option<&'a [Arc<str>]>,
}

impl<'a> OwnFacts<'a> {
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let mut members = Self {
            entra_parity: facts.entra_parity,
            ..Self::default()
        };
        let mut notes = Notes::default();
        match &facts.subject {
            Subject::AgentIdentity(agent) => members.add_agent(agent, &mut notes),
            Subject::AgentUser { user, agent } => {
                members.add_agent_user(user, &mut notes);
                members.add_agent(agent, &mut notes);
            }
            Subject::OnBehalfOf { human, agent } => {
                members.add_human(human, &mut notes);
                members.add_agent(agent, &mut notes);
            }
            Subject::Human(human) => {
                members.account = Some("human");
                members.add_human(human, &mut notes);
            }
            Subject::Workload(workload) => {
                members.account = Some("workload");
                members.add_workload(workload, &mut notes);
            }
        }
        members.add_resource(&facts.resource, &mut notes);
        members.add_session(&facts.session, &mut notes);
        members.optional_facts = if notes.required || notes.optional.is_empty() {
            notes.optional
        } else {
            vec![ALL]
        };
        members.truncated_facts = notes.truncated;
        members
    }

    fn add_agent(&mut self, agent: &AgentFacts<'a>, notes: &mut Notes) {
        let AgentFacts {
            id: _,
            blueprint_app_id: _,
            blueprint_principal_id,
            attributes,
            risk,
        } = *agent;
        self.blueprint_principal_id = blueprint_principal_id;
        self.agent_attributes = notes.given("agentAttributes", attributes);
        self.agent_risk_level = Some(risk_fact(risk));
    }

    fn add_agent_user(&mut self, user: &AgentUserFacts<'a>, notes: &mut Notes) {
        let AgentUserFacts {
            id: _,
            attributes,
            risk,
        } = *user;
        self.agent_user_attributes = notes.given("agentUserAttributes", attributes);
        self.agent_user_risk_level = Some(risk_fact(risk));
    }

    fn add_human(&mut self, human: &HumanFacts<'a>, notes: &mut Notes) {
        let HumanFacts {
            id,
            groups,
            roles,
            guest,
            user_risk,
            sign_in_risk,
            insider_risk,
        } = *human;
        notes.known("userId", id);
        self.groups = notes.list("groups", groups);
        self.directory_roles = notes.list("directoryRoles", roles);
        self.guest = notes.known("guest", guest).map(|guest| {
            guest.map(|GuestFacts { kind, home_tenant }| Guest {
                kind,
                home_tenant_id: home_tenant,
            })
        });
        self.user_risk_level = Some(risk_fact(user_risk));
        self.sign_in_risk_level = Some(risk_fact(sign_in_risk));
        self.insider_risk_level = Some(level_fact(insider_risk, InsiderRiskLevel::as_str));
    }

    fn add_workload(&mut self, workload: &WorkloadFacts<'a>, notes: &mut Notes) {
        let WorkloadFacts {
            id: _,
            in_tenant,
            attributes,
            risk,
        } = *workload;
        self.in_tenant = notes.known("inTenant", in_tenant);
        self.workload_attributes = notes.attributes("workloadAttributes", attributes);
        self.service_principal_risk_level = Some(risk_fact(risk));
    }

    fn add_resource(&mut self, resource: &ResourceFacts<'a>, notes: &mut Notes) {
        let ResourceFacts {
            app_id,
            attributes,
            is_agent,
            authentication_contexts: _,
        } = *resource;
        notes.known("resourceId", app_id);
        self.resource_attributes = notes.attributes("resourceAttributes", attributes);
        self.resource_is_agent = notes.known("resourceIsAgent", is_agent);
    }

    fn add_session(&mut self, session: &SessionFacts<'a>, notes: &mut Notes) {
        let SessionFacts {
            address,
            country,
            platform,
            client_app_type,
            transfer_method,
            device,
            agent_contexts,
            controls,
        } = *session;
        notes.known("ipAddress", address);
        notes.known("country", country);
        notes.known("clientAppUsed", client_app_type);
        notes.known("originalTransferMethod", transfer_method);
        self.device_platform = notes.known("devicePlatform", platform);
        self.device = notes.attributes("device", device);
        self.agent_contexts = notes.list("agentContexts", agent_contexts);
        let controls = Controls::of(&controls, notes);
        self.controls = (controls != Controls::default()).then_some(controls);
    }
}

impl<'a> Controls<'a> {
    fn of(controls: &ControlFacts<'a>, notes: &mut Notes) -> Self {
        let ControlFacts {
            mfa,
            approved_application,
            compliant_application,
            password_change,
            risk_remediation,
            authentication_strengths,
            terms_of_use,
            custom_factors,
        } = *controls;
        Self {
            mfa: notes.known("mfa", mfa),
            approved_application: notes.known("approvedApplication", approved_application),
            compliant_application: notes.known("compliantApplication", compliant_application),
            password_change: notes.known("passwordChange", password_change),
            risk_remediation: notes.known("riskRemediation", risk_remediation),
            authentication_strengths: notes
                .list("authenticationStrengths", authentication_strengths),
            terms_of_use: notes.list("termsOfUse", terms_of_use),
            custom_factors: notes.list("customFactors", custom_factors),
        }
    }
}

/// A level as policy read it: unlike Graph's `hidden`, this tells a required source's silence from another's.
fn risk_fact(level: Fact<RiskLevel>) -> &'static str {
    level_fact(level, RiskLevel::as_str)
}

fn level_fact<L>(level: Fact<L>, name: fn(L) -> &'static str) -> &'static str {
    match level {
        Fact::Known(level) => name(level),
        Fact::Unknown => "unknown",
        Fact::RequiredUnknown => "requiredUnknown",
    }
}
