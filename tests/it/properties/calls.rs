//! Calls of every kind of caller, with every fact known, unknown, or required and unknown.

use std::net::IpAddr;
use std::sync::Arc;

use boomgate::policy::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
use boomgate::types::{
    AttributeValue, Attributes, ClientAppType, Country, DevicePlatform, Fact, GuestType,
    InsiderRiskLevel, RiskLevel, Timestamp, TransferMethod,
};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop, prop_oneof};
use proptest::sample::select;

pub(super) const AGENTS: [&str; 3] = ["agent-1", "agent-2", "agent-3"];
pub(super) const BLUEPRINTS: [&str; 2] = ["blueprint-1", "blueprint-2"];
pub(super) const PRINCIPALS: [&str; 2] = ["principal-1", "principal-2"];
pub(super) const AGENT_USERS: [&str; 2] = ["agent-user-1", "agent-user-2"];
pub(super) const HUMANS: [&str; 2] = ["human-1", "human-2"];
pub(super) const WORKLOADS: [&str; 2] = ["workload-1", "workload-2"];
pub(super) const APPS: [&str; 3] = ["app-1", "app-2", "app-3"];
pub(super) const GROUPS: [&str; 2] = ["group-1", "group-2"];
pub(super) const ROLES: [&str; 2] = ["role-1", "role-2"];
pub(super) const TENANTS: [&str; 2] = ["tenant-1", "tenant-2"];
pub(super) const ATTRIBUTES: [&str; 2] = ["S_A", "S_B"];
pub(super) const VALUES: [&str; 5] = ["hr", "it", "h", "hr it", ""];
pub(super) const CONTEXTS: [&str; 2] = ["c1", "c25"];
pub(super) const AGENT_CONTEXTS: [&str; 2] =
    ["agentUserSessionsInitiatedFromEndpoints", "fromElsewhere"];
pub(super) const STRENGTHS: [&str; 2] = ["strength-1", "strength-2"];
pub(super) const TERMS: [&str; 2] = ["terms-1", "terms-2"];
pub(super) const FACTORS: [&str; 2] = ["factor-1", "factor-2"];
pub(super) const COUNTRIES: [&str; 3] = ["NO", "SE", "DE"];
const ADDRESSES: [&str; 6] = [
    "198.51.100.7",
    "198.51.100.200",
    "203.0.113.9",
    "10.0.0.1",
    "2001:db8::1",
    "2001:db8:1::1",
];

type Texts = Fact<Vec<Arc<str>>>;

/// A call, with all that its facts borrow.
#[derive(Debug, Clone)]
pub(super) struct Call {
    kind: u8,
    who: Who,
    pub(super) risk: Risk,
    resource: Resource,
    session: Session,
    controls: Controls,
    entra_parity: bool,
}

