//! What the integration tests share: a development CA, clients that speak HTTP or bytes over TLS, a listener.

pub(crate) mod client;
pub(crate) mod corpus;
pub(crate) mod gate;
pub(crate) mod gateway;
pub(crate) mod http2_bytes;
pub(crate) mod https;
pub(crate) mod issuer;
pub(crate) mod log;
pub(crate) mod pki;
pub(crate) mod process;
pub(crate) mod redis;
pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod servers;
pub(crate) mod site;
pub(crate) mod transmitter;
pub(crate) mod upstream;
