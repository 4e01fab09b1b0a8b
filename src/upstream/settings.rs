//! What an operator says of a resource's upstream. Built by `config`, already checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The HTTP version spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpstreamProtocol {
    /// HTTP/1.1
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, with prior knowledge without it.
    Http2,
}

/// TLS to an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpstreamTls {
    /// A CA bundle; the operating system's roots without it.
    pub ca_file: Option<PathBuf>,
    /// The name in the handshake and in the certificate; the URL's host without it.
    pub server_name: Option<Arc<str>>,
}

/// One resource's upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Host name or address.
    pub host: Arc<str>,
    /// Port.
    pub port: u16,
    /// TLS, for an `https` URL.
    pub tls: Option<UpstreamTls>,
    /// HTTP version.
    pub protocol: UpstreamProtocol,
    /// Whether the upstream gets the caller's `Host` (default) or its own.
    pub preserve_host: bool,
    /// The time a connection may take, TLS included; default 5 s.
    pub connect_timeout: Duration,
    /// The time until the response's head; default 60 s.
    pub response_timeout: Duration,
    /// How long an unused connection is kept; default 50 s, below what servers keep.
    pub idle_timeout: Duration,
    /// How many unused connections each worker keeps; default 32.
    pub max_idle: usize,
}
