//! The shape of a record: Graph's `signIn` (`reference/entra.md` §7.1-7.3), filled from a decision or a refusal.
//!
//! Pure: the same decision gives the same line, but for its duration. A record holds every fact that policy read;
//! attributes and settings by the generation that it names. Never here: a query, a header's value, a body.

mod account;
mod boomgate;
pub(super) mod facts;
mod policies;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::Serialize;

use self::account::{Account, AgentSignIn};
use self::boomgate::Boomgate;
use self::facts::GraphFacts;
use self::policies::AppliedPolicy;
use super::entry::Outcome;
use super::redact;
use crate::call::{CallContext, Refused, Resource};
use crate::decision::{Decided, Decision};
use crate::identity::{Caller, Credential, KnownTarget, Recognition, Target};
use crate::policy::{Facts, PolicyOutcome, Verdict};
use crate::types::{Buffer, CallId, Effect, Fact, Reason, RiskLevel, Timestamp, json};

/// Entra's code of a call that Conditional Access blocks (`reference/entra.md` §7.4).
const BLOCKED_BY_CONDITIONAL_ACCESS: i32 = 53003;

/// `status.errorCode` of every other refusal: `boomgate.reason` says which.
const OTHER_REFUSAL: i32 = 1;

/// What the record of a decision is written from.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    pub(super) context: &'a CallContext,
    pub(super) method: &'a Method,
    pub(super) resource: &'a Resource,
    pub(super) caller: &'a Caller,
    pub(super) recognition: Recognition,
    pub(super) credential: &'a Credential,
    pub(super) decision: &'a Decision,
    pub(super) facts: Facts<'a>,
    /// The operation's template, else the path without what could name one thing.
    pub(super) shown_path: Cow<'a, str>,
}

impl<'a> Source<'a> {
    pub(super) fn of(decided: &'a Decided) -> Self {
        let (identified, received) = (decided.identified(), decided.received());
        let shown_path = match decided.decision().operation.name() {
            Some(template) => Cow::Borrowed(template),
            None => Cow::Owned(redact::path(received.path())),
        };
        Self {
            context: received.context(),
            method: received.method(),
            resource: received.resource(),
            caller: identified.caller(),
            recognition: identified.recognition(),
            credential: identified.credential(),
            decision: decided.decision(),
            facts: decided.facts(),
            shown_path,
        }
    }

    /// What the decision is about: the resource of the call, or the one that a token is asked for.
    fn addressee(&self) -> Addressee<'a> {
        match self.credential {
            Credential::Token(_) => Addressee::of(self.resource),
            Credential::Request(request) => {
                let target = request.targets.get(self.decision.target);
                target.map_or(Addressee::NOBODY, Addressee::of_target)
            }
        }
    }

    /// The display names of the enforced policies that block.
    pub(super) fn blocking_policy_names(&self) -> Vec<Arc<str>> {
        let applied = self.decision.evaluation.applied.iter();
        applied
            .filter(|result| result.outcome == PolicyOutcome::Failure)
            .filter_map(|result| self.decision.policies.policy(result.policy))
            .map(|policy| Arc::clone(&policy.display_name))
            .collect()
    }
}

/// Writes the line of a decision, without its line break.
pub(super) fn decision(
    line: &mut Buffer,
    source: &Source<'_>,
    list_not_applied: bool,
) -> Result<(), serde_json::Error> {
    let Source {
        context,
        caller,
        credential,
        decision,
        ..
    } = *source;
    let account = Account::of(caller, decision);
    let (token, request) = (credential.token(), credential.request());
    let (evidence, tenant) = (credential.evidence(), credential.tenant());
    let tenant = tenant.map(AsRef::as_ref);
    let guest = evidence.guest.as_ref();
    let home_tenant = guest.and_then(|guest| guest.as_ref()?.home_tenant.as_deref());
    let record = SignIn {
        app_id: account.app_id,
        app_display_name: account.app_name,
        service_principal_id: account.service_principal_id,
        service_principal_name: account.service_principal_id.and(account.app_name),
        agent: Some(AgentSignIn::of(caller)),
        user_id: account.user_id,
        user_display_name: account.user_name,
        user_principal_name: account.user_principal_name,
        resource_tenant_id: tenant,
        home_tenant_id: home_tenant.or(tenant),
        session_id: evidence.session_id.as_deref(),
        unique_token_identifier: token.and_then(|token| token.token_id.as_deref()),
        // Of a request that an issuer tells of, the call's address is the issuer's.
        ip_address: source.facts.session.address.known(),
        client_credential_type: request.and_then(|request| request.credential),
        sign_in_event_types: account.event_types,
        risk_level_during_sign_in: Some(risk_level(account.risk)),
        facts: GraphFacts::of(&source.facts),
        conditional_access_status: conditional_access_status(decision),
        applied_conditional_access_policies: policies::applied(decision, list_not_applied),
        created_date_time: decision.at,
        ..SignIn::of(
            context,
            source.addressee(),
            decision.reason,
            Boomgate::of_decision(source),
        )
    };
    json::write(line, &record)
}

/// Writes the line of a call that ended before a decision, without its line break.
pub(super) fn refusal(line: &mut Buffer, refused: &Refused) -> Result<(), serde_json::Error> {
    let context = &refused.context;
    let resource = context.resource.as_deref();
    let record = SignIn::of(
        context,
        resource.map_or(Addressee::NOBODY, Addressee::of),
        refused.reason,
        Boomgate::of_refusal(refused),
    );
    json::write(line, &record)
}

