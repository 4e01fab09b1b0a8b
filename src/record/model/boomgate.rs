//! The record's object `boomgate`: what Graph has no word for (`product.md` §5.7).

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::facts::OwnFacts;
use super::policies::Flags;
use super::{Source, micros};
use crate::call::Refused;
use crate::decision::{Decision, OtherTarget};
use crate::identity::{Caller, Credential, Recognition, RequestFacts, Target};
use crate::record::redact;
use crate::risk::{RiskInput, RiskSubject, insider_level};
use crate::types::{AppId, Effect, PolicyId, Reason, ResourceName, RiskState, Timestamp};

/// What Graph has no word for. Members of a decision are absent from the record of a refusal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Boomgate<'a> {
    decision: Effect,
    reason: Reason,
    listener: &'a str,
    /// How the client begins TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a ResourceName>,
    #[serde(rename = "")]
    facts: Option<DecisionFacts<'a>>,
    duration_microseconds: u64,
}

/// The facts of a decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DecisionFacts<'a> {
    caller: &'static str,
    recognition: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_be_agent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_directory: Option<bool>,
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_binding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_issued_date_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_expiration_date_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_request: Option<TokenRequestMember<'a>>,
    scopes: &'a [Arc<str>],
    roles: &'a [Arc<str>],
    #[serde(rename = "")]
    read: OwnFacts<'a>,
    risk_inputs: Vec<RiskInputMember<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_conditions: Vec<UnknownConditions<'a>>,
    not_applied_policies: u32,
    policy_generation: &'a str,
}

/// What is kept of a request for a token.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequestMember<'a> {
    grant_type: &'static str,
    client_id: &'a AppId,
    /// The resources, as they were named; none where none was.
    resources: Vec<&'a str>,
    /// Those that the rest of the record is not about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_resources: Vec<OtherResource<'a>>,
}

/// What would have come of another resource of the same request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OtherResource<'a> {
    resource: Option<&'a str>,
    resource_id: Option<&'a str>,
    decision: Effect,
    reason: Reason,
    applied_conditional_access_policies: Vec<OtherPolicy<'a>>,
}

/// What a policy said of it.
#[derive(Debug, Serialize)]
struct OtherPolicy<'a> {
    id: &'a PolicyId,
    result: &'static str,
}

/// One report of risk that was read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RiskInputMember<'a> {
    id: &'a str,
    identity_type: RiskSubject,
    risk_level: &'static str,
    risk_state: RiskState,
    risk_detail: &'a str,
    risk_last_modified_date_time: Timestamp,
    source: &'a str,
    inherited: bool,
}

/// The conditions of a policy that counted as met because a required fact was unknown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnknownConditions<'a> {
    policy_id: &'a PolicyId,
    conditions: Flags,
}

impl<'a> Boomgate<'a> {
    pub(super) fn of_decision(source: &'a Source<'_>) -> Self {
        Self {
            decision: source.decision.reason.effect(),
            reason: source.decision.reason,
            listener: &source.context.connection.listener,
            tls_client: source.context.connection.tls_client.as_deref(),
            host: source.context.host.as_deref(),
            method: Some(source.method.as_str()),
            path: Some(Cow::Borrowed(&source.shown_path)),
            resource: Some(&source.resource.name),
            facts: Some(DecisionFacts::of(source)),
            duration_microseconds: micros(source.context.started.elapsed()),
        }
    }

    pub(super) fn of_refusal(refused: &'a Refused) -> Self {
        let context = &refused.context;
        Self {
            decision: refused.reason.effect(),
            reason: refused.reason,
            listener: &context.connection.listener,
            tls_client: context.connection.tls_client.as_deref(),
            host: context.host.as_deref(),
            method: context.method.as_ref().map(http::Method::as_str),
            path: context.path.as_deref().map(redact::path).map(Cow::Owned),
            resource: context.resource.as_ref().map(|resource| &resource.name),
            facts: None,
            duration_microseconds: micros(context.started.elapsed()),
        }
    }
}

