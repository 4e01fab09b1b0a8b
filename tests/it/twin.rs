//! A slow and obvious evaluator, written from `reference/entra.md` §4.9 and the table of what concerns whom, over the
//! model and not over anything compiled. The real one must agree with it. It shares no code with it but the model's
//! types. It must never grow clever.

mod conditions;
mod filter;
mod identities;

use boomgate::policy::locations::{NamedLocation, OwnRanges};
use boomgate::policy::model::Operator;
use boomgate::policy::{Control, Facts, Policy, PolicyOutcome, PolicyState, Subject, Verdict};
use boomgate::types::{AttributeValue, Fact};

/// Policies, and what they name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) policies: &'a [Policy],
    pub(crate) locations: &'a [NamedLocation],
    pub(crate) own: &'a OwnRanges,
}

/// What one policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) outcome: PolicyOutcome,
    /// Whether it refuses only because a fact is unknown.
    pub(crate) on_unknown: bool,
    /// The kinds of principal to whom it applies, by name.
    pub(crate) applies_to: Vec<&'static str>,
}

/// Yes, no, or one of two kinds of "nobody can tell".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    No,
    Unknown,
    RequiredUnknown,
    Yes,
}

use Answer::{No, RequiredUnknown, Unknown, Yes};

impl Answer {
    fn of(holds: bool) -> Self {
        if holds { Yes } else { No }
    }

    fn ask<T>(fact: Fact<T>, holds: impl FnOnce(T) -> bool) -> Self {
        match fact {
            Fact::Known(value) => Self::of(holds(value)),
            Fact::Unknown => Unknown,
            Fact::RequiredUnknown => RequiredUnknown,
        }
    }

    fn any(answers: &[Self]) -> Self {
        let mut best = No;
        for candidate in [Unknown, RequiredUnknown, Yes] {
            if answers.contains(&candidate) {
                best = candidate;
            }
        }
        best
    }

    /// None of them holds: each has to be denied.
    fn none(answers: &[Self]) -> Self {
        let denied: Vec<_> = answers.iter().map(|answer| answer.opposite()).collect();
        Self::all(&denied)
    }

    fn opposite(self) -> Self {
        match self {
            Yes => No,
            No => Yes,
            other => other,
        }
    }

    fn all(answers: &[Self]) -> Self {
        let mut worst = Yes;
        for candidate in [RequiredUnknown, Unknown, No] {
            if answers.contains(&candidate) {
                worst = candidate;
            }
        }
        worst
    }
}

/// Who is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Agent,
    AgentUser,
    Human,
    Workload,
}

impl Who {
    /// The table of §4.4, and the acting agent behind an on-behalf-of call beyond it.
    fn of(facts: &Facts<'_>) -> Vec<Self> {
        match facts.subject {
            Subject::AgentIdentity(_) => vec![Self::Agent],
            Subject::AgentUser { .. } => vec![Self::AgentUser],
            Subject::OnBehalfOf { .. } if facts.entra_parity => vec![Self::Human],
            Subject::OnBehalfOf { .. } => vec![Self::Human, Self::Agent],
            Subject::Human(_) => vec![Self::Human],
            Subject::Workload(_) => vec![Self::Workload],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agentIdentity",
            Self::AgentUser => "agentUser",
            Self::Human => "user",
            Self::Workload => "servicePrincipal",
        }
    }
}

/// The verdict, and what each policy says.
pub(crate) fn evaluate(world: World<'_>, facts: &Facts<'_>) -> (Verdict, Vec<Said>) {
    let policies = world.policies.iter();
    let said: Vec<_> = policies.map(|one| judge(one, world, facts)).collect();
    let failures = said
        .iter()
        .filter(|one| one.outcome == PolicyOutcome::Failure);
    let failures: Vec<_> = failures.collect();
    let verdict = if failures.is_empty() {
        Verdict::Allow
    } else if failures.iter().any(|one| !one.on_unknown) {
        Verdict::Block
    } else {
        Verdict::BlockOnUnknown
    };
    (verdict, said)
}

