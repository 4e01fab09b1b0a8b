//! One line of records under other policies. Never here: counting.

use super::call::Call;
use crate::policy::{PolicyOutcome, PolicySet, Verdict};
use crate::record::replay::{NotReplayable, RecordedFacts};
use crate::types::{Reason, Timestamp};

/// What a line comes to.
pub(super) enum Judged<'l> {
    /// It records no decision: a refusal before one, or how a call ended.
    NoDecision,
    /// It records one that cannot be made again, for this reason.
    NotReplayable(String),
    /// It was decided again.
    Decided(Box<Decided<'l>>),
}

/// A call that was decided again.
pub(super) struct Decided<'l> {
    pub(super) call: Call<'l>,
    pub(super) at: Timestamp,
    pub(super) change: Change,
    /// Whether the block rests on a required fact that nobody could tell.
    pub(super) is_on_unknown: bool,
    /// Places in the set of the enforced policies that refuse it.
    pub(super) refused_by: Vec<u32>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    AllowedAsBefore,
    BlockedAsBefore,
    NewlyBlocked,
    NewlyAllowed,
}

/// What was made of a call when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Forwarded,
    /// It was forwarded, whatever policies say.
    ForwardedAnyway,
    /// Policies refused it.
    RefusedByPolicy,
    /// It was refused for what no policy changes.
    RefusedAnyway,
    /// No decision was made on it, or it is about what came after.
    Undecided,
}

const fn before(reason: Reason) -> Before {
    match reason {
        Reason::NoPolicyBlocked | Reason::NonAgentForwarded => Before::Forwarded,
        Reason::ExemptFromPolicy => Before::ForwardedAnyway,
        Reason::BlockedByPolicy
        | Reason::AuthenticationInsufficient
        | Reason::FactsUnavailable
        | Reason::TargetUnknown
        | Reason::SubjectUnknown => Before::RefusedByPolicy,
        Reason::AgentDisabled
        | Reason::BlueprintDisabled
        | Reason::AccountDisabled
        | Reason::AgentUnknown
        | Reason::NotAnAgent
        | Reason::TokenRevoked
        | Reason::ScopeInsufficient => Before::RefusedAnyway,
        Reason::RequestMalformed
        | Reason::TokenRequestMalformed
        | Reason::TokenRequestContradictory
        | Reason::MethodRefused
        | Reason::UriTooLong
        | Reason::HeadersTooLarge
        | Reason::BodyTooLarge
        | Reason::RequestTimeout
        | Reason::Misdirected
        | Reason::ResourceUnknown
        | Reason::Overloaded
        | Reason::CredentialMissing
        | Reason::CredentialMalformed
        | Reason::TokenMalformed
        | Reason::TokenAlgorithmRefused
        | Reason::TokenTypeRefused
        | Reason::TokenIssuerRefused
        | Reason::TokenKeyUnknown
        | Reason::TokenSignatureInvalid
        | Reason::TokenAudienceRefused
        | Reason::TokenExpired
        | Reason::TokenNotYetValid
        | Reason::TokenClaimsRefused
        | Reason::ProofMissing
        | Reason::ProofRefused
        | Reason::ProofReplayed
        | Reason::HookCallerRefused
        | Reason::ClientAssertionRefused
        | Reason::KeysUnavailable
        | Reason::RecordUnavailable
        | Reason::UpstreamFailed
        | Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::UpstreamOverloaded => Before::Undecided,
    }
}

/// Decides a recorded call again.
pub(super) fn judge<'l>(line: &'l [u8], policies: &PolicySet) -> Judged<'l> {
    let recorded = match RecordedFacts::read(line) {
        Ok(recorded) => recorded,
        Err(NotReplayable::NoDecision) => return Judged::NoDecision,
        // What the parser says of it tells one line from another, and a reason is for all of a kind.
        Err(NotReplayable::NotARecord(_)) => return not_replayable("it is not a record"),
        Err(reason) => return Judged::NotReplayable(reason.to_string()),
    };
    let Ok(call) = serde_json::from_slice::<Call<'_>>(line) else {
        return not_replayable("it is not a record");
    };
    let Some(reason) = call.reason() else {
        return not_replayable("`boomgate.reason` is one that this version does not know");
    };
    let facts = recorded.facts();
    let evaluation = policies.evaluate(&facts);
    let (is_refused, is_on_unknown) = match evaluation.verdict {
        Verdict::Allow => (false, false),
        Verdict::Block => (true, false),
        Verdict::BlockOnUnknown => (true, true),
    };
    let change = match (before(reason), is_refused) {
        (Before::Undecided, _) => return Judged::NoDecision,
        (Before::Forwarded, false) | (Before::ForwardedAnyway, _) => Change::AllowedAsBefore,
        (Before::Forwarded, true) => Change::NewlyBlocked,
        (Before::RefusedByPolicy, false) => Change::NewlyAllowed,
        (Before::RefusedByPolicy, true) | (Before::RefusedAnyway, _) => Change::BlockedAsBefore,
    };
    let refusing = evaluation.applied.iter().filter(|result| {
        before(reason) != Before::ForwardedAnyway && result.outcome == PolicyOutcome::Failure
    });
    Judged::Decided(Box::new(Decided {
        at: facts.now,
        refused_by: refusing.map(|result| result.policy).collect(),
        call,
        change,
        is_on_unknown,
    }))
}

fn not_replayable(reason: &str) -> Judged<'_> {
    Judged::NotReplayable(reason.to_owned())
}
