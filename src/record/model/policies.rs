//! Graph's `appliedConditionalAccessPolicy` (`reference/entra.md` §7.3).

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use crate::decision::Decision;
use crate::policy::{
    CompiledPolicy, Condition, Conditions, Control, ControlResults, PolicyOutcome, PolicyResult,
    PolicyState, Principal, Rules,
};
use crate::types::PolicyId;

/// What one policy said of the call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppliedPolicy<'a> {
    id: &'a PolicyId,
    display_name: &'a str,
    result: &'static str,
    enforced_grant_controls: Vec<&'static str>,
    enforced_session_controls: [&'static str; 0],
    session_controls_not_satisfied: [&'static str; 0],
    /// `null` for a listed policy that did not apply: why not is computed again when asked.
    conditions_satisfied: Option<Flags>,
    conditions_not_satisfied: Option<Flags>,
    include_rules_satisfied: Vec<SatisfiedRule>,
    exclude_rules_satisfied: Vec<SatisfiedRule>,
}

/// Graph's `conditionalAccessRuleSatisfied`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SatisfiedRule {
    conditional_access_condition: &'static str,
    rule_satisfied: &'static str,
}

/// A flags enumeration on the wire: names with commas, or `none`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags(pub(super) Conditions);

impl Serialize for Flags {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let names: Vec<_> = self.0.iter().map(Condition::as_str).collect();
        if names.is_empty() {
            to.serialize_str("none")
        } else {
            to.serialize_str(&names.join(","))
        }
    }
}

/// The policies that applied, in the order of the set; with `list_not_applied` the others after them.
pub(super) fn applied(decision: &Decision, list_not_applied: bool) -> Vec<AppliedPolicy<'_>> {
    let results = decision.evaluation.applied.iter();
    let mut policies: Vec<_> = results
        .filter_map(|result| {
            let policy = decision.policies.policy(result.policy)?;
            Some(AppliedPolicy::of(policy, result))
        })
        .collect();
    if list_not_applied {
        let results = decision.evaluation.applied.iter();
        let applied: BTreeSet<u32> = results.map(|result| result.policy).collect();
        let others = (0..)
            .zip(decision.policies.iter())
            .filter(|(place, _)| !applied.contains(place))
            .map(|(place, policy)| AppliedPolicy::of(policy, &not_applied(place, policy.state)));
        policies.extend(others);
    }
    policies
}

/// The result of a policy that an evaluation left out because it did not apply.
fn not_applied(place: u32, state: PolicyState) -> PolicyResult {
    let outcome = match state {
        PolicyState::Enabled => PolicyOutcome::NotApplied,
        PolicyState::Disabled => PolicyOutcome::NotEnabled,
        PolicyState::EnabledForReportingButNotEnforced => PolicyOutcome::ReportOnlyNotApplied,
    };
    PolicyResult::bare(place, outcome, Principal::AgentIdentity)
}

impl<'a> AppliedPolicy<'a> {
    fn of(policy: &'a CompiledPolicy, result: &PolicyResult) -> Self {
        let applied = result.outcome.applied();
        Self {
            id: &policy.id,
            display_name: &policy.display_name,
            result: result.outcome.as_str(),
            enforced_grant_controls: enforced(&result.controls),
            enforced_session_controls: [],
            session_controls_not_satisfied: [],
            conditions_satisfied: applied.then_some(Flags(result.satisfied)),
            conditions_not_satisfied: applied.then_some(Flags(result.not_satisfied)),
            include_rules_satisfied: satisfied(result.included_by),
            exclude_rules_satisfied: satisfied(result.excluded_by),
        }
    }
}

/// The controls of a policy that applies, as sign-in logs spell them.
fn enforced(controls: &ControlResults) -> Vec<&'static str> {
    let all = controls
        .satisfied
        .and(controls.unsatisfied)
        .and(controls.not_applicable);
    all.iter().map(Control::log_name).collect()
}

fn satisfied(rules: Rules) -> Vec<SatisfiedRule> {
    rules
        .iter()
        .map(|rule| SatisfiedRule {
            conditional_access_condition: rule.condition().as_str(),
            rule_satisfied: rule.as_str(),
        })
        .collect()
}