/// What a policy says: for each principal to whom it applies, and of these the sternest.
fn judge(policy: &Policy, world: World<'_>, facts: &Facts<'_>) -> Said {
    let report_only = policy.state == PolicyState::EnabledForReportingButNotEnforced;
    let nothing = |outcome| Said {
        outcome,
        on_unknown: false,
        applies_to: Vec::new(),
    };
    if policy.state == PolicyState::Disabled {
        return nothing(PolicyOutcome::NotEnabled);
    }
    let mut applies_to = Vec::new();
    let mut sternest: Option<(u8, Said)> = None;
    for who in Who::of(facts) {
        let demand = demand(policy, who, facts);
        let mut answers = vec![
            identities::concerned(policy, who, facts),
            identities::resource(policy, facts),
        ];
        answers.extend(conditions::answers(policy, who, world, facts));
        let counts_as_met = |answer: &Answer| match answer {
            Yes => true,
            RequiredUnknown => demand.refuses,
            No | Unknown => false,
        };
        if !answers.iter().all(counts_as_met) {
            continue;
        }
        applies_to.push(who.name());
        let on_unknown = answers.contains(&RequiredUnknown) || demand.on_unknown;
        let outcome = match (report_only, demand.refuses) {
            _ if !policy.not_understood.is_empty() => PolicyOutcome::Unknown,
            (false, true) => PolicyOutcome::Failure,
            (false, false) => PolicyOutcome::Success,
            (true, false) => PolicyOutcome::ReportOnlySuccess,
            (true, true) if demand.a_human_could => PolicyOutcome::ReportOnlyInterrupted,
            (true, true) => PolicyOutcome::ReportOnlyFailure,
        };
        let weight = match outcome {
            PolicyOutcome::Failure | PolicyOutcome::ReportOnlyFailure if !on_unknown => {
                if demand.a_human_could { 4 } else { 5 }
            }
            PolicyOutcome::Failure | PolicyOutcome::ReportOnlyFailure => 3,
            PolicyOutcome::ReportOnlyInterrupted => 2,
            _ => 1,
        };
        if sternest
            .as_ref()
            .is_none_or(|(heaviest, _)| weight > *heaviest)
        {
            let said = Said {
                outcome,
                on_unknown,
                applies_to: Vec::new(),
            };
            sternest = Some((weight, said));
        }
    }
    match sternest {
        Some((_, said)) => Said { applies_to, ..said },
        None if report_only => nothing(PolicyOutcome::ReportOnlyNotApplied),
        None => nothing(PolicyOutcome::NotApplied),
    }
}

/// Whether a policy that applies refuses.
struct Demand {
    refuses: bool,
    on_unknown: bool,
    /// Whether a human who signs in anew could meet it.
    a_human_could: bool,
}

/// Every control, one by one, each agreement and factor for itself.
fn demand(policy: &Policy, who: Who, facts: &Facts<'_>) -> Demand {
    let grant = &policy.grant_controls;
    let shown = facts.session.controls;
    let device = |name: &str, wanted: &str| {
        Answer::ask(facts.session.device, |device| {
            let mut all = device.iter();
            all.any(|(known, value)| known == name && *value == AttributeValue::One(wanted.into()))
        })
    };
    // The control, whether it concerns this principal, what became of it, whether a human could meet it there and then.
    let mut controls: Vec<(bool, Answer, bool)> = Vec::new();
    let human = who == Who::Human;
    let agents = matches!(who, Who::Agent | Who::AgentUser);
    let beyond = human || (agents && !facts.entra_parity);
    let names = |names: Fact<&[std::sync::Arc<str>]>, wanted: &str| {
        Answer::ask(names, |names| names.iter().any(|one| &**one == wanted))
    };
    for control in grant.controls.iter() {
        match control {
            Control::Block => {
                let refuses = true;
                return Demand {
                    refuses,
                    on_unknown: false,
                    a_human_could: false,
                };
            }
            Control::Mfa => controls.push((human, Answer::ask(shown.mfa, |yes| yes), true)),
            Control::PasswordChange => {
                controls.push((human, Answer::ask(shown.password_change, |yes| yes), true));
            }
            Control::RiskRemediation => {
                controls.push((human, Answer::ask(shown.risk_remediation, |yes| yes), true));
            }
            Control::CompliantDevice => {
                let concerns = beyond || who == Who::AgentUser;
                controls.push((concerns, device("isCompliant", "true"), false));
            }
            Control::DomainJoinedDevice => {
                controls.push((beyond, device("trustType", "serverad"), false));
            }
            Control::ApprovedApplication => {
                let answer = Answer::ask(shown.approved_application, |yes| yes);
                controls.push((beyond, answer, false));
            }
            Control::CompliantApplication => {
                let answer = Answer::ask(shown.compliant_application, |yes| yes);
                controls.push((beyond, answer, false));
            }
            Control::AuthenticationStrength => {
                let id = grant.authentication_strength.as_ref().unwrap();
                let answer = names(shown.authentication_strengths, id.as_str());
                controls.push((beyond, answer, true));
            }
            Control::TermsOfUse => {
                for id in &grant.terms_of_use {
                    controls.push((human, names(shown.terms_of_use, id.as_str()), true));
                }
            }
            Control::CustomAuthenticationFactors => {
                for name in &grant.custom_factors {
                    controls.push((human, names(shown.custom_factors, name), true));
                }
            }
        }
    }
    if facts.entra_parity {
        controls.retain(|(concerns, ..)| *concerns);
    }
    let met = |(concerns, answer, _): &(bool, Answer, bool)| *concerns && *answer == Yes;
    let untold =
        |(concerns, answer, _): &(bool, Answer, bool)| *concerns && *answer == RequiredUnknown;
    let could = |(concerns, _, interactive): &(bool, Answer, bool)| *concerns && *interactive;
    let missing: Vec<_> = controls.iter().filter(|one| !met(one)).collect();
    match grant.operator {
        Operator::And => Demand {
            refuses: !missing.is_empty(),
            on_unknown: !missing.is_empty() && missing.iter().all(|one| untold(one)),
            a_human_could: human && missing.iter().all(|one| could(one)),
        },
        Operator::Or => {
            let refuses = !controls.is_empty() && !controls.iter().any(met);
            Demand {
                refuses,
                on_unknown: refuses && missing.iter().any(|one| untold(one)),
                a_human_could: human && missing.iter().any(|one| could(one)),
            }
        }
    }
}
