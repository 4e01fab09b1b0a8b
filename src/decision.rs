//! Room 4, pure: an [`Identified`] call and what is known become a [`Decided`] one.
//!
//! The order: directory (disabled, unknown), kind of caller, policy, revocation, scope. Every step can only narrow.
//! All but the last two is asked by a [`Question`], which needs no call and decides none.
//! Never here: an "allow" that stands for "could not tell", IO, and the reading of a rule.

mod question;
mod settings;
pub mod supposed;

use std::net::IpAddr;
use std::sync::Arc;

use http::Method;

use crate::call::{Received, Resource};
use crate::capability::Operation;
use crate::countries::Countries;
use crate::identity::{Caller, Credential, Identified, RequestFacts};
use crate::policy::{Controls, Evaluation, FactName, Facts, PolicyOutcome, PolicySet};
use crate::risk::{Assessment, Reported, RiskTable};
use crate::types::{Country, Effect, Fact, PolicyId, Reason, Timestamp};

pub use question::{Asked, Question, Session, agent_facts};
pub use settings::{DecisionSettings, FactKind, FactKinds, UnknownAgents};

/// What a decision is made on, beside the call: one snapshot's parts.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// The compiled policies.
    pub policies: &'a Arc<PolicySet>,
    /// What is known of risk.
    pub risk: &'a RiskTable,
    /// What was reported beside: revoked tokens, disabled accounts.
    pub reported: &'a Reported,
    /// How decisions are made.
    pub settings: DecisionSettings,
    /// The generation of the snapshot.
    pub generation: &'a Arc<str>,
    /// Where addresses are, if there is a database of that.
    pub countries: Option<&'a Countries>,
}

impl Knowledge<'_> {
    /// What is allowed needs that what was reported of agents is known.
    fn narrowed_by_doubt(&self, reason: Reason) -> Reason {
        match reason.effect() {
            // FAIL-CLOSED: what is not known could be the word that stops this very caller.
            Effect::Allow if !self.reported.is_known() => Reason::FactsUnavailable,
            Effect::Allow | Effect::Block => reason,
        }
    }

    /// The country of an address, where a policy reads it.
    #[must_use]
    pub fn country(&self, address: Fact<IpAddr>) -> Fact<Option<Country>> {
        let is_read = self.policies.reads(FactName::Country);
        let countries = self.countries.filter(|_| is_read).zip(address.known());
        // FAIL-CLOSED: a database that is broken at this place does not tell.
        let told = countries.and_then(|(countries, address)| countries.of(address).ok());
        self.settings.fact(FactKind::Country, told)
    }
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
    /// What would have been decided on the others, in the order of the request.
    pub others: Vec<OtherTarget>,
    /// The country of the call's address.
    pub country: Fact<Option<Country>>,
    /// The snapshot's generation.
    pub generation: Arc<str>,
    /// How it was made.
    pub settings: DecisionSettings,
    /// When.
    pub at: Timestamp,
}

/// The verdict on another resource that the same token is asked for.
#[derive(Debug, Clone)]
pub struct OtherTarget {
    /// Which of the request's resources.
    pub target: usize,
    /// Why it would be refused or not, were it asked for alone.
    pub reason: Reason,
    /// What the policies said.
    pub evaluation: Evaluation,
}

