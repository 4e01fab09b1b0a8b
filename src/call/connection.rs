//! What is known of a connection before its first call.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::HeaderMap;

use super::client::TrustedProxies;
use super::headers::RequestLimits;
use crate::types::Reason;

/// The facts of one accepted connection, shared by its calls.
#[derive(Debug, Clone)]
pub struct ConnectionFacts {
    /// The listener's configured name.
    pub listener: Arc<str>,
    /// What a request on it may be.
    pub limits: RequestLimits,
    /// The address at the other end of the socket.
    pub peer: SocketAddr,
    /// Whose connection it is, in canonical form: the peer's address, or the one that a load balancer named in the PROXY
    /// protocol.
    pub client: IpAddr,
    /// Whose word counts on the address of a call's client, if this client is one of them.
    pub proxies: Arc<TrustedProxies>,
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
    /// How the client begins TLS, as a print: the same for all connections of one program with one library. Nothing where
    /// a proxy that is believed is at the other end, for it would be the proxy's.
    pub tls_client: Option<Arc<str>>,
}

impl ConnectionFacts {
    /// The address of the client of a call on this connection.
    ///
    /// # Errors
    /// As [`TrustedProxies::client`].
    pub fn client_of(&self, headers: &HeaderMap) -> Result<IpAddr, Reason> {
        self.proxies.client(self.client, headers)
    }

    /// The scheme of the calls on this connection.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}
