//! The facts of a case: what its members say, and for all that they leave out a plain call from nowhere in particular.

use std::sync::Arc;

use super::case::Case;
use super::cast::Cast;
use boomgate::policy::{
    AgentFacts, AgentUserFacts, ControlFacts, FactName, Facts, GuestFacts, HumanFacts,
    ResourceFacts, SessionFacts, Subject, WorkloadFacts,
};
use boomgate::types::{
    ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel, RiskLevel,
    Timestamp, TransferMethod,
};

/// What the facts borrow beside the case and the cast.
pub(super) struct Owned {
    groups: Vec<Arc<str>>,
    roles: Vec<Arc<str>>,
    shown: Vec<Arc<str>>,
}

impl Case {
    pub(super) fn owned(&self, cast: &Cast) -> Owned {
        let human = self.who.split(" via ").next().unwrap();
        let (groups, roles) = cast
            .humans
            .get(human)
            .map_or_else(Default::default, |human| {
                (cast.ids(&human.groups), cast.ids(&human.roles))
            });
        let named = self
            .shown
            .iter()
            .filter(|name| cast.ids.contains_key(*name));
        Owned {
            groups,
            roles,
            shown: named.map(|name| Arc::from(cast.id(name))).collect(),
        }
    }

    pub(super) fn facts<'a>(
        &'a self,
        cast: &'a Cast,
        owned: &'a Owned,
    ) -> Result<Facts<'a>, String> {
        for name in self.unknown.iter().chain(&self.required_unknown) {
            let mut names = FactName::ALL.iter();
            if !names.any(|known| known.as_str() == name) {
                return Err(format!("`{name}` is no fact"));
            }
        }
        let resource = cast
            .resources
            .get(&self.resource)
            .ok_or("no such resource")?;
        Ok(Facts {
            subject: self.subject(cast, owned)?,
            resource: ResourceFacts {
                app_id: self.fact(FactName::Resource, resource.app_id.as_str()),
                attributes: self.fact(FactName::ResourceAttributes, &resource.attributes),
                is_agent: self.fact(FactName::ResourceIsAgent, resource.is_agent),
                authentication_contexts: &self.contexts,
            },
            session: self.session(owned)?,
            now: Timestamp::from_seconds(1_790_000_000),
            entra_parity: self.entra_parity,
        })
    }

    /// The fact, unless the case says that it is unknown.
    fn fact<T>(&self, name: FactName, value: T) -> Fact<T> {
        let is_in = |names: &[String]| names.iter().any(|one| one == name.as_str());
        if is_in(&self.required_unknown) {
            Fact::RequiredUnknown
        } else if is_in(&self.unknown) {
            Fact::Unknown
        } else {
            Fact::Known(value)
        }
    }

    fn subject<'a>(&'a self, cast: &'a Cast, owned: &'a Owned) -> Result<Subject<'a>, String> {
        let level = risk(self.risk.as_deref())?;
        if let Some((human, agent)) = self.who.split_once(" via ") {
            return Ok(Subject::OnBehalfOf {
                human: self.human(cast, owned, human)?,
                agent: agent_of(cast, agent, level),
            });
        }
        if let Some(user) = cast.agent_users.get(&self.who) {
            return Ok(Subject::AgentUser {
                user: AgentUserFacts {
                    id: &user.id,
                    attributes: &user.attributes,
                    risk: level,
                },
                agent: agent_of(cast, &user.agent, risk(self.agent_risk.as_deref())?),
            });
        }
        if cast.humans.contains_key(&self.who) {
            return self.human(cast, owned, &self.who).map(Subject::Human);
        }
        if let Some(workload) = cast.workloads.get(&self.who) {
            return Ok(Subject::Workload(WorkloadFacts {
                id: &workload.id,
                in_tenant: self.fact(FactName::InTenant, workload.in_tenant),
                attributes: self.fact(FactName::ServicePrincipalAttributes, &workload.attributes),
                risk: level,
            }));
        }
        Ok(Subject::AgentIdentity(agent_of(cast, &self.who, level)))
    }

    fn human<'a>(
        &'a self,
        cast: &'a Cast,
        owned: &'a Owned,
        name: &str,
    ) -> Result<HumanFacts<'a>, String> {
        let human = cast
            .humans
            .get(name)
            .ok_or(format!("`{name}` is no human"))?;
        let kind = human
            .guest
            .as_deref()
            .map(|kind| GuestType::parse(kind).ok_or(format!("guest: `{kind}`")));
        let guest = kind.transpose()?.map(|kind| GuestFacts {
            kind,
            home_tenant: human.tenant.as_deref().map(|tenant| cast.id(tenant)),
        });
        let insider = match self.insider_risk.as_deref() {
            None => InsiderRiskLevel::None,
            Some(text) => InsiderRiskLevel::parse(text).ok_or(format!("insider_risk: `{text}`"))?,
        };
        Ok(HumanFacts {
            id: self.fact(FactName::Human, human.id.as_str()),
            groups: self.fact(FactName::Groups, &owned.groups),
            roles: self.fact(FactName::Roles, &owned.roles),
            guest: self.fact(FactName::Guest, guest),
            user_risk: risk(self.user_risk.as_deref())?,
            sign_in_risk: risk(self.sign_in_risk.as_deref())?,
            insider_risk: self.fact(FactName::InsiderRisk, insider),
        })
    }

    fn session<'a>(&'a self, owned: &'a Owned) -> Result<SessionFacts<'a>, String> {
        let address = self.from.as_deref().unwrap_or("192.0.2.1");
        let address = address
            .parse()
            .map_err(|fault| format!("from: `{address}`: {fault}"))?;
        let country = match self.country.as_deref() {
            None => None,
            Some(text) => Some(Country::parse(text).ok_or(format!("country: `{text}`"))?),
        };
        let platform = named(self.platform.as_deref(), "linux", DevicePlatform::parse)?;
        let client = "mobileAppsAndDesktopClients";
        let client = named(self.client.as_deref(), client, ClientAppType::parse)?;
        let flow = self.flow.as_deref();
        let flow = flow
            .map(|flow| TransferMethod::parse(flow).ok_or(format!("flow: `{flow}`")))
            .transpose()?;
        let shown = |name: FactName| {
            let is_shown = self.shown.iter().any(|one| one == name.as_str());
            self.fact(name, is_shown)
        };
        let listed = |name| self.fact(name, owned.shown.as_slice());
        Ok(SessionFacts {
            address: self.fact(FactName::Address, address),
            country: self.fact(FactName::Country, country),
            platform: self.fact(FactName::Platform, platform),
            client_app_type: self.fact(FactName::ClientAppType, client),
            transfer_method: self.fact(FactName::TransferMethod, flow),
            device: self.fact(FactName::Device, &self.device),
            agent_contexts: self.fact(FactName::AgentContexts, &self.started_from),
            controls: ControlFacts {
                mfa: shown(FactName::Mfa),
                approved_application: shown(FactName::ApprovedApplication),
                compliant_application: shown(FactName::CompliantApplication),
                password_change: shown(FactName::PasswordChange),
                risk_remediation: shown(FactName::RiskRemediation),
                authentication_strengths: listed(FactName::AuthenticationStrengths),
                terms_of_use: listed(FactName::TermsOfUse),
                custom_factors: listed(FactName::CustomFactors),
            },
        })
    }
}

fn agent_of<'a>(cast: &'a Cast, name: &str, risk: Fact<RiskLevel>) -> AgentFacts<'a> {
    let agent = cast
        .agents
        .get(name)
        .unwrap_or_else(|| panic!("`{name}` is no agent"));
    let blueprint = agent.blueprint.as_ref().map(|name| &cast.blueprints[name]);
    AgentFacts {
        id: &agent.id,
        blueprint_app_id: blueprint.map(|one| one.app_id.as_str()),
        blueprint_principal_id: blueprint.map(|one| one.principal_id.as_str()),
        attributes: &agent.attributes,
        risk,
    }
}

fn named<T>(
    text: Option<&str>,
    otherwise: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, String> {
    let text = text.unwrap_or(otherwise);
    parse(text).ok_or(format!("`{text}` is not known"))
}

fn risk(text: Option<&str>) -> Result<Fact<RiskLevel>, String> {
    match text {
        None => Ok(Fact::Known(RiskLevel::None)),
        Some("unknown") => Ok(Fact::Unknown),
        Some("required-unknown") => Ok(Fact::RequiredUnknown),
        Some(level) => RiskLevel::parse(level)
            .map(Fact::Known)
            .ok_or(format!("risk: `{level}`")),
    }
}
