//! What the gateway says to an upstream (`product.md` §5.3), and what of an upstream's answer stays here.
//!
//! Every header that names an identity or a path of the call is set or removed, never left as it came.

use http::header::{
    AUTHORIZATION, CONNECTION, FORWARDED, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, TE,
    UPGRADE, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::settings::UpstreamProtocol;
use super::table::Upstream;
use crate::assertion::{Assertion, KeyError, Signer};
use crate::call::{AuthorizationHeader, CallContext, TraceParent, headers, websocket};
use crate::enforcement::Permit;
use crate::enforcement::respond::DECISION_ID;
use crate::identity::{Caller, dpop};

const AGENT_ID: HeaderName = HeaderName::from_static("boomgate-agent-id");
const BLUEPRINT_ID: HeaderName = HeaderName::from_static("boomgate-blueprint-id");
const AGENT_TYPE: HeaderName = HeaderName::from_static("boomgate-agent-type");
const ON_BEHALF_OF: HeaderName = HeaderName::from_static("boomgate-on-behalf-of");
const ASSERTION: HeaderName = HeaderName::from_static("boomgate-assertion");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// As many headers as [`rewrite`] may add.
const SET_HERE: usize = 12;

/// Who calls, as headers say it.
#[derive(Debug)]
pub(super) struct Passport {
    agent: Option<HeaderValue>,
    blueprint: Option<HeaderValue>,
    kind: HeaderValue,
    human: Option<HeaderValue>,
    assertion: Option<HeaderValue>,
    authorization: AuthorizationHeader,
}

impl Passport {
    /// What the permit proves of its caller, with the assertion that the resource is owed.
    pub(super) fn of(permit: &Permit, signer: Option<&Signer>) -> Result<Self, KeyError> {
        let resource = permit.received().resource();
        let assertion = resource.assertion_audience.as_deref().map(|audience| {
            signer.ok_or(KeyError::Sign)?.sign(Assertion {
                context: permit.received().context(),
                caller: permit.caller(),
                generation: &permit.decision().generation,
                audience,
            })
        });
        Ok(Self {
            assertion: assertion.transpose()?,
            ..Self::new(permit.caller(), resource.authorization)
        })
    }

    pub(super) fn new(caller: &Caller, authorization: AuthorizationHeader) -> Self {
        let agent = caller.agent();
        let human = match caller {
            Caller::OnBehalfOf { human, .. } => human.id.as_ref(),
            Caller::Autonomous(_) | Caller::AgentUser { .. } | Caller::NotAgent(_) => None,
        };
        Self {
            agent: agent.and_then(|agent| id_value(agent.id.as_str())),
            blueprint: agent
                .and_then(|agent| agent.blueprint.as_ref())
                .and_then(|id| id_value(id.as_str())),
            kind: HeaderValue::from_static(caller.kind()),
            human: human.and_then(|id| id_value(id.as_str())),
            assertion: None,
            authorization,
        }
    }
}

/// Rewrites a call's headers for its upstream. Room 1 has taken the caller's forgeries away; nothing here relies on it.
pub(super) fn rewrite(
    headers: &mut HeaderMap,
    passport: Passport,
    context: &CallContext,
    upstream: &Upstream,
) {
    let sampled = TraceParent::of(headers).is_none_or(|trace| trace.sampled);
    headers::strip(headers);
    // At once, in place of growing and hashing all names anew on the way.
    headers.reserve(SET_HERE);
    let mut id = [0; 36];
    set(headers, DECISION_ID, value(context.id.encode(&mut id)));
    set(headers, AGENT_ID, passport.agent);
    set(headers, BLUEPRINT_ID, passport.blueprint);
    set(headers, AGENT_TYPE, Some(passport.kind));
    set(headers, ON_BEHALF_OF, passport.human);
    set(headers, ASSERTION, passport.assertion);
    if passport.authorization == AuthorizationHeader::Strip {
        headers.remove(AUTHORIZATION);
        headers.remove(dpop::HEADER);
    }
    set_forwarded(headers, context);
    let trace_parent = format!(
        "00-{}-{}-{:02x}",
        context.correlation_id(),
        parent_id(),
        u8::from(sampled)
    );
    let trace_name = HeaderName::from_static(TraceParent::NAME);
    set(headers, trace_name, value(&trace_parent));
    // RFC 9110 §7.6.3: an HTTP-to-HTTP gateway names itself towards the inside.
    headers.append(VIA, HeaderValue::from_static(via(context.version)));
    let own = upstream
        .names_of(0)
        .filter(|_| !upstream.settings.preserve_host);
    if let Some(own) = own {
        headers.insert(HOST, own.authority.clone());
    }
    // RFC 9110 §10.1.4: TE is of the connection, and in HTTP/1.1 says so.
    if headers.contains_key(TE) && upstream.settings.protocol == UpstreamProtocol::Http1 {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

const UPGRADE_OPTION: HeaderValue = HeaderValue::from_static("Upgrade");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Asks for a WebSocket (RFC 6455 §4.1), with the caller's key or one of our own. What an upstream that agrees answers.
pub(super) fn ask_for_socket(headers: &mut HeaderMap) -> Option<String> {
    headers.insert(CONNECTION, UPGRADE_OPTION);
    headers.insert(UPGRADE, WEBSOCKET);
    if let Some(key) = headers.get(SEC_WEBSOCKET_KEY) {
        return Some(websocket::accept(key));
    }
    let key = websocket::key(uuid::Uuid::new_v4().into_bytes())?;
    let accept = websocket::accept(&key);
    headers.insert(SEC_WEBSOCKET_KEY, key);
    Some(accept)
}

/// Whether an upstream agrees to a WebSocket, and to nothing else (RFC 6455 §4.1).
pub(super) fn agrees_to_socket(headers: &HeaderMap, accept: &str) -> bool {
    let is_only = |name: HeaderName, wanted: &str| {
        let mut values = headers.get_all(name).iter();
        let is_wanted =
            |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes());
        values.next().is_some_and(is_wanted) && values.next().is_none()
    };
    let mut accepts = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter();
    is_only(UPGRADE, "websocket")
        && headers::lists(headers, &CONNECTION, "upgrade")
        && accepts.next().is_some_and(|value| value == accept)
        && accepts.next().is_none()
}

/// The answer of an upstream that agreed, as callers of HTTP/1.1 get it. Cleaned before.
pub(super) fn agree_to_socket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, UPGRADE_OPTION);
    headers.insert(UPGRADE, WEBSOCKET);
}

