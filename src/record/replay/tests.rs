//! What is written is what is read back, whatever the facts.

use std::sync::LazyLock;

use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::sample::select;

use super::*;
use crate::decision::Decided;
use crate::record::model::Source;
use crate::record::tests::fixture::{self, Who};
use crate::types::AttributeValue;

/// One decided call of each kind of caller.
static CALLS: LazyLock<Vec<Decided>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let mut calls = Vec::new();
        for who in Who::ALL {
            calls.push(fixture::decided(who, "/hr/people/7", None).await);
        }
        calls
    })
});

/// The line of a call, as if policies had read these facts of it.
fn line(call: &Decided, facts: &Facts<'_>) -> Vec<u8> {
    let source = Source {
        facts: *facts,
        ..Source::of(call)
    };
    fixture::line(&source, false)
}

fn read(line: &[u8]) -> RecordedFacts {
    let shown = String::from_utf8_lossy(line).into_owned();
    RecordedFacts::read(line).unwrap_or_else(|fault| panic!("{fault}: {shown}"))
}

#[test]
fn a_call_is_decided_again_as_it_was() {
    for call in CALLS.iter() {
        let again = read(&line(call, &call.facts()));
        let decision = call.decision();
        let evaluation = decision.policies.evaluate(&again.facts());
        assert_eq!(evaluation, decision.evaluation);
    }
}

fn fact<T: std::fmt::Debug + Clone>(
    known: impl Strategy<Value = T>,
) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![
        3 => known.prop_map(Fact::Known),
        1 => Just(Fact::Unknown),
        1 => Just(Fact::RequiredUnknown),
    ]
}

fn text() -> impl Strategy<Value = Arc<str>> {
    "[a-zA-Z\"\\\\ä€ .:-]{0,6}".prop_map(Arc::from)
}

fn list() -> impl Strategy<Value = Vec<Arc<str>>> {
    prop::collection::vec(text(), 0..4)
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let value = prop_oneof![
        text().prop_map(AttributeValue::One),
        list().prop_map(|many| AttributeValue::Many(many.into())),
    ];
    prop::collection::vec((text(), value), 0..4).prop_map(Attributes::from_pairs)
}

fn level() -> impl Strategy<Value = Fact<RiskLevel>> {
    fact(select(&RiskLevel::ALL[..]))
}

fn agent(like: RecordedAgent) -> impl Strategy<Value = RecordedAgent> {
    (prop::option::of(text()), attributes(), level()).prop_map(
        move |(blueprint_principal_id, attributes, risk)| RecordedAgent {
            blueprint_principal_id,
            attributes,
            risk,
            ..like.clone()
        },
    )
}

fn human(like: RecordedHuman) -> impl Strategy<Value = RecordedHuman> {
    let guest = prop::option::of((select(GuestType::ALL), prop::option::of(text())));
    let risks = (level(), level(), fact(select(InsiderRiskLevel::ALL)));
    (fact(list()), fact(list()), fact(guest), risks).prop_map(
        move |(groups, roles, guest, risks)| RecordedHuman {
            id: like.id.clone(),
            groups,
            roles,
            guest,
            user_risk: risks.0,
            sign_in_risk: risks.1,
            insider_risk: risks.2,
        },
    )
}

/// Subjects of the kind that a call's caller is, with its ids.
fn subject(like: RecordedSubject) -> impl Strategy<Value = RecordedSubject> {
    match like {
        RecordedSubject::AgentIdentity(like) => {
            agent(like).prop_map(RecordedSubject::AgentIdentity).boxed()
        }
        RecordedSubject::AgentUser {
            id, agent: like, ..
        } => (attributes(), level(), agent(like))
            .prop_map(
                move |(attributes, risk, agent)| RecordedSubject::AgentUser {
                    id: Arc::clone(&id),
                    attributes,
                    risk,
                    agent,
                },
            )
            .boxed(),
        RecordedSubject::OnBehalfOf {
            human: like,
            agent: acts,
        } => (human(like), agent(acts))
            .prop_map(|(human, agent)| RecordedSubject::OnBehalfOf { human, agent })
            .boxed(),
        RecordedSubject::Human(like) => human(like).prop_map(RecordedSubject::Human).boxed(),
        RecordedSubject::Workload(like) => (fact(any::<bool>()), fact(attributes()), level())
            .prop_map(move |(in_tenant, attributes, risk)| {
                RecordedSubject::Workload(RecordedWorkload {
                    id: Arc::clone(&like.id),
                    in_tenant,
                    attributes,
                    risk,
                })
            })
            .boxed(),
    }
}

