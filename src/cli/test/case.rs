//! One test: its question, the answer, and what of the answer is not as expected.
//!
//! Never here: a rule of evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coverage::Coverage;
use super::file::{Expected, Outcome, Test};
use super::session;
use super::who::{self, attributes_of};
use super::world::World;
use crate::call::Resource;
use crate::clock::{Clock, SystemClock};
use crate::decision::supposed::SupposedError;
use crate::decision::supposed::what::What;
use crate::decision::{Asked, DecisionSettings, Question, Session};
use crate::policy::{AnalysisReason, PolicyOutcome, PolicyState};
use crate::risk::RiskTable;
use crate::types::{Effect, Reason};

/// A test that was run.
pub(super) struct Ran {
    pub(super) name: String,
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    /// The answer; else why the question makes no sense.
    pub(super) seen: Result<Seen, SupposedError>,
    /// What is not as expected.
    pub(super) differences: Vec<Difference>,
}

/// An answer.
pub(super) struct Seen {
    /// Who calls what.
    pub(super) question: String,
    pub(super) reason: Reason,
    /// What each policy says.
    pub(super) policies: Vec<Said>,
}

/// What one policy says.
pub(super) struct Said {
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) state: PolicyState,
    pub(super) outcome: PolicyOutcome,
    pub(super) why: AnalysisReason,
}

/// One thing that is not as expected.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Difference {
    /// Of what.
    pub(super) of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
}

