//! What the integration tests share: a development CA, clients that speak HTTP or bytes over TLS, a listener.

pub mod client;
pub mod http2_bytes;
pub mod pki;
pub mod server;
