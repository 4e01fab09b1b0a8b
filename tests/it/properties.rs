//! What holds for every policy set and every call: the evaluator agrees with its slow [`twin`], and
//! no policy, risk or text does what it must not.

mod lint;

use std::sync::Arc;

use boomgate::policy::filter::FilterRule;
use boomgate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, ConditionSet, Filter, FilterMode, GrantControls,
    Origin, RiskLevels,
};
use boomgate::policy::read::read;
use boomgate::policy::{
    AgentFacts, AgentUserFacts, Facts, HumanFacts, OnUnsupported, Policy, PolicySet, PolicyState,
    ResourceFacts, SessionFacts, Subject, Verdict,
};
use boomgate::types::{
    AppId, AttributeValue, Attributes, Fact, ObjectId, PolicyId, RiskLevel, Timestamp,
};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::sample::select;

use crate::twin;

const AGENTS: [&str; 3] = ["agent-1", "agent-2", "agent-3"];
const BLUEPRINTS: [&str; 2] = ["blueprint-1", "blueprint-2"];
const PRINCIPALS: [&str; 2] = ["principal-1", "principal-2"];
const USERS: [&str; 2] = ["user-1", "user-2"];
const APPS: [&str; 3] = ["app-1", "app-2", "app-3"];
const ATTRIBUTES: [&str; 2] = ["S_A", "S_B"];
const VALUES: [&str; 5] = ["hr", "it", "h", "hr it", ""];

/// A call, with all that its facts borrow.
#[derive(Debug, Clone)]
struct Call {
    kind: u8,
    agent: &'static str,
    blueprint: Option<usize>,
    user: &'static str,
    app: &'static str,
    attributes: [Attributes; 3],
    risk: [Fact<RiskLevel>; 2],
    is_agent: bool,
    /// What is not known of the resource, and from what kind of source.
    missing: Missing,
    entra_parity: bool,
}

/// What is not known of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// All but the appId.
    AllButId {
        required: bool,
    },
    All {
        required: bool,
    },
}

/// A fact of the resource, if it is known.
fn fact<T>(value: T, is_missing: bool, required: bool) -> Fact<T> {
    match (is_missing, required) {
        (false, _) => Fact::Known(value),
        (true, true) => Fact::RequiredUnknown,
        (true, false) => Fact::Unknown,
    }
}

impl Call {
    fn facts(&self) -> Facts<'_> {
        let [of_agent, of_user, of_app] = &self.attributes;
        let agent = AgentFacts {
            id: self.agent,
            blueprint_app_id: self.blueprint.map(|at| BLUEPRINTS[at]),
            blueprint_principal_id: self.blueprint.map(|at| PRINCIPALS[at]),
            attributes: of_agent,
            risk: self.risk[0],
        };
        let user = AgentUserFacts {
            id: self.user,
            attributes: of_user,
            risk: self.risk[1],
        };
        let (all, some, required) = match self.missing {
            Missing::Nothing => (false, false, false),
            Missing::AllButId { required } => (false, true, required),
            Missing::All { required } => (true, true, required),
        };
        Facts {
            subject: match self.kind {
                0..4 => Subject::AgentIdentity(agent),
                4..7 => Subject::AgentUser { user, agent },
                7..9 => Subject::OnBehalfOf {
                    human: HumanFacts::unknown(Fact::Known("human")),
                    agent,
                },
                _ => Subject::Human(HumanFacts::unknown(Fact::Known("human"))),
            },
            resource: ResourceFacts {
                app_id: fact(self.app, all, required),
                attributes: fact(of_app, some, required),
                is_agent: fact(self.is_agent, some, required),
                authentication_contexts: &[],
            },
            session: SessionFacts::UNKNOWN,
            now: Timestamp::from_seconds(1_790_000_000),
            entra_parity: self.entra_parity,
        }
    }
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let values = prop_oneof![
        3 => Just(None),
        4 => select(&VALUES[..]).prop_map(|one| Some(AttributeValue::One(one.into()))),
        3 => prop::collection::vec(select(&VALUES[..]), 0..3).prop_map(|many| {
            Some(AttributeValue::Many(many.into_iter().map(Arc::from).collect()))
        }),
    ];
    [values.clone(), values].prop_map(|values| {
        let pairs = ATTRIBUTES.into_iter().zip(values);
        Attributes::from_pairs(pairs.filter_map(|(name, value)| Some((name.into(), value?))))
    })
}

