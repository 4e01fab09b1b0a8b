//! What an issuer gets that asks whether it may give a token. "Yes" is made of a [`Permit`] and of nothing else.
//!
//! Every answer but that one is a refusal, by its status alone: an issuer that understands nothing else gives no token.
//! Never here: a claim that changes what a token is good for.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::{Face, oauth};
use crate::call::{Body, CallContext, HookForm};
use crate::enforcement::{Denial, Permit};
use crate::types::{Effect, Reason};

/// Spends the permit of a hook by the answer that lets its issuer give the token.
///
/// # Errors
/// Any other permit is given back, for its call is to be forwarded.
#[expect(
    clippy::result_large_err,
    reason = "a permit is a value of the path, moved once"
)]
pub fn grant(permit: Permit) -> Result<(CallContext, Response<Body>), Permit> {
    let Some(form) = permit
        .received()
        .resource()
        .token_hook()
        .map(|hook| hook.form)
    else {
        return Err(permit);
    };
    let context = permit.spend().context().clone();
    let mut id = [0; 36];
    let id = context.id.encode(&mut id);
    let (status, body) = match form {
        // Entra takes strings; a claims mapping policy brings them into the token, or none does.
        HookForm::Entra => (
            StatusCode::OK,
            Some(json!({"data": {
                "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
                "actions": [{
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": {"boomgateDecisionId": id},
                }],
            }})),
        ),
        // Hydra then leaves the claims of the session as they are.
        HookForm::Hydra => (StatusCode::NO_CONTENT, None),
        HookForm::Plain => (
            StatusCode::OK,
            Some(json!({"decision": Effect::Allow, "decisionId": id})),
        ),
    };
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(body) = body {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        *response.body_mut() = Body::from(body.to_string().into_bytes());
    }
    Ok((context, response))
}

/// The body of a refusal: what the gateway says, and the error that the issuer may pass on to its client.
pub(super) fn body(denial: &Denial, face: &Face) -> Vec<u8> {
    let mut body = oauth::members(denial, face);
    let mut id = [0; 36];
    let id = denial.context.id.encode(&mut id);
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("decision", json!(Effect::Block));
    set("decisionId", id.into());
    set("reason", denial.reason.as_str().into());
    Value::Object(body).to_string().into_bytes()
}

/// The status of a refusal: 403 of whatever was decided, which is what Hydra passes on as `access_denied`.
pub(super) const fn status(reason: Reason, status: StatusCode) -> StatusCode {
    match reason {
        Reason::AuthenticationInsufficient
        | Reason::TargetUnknown
        | Reason::SubjectUnknown
        | Reason::TokenRequestContradictory => StatusCode::FORBIDDEN,
        Reason::NoPolicyBlocked
        | Reason::NonAgentForwarded
        | Reason::ExemptFromPolicy
        | Reason::RequestMalformed
        | Reason::RequestTimeout
        | Reason::MethodRefused
        | Reason::UriTooLong
        | Reason::HeadersTooLarge
        | Reason::BodyTooLarge
        | Reason::Misdirected
        | Reason::ResourceUnknown
        | Reason::Overloaded
        | Reason::TokenRequestMalformed
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
        | Reason::TokenRevoked
        | Reason::ProofMissing
        | Reason::ProofRefused
        | Reason::ProofReplayed
        | Reason::ClientAssertionRefused
        | Reason::HookCallerRefused
        | Reason::KeysUnavailable
        | Reason::BlockedByPolicy
        | Reason::FactsUnavailable
        | Reason::AgentDisabled
        | Reason::BlueprintDisabled
        | Reason::AccountDisabled
        | Reason::AgentUnknown
        | Reason::NotAnAgent
        | Reason::ScopeInsufficient
        | Reason::RecordUnavailable
        | Reason::UpstreamFailed
        | Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::UpstreamOverloaded => status,
    }
}
