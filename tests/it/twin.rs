//! A slow and obvious evaluator, written from `reference/entra.md` §4.9 over the model and not over anything compiled.
//! The real one must agree with it. It shares no code with it but the model's types. It must never grow clever.

use boomgate::policy::filter::{Clause, Comparison, Expression, Predicate, Test};
use boomgate::policy::model::{AgentTarget, ApplicationTarget, Filter, FilterMode};
use boomgate::policy::{Facts, Policy, PolicyOutcome, PolicyState, Subject, Verdict};
use boomgate::types::{AttributeValue, Attributes, Fact, RiskLevel};

/// The verdict, and for each policy its outcome with whether it applies only because a fact is unknown.
pub(crate) fn evaluate(
    policies: &[Policy],
    facts: &Facts<'_>,
) -> (Verdict, Vec<(PolicyOutcome, bool)>) {
    let results: Vec<_> = policies.iter().map(|policy| judge(policy, facts)).collect();
    let failures: Vec<_> = results
        .iter()
        .filter(|(outcome, _)| *outcome == PolicyOutcome::Failure)
        .collect();
    let verdict = if failures.is_empty() {
        Verdict::Allow
    } else if failures.iter().any(|(_, on_unknown)| !on_unknown) {
        Verdict::Block
    } else {
        Verdict::BlockOnUnknown
    };
    (verdict, results)
}

fn judge(policy: &Policy, facts: &Facts<'_>) -> (PolicyOutcome, bool) {
    let report_only = policy.state == PolicyState::EnabledForReportingButNotEnforced;
    if policy.state == PolicyState::Disabled {
        return (PolicyOutcome::NotEnabled, false);
    }
    let risk_is_unknown = policy.conditions.agent_risk.is_some()
        && risk(facts) == Some(Fact::RequiredUnknown)
        && policy.grant_controls.block;
    let risk_holds = match (policy.conditions.agent_risk, risk(facts)) {
        (None, _) => true,
        (Some(_), _) if risk_is_unknown => true,
        (Some(levels), Some(Fact::Known(level))) => levels.contains(level),
        (Some(_), _) => false,
    };
    // An unknown resource may be any that the policy could concern; if that is enough, the policy is met on unknowns.
    let resource_is_certain = resource(policy, facts, false);
    let resource_is_unknown = !resource_is_certain
        && resource(policy, facts, true)
        && is_required(facts)
        && policy.grant_controls.block;
    let resource_holds = resource_is_certain || resource_is_unknown;
    let on_unknown = risk_is_unknown || resource_is_unknown;
    if !(identity(policy, facts) && resource_holds && risk_holds) {
        let outcome = if report_only {
            PolicyOutcome::ReportOnlyNotApplied
        } else {
            PolicyOutcome::NotApplied
        };
        return (outcome, on_unknown);
    }
    let outcome = if !policy.not_understood.is_empty() {
        PolicyOutcome::Unknown
    } else if policy.grant_controls.block && report_only {
        PolicyOutcome::ReportOnlyFailure
    } else if policy.grant_controls.block {
        PolicyOutcome::Failure
    } else if report_only {
        PolicyOutcome::ReportOnlySuccess
    } else {
        PolicyOutcome::Success
    };
    (outcome, on_unknown)
}

/// Whether what is not known of the resource comes from a required source.
fn is_required(facts: &Facts<'_>) -> bool {
    let resource = &facts.resource;
    resource.app_id == Fact::RequiredUnknown
        || resource.attributes == Fact::RequiredUnknown
        || resource.is_agent == Fact::RequiredUnknown
}

/// The risk of whom policies judge, if they judge an agent at all.
fn risk(facts: &Facts<'_>) -> Option<Fact<RiskLevel>> {
    match facts.subject {
        Subject::AgentIdentity(agent) => Some(agent.risk),
        Subject::AgentUser { user, .. } => Some(user.risk),
        Subject::OnBehalfOf { agent, .. } if !facts.entra_parity => Some(agent.risk),
        Subject::OnBehalfOf { .. } | Subject::Human(_) | Subject::Workload(_) => None,
    }
}

/// The table of §4.4.
fn identity(policy: &Policy, facts: &Facts<'_>) -> bool {
    let agent = match facts.subject {
        Subject::AgentIdentity(agent) => agent,
        Subject::OnBehalfOf { agent, .. } if !facts.entra_parity => agent,
        Subject::AgentUser { user, .. } => {
            let assignment = &policy.conditions.agent_users;
            return is_assigned(
                &assignment.include,
                &assignment.exclude,
                assignment.filter.as_ref(),
                user.attributes,
                |target| match target {
                    AgentTarget::All => true,
                    AgentTarget::None => false,
                    AgentTarget::Id(id) => id.as_str() == user.id,
                },
            );
        }
        Subject::OnBehalfOf { .. } | Subject::Human(_) | Subject::Workload(_) => return false,
    };
    let assignment = &policy.conditions.agent_identities;
    is_assigned(
        &assignment.include,
        &assignment.exclude,
        assignment.filter.as_ref(),
        agent.attributes,
        |target| match target {
            AgentTarget::All => true,
            AgentTarget::None => false,
            AgentTarget::Id(id) => {
                let id = id.as_str();
                id == agent.id
                    || Some(id) == agent.blueprint_app_id
                    || Some(id) == agent.blueprint_principal_id
            }
        },
    )
}