impl Ran {
    /// Runs a test.
    pub(super) fn of(
        test: &Test,
        file: &Arc<str>,
        line: u32,
        world: &World,
        coverage: &mut Coverage,
    ) -> Self {
        let seen = ask(test, world, coverage);
        let differences = match &seen {
            Ok(seen) => compare(test, seen),
            Err(_) => Vec::new(),
        };
        Self {
            name: test.name.clone(),
            file: Arc::clone(file),
            line,
            seen,
            differences,
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.seen.is_ok() && self.differences.is_empty()
    }
}

fn ask(test: &Test, world: &World, coverage: &mut Coverage) -> Result<Seen, SupposedError> {
    let caller = who::caller(&test.who, &world.directory)?;
    let call = call(test)?.find(&world.resources)?;
    let mut resource = Resource::clone(&call.resource);
    if let Some(attributes) = &test.resource_attributes {
        resource.attributes = attributes_of(attributes);
    }
    let settings = DecisionSettings {
        entra_parity: test.entra_parity.unwrap_or(world.settings.entra_parity),
        ..world.settings
    };
    let evidence = session::evidence(test)?;
    let (address, country) = session::place(test, settings)?;
    let session = Session {
        evidence: &evidence,
        tenant: None,
        token_id: None,
        address,
        country,
    };
    let mut risk = RiskTable::default().assess(&caller, session.sign_in(), settings.risk());
    session::assess(test, settings, &mut risk);
    let question = Question {
        caller: &caller,
        resource: Asked::Resource(&resource),
        non_agents: resource.non_agents,
        operation: &call.operation,
        session,
    };
    let facts = question.facts(&risk, settings, SystemClock.now());
    let evaluation = world.policies.evaluate(&facts);
    let results = world.policies.evaluate_all(&facts);
    coverage.add(world, &results);
    let said = world
        .policies
        .iter()
        .zip(&results)
        .map(|(policy, result)| Said {
            id: policy.id.to_string(),
            display_name: policy.display_name.to_string(),
            state: policy.state,
            outcome: result.outcome,
            why: AnalysisReason::of(policy, result),
        });
    let operation = match &call.request {
        Some((method, path)) => format!("calls {method} {path} of {}", resource.name),
        None => format!("calls {}", resource.name),
    };
    Ok(Seen {
        question: format!("{} {operation}", who::in_words(&caller)),
        reason: question.reason(&evaluation, settings),
        policies: said.collect(),
    })
}

/// What is called, as `what-if` reads it.
fn call(test: &Test) -> Result<What, SupposedError> {
    if test.call.is_some() == test.resource.is_some() {
        return Err(SupposedError(
            "a test has a `call`, or else a `resource`".to_owned(),
        ));
    }
    let text = test.call.as_deref().map(str::trim);
    let (method, path) = match text.map(|text| (text, text.split_once(' '))) {
        None => (None, None),
        Some((_, Some((method, path)))) => (Some(method.to_owned()), Some(path.trim().to_owned())),
        Some((path, None)) => (None, Some(path.to_owned())),
    };
    Ok(What {
        resource: test.resource.clone(),
        path,
        host: test.host.clone(),
        method,
    })
}

/// What of an answer is not as the test expects.
fn compare(test: &Test, seen: &Seen) -> Vec<Difference> {
    let mut differences = Vec::new();
    let expected = match test.expect {
        Expected::Allow => Effect::Allow,
        Expected::Block => Effect::Block,
    };
    if seen.reason.effect() != expected {
        differences.push(Difference {
            of: "effect".to_owned(),
            expected: Some(expected.as_str().to_owned()),
            found: Some(format!(
                "{} ({})",
                seen.reason.effect().as_str(),
                seen.reason
            )),
        });
    }
    if let Some(reason) = &test.reason
        && seen.reason.as_str() != reason
    {
        let is_known = Reason::ALL.iter().any(|known| known.as_str() == reason);
        let expected = if is_known {
            reason.clone()
        } else {
            format!("{reason}, which is no reason that there is")
        };
        differences.push(Difference {
            of: "reason".to_owned(),
            expected: Some(expected),
            found: Some(seen.reason.to_string()),
        });
    }
    if let Some(expected) = &test.policies {
        let expected = expected
            .iter()
            .map(|(name, outcome)| (name.as_str(), outcome.as_str()));
        differences.extend(compare_policies(expected, seen, |said| {
            said.outcome.applied()
        }));
    }
    if let Some(names) = &test.blocked_by {
        let failure = PolicyOutcome::Failure;
        let expected = names.iter().map(|name| (name.as_str(), failure.as_str()));
        differences.extend(compare_policies(expected, seen, |said| {
            said.outcome == failure
        }));
    }
    differences
}

/// Holds the policies that count against those that are expected.
fn compare_policies<'t>(
    expected: impl Iterator<Item = (&'t str, &'static str)>,
    seen: &Seen,
    counts: impl Fn(&Said) -> bool,
) -> Vec<Difference> {
    let mut expected: BTreeMap<&str, &str> = expected.collect();
    let mut differences = Vec::new();
    for said in &seen.policies {
        let wanted = expected
            .remove(said.display_name.as_str())
            .or_else(|| expected.remove(said.id.as_str()));
        let found = counts(said).then(|| said.outcome.as_str());
        if wanted != found {
            differences.push(Difference {
                of: said.display_name.clone(),
                expected: Some(wanted.unwrap_or("does not apply").to_owned()),
                found: Some(said.found()),
            });
        }
    }
    differences.extend(expected.into_iter().map(|(name, outcome)| Difference {
        of: name.to_owned(),
        expected: Some(outcome.to_owned()),
        found: Some("no policy has this name or id".to_owned()),
    }));
    differences
}

impl Said {
    /// What became of the policy, and why it does not apply if it does not.
    fn found(&self) -> String {
        if self.outcome.applied() {
            self.outcome.as_str().to_owned()
        } else {
            format!("does not apply: {}", self.why.as_str())
        }
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => PolicyOutcome::Success,
            Self::Failure => PolicyOutcome::Failure,
            Self::Unknown => PolicyOutcome::Unknown,
            Self::ReportOnlySuccess => PolicyOutcome::ReportOnlySuccess,
            Self::ReportOnlyFailure => PolicyOutcome::ReportOnlyFailure,
            Self::ReportOnlyInterrupted => PolicyOutcome::ReportOnlyInterrupted,
        }
        .as_str()
    }
}
