//! Lays out all that is known of a question for the evaluator. Copies nothing and allocates nothing.
//!
//! What a token shows and the directory knows are joined here: the directory's word comes first, for it can be changed
//! while the token lives. Never here: "none" for what nobody told.

use super::{Asked, Question, Session};
use crate::decision::{DecisionSettings, FactKind};
use crate::identity::{Account, Agent, Caller, ServicePrincipal, User};
use crate::policy::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
use crate::risk::Assessment;
use crate::types::{Attributes, Fact, ObjectId, RiskLevel, Timestamp};

/// What attribute filters see of an agent that the directory does not know.
static NO_ATTRIBUTES: &Attributes = &Attributes::NONE;

impl<'a> Question<'a> {
    /// The facts for the evaluator, with this risk.
    #[must_use]
    pub fn facts(self, risk: &Assessment, settings: DecisionSettings, now: Timestamp) -> Facts<'a> {
        let layout = Layout {
            session: self.session,
            risk,
            settings,
        };
        Facts {
            subject: layout.subject(self.caller),
            resource: self.resource(),
            session: layout.session(),
            now,
            entra_parity: settings.entra_parity,
        }
    }

    /// FAIL-CLOSED: what nobody knows of a resource may be what policies ask for.
    fn resource(self) -> ResourceFacts<'a> {
        let (app_id, attributes, is_agent) = match self.resource {
            Asked::Resource(resource) => (
                Fact::Known(resource.app_id.as_str()),
                Fact::Known(&resource.attributes),
                Fact::Known(resource.is_agent),
            ),
            Asked::AppId(id) => (
                Fact::Known(id),
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
            ),
            Asked::Any => (
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
                Fact::RequiredUnknown,
            ),
        };
        ResourceFacts {
            app_id,
            attributes,
            is_agent,
            authentication_contexts: self.operation.authentication_contexts(),
        }
    }
}

/// What policies may read of an agent identity with this risk.
#[must_use]
pub fn agent_facts(agent: &Agent, risk: Fact<RiskLevel>) -> AgentFacts<'_> {
    AgentFacts {
        id: agent.id.as_str(),
        blueprint_app_id: agent.blueprint.as_ref().map(|id| id.as_str()),
        blueprint_principal_id: agent.blueprint_principal().map(|id| id.as_str()),
        attributes: agent
            .entry
            .as_ref()
            .map_or(NO_ATTRIBUTES, |entry| &entry.attributes),
        risk,
    }
}

/// What the facts of one question are laid out from.
struct Layout<'a, 'r> {
    session: Session<'a>,
    risk: &'r Assessment,
    settings: DecisionSettings,
}

