//! What a client gets from a token endpoint: OAuth's error object (RFC 6749 §5.2) with the members that Entra adds.
//!
//! A block by policy is the very answer that Entra gives (`reference/entra.md` §9), so that clients that know it react to
//! it as they do there. Never here: a credential of the request.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Face;
use crate::enforcement::Denial;
use crate::types::Reason;

/// What Entra says of a block by policy, in front of the ids.
const BLOCKED: &str = "AADSTS53003: Access has been blocked by Conditional Access policies. \
                       The access policy does not allow token issuance.";

/// The body of a refusal.
pub(super) fn body(denial: &Denial, face: &Face) -> Vec<u8> {
    Value::Object(members(denial, face))
        .to_string()
        .into_bytes()
}

/// The members of OAuth's error object.
pub(super) fn members(denial: &Denial, face: &Face) -> Map<String, Value> {
    let mut buffer = [0; 36];
    let trace_id = denial.context.id.encode(&mut buffer);
    let correlation_id = guid(denial.context.correlation_id());
    let timestamp = denial.context.received_at.seconds_with_blank();
    let said = if denial.reason == Reason::BlockedByPolicy {
        BLOCKED.to_owned()
    } else {
        format!("{}. {}", face.title, face.detail)
    };
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("error", error(denial.reason, face.status).into());
    set(
        "error_description",
        format!(
            "{said} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
        )
        .into(),
    );
    set("timestamp", timestamp.into());
    set("trace_id", trace_id.into());
    set("correlation_id", correlation_id.into());
    if denial.reason == Reason::BlockedByPolicy {
        let policies =
            json!({"access_token": {"capolids": {"essential": true, "values": denial.policies}}});
        set("error_codes", json!([53003]));
        set(
            "error_uri",
            "https://login.microsoftonline.com/error?code=53003".into(),
        );
        set("suberror", "message_only".into());
        set("claims", policies.to_string().into());
    } else {
        set("error_codes", json!([]));
    }
    body
}

/// OAuth's code of a reason (RFC 6749 §5.2, RFC 8707 §2, RFC 8693 §2.2.2).
const fn error(reason: Reason, status: StatusCode) -> &'static str {
    match reason {
        Reason::BlockedByPolicy
        | Reason::TokenRequestContradictory
        | Reason::SubjectUnknown
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
        | Reason::TokenRevoked => "invalid_grant",
        Reason::ClientAssertionRefused => "invalid_client",
        Reason::AuthenticationInsufficient => "interaction_required",
        Reason::TargetUnknown => "invalid_target",
        Reason::AgentDisabled
        | Reason::AccountDisabled
        | Reason::BlueprintDisabled
        | Reason::AgentUnknown
        | Reason::NotAnAgent
        | Reason::ScopeInsufficient => "unauthorized_client",
        Reason::RequestMalformed
        | Reason::MethodRefused
        | Reason::UriTooLong
        | Reason::HeadersTooLarge
        | Reason::BodyTooLarge
        | Reason::RequestTimeout
        | Reason::Misdirected
        | Reason::ResourceUnknown
        | Reason::TokenRequestMalformed
        | Reason::CredentialMissing
        | Reason::CredentialMalformed
        | Reason::HookCallerRefused => "invalid_request",
        Reason::NoPolicyBlocked
        | Reason::NonAgentForwarded
        | Reason::ExemptFromPolicy
        | Reason::Overloaded
        | Reason::KeysUnavailable
        | Reason::FactsUnavailable
        | Reason::RecordUnavailable
        | Reason::UpstreamFailed
        | Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::UpstreamOverloaded => {
            if status.as_u16() == 503 || status.as_u16() == 504 {
                "temporarily_unavailable"
            } else {
                "server_error"
            }
        }
    }
}

/// The status of a refusal at a token endpoint: OAuth answers 400 where an API says 401 or 403, for no token of the
/// caller's was refused; 401 is for a client that is not authenticated (RFC 6749 §5.2).
pub(super) fn status(reason: Reason, status: StatusCode) -> StatusCode {
    match status {
        StatusCode::UNAUTHORIZED if reason == Reason::ClientAssertionRefused => status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StatusCode::BAD_REQUEST,
        other => other,
    }
}

/// 32 hexadecimal digits in the groups of a GUID.
fn guid(digits: &str) -> String {
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| digits.get(group));
    groups.into_iter().flatten().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits_as_a_guid() {
        assert_eq!(
            guid("0123456789abcdef0123456789abcdef"),
            "01234567-89ab-cdef-0123-456789abcdef"
        );
    }
}
