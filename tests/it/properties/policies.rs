//! Policies with every condition and control, and the named locations that they speak of.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use boomgate::policy::filter::FilterRule;
use boomgate::policy::locations::{
    COMPLIANT_NETWORK, MFA_TRUSTED_IPS, NamedLocation, OwnRanges, Place,
};
use boomgate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Choice, ConditionSet, Filter, FilterMode,
    GrantControls, Guests, LocationTarget, Operator, Origin, PlatformTarget, RiskLevels,
    UserTarget, WorkloadTarget,
};
use boomgate::policy::{Control, Policy, PolicyState};
use boomgate::types::{
    AppId, ClientAppType, Country, DevicePlatform, GuestType, InsiderRiskLevel, IpRange, ObjectId,
    PolicyId, RiskLevel, TenantId, TransferMethod,
};
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop, prop_oneof};
use proptest::sample::{select, subsequence};

use super::calls::{
    AGENT_CONTEXTS, AGENT_USERS, AGENTS, APPS, BLUEPRINTS, CONTEXTS, FACTORS, GROUPS, HUMANS,
    PRINCIPALS, ROLES, STRENGTHS, TENANTS, TERMS, WORKLOADS,
};
use super::rules::{device_rule, rule};

fn id(text: &str) -> ObjectId {
    ObjectId::parse(text).unwrap()
}

fn mode() -> BoxedStrategy<FilterMode> {
    select(&[FilterMode::Include, FilterMode::Exclude][..]).boxed()
}

pub(super) fn filter() -> BoxedStrategy<Option<Filter>> {
    let filter = (mode(), rule()).prop_map(|(mode, text)| Filter {
        mode,
        rule: FilterRule::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault}")),
    });
    prop_oneof![3 => Just(None), 1 => filter.prop_map(Some)].boxed()
}

fn device_filter() -> BoxedStrategy<Filter> {
    (mode(), device_rule())
        .prop_map(|(mode, text)| Filter {
            mode,
            rule: FilterRule::parse_device(&text).unwrap_or_else(|fault| panic!("{text}: {fault}")),
        })
        .boxed()
}

fn include_and_exclude<T: Clone + Debug + 'static>(
    wide: T,
    narrow: Vec<T>,
) -> BoxedStrategy<(Vec<T>, Vec<T>)> {
    let include = prop_oneof![
        4 => Just(vec![wide]),
        4 => prop::collection::vec(select(narrow.clone()), 1..3),
        1 => Just(Vec::new()),
    ];
    let exclude = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(select(narrow), 1..3),
    ];
    (include, exclude).boxed()
}

pub(super) fn assignment<T: Clone + Debug + 'static>(
    wide: T,
    narrow: Vec<T>,
) -> BoxedStrategy<Assignment<T>> {
    (include_and_exclude(wide, narrow), filter())
        .prop_map(|((include, exclude), filter)| Assignment {
            include,
            exclude,
            filter,
        })
        .boxed()
}

fn agents(ids: &[&[&str]]) -> BoxedStrategy<Assignment<AgentTarget>> {
    let ids = ids
        .concat()
        .into_iter()
        .map(|text| AgentTarget::Id(id(text)));
    let narrow: Vec<_> = ids.chain([AgentTarget::None, AgentTarget::All]).collect();
    prop_oneof![
        1 => Just(Assignment::default()),
        3 => assignment(AgentTarget::All, narrow),
    ]
    .boxed()
}

fn users() -> BoxedStrategy<Assignment<UserTarget>> {
    let mut narrow = vec![UserTarget::None, UserTarget::GuestsOrExternalUsers];
    narrow.extend(HUMANS.map(|text| UserTarget::Id(id(text))));
    narrow.extend(GROUPS.map(|text| UserTarget::Group(id(text))));
    narrow.extend(ROLES.map(|text| UserTarget::Role(id(text))));
    let some: BTreeSet<_> = [GuestType::InternalGuest, GuestType::B2bCollaborationGuest].into();
    let tenants = [
        None,
        Some(BTreeSet::from([TenantId::parse(TENANTS[0]).unwrap()])),
    ];
    for kinds in [GuestType::ALL.iter().copied().collect(), some] {
        narrow.extend(tenants.clone().map(|tenants| {
            let kinds = BTreeSet::clone(&kinds);
            UserTarget::Guests(Guests { kinds, tenants })
        }));
    }
    prop_oneof![
        1 => Just(Assignment::default()),
        3 => include_and_exclude(UserTarget::All, narrow).prop_map(|(include, exclude)| {
            Assignment { include, exclude, filter: None }
        }),
    ]
    .boxed()
}

