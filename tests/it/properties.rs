//! What holds for every policy set and every call: the evaluator agrees with its slow [`twin`], and
//! no policy, risk or text does what it must not.
//!
//! `PROPTEST_CASES` sets how many cases each property is put to.

mod calls;
mod lint;
mod policies;
mod rules;

use boomgate::policy::filter::FilterRule;
use boomgate::policy::locations::{NamedLocation, OwnRanges};
use boomgate::policy::model::{Operator, RiskLevels};
use boomgate::policy::read::read;
use boomgate::policy::{
    Control, NamedLocations, OnUnsupported, Policy, PolicyOutcome, PolicySet, PolicyState, Verdict,
};
use boomgate::types::{Fact, RiskLevel};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest,
};

use crate::twin::{self, World};
use calls::{Call, call};
use policies::{places, policy};
use rules::{device_rule, rule, soup};

fn cases(default: u32) -> ProptestConfig {
    let on_demand = std::env::var_os("PROPTEST_CASES");
    let on_demand = on_demand.and_then(|text| text.to_str()?.parse().ok());
    ProptestConfig {
        failure_persistence: None,
        cases: on_demand.unwrap_or(default),
        ..ProptestConfig::default()
    }
}

fn compile(policies: &[Policy], locations: &[NamedLocation], own: &OwnRanges) -> PolicySet {
    let (locations, _) = NamedLocations::compile(locations.to_vec(), own);
    PolicySet::compile(policies.to_vec(), &locations)
}

fn verdict(policies: &[Policy], call: &Call) -> Verdict {
    let set = PolicySet::compile(policies.to_vec(), &NamedLocations::default());
    set.evaluate(&call.facts()).verdict
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
    let conditions = &mut policy.conditions;
    for levels in [
        &mut conditions.agent_risk,
        &mut conditions.user_risk,
        &mut conditions.sign_in_risk,
        &mut conditions.service_principal_risk,
    ] {
        *levels = levels.map(|levels| {
            let mut all = RiskLevel::ALL.into_iter();
            let lowest = all.find(|level| levels.contains(*level));
            let above = |level: &RiskLevel| lowest.is_some_and(|lowest| *level >= lowest);
            RiskLevels::from_iter(RiskLevel::ALL.into_iter().filter(above))
        });
    }
    policy
}

/// How many calls each set of policies is put to: the sets take longer to generate.
const CALLS: usize = 10;

proptest! {
    // With `CALLS` each: 100,000 cases.
    #![proptest_config(cases(10_000))]

    #[test]
    fn the_evaluator_agrees_with_its_slow_twin(
        policies in prop::collection::vec(policy(), 0..6),
        (locations, own) in places(),
        calls in prop::collection::vec(call(), CALLS),
    ) {
        let set = compile(&policies, &locations, &own);
        let world = World { policies: &policies, locations: &locations, own: &own };
        for call in &calls {
            let facts = call.facts();
            let (verdict, said) = twin::evaluate(world, &facts);
            let evaluation = set.evaluate(&facts);
            prop_assert_eq!(evaluation.verdict, verdict);
            let all = set.evaluate_all(&facts);
            for (result, said) in all.iter().zip(&said) {
                let applies_to: Vec<_> = result.principals.iter().map(|one| one.as_str()).collect();
                let mut expected = said.applies_to.clone();
                expected.sort_unstable();
                prop_assert_eq!(applies_to, expected);
                prop_assert_eq!(result.outcome, said.outcome);
                if result.outcome.applied() {
                    prop_assert_eq!(result.rests_on_unknown(), said.on_unknown);
                }
                let nothing_fails = result.not_satisfied.is_empty();
                let is_judged = result.outcome != PolicyOutcome::NotEnabled;
                prop_assert_eq!(result.outcome.applied(), nothing_fails && is_judged);
            }
            let applied: Vec<_> = all.into_iter().filter(|one| one.outcome.applied()).collect();
            let evaluated = policies.iter().filter(|one| one.state != PolicyState::Disabled).count();
            prop_assert_eq!(usize::try_from(evaluation.not_applied).unwrap(), evaluated - applied.len());
            prop_assert_eq!(evaluation.applied, applied);
        }
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

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
    fn one_more_control_under_and_never_turns_a_block_into_an_allow(
        policies in prop::collection::vec(policy(), 1..4),
        more in prop::sample::select(&Control::ALL[..8]),
        call in call(),
    ) {
        let before = severity(verdict(&policies, &call));
        let stricter: Vec<_> = policies.into_iter().map(|mut policy| {
            if policy.grant_controls.operator == Operator::And {
                policy.grant_controls.controls = policy.grant_controls.controls.with(more);
            }
            policy
        }).collect();
        prop_assert!(severity(verdict(&stricter, &call)) >= before.min(1));
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
            call.risk.levels = [Fact::Known(level); 5];
            severity(verdict(&policies, &call))
        });
        prop_assert!(verdicts.is_sorted(), "{:?}", verdicts);
    }

    #[test]
    fn a_rule_prints_as_it_reads(text in rule(), of_device in device_rule()) {
        let rule = FilterRule::parse(&text).unwrap();
        prop_assert_eq!(FilterRule::parse(&rule.to_string()), Ok(rule));
        let rule = FilterRule::parse_device(&of_device).unwrap();
        prop_assert_eq!(FilterRule::parse_device(&rule.to_string()), Ok(rule));
    }

    #[test]
    fn no_text_makes_the_rule_parser_panic(text in any::<String>(), soup in soup()) {
        for text in [text, soup] {
            for parse in [FilterRule::parse, FilterRule::parse_device] {
                if let Ok(rule) = parse(&text) {
                    prop_assert_eq!(parse(&rule.to_string()), Ok(rule));
                }
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
