//! What `policy lint` claims holds for every call: policies that it calls shadowed or repeated can all go at once and no
//! verdict changes, what never applies never does, and what locks out blocks.

use boomgate::policy::lint::{Oddity, odd};
use boomgate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Choice, ConditionSet, LocationTarget, Policy,
    RiskLevels,
};
use boomgate::policy::{
    Control, Controls, NamedLocations, PolicySet, PolicyState, Subject, Verdict,
};
use boomgate::types::RiskLevel;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::calls::{Call, call};
use super::policies::{assignment, filter, policy};

/// How many calls each set is held against; of sets there are as many as proptest has cases.
const CALLS: usize = 24;

/// One thing changed, most often so that the policy concerns less.
fn changed(policy: Policy) -> impl Strategy<Value = Policy> {
    let app = ApplicationTarget::AllAgentIdResources;
    let narrow = assignment(ApplicationTarget::All, vec![ApplicationTarget::None, app]);
    let further = (super::policies::policy(), 0..12_u8);
    (0..14_u8, filter(), narrow, any::<bool>(), further).prop_map(
        move |(what, filter, narrow, flag, further)| {
            let mut policy = policy.clone();
            let conditions = &mut policy.conditions;
            match what {
                0 => policy.state = PolicyState::Enabled,
                1 => {
                    let high = RiskLevels::default().with(RiskLevel::High);
                    conditions.agent_risk.get_or_insert(high);
                }
                2 => conditions.agent_risk = None,
                3 => conditions.agent_identities.filter = filter,
                4 => conditions.applications = narrow,
                5 => conditions.agent_identities.include = vec![AgentTarget::All],
                6 => {
                    let include = conditions.agent_identities.include.clone();
                    conditions.agent_identities.exclude.extend(include);
                }
                7 => conditions.applications.exclude.clear(),
                8 => conditions.locations = Some(everywhere()),
                9..13 => further_changed(conditions, further.0.conditions, further.1),
                _ => {
                    let block = Controls::NONE.with_if(flag, Control::Block);
                    policy.grant_controls.controls = block;
                }
            }
            policy
        },
    )
}

/// A condition that is met wherever a call comes from, by those whom it concerns.
fn everywhere() -> Choice<LocationTarget> {
    Choice {
        include: vec![LocationTarget::All],
        exclude: Vec::new(),
    }
}

/// One of the further conditions: as another policy has it, or less one thing of its own.
fn further_changed(conditions: &mut ConditionSet, other: ConditionSet, which: u8) {
    match which {
        0 => conditions.user_risk = other.user_risk,
        1 => conditions.sign_in_risk = other.sign_in_risk,
        2 => conditions.service_principal_risk = other.service_principal_risk,
        3 => conditions.insider_risk = other.insider_risk,
        4 => conditions.platforms = other.platforms,
        5 => conditions.locations = other.locations,
        6 => conditions.device_filter = other.device_filter,
        7 => conditions.transfer_methods = other.transfer_methods,
        8 => conditions.client_app_types = other.client_app_types,
        9 => conditions.users = other.users,
        10 => conditions.workloads = other.workloads,
        _ => {
            if let Some(types) = &mut conditions.client_app_types {
                types.pop_first();
            }
            if let Some(platforms) = &mut conditions.platforms {
                platforms.exclude.pop();
            }
            conditions.users.exclude.pop();
        }
    }
}

/// Policies of which most ask for no more than whom, what for and at which risk of the agent: of those the most is claimed.
fn mostly_plain() -> impl Strategy<Value = Policy> {
    (policy(), 0..5_u8).prop_map(|(mut policy, which)| {
        if which > 1 {
            let all = std::mem::take(&mut policy.conditions);
            policy.conditions = ConditionSet {
                applications: all.applications,
                agent_identities: all.agent_identities,
                agent_users: all.agent_users,
                users: if which == 2 {
                    all.users
                } else {
                    Assignment::default()
                },
                agent_risk: all.agent_risk,
                ..ConditionSet::default()
            };
        }
        policy
    })
}

/// Policies that are likely to have to do with each other.
fn related() -> impl Strategy<Value = Vec<Policy>> {
    let some = prop::collection::vec(mostly_plain(), 1..3);
    some.prop_flat_map(|some| {
        let more: Vec<_> = some
            .iter()
            .cloned()
            .map(|one| prop_oneof![1 => Just(one.clone()), 4 => changed(one.clone()), 2 => changed(one).prop_flat_map(changed)])
            .collect();
        (Just(some), more, any::<bool>()).prop_map(|(mut some, more, turned)| {
            some.extend(more);
            if turned {
                some.reverse();
            }
            some
        })
    })
}

fn verdict(policies: &[Policy], call: &Call) -> Verdict {
    PolicySet::compile(policies.to_vec(), &NamedLocations::default())
        .evaluate(&call.facts())
        .verdict
}

/// Holds the claims on a set against some calls, and counts them.
fn check(policies: &[Policy], calls: &[Call], claims: &mut [usize; 4]) {
    let oddities = odd(policies);
    let mut left: Vec<Option<Policy>> = policies.iter().cloned().map(Some).collect();
    for (at, oddity) in &oddities {
        let count = match oddity {
            Oddity::NeverApplies(_) => 0,
            Oddity::Repeats(_) => 1,
            Oddity::Shadowed(_) => 2,
            Oddity::LocksOut(_) => 3,
        };
        claims[count] += 1;
        if count < 3 {
            left[*at] = None;
        }
    }
    let left: Vec<Policy> = left.into_iter().flatten().collect();
    for call in calls {
        let facts = call.facts();
        assert_eq!(
            verdict(&left, call),
            verdict(policies, call),
            "{policies:#?}\n{oddities:?}\n{call:#?}"
        );
        let results =
            PolicySet::compile(policies.to_vec(), &NamedLocations::default()).evaluate_all(&facts);
        for (at, oddity) in &oddities {
            let outcome = results[*at].outcome;
            match oddity {
                Oddity::NeverApplies(_) => {
                    assert!(!outcome.applied(), "{:#?}\n{call:#?}", policies[*at]);
                }
                Oddity::LocksOut(kind) => {
                    let is_of_kind = match facts.subject {
                        Subject::AgentIdentity(_) => *kind == "agent identity",
                        Subject::AgentUser { .. } => *kind == "agent user",
                        Subject::OnBehalfOf { .. } | Subject::Human(_) => *kind == "human",
                        Subject::Workload(_) => false,
                    };
                    if is_of_kind && policies[*at].state == PolicyState::Enabled {
                        assert_eq!(
                            verdict(policies, call),
                            Verdict::Block,
                            "{:#?}\n{call:#?}",
                            policies[*at]
                        );
                    }
                }
                Oddity::Repeats(_) | Oddity::Shadowed(_) => {}
            }
        }
    }
}

#[test]
fn what_lint_claims_of_policies_holds_for_every_call() {
    let mut runner = TestRunner::new(Config::default());
    let sets = runner.config().cases;
    let calls = prop::collection::vec(call(), CALLS);
    let mut claims = [0; 4];
    // Until each claim was made, for one that is never made is never wrong.
    for round in 0.. {
        let is_shown = claims.iter().all(|count| *count > 4);
        if round >= sets && is_shown {
            break;
        }
        assert!(round < 20 * sets, "{claims:?}");
        let policies = related().new_tree(&mut runner).unwrap().current();
        let calls = calls.new_tree(&mut runner).unwrap().current();
        check(&policies, &calls, &mut claims);
    }
    println!("never applies, repeats, shadowed, locks out: {claims:?}");
}
