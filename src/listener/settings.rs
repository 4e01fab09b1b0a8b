//! What an operator says of a listener of calls. Built by `config`, already checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{RequestLimits, TrustedProxies};
use crate::spiffe::settings::OwnCertificate;
use crate::types::IpRange;

/// Whether a client shows a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// It is not asked for one.
    #[default]
    Off,
    /// It may show one, which must then lead to a root of this bundle.
    Optional(PathBuf),
    /// It must show one that leads to a root of this bundle.
    Required(PathBuf),
}

/// TLS of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// Its certificate.
    pub certificate: OwnCertificate,
    /// Client certificates.
    pub client_certificates: ClientCertificates,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub allow_tls12: bool,
}

/// What a listener bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections of one listener, per worker; more are closed at once.
    pub max_connections: usize,
    /// Open connections of one client's address (an IPv6 network of 64 bits), over all workers; more are closed at once.
    pub max_connections_per_client: usize,
    /// TLS handshakes under way, per worker; more are closed at once.
    pub max_concurrent_handshakes: usize,
    /// Calls under way at one listener, per worker; more are shed.
    pub max_concurrent_calls: usize,
    /// The time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// The time for a request's head.
    pub header_timeout: Duration,
    /// How long a request's body may stand still while its upstream waits for it.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what waits for it.
    pub write_timeout: Duration,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
    /// The longest target, in bytes.
    pub max_uri_bytes: usize,
    /// All header names and values of a request together, in bytes.
    pub max_header_bytes: usize,
    /// Header fields of a request.
    pub max_headers: usize,
    /// HTTP/2: streams of one connection at a time.
    pub max_concurrent_streams: u32,
    /// HTTP/2: calls that a client may give up on one connection, if they are more than half of all.
    pub max_resets: usize,
}

impl Limits {
    /// The part that room 1 holds a request's head to.
    #[must_use]
    pub const fn request(&self) -> RequestLimits {
        RequestLimits {
            max_uri_bytes: self.max_uri_bytes,
            max_header_bytes: self.max_header_bytes,
            max_headers: self.max_headers,
            body_timeout: self.body_timeout,
        }
    }
}

/// One listener of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Configured name.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether other processes of this user may listen there too, as the next one does while this one ends.
    pub reuse_port: bool,
    /// TLS; `None` only by `dangerous_plaintext: true`.
    pub tls: Option<ServerTls>,
    /// The load balancers whose connections begin with a header of the PROXY protocol.
    pub proxy_protocol_from: Vec<IpRange>,
    /// The proxies whose word on their clients' addresses counts.
    pub trusted_proxies: TrustedProxies,
    /// What it bears.
    pub limits: Limits,
}