fn workloads() -> BoxedStrategy<Assignment<WorkloadTarget>> {
    let ids = WORKLOADS.map(|text| WorkloadTarget::Id(id(text)));
    let narrow = [&ids[..], &[WorkloadTarget::None]].concat();
    prop_oneof![
        1 => Just(Assignment::default()),
        3 => assignment(WorkloadTarget::InMyTenant, narrow),
    ]
    .boxed()
}

fn applications() -> BoxedStrategy<Assignment<ApplicationTarget>> {
    let ids = APPS.map(|id| ApplicationTarget::Id(AppId::parse(id).unwrap()));
    let contexts = CONTEXTS.map(|text| ApplicationTarget::AuthenticationContext(text.into()));
    let words = [
        ApplicationTarget::None,
        ApplicationTarget::AllAgentIdResources,
        ApplicationTarget::Group("Office365"),
        ApplicationTarget::UserAction("urn:user:registerdevice".into()),
    ];
    assignment(
        ApplicationTarget::All,
        [&ids[..], &contexts[..], &words[..]].concat(),
    )
    .boxed()
}

fn levels() -> BoxedStrategy<Option<RiskLevels>> {
    sometimes(0.25, subsequence(RiskLevel::ALL.to_vec(), 0..4))
        .prop_map(|levels| levels.map(RiskLevels::from_iter))
        .boxed()
}

fn sometimes<T: Debug + 'static>(
    often: f64,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    prop::option::weighted(often, value).boxed()
}

fn set<T: Ord + Clone + Debug + 'static>(all: &'static [T]) -> BoxedStrategy<Option<BTreeSet<T>>> {
    sometimes(0.15, subsequence(all, 1..=all.len()))
        .prop_map(|some| some.map(|some| some.into_iter().collect()))
        .boxed()
}

fn choice<T: Clone + Debug + 'static>(wide: T, narrow: Vec<T>) -> BoxedStrategy<Option<Choice<T>>> {
    let choice = include_and_exclude(wide.clone(), narrow).prop_map(move |(include, exclude)| {
        let include = if include.is_empty() {
            vec![wide.clone()]
        } else {
            include
        };
        Choice { include, exclude }
    });
    sometimes(0.2, choice).boxed()
}

fn platforms() -> BoxedStrategy<Option<Choice<PlatformTarget>>> {
    let all = DevicePlatform::ALL.iter().copied().map(PlatformTarget::One);
    choice(PlatformTarget::All, all.collect()).boxed()
}

/// Ids of named locations: two by address, two by country, one of which nobody tells, one that is not there.
const LOCATIONS: [&str; 6] = ["office", "desk", "home", "nowhere", "moon", "missing"];

fn locations() -> BoxedStrategy<Option<Choice<LocationTarget>>> {
    let ids = LOCATIONS
        .iter()
        .chain(&[MFA_TRUSTED_IPS, COMPLIANT_NETWORK]);
    let mut narrow: Vec<_> = ids.map(|text| LocationTarget::Id(id(text))).collect();
    narrow.push(LocationTarget::AllTrusted);
    choice(LocationTarget::All, narrow).boxed()
}

/// The named locations of which policies here speak, and the operator's own ranges, told or not.
pub(super) fn places() -> BoxedStrategy<(Vec<NamedLocation>, OwnRanges)> {
    let range = |text: &str| IpRange::parse(text).unwrap();
    let own = |text: &'static str| prop::option::of(Just(vec![range(text)]));
    let country = |names: &[&str], includes_unknown| Place::Country {
        countries: names
            .iter()
            .filter_map(|name| Country::parse(name))
            .collect(),
        includes_unknown,
    };
    let all = vec![
        location(
            "office",
            Place::Ip(vec![range("198.51.100.0/24"), range("2001:db8::/48")]),
            true,
        ),
        location("desk", Place::Ip(vec![range("198.51.100.7/32")]), false),
        location("home", country(&["NO", "SE"], false), false),
        location("nowhere", country(&["DE"], true), false),
        location("moon", Place::NotHonoured, false),
    ];
    (own("203.0.113.0/24"), own("10.0.0.0/8"))
        .prop_map(move |(mfa_trusted_ips, compliant_network)| {
            let own = OwnRanges {
                mfa_trusted_ips,
                compliant_network,
            };
            (all.clone(), own)
        })
        .boxed()
}