fn risk() -> impl Strategy<Value = Fact<RiskLevel>> {
    prop_oneof![
        6 => select(&RiskLevel::ALL[..]).prop_map(Fact::Known),
        1 => Just(Fact::Unknown),
        2 => Just(Fact::RequiredUnknown),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    (
        (0..10_u8, select(&AGENTS[..]), prop::option::of(0..2_usize)),
        (select(&USERS[..]), select(&APPS[..])),
        [attributes(), attributes(), attributes()],
        [risk(), risk()],
        (any::<bool>(), missing(), any::<bool>()),
    )
        .prop_map(
            |(
                (kind, agent, blueprint),
                (user, app),
                attributes,
                risk,
                (is_agent, missing, entra_parity),
            )| {
                Call {
                    kind,
                    agent,
                    blueprint,
                    user,
                    app,
                    attributes,
                    risk,
                    is_agent,
                    missing,
                    entra_parity,
                }
            },
        )
}

fn missing() -> impl Strategy<Value = Missing> {
    prop_oneof![
        6 => Just(Missing::Nothing),
        1 => any::<bool>().prop_map(|required| Missing::AllButId { required }),
        1 => any::<bool>().prop_map(|required| Missing::All { required }),
    ]
}

/// A comparison without what it is about: ` -eq "hr"`.
fn comparison() -> impl Strategy<Value = String> {
    let operators = [
        "-eq",
        "ne",
        "-contains",
        "-notContains",
        "-startsWith",
        "-notStartsWith",
        "-endsWith",
        "-NotEndsWith",
    ];
    prop_oneof![
        8 => (select(operators.to_vec()), select(&VALUES[..]))
            .prop_map(|(operator, value)| format!("{operator} \"{value}\"")),
        2 => (select(&["-in", "-notIn"][..]), select(&VALUES[..]), select(&VALUES[..]))
            .prop_map(|(operator, a, b)| format!("{operator} [\"{a}\", \"{b}\"]")),
    ]
}

/// Joins leaves by the language's words, with parentheses so that every shape comes up.
fn joined(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" -and "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" -or "))),
            inner.clone().prop_map(|part| format!("-not {part}")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a} -or {b} -and {c})")),
        ]
    })
}

fn rule() -> impl Strategy<Value = String> {
    let item = joined(comparison().prop_map(|compared| format!("_ {compared}")));
    let predicate = prop_oneof![
        7 => comparison(),
        1 => Just("-eq null".to_owned()),
        1 => Just("-ne null".to_owned()),
        2 => (select(&["-any", "-all"][..]), item).prop_map(|(word, item)| format!("{word} ({item})")),
    ];
    joined(
        (select(&ATTRIBUTES[..]), predicate)
            .prop_map(|(name, predicate)| format!("CustomSecurityAttribute.{name} {predicate}")),
    )
}

fn filter() -> impl Strategy<Value = Option<Filter>> {
    let mode = select(&[FilterMode::Include, FilterMode::Exclude][..]);
    let filter = (mode, rule()).prop_map(|(mode, text)| Filter {
        mode,
        rule: FilterRule::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault}")),
    });
    prop_oneof![3 => Just(None), 1 => filter.prop_map(Some)]
}

fn assignment<T: Clone + std::fmt::Debug + 'static>(
    wide: T,
    narrow: Vec<T>,
) -> impl Strategy<Value = Assignment<T>> {
    let include = prop_oneof![
        4 => Just(vec![wide]),
        4 => prop::collection::vec(select(narrow.clone()), 1..3),
        1 => Just(Vec::new()),
    ];
    let exclude = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(select(narrow), 1..3),
    ];
    (include, exclude, filter()).prop_map(|(include, exclude, filter)| Assignment {
        include,
        exclude,
        filter,
    })
}

fn agents(ids: &[&[&str]]) -> impl Strategy<Value = Assignment<AgentTarget>> {
    let ids = ids.concat().into_iter();
    let ids = ids.map(|id| AgentTarget::Id(ObjectId::parse(id).unwrap()));
    let narrow: Vec<_> = ids.chain([AgentTarget::None, AgentTarget::All]).collect();
    prop_oneof![
        1 => Just(Assignment::default()),
        4 => assignment(AgentTarget::All, narrow),
    ]
}

fn applications() -> impl Strategy<Value = Assignment<ApplicationTarget>> {
    let ids = APPS.map(|id| ApplicationTarget::Id(AppId::parse(id).unwrap()));
    let words = [
        ApplicationTarget::None,
        ApplicationTarget::AllAgentIdResources,
        ApplicationTarget::Group("Office365"),
    ];
    assignment(ApplicationTarget::All, [&ids[..], &words[..]].concat())
}

fn policy() -> impl Strategy<Value = Policy> {
    let identities = agents(&[&AGENTS, &BLUEPRINTS, &PRINCIPALS]);
    let risk = prop::option::weighted(
        0.4,
        prop::sample::subsequence(RiskLevel::ALL.to_vec(), 0..4),
    );
    let state = prop_oneof![
        5 => Just((PolicyState::Enabled, true)),
        1 => Just((PolicyState::Disabled, true)),
        2 => Just((PolicyState::EnabledForReportingButNotEnforced, true)),
        1 => Just((PolicyState::EnabledForReportingButNotEnforced, false)),
    ];
    (
        (identities, agents(&[&USERS]), applications()),
        (risk, state, prop::bool::weighted(0.8)),
    )
        .prop_map(|(assignments, (risk, (state, understood), block))| Policy {
            id: PolicyId::parse("p").unwrap(),
            display_name: "p".into(),
            state,
            origin: Origin {
                file: "p.json".into(),
                line: 1,
                column: 1,
            },
            conditions: ConditionSet {
                agent_identities: assignments.0,
                agent_users: assignments.1,
                applications: assignments.2,
                agent_risk: risk.map(|levels| {
                    levels
                        .into_iter()
                        .fold(RiskLevels::default(), RiskLevels::with)
                }),
            },
            grant_controls: GrantControls { block },
            not_understood: if understood {
                Vec::new()
            } else {
                vec!["conditions.x".into()]
            },
            source: serde_json::Map::new(),
        })
}

