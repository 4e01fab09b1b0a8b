//! The data plane's rim over real TLS: malformed requests, limits, versions, certificates, drain.

mod connections;
mod forward;
mod malformed;
mod tls;
