//! The level that counts, of whatever sources said, in whatever order (`reference/entra.md` §5.5): against a slow twin,
//! and explained by what it was made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use boomgate::identity::{Agent, Blueprint, Caller};
use boomgate::risk::{RiskEntry, RiskSettings, RiskSubject, RiskTable, SignInIds};
use boomgate::types::{
    AgentId, AgentUserId, Attributes, BlueprintId, Fact, PrincipalId, RiskLevel, RiskState,
    Timestamp,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_assert_eq, proptest};

const SUBJECTS: [&str; 5] = ["user", "agent", "blueprint", "principal", "sibling"];
const SOURCES: [&str; 5] = [
    "file",
    "management",
    "transmitter",
    "boomgate:tokenReplay",
    "boomgate:signInSpike",
];

/// What was said, each at a time of its own.
fn said() -> impl Strategy<Value = Vec<RiskEntry>> {
    let one = (
        prop::sample::select(SUBJECTS.to_vec()),
        prop::sample::select(SOURCES.to_vec()),
        prop::option::weighted(0.9, prop::sample::select(RiskLevel::ALL.to_vec())),
        prop::sample::select(RiskState::ALL.to_vec()),
    );
    let all = prop::collection::vec(one, 0..14).prop_map(|all| {
        let entries = (0_i64..).zip(all);
        let entries = entries.map(|(at, (id, source, level, state))| RiskEntry {
            id: id.into(),
            subject: RiskSubject::AgentIdentity,
            level,
            state,
            detail: "none".into(),
            last_modified: Timestamp::from_seconds(at),
            source: source.into(),
        });
        entries.collect::<Vec<_>>()
    });
    all.prop_flat_map(|all| Just(all).prop_shuffle())
}

/// What counts of one subject, read off the rules one by one.
fn counting<'a>(said: &'a [RiskEntry], id: &str) -> Vec<&'a RiskEntry> {
    let mut latest: BTreeMap<&str, &RiskEntry> = BTreeMap::new();
    for entry in said.iter().filter(|entry| *entry.id == *id) {
        let known = latest.entry(&entry.source).or_insert(entry);
        if known.last_modified < entry.last_modified {
            *known = entry;
        }
    }
    let is_word = |entry: &&&RiskEntry| {
        matches!(
            entry.state,
            RiskState::ConfirmedSafe | RiskState::Dismissed | RiskState::ConfirmedCompromised
        )
    };
    let word = latest
        .values()
        .filter(is_word)
        .map(|entry| entry.last_modified)
        .max();
    let stands = |entry: &&RiskEntry| word.is_none_or(|word| entry.last_modified >= word);
    latest.into_values().filter(stands).collect()
}

/// The highest of what counts; one that is withheld could be anything but is no more than the highest.
fn highest<'a>(entries: impl Iterator<Item = &'a RiskEntry>, required: bool) -> Fact<RiskLevel> {
    let levels: Vec<Option<RiskLevel>> = entries
        .map(|entry| match entry.state {
            RiskState::AtRisk | RiskState::ConfirmedCompromised => entry.level,
            _ => Some(RiskLevel::None),
        })
        .collect();
    let known = levels
        .iter()
        .flatten()
        .max()
        .copied()
        .unwrap_or(RiskLevel::None);
    match (known, levels.contains(&None)) {
        (RiskLevel::High, _) | (_, false) => Fact::Known(known),
        (_, true) if required => Fact::RequiredUnknown,
        (RiskLevel::None, true) => Fact::Unknown,
        (_, true) => Fact::Known(known),
    }
}

fn agent() -> Agent {
    let blueprint = BlueprintId::parse("blueprint").unwrap();
    Agent {
        id: AgentId::parse("agent").unwrap(),
        blueprint: Some(blueprint.clone()),
        entry: None,
        blueprint_entry: Some(Arc::new(Blueprint {
            app_id: blueprint,
            object_id: None,
            principal_id: Some(PrincipalId::parse("principal").unwrap()),
            display_name: "blueprint".into(),
            enabled: true,
            attributes: Attributes::default(),
            sponsors: Vec::new(),
        })),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_highest_of_what_counts_is_the_level_of_every_caller_and_explains_it(
        said in said(),
        inherit in prop::bool::ANY,
        required in prop::bool::ANY,
    ) {
        let table: RiskTable = said.iter().cloned().collect();
        let settings = RiskSettings { inherit, required };
        let of_agent: &[&str] = if inherit { &["agent", "blueprint", "principal"] } else { &["agent"] };
        let level = |ids: &[&str]| {
            let entries = ids.iter().flat_map(|id| counting(&said, id));
            highest(entries, required)
        };
        let alone = table.assess(&Caller::Autonomous(agent()), SignInIds::default(), settings);
        prop_assert_eq!(alone.agent, level(of_agent));
        let explains = highest(alone.inputs.iter().map(|input| &*input.entry), required);
        prop_assert_eq!(alone.agent, explains);
        let own = alone.inputs.iter().filter(|input| !input.inherited);
        prop_assert_eq!(own.count(), counting(&said, "agent").len());

        let user = Caller::AgentUser {
            id: AgentUserId::parse("user").unwrap(),
            entry: None,
            agent: agent(),
        };
        let user = table.assess(&user, SignInIds::default(), settings);
        let of_user = if inherit { [&["user"], of_agent].concat() } else { vec!["user"] };
        prop_assert_eq!(user.agent_user, level(&of_user));
        prop_assert_eq!(user.agent, alone.agent);
    }
}