#[derive(Debug, Clone)]
struct Who {
    agent: &'static str,
    blueprint: Option<usize>,
    agent_user: &'static str,
    human: Fact<&'static str>,
    workload: &'static str,
    attributes: [Attributes; 2],
    workload_attributes: Fact<Attributes>,
    in_tenant: Fact<bool>,
    groups: Texts,
    roles: Texts,
    guest: Fact<Option<(GuestType, Option<&'static str>)>>,
}

#[derive(Debug, Clone)]
pub(super) struct Risk {
    /// Of the agent, the agent user, the human, his session, the workload.
    pub(super) levels: [Fact<RiskLevel>; 5],
    insider: Fact<InsiderRiskLevel>,
}

#[derive(Debug, Clone)]
struct Resource {
    app: Fact<&'static str>,
    attributes: Fact<Attributes>,
    is_agent: Fact<bool>,
    contexts: Vec<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Session {
    address: Fact<IpAddr>,
    country: Fact<Option<Country>>,
    platform: Fact<DevicePlatform>,
    client_app_type: Fact<ClientAppType>,
    transfer_method: Fact<Option<TransferMethod>>,
    device: Fact<Attributes>,
    agent_contexts: Texts,
}

#[derive(Debug, Clone)]
struct Controls {
    flags: [Fact<bool>; 5],
    lists: [Texts; 3],
}

impl Call {
    pub(super) fn facts(&self) -> Facts<'_> {
        let Who {
            attributes: [of_agent, of_agent_user],
            ..
        } = &self.who;
        let [
            of_agent_risk,
            of_user_risk,
            user_risk,
            sign_in_risk,
            workload_risk,
        ] = self.risk.levels;
        let agent = AgentFacts {
            id: self.who.agent,
            blueprint_app_id: self.who.blueprint.map(|at| BLUEPRINTS[at]),
            blueprint_principal_id: self.who.blueprint.map(|at| PRINCIPALS[at]),
            attributes: of_agent,
            risk: of_agent_risk,
        };
        let user = AgentUserFacts {
            id: self.who.agent_user,
            attributes: of_agent_user,
            risk: of_user_risk,
        };
        let human = HumanFacts {
            id: self.who.human,
            groups: borrowed(&self.who.groups),
            roles: borrowed(&self.who.roles),
            guest: self
                .who
                .guest
                .map(|guest| guest.map(|(kind, home_tenant)| GuestFacts { kind, home_tenant })),
            user_risk,
            sign_in_risk,
            insider_risk: self.risk.insider,
        };
        let workload = WorkloadFacts {
            id: self.who.workload,
            in_tenant: self.who.in_tenant,
            attributes: self.who.workload_attributes.as_ref(),
            risk: workload_risk,
        };
        Facts {
            subject: match self.kind {
                0..3 => Subject::AgentIdentity(agent),
                3..5 => Subject::AgentUser { user, agent },
                5..7 => Subject::OnBehalfOf { human, agent },
                7..9 => Subject::Human(human),
                _ => Subject::Workload(workload),
            },
            resource: ResourceFacts {
                app_id: self.resource.app,
                attributes: self.resource.attributes.as_ref(),
                is_agent: self.resource.is_agent,
                authentication_contexts: &self.resource.contexts,
            },
            session: self.session(),
            now: Timestamp::from_seconds(1_790_000_000),
            entra_parity: self.entra_parity,
        }
    }

    fn session(&self) -> SessionFacts<'_> {
        let [
            mfa,
            approved_application,
            compliant_application,
            password_change,
            risk_remediation,
        ] = self.controls.flags;
        let [strengths, terms, factors] = &self.controls.lists;
        SessionFacts {
            address: self.session.address,
            country: self.session.country,
            platform: self.session.platform,
            client_app_type: self.session.client_app_type,
            transfer_method: self.session.transfer_method,
            device: self.session.device.as_ref(),
            agent_contexts: borrowed(&self.session.agent_contexts),
            controls: ControlFacts {
                mfa,
                approved_application,
                compliant_application,
                password_change,
                risk_remediation,
                authentication_strengths: borrowed(strengths),
                terms_of_use: borrowed(terms),
                custom_factors: borrowed(factors),
            },
        }
    }
}

fn borrowed(texts: &Texts) -> Fact<&[Arc<str>]> {
    texts.as_ref().map(Vec::as_slice)
}

fn fact<T: Clone + std::fmt::Debug>(
    known: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Fact<T>> {
    // One draw that says which, so that a known value is the simplest.
    (known, 0..10_u8)
        .prop_map(|(value, which)| match which {
            0..7 => Fact::Known(value),
            7 => Fact::Unknown,
            _ => Fact::RequiredUnknown,
        })
        .boxed()
}

/// A fact that is known of all calls, and may be unknown where a token is asked for.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    known: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Fact<T>> {
    (known, 0..20_u8)
        .prop_map(|(value, which)| match which {
            0..18 => Fact::Known(value),
            18 => Fact::Unknown,
            _ => Fact::RequiredUnknown,
        })
        .boxed()
}

/// Some of these texts.
fn some_of(all: &'static [&'static str]) -> BoxedStrategy<Vec<Arc<str>>> {
    let count = all.len();
    prop::sample::subsequence(all, 0..=count)
        .prop_map(|some| some.into_iter().map(Arc::from).collect())
        .boxed()
}

pub(super) fn attributes() -> BoxedStrategy<Attributes> {
    let values = prop_oneof![
        3 => Just(None),
        4 => select(&VALUES[..]).prop_map(|one| Some(AttributeValue::One(one.into()))),
        3 => prop::collection::vec(select(&VALUES[..]), 0..3).prop_map(|many| {
            Some(AttributeValue::Many(many.into_iter().map(Arc::from).collect()))
        }),
    ];
    [values.clone(), values]
        .prop_map(|values| {
            let pairs = ATTRIBUTES.into_iter().zip(values);
            Attributes::from_pairs(pairs.filter_map(|(name, value)| Some((name.into(), value?))))
        })
        .boxed()
}