impl<'a> Layout<'a, '_> {
    fn subject(&self, caller: &'a Caller) -> Subject<'a> {
        match caller {
            Caller::Autonomous(agent) => Subject::AgentIdentity(self.agent(agent)),
            Caller::AgentUser { id, entry, agent } => Subject::AgentUser {
                user: AgentUserFacts {
                    id: id.as_str(),
                    attributes: entry
                        .as_ref()
                        .map_or(NO_ATTRIBUTES, |user| &user.attributes),
                    risk: self.risk.agent_user,
                },
                agent: self.agent(agent),
            },
            Caller::OnBehalfOf { human, agent } => Subject::OnBehalfOf {
                human: self.human(human.id.as_ref(), human.entry.as_deref()),
                agent: self.agent(agent),
            },
            Caller::NotAgent(caller) => match &caller.account {
                Account::Unnamed => Subject::Human(self.human(None, None)),
                Account::Human(entry) => {
                    Subject::Human(self.human(Some(&caller.id), entry.as_deref()))
                }
                Account::Workload(entry) => {
                    Subject::Workload(self.workload(&caller.id, entry.as_deref()))
                }
            },
        }
    }

    fn agent(&self, agent: &'a Agent) -> AgentFacts<'a> {
        agent_facts(agent, self.risk.agent)
    }

    /// FAIL-CLOSED: a human whom a request for a token does not name may be anybody.
    fn human(&self, id: Option<&'a ObjectId>, entry: Option<&'a User>) -> HumanFacts<'a> {
        let shown = self.session.evidence;
        let by_directory =
            |pick: fn(&User) -> &Option<_>| entry.and_then(|entry| pick(entry).as_ref());
        let groups = by_directory(|user| &user.groups).or(shown.groups.as_ref());
        let roles = by_directory(|user| &user.directory_roles).or(shown.directory_roles.as_ref());
        HumanFacts {
            id: id.map_or(Fact::RequiredUnknown, |id| Fact::Known(id.as_str())),
            groups: self.told(FactKind::Groups, groups.map(AsRef::as_ref)),
            roles: self.told(FactKind::DirectoryRoles, roles.map(AsRef::as_ref)),
            guest: self.told(FactKind::UserType, self.guest(entry)),
            user_risk: self.risk.user,
            sign_in_risk: self.risk.sign_in,
            insider_risk: self.risk.insider,
        }
    }

    /// A guest's own tenant is in the token alone.
    fn guest(&self, entry: Option<&'a User>) -> Option<Option<GuestFacts<'a>>> {
        let shown = self.session.evidence.guest.as_ref();
        let home_tenant = shown.and_then(|guest| guest.as_ref()?.home_tenant.as_deref());
        let by_token = shown.map(|guest| guest.as_ref().map(|guest| guest.kind));
        let kind = entry.and_then(|entry| entry.guest).or(by_token)?;
        Some(kind.map(|kind| GuestFacts { kind, home_tenant }))
    }

    /// An issuer without tenants has no applications of others: each of its clients is registered with itself.
    fn workload(&self, id: &'a ObjectId, entry: Option<&'a ServicePrincipal>) -> WorkloadFacts<'a> {
        let in_tenant = match self.session.tenant {
            None => Some(true),
            Some(tenant) => entry
                .and_then(|entry| entry.owner_tenant.as_ref())
                .map(|owner| owner == tenant),
        };
        let attributes = entry.and_then(|entry| entry.attributes.as_ref());
        WorkloadFacts {
            id: entry.map_or(id, |entry| &entry.id).as_str(),
            in_tenant: self.told(FactKind::ServicePrincipal, in_tenant),
            attributes: self.told(FactKind::ServicePrincipal, attributes),
            risk: self.risk.service_principal,
        }
    }

    fn session(&self) -> SessionFacts<'a> {
        let shown = self.session.evidence;
        SessionFacts {
            address: self.session.address.map(|address| address.to_canonical()),
            country: self.session.country,
            platform: self.told(FactKind::Platform, shown.platform),
            client_app_type: self.told(FactKind::ClientAppType, shown.client_app_type),
            transfer_method: self.told(FactKind::TransferMethod, shown.transfer_method),
            device: self.told(FactKind::Device, shown.device.as_ref()),
            agent_contexts: self.told(FactKind::AgentContext, shown.agent_contexts.as_deref()),
            controls: self.controls(),
        }
    }

    fn controls(&self) -> ControlFacts<'a> {
        let shown = &self.session.evidence.controls;
        let flag = |told| self.told(FactKind::Controls, told);
        let list = |told: &'a Option<_>| self.told(FactKind::Controls, Option::as_deref(told));
        ControlFacts {
            mfa: flag(shown.mfa),
            approved_application: flag(shown.approved_application),
            compliant_application: flag(shown.compliant_application),
            password_change: flag(shown.password_change),
            risk_remediation: flag(shown.risk_remediation),
            authentication_strengths: list(&shown.authentication_strengths),
            terms_of_use: list(&shown.terms_of_use),
            custom_factors: list(&shown.custom_factors),
        }
    }

    fn told<T>(&self, kind: FactKind, told: Option<T>) -> Fact<T> {
        self.settings.fact(kind, told)
    }
}
