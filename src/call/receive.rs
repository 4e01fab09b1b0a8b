//! An HTTP request becomes a [`Received`], or is refused.
//!
//! Every refusal names one [`Reason`] and carries what is known of the call by then, so that it can be recorded.
//! Never here: who calls, what policy says, the clock and randomness (they come in with [`Moment`]).

use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Method};
use hyper::body::Incoming;

use super::authority::Authority;
use super::body::Body;
use super::connection::ConnectionFacts;
use super::headers::{self, RequestLimits};
use super::received::{CallContext, Parts, Received, Refused};
use super::resource::{Resource, Resources, Upgrade};
use super::target::Target;
use super::trace::TraceParent;
use super::websocket;
use crate::types::{CallId, Reason, Timestamp};

/// `User-Agent` is kept up to this many bytes.
const MAX_USER_AGENT_BYTES: usize = 256;

/// When a call arrived, and the names that it got then.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Wall time.
    pub now: Timestamp,
    /// The same moment on the monotonic clock.
    pub started: Instant,
    /// The decision's id.
    pub id: CallId,
    /// A trace id (32 lower-case hexadecimal digits) for a call that brings none.
    pub trace_id: [u8; 32],
}

/// Marks a request that stands for bytes which are none: it is refused for this reason. An extension of the request,
/// so no peer can set or remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(pub Reason);

impl CallContext {
    /// What is known of a call before anything of it was judged. For calls that are refused unread.
    #[must_use]
    pub fn begin(head: &Head, connection: &Arc<ConnectionFacts>, at: Moment) -> Self {
        let trace_id = TraceParent::of(&head.headers).map_or(at.trace_id, |trace| trace.trace_id);
        Self {
            id: at.id,
            trace_id,
            received_at: at.now,
            started: at.started,
            connection: Arc::clone(connection),
            // Where a proxy does not say who its client is, the call is refused; until then it is the proxy's.
            client_address: connection
                .client_of(&head.headers)
                .unwrap_or(connection.client),
            version: head.version,
            method: None,
            host: None,
            port: None,
            path: None,
            resource: None,
            user_agent: user_agent(&head.headers),
        }
    }
}

/// Receives one request.
///
/// # Errors
/// [`Refused`] with the reason: framing, method, target, host, headers, size, or no such resource.
pub fn receive(
    request: http::Request<Incoming>,
    connection: &Arc<ConnectionFacts>,
    resources: &Resources,
    limits: &RequestLimits,
    at: Moment,
) -> Result<Received, Refused> {
    let (head, incoming) = request.into_parts();
    let mut context = CallContext::begin(&head, connection, at);
    let read = read(&head, &mut context, resources, limits);
    let (resource, path, query, authority) = match read {
        Ok(read) => read,
        Err(reason) => return Err(Refused::new(context, reason)),
    };
    let is_for_socket = is_for_socket(&head, &resource);
    let mut headers = head.headers;
    headers::strip(&mut headers);
    headers.insert(HOST, authority);
    if is_for_socket && let Err(reason) = websocket::check_handshake(&mut headers, head.version) {
        return Err(Refused::new(context, reason));
    }
    Ok(Received::new(Parts {
        method: context.method.clone().unwrap_or(head.method),
        path,
        query,
        headers,
        body: Body::request(incoming, resource.max_body_bytes)
            .with_trailers(Arc::clone(&resource.trailers.requests)),
        resource,
        is_for_socket,
        context,
    }))
}

/// Whether a call asks for a WebSocket of a resource that gives some. Elsewhere the wish of HTTP/1.1 is passed over.
fn is_for_socket(head: &Head, resource: &Resource) -> bool {
    websocket::is_asked_for(head) && resource.upgrades.contains(&Upgrade::WebSocket)
}

/// What [`read`] finds: the resource, path and query of the target, and the one `Host` that goes on.
type Read = (Arc<Resource>, Arc<str>, Option<Arc<str>>, HeaderValue);

/// Reads a head, and notes in `context` what is known of it. The order is that of the answers: what makes the
/// message unreadable comes before what it asks for.
fn read(
    head: &Head,
    context: &mut CallContext,
    resources: &Resources,
    limits: &RequestLimits,
) -> Result<Read, Reason> {
    if let Some(Unreadable(reason)) = head.extensions.get() {
        return Err(*reason);
    }
    context.client_address = context.connection.client_of(&head.headers)?;
    let is_connect = websocket::is_extended_connect(head);
    if !is_connect && !is_forwarded(&head.method) {
        return Err(Reason::MethodRefused);
    }
    context.method = Some(if is_connect {
        Method::GET
    } else {
        head.method.clone()
    });
    let target = head
        .uri
        .path_and_query()
        .ok_or(Reason::RequestMalformed)?
        .as_str();
    if target.len() > limits.max_uri_bytes {
        return Err(Reason::UriTooLong);
    }
    headers::check(&head.headers, limits)?;
    let authority = Authority::of(head.version, &head.uri, &head.headers, &context.connection);
    if let Ok(authority) = &authority {
        context.host = Some(Arc::clone(&authority.host));
        context.port = authority.port;
    }
    let authority = authority?;
    let Target { path, query } = Target::parse(target).map_err(|_why| Reason::RequestMalformed)?;
    context.path = Some(Arc::clone(&path));
    let resource = resources
        .find(&authority.host, &path)
        .ok_or(Reason::ResourceUnknown)?;
    context.resource = Some(Arc::clone(resource));
    if is_connect && !is_for_socket(head, resource) {
        return Err(Reason::MethodRefused);
    }
    let host = HeaderValue::from_str(&authority.text())
        .map_err(|_not_a_value| Reason::RequestMalformed)?;
    match announced_length(&head.headers) {
        Some(length) if length > resource.max_body_bytes => Err(Reason::BodyTooLarge),
        Some(_) | None => Ok((Arc::clone(resource), path, query, host)),
    }
}

/// Whether a method is ever forwarded: upper-case ASCII, and none of those that are about the path to the server rather
/// than about a resource.
#[must_use]
pub fn is_forwarded(method: &Method) -> bool {
    let text = method.as_str();
    let well_formed = text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    well_formed && !matches!(text, "CONNECT" | "TRACE" | "TRACK")
}

/// The body's length, where the head says it. hyper has checked that it is a number.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `User-Agent` for the record: printable characters only, and not too many.
fn user_agent(headers: &HeaderMap) -> Option<Arc<str>> {
    let value = headers.get(USER_AGENT)?.as_bytes().iter();
    let text: String = value
        .filter(|byte| matches!(byte, b' '..=b'~'))
        .take(MAX_USER_AGENT_BYTES)
        .map(|byte| char::from(*byte))
        .collect();
    (!text.is_empty()).then(|| text.into())
}