/// A registered device, or one without properties.
fn device() -> BoxedStrategy<Attributes> {
    let text = |name: &'static str, values: &'static [&'static str]| {
        prop::option::of(select(values)).prop_map(move |value| {
            value.map(|value| (Arc::from(name), AttributeValue::One(value.into())))
        })
    };
    let labels = prop::option::of(some_of(&["m365managed", "shared"])).prop_map(|labels| {
        labels.map(|labels| {
            (
                Arc::from("systemLabels"),
                AttributeValue::Many(labels.into()),
            )
        })
    });
    (
        text("isCompliant", &["true", "false"]),
        text("trustType", &["serverad", "azuread", "workplace"]),
        text("extensionAttribute1", &VALUES),
        labels,
    )
        .prop_map(|(compliant, trust, extension, labels)| {
            let all = [compliant, trust, extension, labels];
            Attributes::from_pairs(all.into_iter().flatten())
        })
        .boxed()
}

fn who() -> BoxedStrategy<Who> {
    let guest = prop::option::of((
        select(GuestType::ALL),
        prop::option::of(select(&TENANTS[..])),
    ));
    (
        (select(&AGENTS[..]), prop::option::of(0..2_usize)),
        (
            select(&AGENT_USERS[..]),
            mostly(select(&HUMANS[..])),
            select(&WORKLOADS[..]),
        ),
        [attributes(), attributes()],
        (fact(attributes()), fact(any::<bool>())),
        (fact(some_of(&GROUPS)), fact(some_of(&ROLES)), fact(guest)),
    )
        .prop_map(|(agent, ids, attributes, workload, human)| Who {
            agent: agent.0,
            blueprint: agent.1,
            agent_user: ids.0,
            human: ids.1,
            workload: ids.2,
            attributes,
            workload_attributes: workload.0,
            in_tenant: workload.1,
            groups: human.0,
            roles: human.1,
            guest: human.2,
        })
        .boxed()
}

fn risk() -> BoxedStrategy<Risk> {
    let level = || fact(select(&RiskLevel::ALL[..]));
    (
        [level(), level(), level(), level(), level()],
        fact(select(InsiderRiskLevel::ALL)),
    )
        .prop_map(|(levels, insider)| Risk { levels, insider })
        .boxed()
}

fn session() -> BoxedStrategy<Session> {
    let address = select(&ADDRESSES[..]).prop_map(|text| text.parse().unwrap());
    let country = prop::option::of(select(&COUNTRIES[..]))
        .prop_map(|country| country.and_then(Country::parse));
    (
        (fact(address), fact(country)),
        fact(select(DevicePlatform::ALL)),
        fact(select(ClientAppType::ALL)),
        fact(prop::option::of(select(TransferMethod::ALL))),
        fact(device()),
        fact(some_of(&AGENT_CONTEXTS)),
    )
        .prop_map(
            |(place, platform, client_app_type, transfer_method, device, agent_contexts)| Session {
                address: place.0,
                country: place.1,
                platform,
                client_app_type,
                transfer_method,
                device,
                agent_contexts,
            },
        )
        .boxed()
}

fn controls() -> BoxedStrategy<Controls> {
    let flag = || fact(any::<bool>());
    (
        [flag(), flag(), flag(), flag(), flag()],
        fact(some_of(&STRENGTHS)),
        fact(some_of(&TERMS)),
        fact(some_of(&FACTORS)),
    )
        .prop_map(|(flags, strengths, terms, factors)| Controls {
            flags,
            lists: [strengths, terms, factors],
        })
        .boxed()
}

pub(super) fn call() -> BoxedStrategy<Call> {
    let resource = (
        mostly(select(&APPS[..])),
        mostly(attributes()),
        mostly(any::<bool>()),
        some_of(&CONTEXTS),
    )
        .prop_map(|(app, attributes, is_agent, contexts)| Resource {
            app,
            attributes,
            is_agent,
            contexts,
        });
    (
        0..11_u8,
        who(),
        risk(),
        resource,
        session(),
        controls(),
        prop::bool::weighted(0.3),
    )
        .prop_map(
            |(kind, who, risk, resource, session, controls, entra_parity)| Call {
                kind,
                who,
                risk,
                resource,
                session,
                controls,
                entra_parity,
            },
        )
        .boxed()
}
