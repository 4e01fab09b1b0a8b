//! What the gateway says to an upstream (`product.md` §5.3), and what of an upstream's answer stays here.
//!
//! Every header that names an identity or a path of the call is set or removed, never left as it came.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
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

/// What the values made for a call take, as a rule.
const TEXT_BYTES: usize = 256;

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
    let host = headers.get(HOST).cloned();
    let mut texts = Texts::default();
    let id = texts.add(|text| text.push_str(context.id.encode(&mut [0; 36])));
    let trace = texts.add(|text| trace_parent(text, context, sampled));
    let client = texts.add(|text| client_address(text, context));
    let forwarded = texts.add(|text| forwarded_element(text, &client, context, host.as_ref()));
    let texts = texts.into_values();
    set(headers, DECISION_ID, texts.get(id));
    set(headers, AGENT_ID, passport.agent);
    set(headers, BLUEPRINT_ID, passport.blueprint);
    set(headers, AGENT_TYPE, Some(passport.kind));
    set(headers, ON_BEHALF_OF, passport.human);
    set(headers, ASSERTION, passport.assertion);
    if passport.authorization == AuthorizationHeader::Strip {
        headers.remove(AUTHORIZATION);
        headers.remove(dpop::HEADER);
    }
    set(headers, FORWARDED, texts.get(forwarded));
    set(headers, FORWARDED_FOR, texts.get(client));
    let scheme = HeaderValue::from_static(context.connection.scheme());
    set(headers, FORWARDED_PROTO, Some(scheme));
    set(headers, FORWARDED_HOST, host);
    set(headers, TraceParent::HEADER, texts.get(trace));
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

/// The values that are made for one call: one allocation for all of them.
struct Texts(String);

impl Default for Texts {
    fn default() -> Self {
        Self(String::with_capacity(TEXT_BYTES))
    }
}

impl Texts {
    /// Adds a value; where it is.
    fn add(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.0.len();
        write(&mut self.0);
        start..self.0.len()
    }

    fn into_values(self) -> Values {
        Values(Bytes::from(self.0))
    }
}

/// The bytes of all values.
struct Values(Bytes);

impl Values {
    fn get(&self, place: Range<usize>) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(self.0.slice(place)).ok()
    }
}

/// The trace goes on (W3C Trace Context), with a new parent: 16 hexadecimal digits, never all zero.
fn trace_parent(text: &mut String, context: &CallContext, sampled: bool) {
    let mut parent = [0; 32];
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    let parent = uuid::Uuid::from_u64_pair(high | 1, 0)
        .simple()
        .encode_lower(&mut parent);
    text.push_str("00-");
    text.push_str(context.correlation_id());
    text.push('-');
    text.push_str(parent.get(..16).unwrap_or_default());
    text.push_str(if sampled { "-01" } else { "-00" });
}

fn client_address(text: &mut String, context: &CallContext) {
    match context.client_address {
        // Without the formatter, which every call would pay for.
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    text.push('.');
                }
                text.push_str(itoa::Buffer::new().format(octet));
            }
        }
        IpAddr::V6(address) => {
            // Writing to a text cannot fail.
            let _written = write!(text, "{address}");
        }
    }
}

/// The client as the socket shows it; nothing that the caller said of itself (RFC 7239). Its address stands in the text already.
fn forwarded_element(
    text: &mut String,
    address: &Range<usize>,
    context: &CallContext,
    host: Option<&HeaderValue>,
) {
    let (open, close) = match context.client_address {
        IpAddr::V4(_) => ("for=", ""),
        IpAddr::V6(_) => ("for=\"[", "]\""),
    };
    text.push_str(open);
    text.extend_from_within(address.clone());
    text.push_str(close);
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        for part in [";host=\"", host, "\""] {
            text.push_str(part);
        }
    }
    text.push_str(";proto=");
    text.push_str(context.connection.scheme());
}

/// Sets a header, or removes it.
fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

/// An id as a header's value. Ids of other issuers may hold any character: what is not visible ASCII is
/// percent-encoded, and `%` itself too, so that no two ids look alike.
fn id_value(id: &str) -> Option<HeaderValue> {
    let is_plain = |byte: &u8| (*byte != b'%') & (*byte > 0x20) & (*byte < 0x7f);
    // No step depends on the one before it, so that many bytes are looked at at once.
    if id.bytes().fold(true, |all, byte| all & is_plain(&byte)) {
        return HeaderValue::from_str(id).ok();
    }
    let mut text = String::with_capacity(id.len().saturating_mul(3));
    for byte in id.bytes() {
        if is_plain(&byte) {
            text.push(char::from(byte));
        } else {
            let _written = write!(text, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(text).ok()
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
