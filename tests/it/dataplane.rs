//! The data plane's rim over real TLS: limits, versions, certificates, drain. What it makes of bytes is in `attacks`.

mod connections;
mod forward;
mod limits;
mod tls;
