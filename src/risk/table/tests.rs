use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::risk::RiskSubject;
use crate::types::{AgentId, RiskState};

const AGENT: &str = "a";
const SOURCES: [&str; 3] = ["file", "management", "transmitter"];

fn entry(source: &str, level: RiskLevel, state: RiskState, at: i64) -> RiskEntry {
    RiskEntry {
        id: AGENT.into(),
        subject: RiskSubject::AgentIdentity,
        level: Some(level),
        state,
        detail: "none".into(),
        last_modified: Timestamp::from_seconds(at),
        source: source.into(),
    }
}

fn table(entries: &[RiskEntry]) -> RiskTable {
    entries.iter().cloned().collect()
}

fn level(entries: &[RiskEntry]) -> Fact<RiskLevel> {
    let agent = Agent {
        id: AgentId::parse(AGENT).unwrap(),
        blueprint: None,
        entry: None,
        blueprint_entry: None,
    };
    let settings = RiskSettings {
        inherit: true,
        required: true,
    };
    table(entries)
        .assess(&Caller::Autonomous(agent), SignInIds::default(), settings)
        .agent
}

#[test]
fn of_what_several_sources_say_the_highest_counts() {
    let at_risk = |source, level, at| entry(source, level, RiskState::AtRisk, at);
    let said = [
        at_risk("file", RiskLevel::Low, 9),
        at_risk("transmitter", RiskLevel::Medium, 3),
    ];
    assert_eq!(level(&said), Fact::Known(RiskLevel::Medium));
    let withheld = RiskEntry {
        level: None,
        ..at_risk("management", RiskLevel::None, 1)
    };
    let said = [said[0].clone(), withheld];
    assert_eq!(level(&said), Fact::RequiredUnknown);
}

#[test]
fn an_administrators_word_wins_until_newer_evidence_arrives() {
    let before = entry("transmitter", RiskLevel::High, RiskState::AtRisk, 1);
    let safe = entry("management", RiskLevel::None, RiskState::ConfirmedSafe, 2);
    let after = entry("file", RiskLevel::Medium, RiskState::AtRisk, 3);
    assert_eq!(
        level(&[before.clone(), safe.clone()]),
        Fact::Known(RiskLevel::None)
    );
    let all = [before, safe, after];
    assert_eq!(level(&all), Fact::Known(RiskLevel::Medium));
    let said: Vec<_> = table(&all)
        .of(AGENT)
        .map(|e| e.source.to_string())
        .collect();
    assert_eq!(said, ["file", "management", "transmitter"]);
}

#[test]
fn newer_evidence_of_a_lower_level_does_not_lift_a_confirmed_compromise() {
    let word = RiskState::ConfirmedCompromised;
    let compromised = entry("management", RiskLevel::High, word, 1);
    let low = entry("file", RiskLevel::Low, RiskState::AtRisk, 2);
    assert_eq!(
        level(&[compromised.clone(), low]),
        Fact::Known(RiskLevel::High)
    );
    let safe = entry("file", RiskLevel::None, RiskState::ConfirmedSafe, 2);
    assert_eq!(level(&[compromised, safe]), Fact::Known(RiskLevel::None));
}

#[test]
fn a_source_that_says_all_anew_takes_back_what_it_left_out_and_nothing_else() {
    let file = entry("file", RiskLevel::High, RiskState::AtRisk, 1);
    let other = entry("transmitter", RiskLevel::Low, RiskState::AtRisk, 1);
    let both = table(&[file, other.clone()]);
    let table = both.with_all_of("file", &[]);
    assert_eq!(table.of(AGENT).map(|e| &**e).collect::<Vec<_>>(), [&other]);
    assert!(table.with_all_of("transmitter", &[]).is_empty());
    let again = entry("file", RiskLevel::Medium, RiskState::AtRisk, 0);
    let table = both.with_all_of("file", &[again]);
    assert_eq!(table.get(AGENT).unwrap().level, Some(RiskLevel::Medium));
}

fn entries() -> impl Strategy<Value = Vec<RiskEntry>> {
    let one = (
        prop::sample::select(SOURCES.to_vec()),
        prop::option::of(prop::sample::select(RiskLevel::ALL.to_vec())),
        prop::sample::select(RiskState::ALL.to_vec()),
        0..4i64,
        prop::sample::select(vec!["a", "b"]),
        prop::sample::select(vec![
            RiskSubject::AgentIdentity,
            RiskSubject::User,
            RiskSubject::SignIn,
        ]),
    );
    let one = one.prop_map(|(source, level, state, at, id, subject)| RiskEntry {
        id: id.into(),
        subject,
        level,
        ..entry(source, RiskLevel::None, state, at)
    });
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn whatever_the_order_tables_that_saw_the_same_agree(
        (one, other) in entries().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        again in 0..12usize,
    ) {
        let (one, mut other) = (table(&one), table(&other));
        // What is heard twice is heard once.
        let heard: Vec<_> = one.entries().map(|entry| RiskEntry::clone(entry)).collect();
        other.extend(heard.into_iter().take(again));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn what_is_held_is_the_gravest_of_what_counts(all in entries()) {
        let table = table(&all);
        for id in ["a", "b"] {
            let counting: Vec<_> = table.agents.counting(id).map(|entry| entry.rank()).collect();
            let is_sorted = counting.is_sorted_by(|one, other| one.weight >= other.weight);
            prop_assert!(is_sorted, "{:?}", counting);
            let words = table.of(id).filter(|entry| entry.state.is_of_an_admin());
            let word = words.map(|entry| entry.rank()).max();
            for entry in table.of(id).skip(counting.len()) {
                prop_assert!(Some(entry.rank()) < word);
            }
        }
    }
}