/// What is unknown is taken as the policy would have it (`generous`), or as it would not.
fn resource(policy: &Policy, facts: &Facts<'_>, generous: bool) -> bool {
    let resource = &facts.resource;
    let assignment = &policy.conditions.applications;
    let is = |target: &ApplicationTarget, unknown: bool| match target {
        ApplicationTarget::All => true,
        ApplicationTarget::None | ApplicationTarget::Group(_) => false,
        ApplicationTarget::AllAgentIdResources => resource.is_agent.known().unwrap_or(unknown),
        ApplicationTarget::Id(id) => resource
            .app_id
            .known()
            .map_or(unknown, |app| app == id.as_str()),
    };
    let meets = |filter: &Filter, unknown: bool| {
        let known = resource.attributes.known();
        known.map_or(unknown, |attributes| matches(filter, attributes))
    };
    let listed = assignment.include.iter().any(|target| is(target, generous));
    let excluded = assignment
        .exclude
        .iter()
        .any(|target| is(target, !generous));
    match &assignment.filter {
        None => listed && !excluded,
        Some(filter) if filter.mode == FilterMode::Include => {
            (listed || assignment.include.is_empty()) && meets(filter, generous) && !excluded
        }
        Some(filter) => listed && !excluded && !meets(filter, !generous),
    }
}

fn is_assigned<T>(
    include: &[T],
    exclude: &[T],
    filter: Option<&Filter>,
    attributes: &Attributes,
    is: impl Fn(&T) -> bool,
) -> bool {
    let listed = include.iter().any(&is);
    let included = match filter {
        Some(filter) if filter.mode == FilterMode::Include => {
            (listed || include.is_empty()) && matches(filter, attributes)
        }
        _ => listed,
    };
    let excluded = exclude.iter().any(&is)
        || filter.is_some_and(|filter| {
            filter.mode == FilterMode::Exclude && matches(filter, attributes)
        });
    included && !excluded
}

fn matches(filter: &Filter, attributes: &Attributes) -> bool {
    expression(filter.rule.expression(), &|clause| {
        clause_holds(clause, attributes)
    })
}

fn expression<L>(expression_: &Expression<L>, leaf: &dyn Fn(&L) -> bool) -> bool {
    match expression_ {
        Expression::And(parts) => {
            let results: Vec<bool> = parts.iter().map(|part| expression(part, leaf)).collect();
            !results.contains(&false)
        }
        Expression::Or(parts) => {
            let results: Vec<bool> = parts.iter().map(|part| expression(part, leaf)).collect();
            results.contains(&true)
        }
        Expression::Not(inner) => !expression(inner, leaf),
        Expression::Leaf(one) => leaf(one),
    }
}

fn clause_holds(clause: &Clause, attributes: &Attributes) -> bool {
    let found = attributes
        .iter()
        .find(|(name, _)| *name == clause.attribute.as_ref());
    let (values, is_collection): (Vec<&str>, bool) = match found {
        None => (Vec::new(), false),
        Some((_, AttributeValue::One(one))) => (vec![one], false),
        Some((_, AttributeValue::Many(many))) => (many.iter().map(AsRef::as_ref).collect(), true),
    };
    match &clause.predicate {
        Predicate::Compare(comparison) => {
            let positive = match &comparison.test {
                Test::Missing => values.is_empty(),
                Test::Contains(whole) if is_collection => values.contains(&whole.as_ref()),
                test => values.iter().any(|value| text_meets(test, value)),
            };
            positive ^ comparison.negated
        }
        Predicate::AnyItem(inner) => values.iter().any(|value| item_meets(inner, value)),
        Predicate::AllItems(inner) => {
            !values.is_empty() && !values.iter().any(|value| !item_meets(inner, value))
        }
    }
}

fn item_meets(inner: &Expression<Comparison>, item: &str) -> bool {
    expression(inner, &|comparison| {
        text_meets(&comparison.test, item) ^ comparison.negated
    })
}

fn text_meets(test: &Test, text: &str) -> bool {
    match test {
        Test::Missing => false,
        Test::Equals(other) => other.as_ref() == text,
        Test::StartsWith(part) => text.find(part.as_ref()) == Some(0),
        Test::EndsWith(part) => {
            text.len() >= part.len() && text.rfind(part.as_ref()) == Some(text.len() - part.len())
        }
        Test::Contains(part) => text.find(part.as_ref()).is_some(),
        Test::Matches(pattern) => pattern.is_in(text),
        Test::In(list) => list.iter().filter(|one| one.as_ref() == text).count() > 0,
    }
}