/// Takes out of an answer what is of the upstream's connection, what only the gateway may say, and what would lead
/// callers past the gateway.
pub(super) fn clean_response(headers: &mut HeaderMap) {
    headers::strip_hop_by_hop(headers, |name| {
        name == "alt-svc" || name.starts_with("boomgate-")
    });
}

/// The client as the socket shows it; nothing that the caller said of itself (RFC 7239).
fn set_forwarded(headers: &mut HeaderMap, context: &CallContext) {
    let client = context.client_address;
    let scheme = context.connection.scheme();
    let host = headers.get(HOST).cloned();
    let named = host.as_ref().and_then(|host| host.to_str().ok());
    let node = match client {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let element = match named {
        Some(host) => format!("for={node};host=\"{host}\";proto={scheme}"),
        None => format!("for={node};proto={scheme}"),
    };
    set(headers, FORWARDED, value(&element));
    set(headers, FORWARDED_FOR, value(&client.to_string()));
    set(
        headers,
        FORWARDED_PROTO,
        Some(HeaderValue::from_static(scheme)),
    );
    set(headers, FORWARDED_HOST, host);
}

/// Sets a header, or removes it.
fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// An id as a header's value. Ids of other issuers may hold any character: what is not visible ASCII is
/// percent-encoded, and `%` itself too, so that no two ids look alike.
fn id_value(id: &str) -> Option<HeaderValue> {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'%' | 0..=0x20 | 0x7f.. => {
                text.push('%');
                for digit in [byte >> 4, byte & 0x0f] {
                    let digit = char::from_digit(u32::from(digit), 16)?;
                    text.push(digit.to_ascii_uppercase());
                }
            }
            visible => text.push(char::from(visible)),
        }
    }
    value(&text)
}

/// A new parent id: 16 hexadecimal digits, never all zero.
fn parent_id() -> String {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    format!("{:016x}", high | 1)
}

const fn via(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2 boomgate",
        Version::HTTP_10 => "1.0 boomgate",
        _ => "1.1 boomgate",
    }
}

#[cfg(test)]
mod tests;
