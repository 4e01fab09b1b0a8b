//! The one match from [`Reason`] to what the caller gets: status, challenge, problem document (RFC 9457).
//!
//! `product.md` §5.2 is the contract. A refusal says what happened and what to do next, and tells nothing
//! of which claim or rule failed beyond OAuth's error code (RFC 6750 §3.1).

mod hook;
mod oauth;
mod problem;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::Denial;
use crate::call::{Body, ResourceKind};
use crate::types::Reason;

pub use hook::grant;

/// The header that names the decision on every answer.
pub const DECISION_ID: http::HeaderName = http::HeaderName::from_static("boomgate-decision-id");

/// What answers say beside the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseSettings {
    /// The `realm` of challenges.
    pub realm: String,
    /// Whether a caller may see the ids of the policies that block it.
    pub show_policies: bool,
    /// Seconds of `Retry-After` on 503.
    pub retry_after_seconds: u32,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self {
            realm: "boomgate".to_owned(),
            show_policies: false,
            retry_after_seconds: 5,
        }
    }
}

/// OAuth's error code of a bearer challenge (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    /// No credential was given: no error code at all.
    Bare,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    Proof,
    /// A stronger token is asked for.
    StepUp,
    /// A client is not authenticated at a token endpoint (RFC 6749 §5.2).
    Client,
}

/// What a reason looks like from outside.
struct Face {
    status: StatusCode,
    challenge: Option<Challenge>,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
}