/// Writes the line that says how a recorded call ended, without its line break.
pub(super) fn outcome(
    line: &mut Buffer,
    id: CallId,
    outcome: &Outcome,
) -> Result<(), serde_json::Error> {
    #[derive(Serialize)]
    struct OutcomeRecord<'a> {
        id: CallId,
        boomgate: OutcomeMember<'a>,
    }
    #[derive(Serialize)]
    struct OutcomeMember<'a> {
        outcome: &'a Outcome,
    }
    let record = OutcomeRecord {
        id,
        boomgate: OutcomeMember { outcome },
    };
    json::write(line, &record)
}

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Graph's `signIn`, as far as a gateway can know it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignIn<'a> {
    id: CallId,
    created_date_time: Timestamp,
    correlation_id: &'a str,
    sign_in_event_types: &'static [&'static str],
    is_interactive: bool,
    app_id: Option<&'a str>,
    app_display_name: Option<&'a str>,
    service_principal_id: Option<&'a str>,
    service_principal_name: Option<&'a str>,
    agent: Option<AgentSignIn<'a>>,
    user_id: Option<&'a str>,
    user_display_name: Option<&'a str>,
    user_principal_name: Option<&'a str>,
    resource_id: Option<&'a str>,
    resource_display_name: Option<&'a str>,
    resource_service_principal_id: Option<&'a str>,
    resource_tenant_id: Option<&'a str>,
    home_tenant_id: Option<&'a str>,
    ip_address: Option<IpAddr>,
    user_agent: Option<&'a str>,
    unique_token_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_credential_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    risk_level_during_sign_in: Option<&'static str>,
    #[serde(rename = "")]
    facts: GraphFacts<'a>,
    conditional_access_status: &'static str,
    conditional_access_audiences: Vec<&'a str>,
    applied_conditional_access_policies: Vec<AppliedPolicy<'a>>,
    status: Status,
    boomgate: Boomgate<'a>,
}

/// The resource of a sign-in, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Addressee<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
    principal: Option<&'a str>,
}

impl<'a> Addressee<'a> {
    const NOBODY: Self = Self {
        id: None,
        name: None,
        principal: None,
    };

    fn of(resource: &'a Resource) -> Self {
        let principal = resource.service_principal_id.as_ref();
        Self {
            id: Some(resource.app_id.as_str()),
            name: Some(&resource.display_name),
            principal: principal.map(AsRef::as_ref),
        }
    }

    fn of_target(target: &'a Target) -> Self {
        match &target.known {
            KnownTarget::Resource(resource) => Self::of(resource),
            other => Self {
                id: other.app_id(),
                name: target.name.as_deref(),
                principal: None,
            },
        }
    }
}

impl<'a> SignIn<'a> {
    /// What is known of every call, whoever makes it.
    fn of(
        context: &'a CallContext,
        addressee: Addressee<'a>,
        reason: Reason,
        boomgate: Boomgate<'a>,
    ) -> Self {
        Self {
            id: context.id,
            created_date_time: context.received_at,
            correlation_id: context.correlation_id(),
            sign_in_event_types: &[],
            is_interactive: false,
            app_id: None,
            app_display_name: None,
            service_principal_id: None,
            service_principal_name: None,
            agent: None,
            user_id: None,
            user_display_name: None,
            user_principal_name: None,
            resource_id: addressee.id,
            resource_display_name: addressee.name,
            resource_service_principal_id: addressee.principal,
            resource_tenant_id: None,
            home_tenant_id: None,
            ip_address: Some(context.client_address.to_canonical()),
            user_agent: context.user_agent.as_deref(),
            unique_token_identifier: None,
            client_credential_type: None,
            session_id: None,
            risk_level_during_sign_in: None,
            facts: GraphFacts::default(),
            conditional_access_status: "notApplied",
            conditional_access_audiences: addressee.id.into_iter().collect(),
            applied_conditional_access_policies: Vec::new(),
            status: Status::of(reason),
            boomgate,
        }
    }
}

/// Graph's `signInStatus`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    error_code: i32,
    failure_reason: Option<&'static str>,
    additional_details: Option<&'static str>,
}

impl Status {
    fn of(reason: Reason) -> Self {
        let (error_code, failure_reason) = match (reason.effect(), reason) {
            (Effect::Allow, _) => (0, None),
            (Effect::Block, Reason::BlockedByPolicy) => (
                BLOCKED_BY_CONDITIONAL_ACCESS,
                Some("Access has been blocked by Conditional Access policies."),
            ),
            (Effect::Block, reason) => (OTHER_REFUSAL, Some(reason.as_str())),
        };
        Self {
            error_code,
            failure_reason,
            additional_details: None,
        }
    }
}

/// Graph's name of a level; one that nobody could tell is `hidden`.
const fn risk_level(level: Fact<RiskLevel>) -> &'static str {
    match level {
        Fact::Known(level) => level.as_str(),
        Fact::Unknown | Fact::RequiredUnknown => "hidden",
    }
}

/// Graph's `conditionalAccessStatus`; report-only policies do not count.
fn conditional_access_status(decision: &Decision) -> &'static str {
    let mut applied = decision.evaluation.applied.iter();
    match decision.evaluation.verdict {
        Verdict::Block | Verdict::BlockOnUnknown => "failure",
        Verdict::Allow if applied.any(|result| result.outcome == PolicyOutcome::Success) => {
            "success"
        }
        Verdict::Allow => "notApplied",
    }
}

#[cfg(test)]
mod tests;