fn location(name: &str, place: Place, is_trusted: bool) -> NamedLocation {
    NamedLocation {
        id: id(name),
        display_name: name.into(),
        place,
        is_trusted,
        origin: origin(),
        source: serde_json::Map::new(),
    }
}

fn origin() -> Origin {
    Origin {
        file: "p.json".into(),
        line: 1,
        column: 1,
    }
}

fn conditions() -> BoxedStrategy<ConditionSet> {
    let contexts: Vec<Arc<str>> = AGENT_CONTEXTS.map(Arc::from).to_vec();
    (
        (
            applications(),
            agents(&[&AGENTS, &BLUEPRINTS, &PRINCIPALS]),
            agents(&[&AGENT_USERS]),
        ),
        (users(), workloads()),
        (
            levels(),
            levels(),
            levels(),
            levels(),
            set(InsiderRiskLevel::ALL),
        ),
        (platforms(), locations(), sometimes(0.2, device_filter())),
        (
            choice(Arc::clone(&contexts[0]), contexts),
            set(TransferMethod::ALL),
            set(ClientAppType::ALL),
        ),
        0..4_u8,
    )
        .prop_map(|(agents, others, risk, device, rest, plain)| {
            let mut conditions = ConditionSet {
                applications: agents.0,
                agent_identities: agents.1,
                agent_users: agents.2,
                users: others.0,
                workloads: others.1,
                agent_risk: risk.0,
                user_risk: risk.1,
                sign_in_risk: risk.2,
                service_principal_risk: risk.3,
                insider_risk: risk.4,
                platforms: device.0,
                locations: device.1,
                device_filter: device.2,
                agent_contexts: rest.0,
                transfer_methods: rest.1,
                client_app_types: rest.2,
            };
            // Most policies ask for what concerns those whom they include.
            if plain < 3 {
                conditions.service_principal_risk = None;
                conditions.insider_risk = None;
                conditions.transfer_methods = None;
                conditions.agent_contexts = None;
            }
            if plain < 2 {
                conditions.user_risk = None;
                conditions.sign_in_risk = None;
                conditions.client_app_types = None;
            }
            if plain == 1 {
                conditions.agent_risk = None;
            }
            conditions
        })
        .boxed()
}

fn grant_controls() -> BoxedStrategy<GrantControls> {
    let controls = prop_oneof![
        3 => Just(vec![Control::Block]),
        1 => Just(Vec::new()),
        4 => subsequence(Control::ALL[1..].to_vec(), 1..4),
        1 => subsequence(Control::ALL.to_vec(), 1..4),
    ];
    let some = |all: &'static [&'static str]| subsequence(all, 1..=all.len());
    (
        controls,
        select(&[Operator::And, Operator::Or][..]),
        (select(&STRENGTHS[..]), some(&TERMS), some(&FACTORS)),
    )
        .prop_map(|(controls, operator, (strength, terms, factors))| {
            let has = |control| controls.contains(&control);
            GrantControls {
                operator,
                authentication_strength: has(Control::AuthenticationStrength).then(|| id(strength)),
                terms_of_use: if has(Control::TermsOfUse) {
                    terms.into_iter().map(id).collect()
                } else {
                    Vec::new()
                },
                custom_factors: if has(Control::CustomAuthenticationFactors) {
                    factors.into_iter().map(Arc::from).collect()
                } else {
                    Vec::new()
                },
                controls: controls.into_iter().collect(),
            }
        })
        .boxed()
}

pub(super) fn policy() -> BoxedStrategy<Policy> {
    let state = prop_oneof![
        5 => Just((PolicyState::Enabled, true)),
        1 => Just((PolicyState::Disabled, true)),
        2 => Just((PolicyState::EnabledForReportingButNotEnforced, true)),
        1 => Just((PolicyState::EnabledForReportingButNotEnforced, false)),
    ];
    (conditions(), grant_controls(), state)
        .prop_map(|(conditions, grant_controls, (state, understood))| Policy {
            id: PolicyId::parse("p").unwrap(),
            display_name: "p".into(),
            state,
            origin: origin(),
            conditions,
            grant_controls,
            not_understood: if understood {
                Vec::new()
            } else {
                vec!["conditions.x".into()]
            },
            named_locations: Vec::new(),
            source: serde_json::Map::new(),
        })
        .boxed()
}