/// Answers a denied call.
pub fn respond(denial: &Denial, settings: &ResponseSettings) -> Response<Body> {
    let mut face = face(denial.reason);
    let resource = denial.context.resource.as_deref();
    let json = "application/json; charset=utf-8";
    let (media_type, methods, body) = match resource.map(|resource| &resource.kind) {
        Some(ResourceKind::TokenEndpoint(_)) => {
            face.status = oauth::status(denial.reason, face.status);
            face.challenge = face.challenge.filter(|one| *one == Challenge::Client);
            (json, "POST", oauth::body(denial, &face))
        }
        Some(ResourceKind::TokenHook(_)) => {
            face.status = hook::status(denial.reason, face.status);
            (json, "POST", hook::body(denial, &face))
        }
        Some(ResourceKind::Api | ResourceKind::External) | None => {
            let methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
            let body = problem::body(denial, &face, settings);
            ("application/problem+json", methods, body)
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = face.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(challenge) = face.challenge
        && let Ok(value) = HeaderValue::from_str(&problem::challenge(denial, challenge, settings))
    {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    match face.status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, settings.retry_after_seconds.into());
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        _ => {}
    }
    response
}

/// The status of a call that is denied for this reason.
pub(super) fn status(reason: Reason) -> StatusCode {
    face(reason).status
}

/// Every reason's face. Rows that look alike from outside are one row, so that nobody can tell them apart.
#[expect(
    clippy::too_many_lines,
    reason = "a table: one row per reason, read by search"
)]
fn face(reason: Reason) -> Face {
    let row = |status, challenge, code, title, detail| Face {
        status,
        challenge,
        code,
        title,
        detail,
    };
    match reason {
        // Allowed calls are never answered here; were one to arrive, it must not look like a success.
        Reason::NoPolicyBlocked | Reason::NonAgentForwarded | Reason::ExemptFromPolicy => row(
            StatusCode::INTERNAL_SERVER_ERROR,
            None,
            "internal_error",
            "The gateway failed",
            "Report the decision id to the gateway's operator.",
        ),
        Reason::RequestMalformed => row(
            StatusCode::BAD_REQUEST,
            None,
            "request_malformed",
            "The request is malformed",
            "Its target, a header or its framing is not valid HTTP, or could be read in two ways.",
        ),
        Reason::MethodRefused => row(
            StatusCode::METHOD_NOT_ALLOWED,
            None,
            "method_refused",
            "The method is not allowed",
            "This gateway does not forward the method.",
        ),
        Reason::UriTooLong => row(
            StatusCode::URI_TOO_LONG,
            None,
            "uri_too_long",
            "The target is too long",
            "Send a shorter path or query.",
        ),
        Reason::HeadersTooLarge => row(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            None,
            "headers_too_large",
            "The headers are too large",
            "Send fewer or smaller headers.",
        ),
        Reason::BodyTooLarge => row(
            StatusCode::PAYLOAD_TOO_LARGE,
            None,
            "body_too_large",
            "The body is too large",
            "Send a smaller body.",
        ),
        Reason::RequestTimeout => row(
            StatusCode::REQUEST_TIMEOUT,
            None,
            "request_timeout",
            "The request took too long",
            "Its head or its body did not arrive in time. Send it again, without pauses.",
        ),
        Reason::Misdirected => row(
            StatusCode::MISDIRECTED_REQUEST,
            None,
            "misdirected",
            "The request was misdirected",
            "The host of the request is not the one of the connection. Open a new connection.",
        ),
        Reason::ResourceUnknown => row(
            StatusCode::NOT_FOUND,
            None,
            "not_found",
            "Not found",
            "Nothing is known under this host and path.",
        ),
        Reason::Overloaded => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "overloaded",
            "The gateway is overloaded",
            "Try again later.",
        ),
        Reason::TokenRequestMalformed => row(
            StatusCode::BAD_REQUEST,
            None,
            "token_request_malformed",
            "The request is not one for a token",
            "Send one form with every parameter once, one client, and what its grant needs (RFC 6749 §3.2).",
        ),
        Reason::TokenRequestContradictory => row(
            StatusCode::BAD_REQUEST,
            None,
            "token_request_contradictory",
            "The request contradicts itself or the directory",
            "All that names the client, the agent or the user must name the same one. Name the decision id.",
        ),
        Reason::TargetUnknown => row(
            StatusCode::BAD_REQUEST,
            None,
            "target_unknown",
            "The resource is not known",
            "Name the resource by `scope`, `resource` or `audience`, and have it registered.",
        ),
        Reason::CredentialMissing => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::Bare),
            "credential_missing",
            "An access token is needed",
            "Send one as a bearer token in the Authorization header.",
        ),
        Reason::CredentialMalformed => row(
            StatusCode::BAD_REQUEST,
            Some(Challenge::InvalidRequest),
            "invalid_request",
            "The credential is malformed",
            "Send exactly one Authorization header with one bearer token.",
        ),
        Reason::TokenExpired => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::InvalidToken),
            "token_expired",
            "The access token has expired",
            "Ask the issuer for a new one.",
        ),
        Reason::TokenRevoked => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::InvalidToken),
            "token_revoked",
            "The access token was revoked",
            "Ask the issuer for a new one.",
        ),
        Reason::TokenMalformed
        | Reason::TokenAlgorithmRefused
        | Reason::TokenTypeRefused
        | Reason::TokenIssuerRefused
        | Reason::TokenKeyUnknown
        | Reason::TokenSignatureInvalid
        | Reason::TokenAudienceRefused
        | Reason::TokenNotYetValid
        | Reason::TokenClaimsRefused => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::InvalidToken),
            "invalid_token",
            "The access token was not accepted",
            "Ask the issuer for an access token for this resource.",
        ),
        Reason::ProofMissing => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::Proof),
            "proof_missing",
            "A proof of possession is needed",
            "Send a token that is bound to a key of yours with the DPoP scheme, and a proof in the DPoP header.",
        ),
        Reason::ProofRefused | Reason::ProofReplayed => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::Proof),
            "invalid_dpop_proof",
            "The proof of possession was not accepted",
            "Make a new one for each call: for its method, its address and its token, now and with the token's key.",
        ),
        Reason::ClientAssertionRefused => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::Client),
            "client_assertion_refused",
            "The client assertion was not accepted",
            "Make a new one, or get a new token of the blueprint, and ask again.",
        ),
        Reason::HookCallerRefused => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::InvalidToken),
            "hook_caller_refused",
            "The credential is not that of the issuer",
            "Send the key of this hook, or a token of the client that it is for.",
        ),
        Reason::KeysUnavailable => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "keys_unavailable",
            "The access token cannot be verified now",
            "The issuer's keys are not to be had. Try again later.",
        ),
        // 53003 is Entra's code for this (`reference/entra.md` §7.4).
        Reason::BlockedByPolicy => row(
            StatusCode::FORBIDDEN,
            None,
            "53003",
            "Access has been blocked by Conditional Access policies",
            "A new token will not help. Ask the resource's administrator, and name the decision id.",
        ),
        Reason::AuthenticationInsufficient => row(
            StatusCode::UNAUTHORIZED,
            Some(Challenge::StepUp),
            "insufficient_user_authentication",
            "The user must authenticate in a stronger way",
            "Have the user sign in as the challenge says, and call again with the new token.",
        ),
        Reason::FactsUnavailable => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "facts_unavailable",
            "Access cannot be decided now",
            "A fact that policy needs is not to be had. Try again later.",
        ),
        Reason::SubjectUnknown => row(
            StatusCode::BAD_REQUEST,
            None,
            "subject_unknown",
            "It is not known for whom the token is",
            "A policy needs to know the user. Ask by a grant that names one, or have the issuer say who it is.",
        ),
        Reason::AgentDisabled | Reason::BlueprintDisabled => row(
            StatusCode::FORBIDDEN,
            None,
            "agent_disabled",
            "The agent is disabled",
            "A new token will not help. Ask the agent's sponsor, and name the decision id.",
        ),
        Reason::AccountDisabled => row(
            StatusCode::FORBIDDEN,
            None,
            "account_disabled",
            "The account is disabled",
            "A new token will not help. Ask the directory's administrator, and name the decision id.",
        ),
        Reason::AgentUnknown => row(
            StatusCode::FORBIDDEN,
            None,
            "agent_unknown",
            "The agent is not registered",
            "Have the agent registered in the directory, and name the decision id.",
        ),
        Reason::NotAnAgent => row(
            StatusCode::FORBIDDEN,
            None,
            "not_an_agent",
            "Only agents may call this resource",
            "Call with the token of an agent.",
        ),
        Reason::ScopeInsufficient => row(
            StatusCode::FORBIDDEN,
            Some(Challenge::InsufficientScope),
            "insufficient_scope",
            "The access token lacks a scope",
            "Ask the issuer for a token with one of the scopes of this operation.",
        ),
        Reason::RecordUnavailable => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "record_unavailable",
            "The call cannot be recorded now",
            "Nothing is forwarded without a record. Try again later.",
        ),
        Reason::UpstreamFailed => row(
            StatusCode::BAD_GATEWAY,
            None,
            "upstream_failed",
            "The resource did not answer properly",
            "Report the decision id to the resource's operator.",
        ),
        Reason::UpstreamUnreachable => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "upstream_unreachable",
            "The resource cannot be reached",
            "Try again later.",
        ),
        Reason::UpstreamTimeout => row(
            StatusCode::GATEWAY_TIMEOUT,
            None,
            "upstream_timeout",
            "The resource did not answer in time",
            "Try again later.",
        ),
        Reason::UpstreamOverloaded => row(
            StatusCode::SERVICE_UNAVAILABLE,
            None,
            "upstream_overloaded",
            "The resource has as many calls as it can bear",
            "Try again later.",
        ),
    }
}

#[cfg(test)]
mod tests;