impl<'a> DecisionFacts<'a> {
    fn of(source: &Source<'a>) -> Self {
        let Source {
            caller,
            credential,
            decision,
            ..
        } = *source;
        let (token, request) = (credential.token(), credential.request());
        let (issuer, scopes) = match credential {
            Credential::Token(token) => (&token.issuer, &token.scopes),
            Credential::Request(request) => (&request.issuer, &request.scopes),
        };
        Self {
            caller: caller.kind(),
            recognition: match source.recognition {
                Recognition::Markers => "markers",
                Recognition::Directory => "directory",
                Recognition::Nothing => "nothing",
            },
            may_be_agent: match caller {
                Caller::NotAgent(caller) => Some(caller.may_be_agent),
                Caller::Autonomous(_) | Caller::AgentUser { .. } | Caller::OnBehalfOf { .. } => {
                    None
                }
            },
            in_directory: in_directory(caller),
            issuer,
            key_id: token.and_then(|token| token.key_id.as_deref()),
            token_binding: token
                .and_then(|token| token.bound_to.as_ref())
                .map(|_key| "dpop"),
            audience: token.map(|token| &*token.audience),
            token_issued_date_time: token.and_then(|token| token.issued_at),
            token_expiration_date_time: token.map(|token| token.expires_at),
            token_request: request.map(|request| token_request(request, decision)),
            scopes,
            roles: token.map_or(&[], |token| &token.roles),
            read: OwnFacts::of(&source.facts),
            risk_inputs: decision.risk.inputs.iter().map(risk_input).collect(),
            unknown_conditions: unknown_conditions(source),
            not_applied_policies: decision.evaluation.not_applied,
            policy_generation: &decision.generation,
        }
    }
}

fn token_request<'a>(request: &'a RequestFacts, decision: &'a Decision) -> TokenRequestMember<'a> {
    let targets = request.targets.iter();
    let others = decision.others.iter();
    TokenRequestMember {
        other_resources: others
            .filter_map(|other| {
                Some(other_resource(
                    request.targets.get(other.target)?,
                    other,
                    decision,
                ))
            })
            .collect(),
        grant_type: request.grant.as_str(),
        client_id: &request.client,
        resources: targets
            .filter_map(|target| target.name.as_deref())
            .collect(),
    }
}

fn other_resource<'a>(
    target: &'a Target,
    other: &'a OtherTarget,
    decision: &'a Decision,
) -> OtherResource<'a> {
    let results = other.evaluation.applied.iter();
    let policies = results.filter_map(|result| {
        let policy = decision.policies.policy(result.policy)?;
        Some(OtherPolicy {
            id: &policy.id,
            result: result.outcome.as_str(),
        })
    });
    OtherResource {
        resource: target.name.as_deref(),
        resource_id: target.known.app_id(),
        decision: other.reason.effect(),
        reason: other.reason,
        applied_conditional_access_policies: policies.collect(),
    }
}

/// Whether the directory knows the account that acts; `None` for callers that are not agents.
fn in_directory(caller: &Caller) -> Option<bool> {
    match caller {
        Caller::AgentUser { entry, agent, .. } => Some(entry.is_some() && agent.entry.is_some()),
        Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => Some(agent.entry.is_some()),
        Caller::NotAgent(_) => None,
    }
}

fn risk_input(input: &RiskInput) -> RiskInputMember<'_> {
    let entry = &input.entry;
    RiskInputMember {
        id: &entry.id,
        identity_type: entry.subject,
        risk_level: match (entry.subject, entry.level) {
            (_, None) => "hidden",
            (RiskSubject::Insider, Some(level)) => insider_level(level).as_str(),
            (_, Some(level)) => level.as_str(),
        },
        risk_state: entry.state,
        risk_detail: &entry.detail,
        risk_last_modified_date_time: entry.last_modified,
        source: &entry.source,
        inherited: input.inherited,
    }
}

fn unknown_conditions<'a>(source: &Source<'a>) -> Vec<UnknownConditions<'a>> {
    let decision = source.decision;
    let results = decision.evaluation.applied.iter();
    results
        .filter(|result| !result.unknown.is_empty())
        .filter_map(|result| {
            Some(UnknownConditions {
                policy_id: &decision.policies.policy(result.policy)?.id,
                conditions: Flags(result.unknown),
            })
        })
        .collect()
}