fn controls() -> impl Strategy<Value = RecordedControls> {
    let flags = [(); 5].map(|()| fact(any::<bool>()));
    let lists = [(); 3].map(|()| fact(list()));
    (flags, lists).prop_map(
        |(flags, [authentication_strengths, terms_of_use, custom_factors])| RecordedControls {
            mfa: flags[0],
            approved_application: flags[1],
            compliant_application: flags[2],
            password_change: flags[3],
            risk_remediation: flags[4],
            authentication_strengths,
            terms_of_use,
            custom_factors,
        },
    )
}

fn session(address: Fact<IpAddr>) -> impl Strategy<Value = RecordedSession> {
    let country = prop::option::of("[A-Z]{2}".prop_map(|text| Country::parse(&text).unwrap()));
    let method = prop::option::of(select(TransferMethod::ALL));
    (
        (fact(country), fact(method)),
        (
            fact(select(DevicePlatform::ALL)),
            fact(select(ClientAppType::ALL)),
        ),
        (fact(attributes()), fact(list()), controls()),
    )
        .prop_map(
            move |((country, transfer_method), (platform, client_app_type), rest)| {
                let (device, agent_contexts, controls) = rest;
                RecordedSession {
                    address,
                    country,
                    platform,
                    client_app_type,
                    transfer_method,
                    device,
                    agent_contexts,
                    controls,
                }
            },
        )
}

/// Facts of one of the calls: all that a record can hold of it, whether policies would read it or not.
fn facts() -> impl Strategy<Value = (usize, RecordedFacts)> {
    (0..CALLS.len()).prop_flat_map(|place| {
        let call = &CALLS[place];
        let like = read(&line(call, &call.facts()));
        let resource = (fact(attributes()), fact(any::<bool>()), list());
        (
            subject(like.subject.clone()),
            session(like.session.address),
            resource,
            any::<bool>(),
        )
            .prop_map(move |(subject, session, resource, entra_parity)| {
                let (attributes, is_agent, authentication_contexts) = resource;
                let facts = RecordedFacts {
                    subject,
                    resource: RecordedResource {
                        attributes,
                        is_agent,
                        authentication_contexts,
                        ..like.resource.clone()
                    },
                    session,
                    entra_parity,
                    at: like.at,
                };
                (place, facts)
            })
    })
}

proptest! {
    #[test]
    fn every_fact_is_read_back_as_it_was((place, facts) in facts()) {
        prop_assert_eq!(read(&line(&CALLS[place], &facts.facts())), facts);
    }

    #[test]
    fn no_line_makes_the_reader_fall_over(line in any::<Vec<u8>>()) {
        prop_assert!(RecordedFacts::read(&line).is_err());
    }
}

#[test]
fn what_is_not_whole_is_not_decided_again() {
    let call = CALLS
        .iter()
        .find(|call| call.identified().caller().kind() == "on_behalf_of");
    let call = call.unwrap();
    let groups: Vec<Arc<str>> = (0..10_000).map(|at| format!("group-{at}").into()).collect();
    let mut facts = call.facts();
    if let Subject::OnBehalfOf { human, .. } = &mut facts.subject {
        human.groups = Fact::Known(&groups);
    }
    let text = line(call, &facts);
    assert!(text.len() < 32 * 1024);
    let fault = RecordedFacts::read(&text).unwrap_err();
    assert_eq!(fault, NotReplayable::Truncated("groups".to_owned()));
}

#[test]
fn says_why_a_line_is_no_decision_or_not_a_whole_one() {
    let call = line(&CALLS[0], &CALLS[0].facts());
    let text = String::from_utf8(call).unwrap();
    let of = |text: &str| RecordedFacts::read(text.as_bytes()).unwrap_err();
    let outcome = r#"{"id":"1","boomgate":{"outcome":{"result":"completed"}}}"#;
    assert_eq!(of(outcome), NotReplayable::NoDecision);
    let refusal = r#"{"id":"1","boomgate":{"decision":"block","reason":"credential_missing"}}"#;
    assert_eq!(of(refusal), NotReplayable::NoDecision);
    let older = text.replace(r#""entraParity":false,"#, "");
    assert_eq!(
        of(&older),
        NotReplayable::Incomplete("boomgate.entraParity")
    );
    let changed = text.replace(r#""agentRiskLevel":"none""#, r#""agentRiskLevel":"severe""#);
    assert_eq!(
        of(&changed),
        NotReplayable::Malformed("boomgate.agentRiskLevel")
    );
    assert!(matches!(of("{"), NotReplayable::NotARecord(_)));
}
