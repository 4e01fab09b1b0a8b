use super::*;
use crate::identity::{Account, Agent, Caller, Human, NonAgent};
use crate::types::{AgentId, ObjectId};

const REQUIRED: RiskSettings = RiskSettings {
    inherit: true,
    required: true,
};

fn entry(subject: RiskSubject, id: &str, level: Option<RiskLevel>) -> RiskEntry {
    RiskEntry {
        id: id.into(),
        subject,
        level,
        state: RiskState::AtRisk,
        detail: "none".into(),
        last_modified: Timestamp::from_seconds(1),
        source: "file".into(),
    }
}

fn on_behalf_of(human: &str) -> Caller {
    Caller::OnBehalfOf {
        human: Human {
            id: Some(ObjectId::parse(human).unwrap()),
            entry: None,
        },
        agent: Agent {
            id: AgentId::parse("a").unwrap(),
            blueprint: None,
            entry: None,
            blueprint_entry: None,
        },
    }
}

fn workload(id: &str) -> Caller {
    Caller::NotAgent(NonAgent {
        id: ObjectId::parse(id).unwrap(),
        client: None,
        account: Account::Workload(None),
        blueprint_entry: None,
        may_be_agent: false,
    })
}

const SESSION: SignInIds<'_> = SignInIds {
    session: Some("s1"),
    token: Some("t1"),
};

#[test]
fn each_kind_of_risk_is_its_own() {
    let (low, medium, high) = (RiskLevel::Low, RiskLevel::Medium, RiskLevel::High);
    let table: RiskTable = [
        entry(RiskSubject::AgentIdentity, "a", Some(low)),
        entry(RiskSubject::User, "h", Some(medium)),
        entry(RiskSubject::Insider, "h", Some(high)),
        entry(RiskSubject::SignIn, "s1", Some(low)),
        entry(RiskSubject::SignIn, "t1", Some(medium)),
        entry(RiskSubject::ServicePrincipal, "w", Some(high)),
    ]
    .into_iter()
    .collect();
    let human = table.assess(&on_behalf_of("h"), SESSION, REQUIRED);
    assert_eq!(human.agent, Fact::Known(low));
    assert_eq!(human.user, Fact::Known(medium));
    assert_eq!(human.insider, Fact::Known(InsiderRiskLevel::Elevated));
    assert_eq!(human.sign_in, Fact::Known(medium));
    assert_eq!(human.service_principal, Fact::Known(RiskLevel::None));
    assert_eq!(human.inputs.len(), 5);
    let robot = table.assess(&workload("w"), SESSION, REQUIRED);
    assert_eq!(robot.service_principal, Fact::Known(high));
    assert_eq!(robot.user, Fact::Known(RiskLevel::None));
    // The same id as another kind of account is somebody else's.
    let other = table.assess(&workload("h"), SESSION, REQUIRED);
    assert_eq!(other.service_principal, Fact::Known(RiskLevel::None));
    assert_eq!(table.len(), 1, "the table of agents");
}

#[test]
fn the_highest_report_of_a_session_counts_and_a_withheld_one_hides_the_rest() {
    let reports = |levels: &[Option<RiskLevel>]| -> Fact<RiskLevel> {
        let of = |level: &Option<RiskLevel>| entry(RiskSubject::SignIn, "s1", *level);
        let table: RiskTable = levels.iter().map(of).collect();
        table.assess(&on_behalf_of("h"), SESSION, REQUIRED).sign_in
    };
    let (low, high) = (Some(RiskLevel::Low), Some(RiskLevel::High));
    assert_eq!(reports(&[high, low]), Fact::Known(RiskLevel::High));
    assert_eq!(reports(&[low, None]), Fact::RequiredUnknown);
    assert_eq!(reports(&[None, high]), Fact::Known(RiskLevel::High));
}

#[test]
fn a_session_that_has_no_name_may_be_any_of_those_that_were_reported() {
    let table: RiskTable = [entry(RiskSubject::SignIn, "s2", Some(RiskLevel::High))]
        .into_iter()
        .collect();
    let of = |ids| table.assess(&on_behalf_of("h"), ids, REQUIRED).sign_in;
    assert_eq!(of(SESSION), Fact::Known(RiskLevel::None));
    assert_eq!(of(SignInIds::default()), Fact::RequiredUnknown);
    let none = RiskTable::default();
    let unreported = none.assess(&on_behalf_of("h"), SignInIds::default(), REQUIRED);
    assert_eq!(unreported.sign_in, Fact::Known(RiskLevel::None));
}

#[test]
fn a_level_that_is_withheld_is_unknown_in_every_kind() {
    let table: RiskTable = [
        entry(RiskSubject::User, "h", None),
        entry(RiskSubject::Insider, "h", None),
        entry(RiskSubject::ServicePrincipal, "w", None),
    ]
    .into_iter()
    .collect();
    let optional = RiskSettings {
        required: false,
        ..REQUIRED
    };
    let required = table.assess(&on_behalf_of("h"), SESSION, REQUIRED);
    assert_eq!(required.user, Fact::RequiredUnknown);
    assert_eq!(required.insider, Fact::RequiredUnknown);
    let human = table.assess(&on_behalf_of("h"), SESSION, optional);
    assert_eq!((human.user, human.insider), (Fact::Unknown, Fact::Unknown));
    let robot = table.assess(&workload("w"), SESSION, optional);
    assert_eq!(robot.service_principal, Fact::Unknown);
}
