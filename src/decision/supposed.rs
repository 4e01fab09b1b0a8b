//! A call that nobody makes: What-If's question, whether it is asked on the command line or of a running gateway.
//!
//! It is answered by a [`Question`] like that of a call, on the same knowledge, so that both say the same. Never here: a
//! rule, and a name that was guessed.

pub mod session;
pub mod what;
pub mod who;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::session::Session;
use self::what::{Call, What};
use self::who::Who;
use super::{Asked, Knowledge, Question, question};
use crate::call::Resources;
use crate::identity::{Caller, Directory};
use crate::policy::analysis::to_graph;
use crate::policy::{AnalysisReason, CompiledPolicy, PolicyResult};
use crate::risk::{Assessment, SignInIds};
use crate::types::{Fact, Reason, RiskLevel, Timestamp};
use serde_json::{Map, Value};

/// Why the question makes no sense to this configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SupposedError(pub String);

/// Who is supposed to call what, from where and with what.
#[derive(Debug, Clone, Default)]
pub struct Supposed {
    /// Who.
    pub who: Who,
    /// What.
    pub what: What,
    /// From where, with what, and at which risk.
    pub session: Session,
}

/// What is known, beside the question.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The resources.
    pub resources: &'a Resources,
    /// The directory.
    pub directory: &'a Directory,
    /// What a decision is made on.
    pub knowledge: Knowledge<'a>,
}

/// What comes of it, and what each policy says, in the order of the set.
#[derive(Debug)]
pub struct Answer<'a> {
    /// What was asked, as it was understood, and the verdict.
    pub verdict: Verdict,
    /// Each policy with what it says, and whether that is that it applies.
    pub policies: Vec<(&'a CompiledPolicy, PolicyResult, AnalysisReason)>,
}

/// What was asked, as it was understood, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// `allow` or `block`.
    pub effect: String,
    /// The name of the [`Reason`].
    pub reason: String,
    /// Who calls, in words.
    pub caller: String,
    /// The resource's name.
    pub resource: String,
    /// Its appId.
    pub app_id: String,
    /// Method, path in normal form and operation, where a path was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The scopes and roles of which the token needs one, which is not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_one_of: Vec<String>,
    /// From where, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The level of risk of an agent, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
}

/// What one policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The state in which it is judged: one that is not understood whole is never enforced.
    pub state: String,
    /// The first reason for which it does not apply, or `notSet`.
    pub reason: String,
    /// What comes of it: `appliedConditionalAccessPolicyResult`.
    pub outcome: String,
    /// Members that are not understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_honoured: Vec<String>,
}

impl Supposed {
    /// What would come of it.
    ///
    /// # Errors
    /// [`SupposedError`] when it asks about what is not there.
    pub fn ask<'a>(&self, world: World<'a>, now: Timestamp) -> Result<Answer<'a>, SupposedError> {
        let knowledge = world.knowledge;
        let settings = knowledge.settings;
        let caller = self.session.assume(self.who.find(world.directory)?);
        let mut call = self.what.find(world.resources)?;
        call.operation = self.session.marked(call.operation);
        let mut risk = knowledge
            .risk
            .assess(&caller, SignInIds::default(), settings.risk());
        self.session.assume_risk(&mut risk);
        let evidence = self.session.evidence();
        let question = Question {
            caller: &caller,
            resource: Asked::Resource(&call.resource),
            operation: &call.operation,
            non_agents: call.resource.non_agents,
            session: question::Session {
                evidence: &evidence,
                tenant: None,
                token_id: None,
                address: self.session.address(),
                country: self.session.country(&knowledge),
            },
        };
        let now = self.session.shown.time.unwrap_or(now);
        let facts = question.facts(&risk, settings, now);
        let evaluation = knowledge.policies.evaluate(&facts);
        let results = knowledge.policies.evaluate_all(&facts);
        let policies = knowledge.policies.iter().zip(results);
        let policies = policies
            .map(|(policy, result)| (policy, result, AnalysisReason::of(policy, &result)))
            .collect();
        let reason = knowledge.narrowed_by_doubt(question.reason(&evaluation, settings));
        Ok(Answer {
            verdict: Verdict::of(&caller, &call, &risk, question.session, reason),
            policies,
        })
    }
}

impl Answer<'_> {
    /// Each policy as Graph's `whatIfAnalysisResult`, with what else it says.
    pub fn results(&self) -> impl Iterator<Item = (Map<String, Value>, Said)> {
        self.policies.iter().map(|(policy, result, reason)| {
            let said = Said {
                state: policy.state.as_str().to_owned(),
                reason: reason.as_str().to_owned(),
                outcome: result.outcome.as_str().to_owned(),
                not_honoured: policy
                    .model()
                    .not_understood
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            };
            (to_graph(policy, *reason), said)
        })
    }
}

impl Verdict {
    fn of(
        caller: &Caller,
        call: &Call,
        risk: &Assessment,
        session: question::Session<'_>,
        reason: Reason,
    ) -> Self {
        let operation = &call.operation;
        let call_in_words = call.request.as_ref().map(|(method, path)| {
            let name = operation.name().unwrap_or("none that is configured");
            format!("{method} {path}, operation {name}")
        });
        let needs: &[&[Arc<str>]] = if call.request.is_some() {
            &[operation.scopes(), operation.roles()]
        } else {
            &[]
        };
        let level = match caller {
            Caller::NotAgent(_) => None,
            Caller::AgentUser { .. } => Some(risk.agent_user),
            Caller::Autonomous(_) | Caller::OnBehalfOf { .. } => Some(risk.agent),
        };
        Self {
            effect: reason.effect().as_str().to_owned(),
            reason: reason.as_str().to_owned(),
            caller: who::in_words(caller),
            resource: call.resource.name.to_string(),
            app_id: call.resource.app_id.to_string(),
            call: call_in_words,
            needs_one_of: needs
                .iter()
                .flat_map(|names| names.iter().map(ToString::to_string))
                .collect(),
            from: from_in_words(session),
            risk: level.map(|level| risk_in_words(level).to_owned()),
        }
    }
}

fn from_in_words(session: question::Session<'_>) -> Option<String> {
    match (session.address, session.country) {
        (Fact::Known(address), Fact::Known(Some(country))) => {
            Some(format!("{address}, country {country}"))
        }
        (Fact::Known(address), Fact::Known(None)) => Some(format!("{address}, in no country")),
        (Fact::Known(address), Fact::Unknown | Fact::RequiredUnknown) => Some(address.to_string()),
        (_, Fact::Known(Some(country))) => Some(format!("country {country}")),
        _ => None,
    }
}

const fn risk_in_words(level: Fact<RiskLevel>) -> &'static str {
    match level {
        Fact::Known(level) => level.as_str(),
        Fact::Unknown => "unknown",
        Fact::RequiredUnknown => "unknown, and required",
    }
}
