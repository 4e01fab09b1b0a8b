//! [`Received`]: a call that is framed, normalised and addressed to a resource. Its caller is not known yet.
//!
//! The fields are private and there is no `&mut` access: nothing that a decision read can change afterwards.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};
use http_body_util::BodyExt as _;

use super::body::{Body, BodyError};
use super::connection::ConnectionFacts;
use super::resource::Resource;
use crate::types::{CallId, Reason, Timestamp};

/// What is known of a call from its first byte on, so that a refusal can be recorded however early it comes.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The decision's id.
    pub id: CallId,
    /// The trace id of the caller's `traceparent` (32 hexadecimal digits), or one of our own.
    pub trace_id: [u8; 32],
    /// When the call's head was complete.
    pub received_at: Timestamp,
    /// The same moment on the monotonic clock, for durations.
    pub started: std::time::Instant,
    /// The connection it came on.
    pub connection: Arc<ConnectionFacts>,
    /// The client's address: the socket's, as long as no trusted proxy is configured.
    pub client_address: IpAddr,
    /// HTTP version.
    pub version: Version,
    /// The method, once it is known to be one.
    pub method: Option<Method>,
    /// The authority's host: lower case, without port.
    pub host: Option<Arc<str>>,
    /// The authority's port, where it names one. It may be another than that of our socket.
    pub port: Option<u16>,
    /// The normalised path; `None` when the target was refused.
    pub path: Option<Arc<str>>,
    /// The resource, once it was found.
    pub resource: Option<Arc<Resource>>,
    /// `User-Agent`, cut to 256 bytes, printable characters only.
    pub user_agent: Option<Arc<str>>,
}

impl CallContext {
    /// The id that ties this call to others of one piece of work: the trace id.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        std::str::from_utf8(&self.trace_id).unwrap_or("")
    }

    /// Where the resource's metadata is (RFC 9728 §3.1): the well-known name goes between host and path.
    /// `None` while the resource, or the host that it was called by, is not known.
    #[must_use]
    pub fn resource_metadata_url(&self) -> Option<String> {
        let origin = self.origin()?;
        let prefix = self
            .resource
            .as_ref()?
            .path_prefixes
            .first()?
            .trim_end_matches('/');
        Some(format!("{origin}{RESOURCE_METADATA_PATH}{prefix}"))
    }

    /// The URL that stands for a resource (RFC 9728 §1.2), by the host that it was called by.
    #[must_use]
    pub fn resource_identifier(&self, resource: &Resource) -> Option<String> {
        let prefix = resource.path_prefixes.first()?.trim_end_matches('/');
        Some(format!("{}{prefix}", self.origin()?))
    }

    /// Scheme, host and port as the caller named them, which is where it can reach us again.
    fn origin(&self) -> Option<String> {
        let (scheme, host) = (self.connection.scheme(), self.host.as_deref()?);
        Some(match self.port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    }
}

/// The well-known path of a protected resource's metadata (RFC 9728 §3).
pub const RESOURCE_METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Below this path the gateway answers itself.
pub(super) const OWN_PATH: &str = "/.well-known/boomgate";

/// A call that ended before a decision on it: what is known of it, and why.
#[derive(Debug)]
#[must_use]
pub struct Refused {
    /// What is known of the call.
    pub context: Box<CallContext>,
    /// Why it ended.
    pub reason: Reason,
}

impl Refused {
    /// The end of a call.
    pub fn new(context: CallContext, reason: Reason) -> Self {
        Self {
            context: Box::new(context),
            reason,
        }
    }
}

/// A call addressed to a resource, as it will be decided on and forwarded.
///
/// In a box from here on: it changes hands with each step of its path, and every hand would copy it.
#[derive(Debug)]
#[must_use]
pub struct Received(Box<Parts>);

/// What a call is made of. Only this room's `receive` fills it, and only the room that forwards takes it apart.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) context: CallContext,
    pub(crate) method: Method,
    /// INVARIANT: in normal form (`target.rs`).
    pub(crate) path: Arc<str>,
    pub(crate) query: Option<Arc<str>>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) resource: Arc<Resource>,
    /// Whether it asks for a WebSocket, and may.
    pub(crate) is_for_socket: bool,
}

impl Received {
    pub(super) fn new(parts: Parts) -> Self {
        Self(Box::new(parts))
    }

    /// What is known of the call since its first byte.
    #[must_use]
    pub fn context(&self) -> &CallContext {
        &self.0.context
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The path in normal form: what is decided on and forwarded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The path again, to keep when the call is gone.
    #[must_use]
    pub(crate) fn shared_path(&self) -> Arc<str> {
        Arc::clone(&self.0.path)
    }

    /// The query without `?`, as it came; no decision reads it.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// The caller's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The resource that the call is for.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        &self.0.resource
    }

    /// Reads the body to its end, and keeps it: the call then forwards those very bytes.
    ///
    /// # Errors
    /// [`Refused`] when it is larger than the resource takes, or breaks off.
    pub async fn read_body(mut self) -> Result<(Self, Bytes), Refused> {
        match std::mem::take(&mut self.0.body).collect().await {
            Ok(collected) => {
                let bytes = collected.to_bytes();
                self.0.body = bytes.clone().into();
                Ok((self, bytes))
            }
            Err(BodyError::TooLarge { .. }) => Err(self.refuse(Reason::BodyTooLarge)),
            Err(BodyError::TooSlow { .. }) => Err(self.refuse(Reason::RequestTimeout)),
            Err(BodyError::Peer(_) | BodyError::Cut | BodyError::Expired) => {
                Err(self.refuse(Reason::RequestMalformed))
            }
        }
    }

    /// Ends the call here.
    pub fn refuse(self, reason: Reason) -> Refused {
        Refused::new(self.0.context, reason)
    }

    /// Takes the call apart, for the room that forwards it.
    #[must_use]
    pub(crate) fn into_parts(self) -> Parts {
        *self.0
    }
}
