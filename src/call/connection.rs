//! What is known of a connection before its first call.

use std::net::SocketAddr;
use std::sync::Arc;

use super::headers::RequestLimits;

/// The facts of one accepted connection, shared by its calls.
#[derive(Debug, Clone)]
pub struct ConnectionFacts {
    /// The listener's configured name.
    pub listener: Arc<str>,
    /// What a request on it may be.
    pub limits: RequestLimits,
    /// The address at the other end of the socket.
    pub peer: SocketAddr,
    /// The address of our end.
    pub local: SocketAddr,
    /// The server name of the TLS handshake (RFC 6066 §3), lower case.
    pub server_name: Option<Arc<str>>,
    /// Whether TLS protects the connection; only `dangerous_plaintext: true` makes it otherwise.
    pub tls: bool,
    /// Whether HTTP/2 was negotiated by ALPN; otherwise HTTP/1.1.
    pub http2: bool,
    /// SHA-256 of the client's certificate, when one was presented and verified.
    pub client_certificate_sha256: Option<[u8; 32]>,
}

impl ConnectionFacts {
    /// The scheme of the calls on this connection.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}
