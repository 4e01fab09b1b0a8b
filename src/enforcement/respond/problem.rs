//! What a caller of an API gets: a problem document (RFC 9457) and a challenge of its bearer token (RFC 6750 §3).
//!
//! Never here: which claim or rule failed.

use serde::{Serialize, Serializer};

use super::{Challenge, Face, ResponseSettings};
use crate::enforcement::{Denial, StepUp};
use crate::identity::settings::Algorithm;
use crate::types::{Buffer, CallId, PolicyId, json};

/// What a body takes, as a rule.
const BODY_BYTES: usize = 512;

/// The members of a problem document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    code: &'static str,
    correlation_id: &'a str,
    decision_id: CallId,
    detail: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    policies: &'a [PolicyId],
    status: u16,
    title: &'static str,
    r#type: Type,
}

/// The problem's code as a URI.
struct Type(&'static str);

impl Serialize for Type {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&["urn:boomgate:problem:", self.0].concat())
    }
}

/// The body.
pub(super) fn body(denial: &Denial, face: &Face, settings: &ResponseSettings) -> Vec<u8> {
    let problem = Problem {
        code: face.code,
        correlation_id: denial.context.correlation_id(),
        decision_id: denial.context.id,
        detail: face.detail,
        policies: if settings.show_policies {
            &denial.policies
        } else {
            &[]
        },
        status: face.status.as_u16(),
        title: face.title,
        r#type: Type(face.code),
    };
    let mut body = Buffer::with_capacity(BODY_BYTES);
    // INVARIANT: texts and a number are always JSON.
    json::write(&mut body, &problem).unwrap_or_default();
    body.into_bytes()
}

/// `Bearer realm="…", resource_metadata="…"[, error="…"][, scope="…"]` (RFC 6750 §3, RFC 9728 §5.1).
pub(super) fn challenge(
    denial: &Denial,
    challenge: Challenge,
    settings: &ResponseSettings,
) -> String {
    let mut parts = vec![parameter("realm", &settings.realm)];
    if challenge == Challenge::Client {
        return format!("Basic {}", parts.join(", "));
    }
    parts.extend(
        denial
            .context
            .resource_metadata_url()
            .map(|u| parameter("resource_metadata", &u)),
    );
    match challenge {
        Challenge::Bare | Challenge::Client => {}
        Challenge::InvalidRequest => parts.push(parameter("error", "invalid_request")),
        Challenge::Proof => {
            parts.push(parameter("error", "invalid_dpop_proof"));
            parts.push(parameter("algs", &algorithms()));
            return format!("DPoP {}", parts.join(", "));
        }
        Challenge::InvalidToken => parts.push(parameter("error", "invalid_token")),
        Challenge::StepUp => {
            let step_up = denial.step_up.iter().flat_map(StepUp::parameters);
            parts.extend(step_up.map(|(name, value)| parameter(name, &value)));
        }
        Challenge::InsufficientScope => {
            parts.push(parameter("error", "insufficient_scope"));
            // An operation may ask for roles alone; a list of scopes has at least one (RFC 6750 §3).
            if !denial.scopes.is_empty() {
                parts.push(parameter("scope", &denial.scopes.join(" ")));
            }
        }
    }
    format!("Bearer {}", parts.join(", "))
}

/// The algorithms that a proof may be signed with.
fn algorithms() -> String {
    Algorithm::ALL.map(Algorithm::as_str).join(" ")
}

/// One `name="value"`. What could end the quoted-string early (RFC 9110 §5.6.4) is left out.
fn parameter(name: &str, value: &str) -> String {
    let safe = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    format!(
        "{name}=\"{}\"",
        value.chars().filter(safe).collect::<String>()
    )
}
