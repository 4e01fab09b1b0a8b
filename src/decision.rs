//! Room 4, pure: an [`Identified`] call and what is known become a [`Decided`] one.
//!
//! The order: directory (disabled, unknown), kind of caller, policy, scope. Every step can only narrow.
//! All but the scope is asked by a [`Question`], which needs no call and decides none.
//! Never here: an "allow" that stands for "could not tell", IO, and the reading of a rule.

mod question;

use std::sync::Arc;

use crate::call::{NonAgents, Received};
use crate::capability::Operation;
use crate::identity::{Caller, Credential, Identified, RequestFacts, Target};
use crate::policy::{Evaluation, Facts, PolicyOutcome, PolicySet};
use crate::risk::{Assessment, RiskSettings, RiskTable};
use crate::types::{Effect, PolicyId, Reason, Timestamp};

pub use question::{Asked, Question, agent_facts};

/// What happens to agents that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownAgents {
    /// Policies judge them: those on `All` agents apply, and attribute filters see no attributes.
    #[default]
    Evaluate,
    /// They are blocked.
    Block,
}

/// How decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionSettings {
    /// Read policies only as Entra does (`product.md` §4).
    pub entra_parity: bool,
    /// Agents that the directory does not know.
    pub unknown_agents: UnknownAgents,
    /// Whether withheld risk fails closed.
    pub risk_required: bool,
}

impl DecisionSettings {
    /// How risk levels combine under these settings.
    #[must_use]
    pub const fn risk(self) -> RiskSettings {
        RiskSettings {
            inherit: !self.entra_parity,
            required: self.risk_required && !self.entra_parity,
        }
    }
}

/// What a decision is made on, beside the call: one snapshot's parts.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// The compiled policies.
    pub policies: &'a Arc<PolicySet>,
    /// What is known of risk.
    pub risk: &'a RiskTable,
    /// How decisions are made.
    pub settings: DecisionSettings,
    /// The generation of the snapshot.
    pub generation: &'a Arc<str>,
}

/// The verdict on one call, with all that a record needs to explain it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Why, which says what too.
    pub reason: Reason,
    /// What the policies said.
    pub evaluation: Evaluation,
    /// The policies that said it.
    pub policies: Arc<PolicySet>,
    /// The caller's risk.
    pub risk: Assessment,
    /// What the call does.
    pub operation: Operation,
    /// Which of the resources that a token is asked for it is about; 0 for any other call.
    pub target: usize,
    /// The snapshot's generation.
    pub generation: Arc<str>,
    /// How it was made.
    pub settings: DecisionSettings,
    /// When.
    pub at: Timestamp,
}

impl Decision {
    /// The enforced policies that block, in the order of the set.
    #[must_use]
    pub fn blocking_policies(&self) -> Vec<PolicyId> {
        let applied = self.evaluation.applied.iter();
        applied
            .filter(|result| result.outcome == PolicyOutcome::Failure)
            .filter_map(|result| self.policies.policy(result.policy))
            .map(|policy| policy.id.clone())
            .collect()
    }
}

/// A call on which a decision was made. It owns the call, so the verdict cannot be spent on another one.
#[derive(Debug)]
#[must_use]
pub struct Decided {
    identified: Identified,
    decision: Decision,
}

impl Decided {
    /// The call and its caller.
    pub const fn identified(&self) -> &Identified {
        &self.identified
    }

    /// The call.
    pub const fn received(&self) -> &Received {
        self.identified.received()
    }

    /// The verdict.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// All that policies read of the call.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        let decision = &self.decision;
        let question = Question::of(&self.identified, decision.target, &decision.operation);
        question.facts(&decision.risk, decision.settings, decision.at)
    }

    /// Whether the call may go on.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.decision.reason.effect()
    }

    /// Takes it apart, for the room that enforces it.
    pub(crate) fn into_parts(self) -> (Identified, Decision) {
        (self.identified, self.decision)
    }
}

/// Decides on one call.
pub fn decide(identified: Identified, knowledge: &Knowledge<'_>, now: Timestamp) -> Decided {
    let received = identified.received();
    let (caller, non_agents) = (identified.caller(), received.resource().non_agents);
    let decision = match identified.credential() {
        Credential::Request(request) => decide_request(caller, request, non_agents, knowledge, now),
        Credential::Token(token) => {
            let operation = Operation::of(received);
            let question = Question::of(&identified, 0, &operation);
            let mut decision = judge(question, knowledge, now);
            let is_covered = operation.is_covered_by(&token.scopes, &token.roles);
            if decision.reason.effect() == Effect::Allow && !is_covered {
                decision.reason = Reason::ScopeInsufficient;
            }
            decision
        }
    };
    Decided {
        identified,
        decision,
    }
}

/// Decides on a request for a token: on every resource that it is for, and the first that is refused decides,
/// one that policy blocks before one that nobody can tell.
#[must_use]
pub fn decide_request(
    caller: &Caller,
    request: &RequestFacts,
    non_agents: NonAgents,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Decision {
    let operation = Operation::default();
    let of_target = |(place, target): (usize, &Target)| {
        let question = Question {
            caller,
            resource: Asked::of(target),
            operation: &operation,
            non_agents,
        };
        let decision = if request.is_exempt {
            exempt(question, knowledge, now)
        } else {
            judge(question, knowledge, now)
        };
        Decision {
            target: place,
            ..decision
        }
    };
    let decisions: Vec<_> = request.targets.iter().enumerate().map(of_target).collect();
    let blocked = |decision: &Decision| decision.reason == Reason::BlockedByPolicy;
    let refused = |decision: &Decision| decision.reason.effect() == Effect::Block;
    let decisive = decisions.iter().position(blocked);
    let decisive = decisive.or_else(|| decisions.iter().position(refused));
    let decisive = decisive.unwrap_or_default();
    decisions.into_iter().nth(decisive).unwrap_or_else(|| {
        // FAIL-CLOSED: a request for nothing is one for anything.
        let question = Question {
            caller,
            resource: Asked::Any,
            operation: &operation,
            non_agents,
        };
        judge(question, knowledge, now)
    })
}

/// What the directory and all policies say.
fn judge(question: Question<'_>, knowledge: &Knowledge<'_>, now: Timestamp) -> Decision {
    let settings = knowledge.settings;
    let risk = knowledge.risk.assess(question.caller, settings.risk());
    let facts = question.facts(&risk, settings, now);
    let evaluation = knowledge.policies.evaluate(&facts);
    let reason = question.reason(&evaluation, settings);
    decision(question, reason, evaluation, risk, knowledge, now)
}

/// What the directory alone says.
fn exempt(question: Question<'_>, knowledge: &Knowledge<'_>, now: Timestamp) -> Decision {
    let settings = knowledge.settings;
    let risk = knowledge.risk.assess(question.caller, settings.risk());
    let refused = question.refused_by_directory(settings);
    let reason = refused.unwrap_or(Reason::ExemptFromPolicy);
    decision(question, reason, Evaluation::NONE, risk, knowledge, now)
}

fn decision(
    question: Question<'_>,
    reason: Reason,
    evaluation: Evaluation,
    risk: Assessment,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Decision {
    Decision {
        reason,
        evaluation,
        policies: Arc::clone(knowledge.policies),
        risk,
        operation: question.operation.clone(),
        target: 0,
        generation: Arc::clone(knowledge.generation),
        settings: knowledge.settings,
        at: now,
    }
}