impl Decision {
    /// What a human would have to show, so that none of the policies that refuse the call did.
    #[must_use]
    pub fn lacking_controls(&self) -> Controls {
        lacking_controls(&self.evaluation)
    }

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
    pub fn received(&self) -> &Received {
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
        let question = question(
            Case::of(&self.identified),
            decision.target,
            &decision.operation,
            decision.country,
        );
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

/// A call as it is judged: all that a decision reads of it, and nothing that could be forwarded.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// By what the caller is known.
    pub credential: &'a Credential,
    /// What is called.
    pub resource: &'a Resource,
    /// The method.
    pub method: &'a Method,
    /// The path in normal form.
    pub path: &'a str,
    /// The client's address.
    pub client_address: IpAddr,
}

impl<'a> Case<'a> {
    fn of(identified: &'a Identified) -> Self {
        let received = identified.received();
        Self {
            caller: identified.caller(),
            credential: identified.credential(),
            resource: received.resource(),
            method: received.method(),
            path: received.path(),
            client_address: received.context().client_address,
        }
    }
}

/// Decides on one call.
pub fn decide(identified: Identified, knowledge: &Knowledge<'_>, now: Timestamp) -> Decided {
    let decision = judge(Case::of(&identified), knowledge, now);
    Decided {
        identified,
        decision,
    }
}

/// The verdict on a call, which lets nothing through: only [`decide`] makes what can be enforced. A call that was
/// forwarded and is still open is judged again by this. A request for a token is judged for each resource that it
/// names, and the first that is refused decides: one that policy blocks before one that nobody can tell.
#[must_use]
pub fn judge(case: Case<'_>, knowledge: &Knowledge<'_>, now: Timestamp) -> Decision {
    let targets = match case.credential {
        Credential::Token(_) => 1,
        Credential::Request(request) => request.targets.len(),
    };
    let mut decision = judge_target(case, 0, knowledge, now);
    let mut others = Vec::new();
    for target in 1..targets {
        let mut next = judge_target(case, target, knowledge, now);
        let is_worse = match decision.reason.effect() {
            Effect::Allow => next.reason.effect() == Effect::Block,
            Effect::Block => {
                next.reason == Reason::BlockedByPolicy && decision.reason != next.reason
            }
        };
        if is_worse {
            std::mem::swap(&mut decision, &mut next);
        }
        others.push(OtherTarget {
            target: next.target,
            reason: next.reason,
            evaluation: next.evaluation,
        });
    }
    others.sort_by_key(|other| other.target);
    decision.others = others;
    decision
}

/// What would have to be shown, so that no policy refused; nothing where one would all the same.
fn lacking_controls(evaluation: &Evaluation) -> Controls {
    let mut failures = evaluation.failures();
    let lacking = failures.try_fold(Controls::NONE, |all, result| {
        let lifted_by = result.controls.could_be_met_by;
        (!lifted_by.is_empty()).then(|| all.and(lifted_by))
    });
    lacking.unwrap_or(Controls::NONE)
}

/// What directory, policies and scopes say; of a request for a token, about this target.
fn judge_target(
    case: Case<'_>,
    target: usize,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Decision {
    let settings = knowledge.settings;
    let country = knowledge.country(case.credential.address(case.client_address));
    let operation = Operation::find(case.resource, case.method, case.path);
    let question = question(case, target, &operation, country);
    let sign_in = question.session.sign_in();
    let risk = knowledge
        .risk
        .assess(question.caller, sign_in, settings.risk());
    let is_exempt = |request: &RequestFacts| request.is_exempt;
    let (evaluation, reason) = if case.credential.request().is_some_and(is_exempt) {
        let refused = question.refused_by_directory(settings);
        let reason = refused.unwrap_or(Reason::ExemptFromPolicy);
        (Evaluation::NONE, reason)
    } else {
        let facts = question.facts(&risk, settings, now);
        let evaluation = knowledge.policies.evaluate(&facts);
        let reason = question.reason(&evaluation, settings);
        (evaluation, reason)
    };
    let reason = narrowed_by_state(reason, case, knowledge);
    Decision {
        reason: narrowed_by_scopes(reason, &operation, case.credential),
        evaluation,
        policies: Arc::clone(knowledge.policies),
        risk,
        operation,
        target,
        others: Vec::new(),
        country,
        generation: Arc::clone(knowledge.generation),
        settings,
        at: now,
    }
}

/// What is allowed still needs accounts that no source disabled, and a token that was not revoked; and that every required
/// source was heard of.
fn narrowed_by_state(reason: Reason, case: Case<'_>, knowledge: &Knowledge<'_>) -> Reason {
    if reason.effect() == Effect::Block {
        return reason;
    }
    let (caller, reported) = (case.caller, knowledge.reported);
    if let Some(disabled) = reported.accounts.refuse(caller) {
        return disabled;
    }
    let is_revoked = case.credential.token().is_some_and(|token| {
        let revocations = &reported.revocations;
        revocations.refuse(caller, token.issued_at) || revocations.refuse_token(token)
    });
    if is_revoked {
        return Reason::TokenRevoked;
    }
    knowledge.narrowed_by_doubt(reason)
}

/// What is allowed still needs a scope or a role where the operation asks for one.
fn narrowed_by_scopes(reason: Reason, operation: &Operation, credential: &Credential) -> Reason {
    let is_covered = credential.token().map_or_else(
        || operation.is_covered_by(&[], &[]),
        |token| operation.is_covered_by(&token.scopes, &token.roles),
    );
    match reason.effect() {
        Effect::Allow if !is_covered => Reason::ScopeInsufficient,
        Effect::Allow | Effect::Block => reason,
    }
}

/// What a call asks that performs this operation, and comes from this country; of a request for a token, what it asks of
/// this target.
fn question<'a>(
    case: Case<'a>,
    target: usize,
    operation: &'a Operation,
    country: Fact<Option<Country>>,
) -> Question<'a> {
    Question {
        caller: case.caller,
        resource: match case.credential {
            Credential::Token(_) => Asked::Resource(case.resource),
            // FAIL-CLOSED: a request for nothing is one for anything.
            Credential::Request(request) => {
                request.targets.get(target).map_or(Asked::Any, Asked::of)
            }
        },
        operation,
        non_agents: case.resource.non_agents,
        session: Session::of(
            case.credential,
            case.credential.address(case.client_address),
            country,
        ),
    }
}