fn verdict(policies: &[Policy], call: &Call) -> Verdict {
    PolicySet::compile(policies.to_vec())
        .evaluate(&call.facts())
        .verdict
}

/// How far a verdict goes: a block on what is known is the furthest.
const fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::BlockOnUnknown => 1,
        Verdict::Block => 2,
    }
}

/// With each level that a policy names, it names all above.
fn upward_closed(mut policy: Policy) -> Policy {
    policy.conditions.agent_risk = policy.conditions.agent_risk.map(|levels| {
        let lowest = RiskLevel::ALL
            .into_iter()
            .find(|level| levels.contains(*level));
        RiskLevel::ALL
            .into_iter()
            .filter(|level| lowest.is_some_and(|lowest| *level >= lowest))
            .fold(RiskLevels::default(), RiskLevels::with)
    });
    policy
}

/// Pieces of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "CustomSecurityAttribute.S_A",
        "_",
        "-eq",
        "-not",
        "-and",
        "or",
        "-any",
        "-all",
        "-in",
        "-match",
        "-contains",
        "(",
        ")",
        "[",
        "]",
        ",",
        "null",
        "\"a\"",
        "\"`\"\"",
        "\"(?=\"",
        "\"",
        "`",
        "-",
        " ",
        "\u{e9}",
    ];
    prop::collection::vec(select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn the_evaluator_agrees_with_its_slow_twin(
        policies in prop::collection::vec(policy(), 0..5),
        call in call(),
    ) {
        let set = PolicySet::compile(policies.clone());
        let facts = call.facts();
        let (verdict, outcomes) = twin::evaluate(&policies, &facts);
        let evaluation = set.evaluate(&facts);
        prop_assert_eq!(evaluation.verdict, verdict);
        let all = set.evaluate_all(&facts);
        let ours: Vec<_> = all.iter().map(|one| (one.outcome, !one.unknown.is_empty())).collect();
        prop_assert_eq!(&ours, &outcomes);
        for result in &all {
            let nothing_fails = result.not_satisfied.is_empty();
            prop_assert_eq!(result.outcome.applied(), nothing_fails && !result.satisfied.is_empty());
        }
        let applied: Vec<_> = all.into_iter().filter(|one| one.outcome.applied()).collect();
        let evaluated = policies.iter().filter(|one| one.state != PolicyState::Disabled).count();
        prop_assert_eq!(usize::try_from(evaluation.not_applied).unwrap(), evaluated - applied.len());
        prop_assert_eq!(evaluation.applied, applied);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn one_more_policy_never_turns_a_block_into_an_allow(
        policies in prop::collection::vec(policy(), 0..4),
        more in policy(),
        call in call(),
    ) {
        let before = severity(verdict(&policies, &call));
        let with_more = [policies, vec![more]].concat();
        prop_assert!(severity(verdict(&with_more, &call)) >= before);
    }

    #[test]
    fn the_order_of_policies_means_nothing(
        policies in prop::collection::vec(policy(), 0..5),
        call in call(),
    ) {
        let reversed: Vec<_> = policies.iter().rev().cloned().collect();
        prop_assert_eq!(verdict(&policies, &call), verdict(&reversed, &call));
    }

    #[test]
    fn more_risk_never_unblocks_where_levels_are_closed_upward(
        policies in prop::collection::vec(policy().prop_map(upward_closed), 0..4),
        mut call in call(),
    ) {
        let verdicts = RiskLevel::ALL.map(|level| {
            call.risk = [Fact::Known(level); 2];
            severity(verdict(&policies, &call))
        });
        prop_assert!(verdicts.is_sorted(), "{:?}", verdicts);
    }

    #[test]
    fn a_rule_prints_as_it_reads(text in rule()) {
        let rule = FilterRule::parse(&text).unwrap();
        prop_assert_eq!(FilterRule::parse(&rule.to_string()), Ok(rule));
    }

    #[test]
    fn no_text_makes_the_rule_parser_panic(text in any::<String>(), soup in soup()) {
        for text in [text, soup] {
            if let Ok(rule) = FilterRule::parse(&text) {
                prop_assert_eq!(FilterRule::parse(&rule.to_string()), Ok(rule));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic_and_none_make_half_a_policy(
        at in 0..2_000_usize,
        with in prop::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut bytes = include_bytes!("../data/entra/e02-agents-allow-only-hr-approved-agents.json").to_vec();
        let at = at.min(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes.splice(at..end, with);
        let (policies, faults) = read("p.json", &bytes, OnUnsupported::ReportOnly);
        for policy in policies.iter().filter(|policy| !policy.is_understood()) {
            prop_assert!(policy.state != PolicyState::Enabled);
            prop_assert!(!faults.is_empty());
        }
        prop_assert!(faults.has_errors() || policies.len() == 1);
    }
}
