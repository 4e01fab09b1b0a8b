//! Token endpoints behind the gateway, and hooks of issuers: who gets a token, who gets which error, and what of a request
//! is kept.

pub(crate) mod hooks;
mod malformed;
mod real;
pub(crate) mod support;
mod table;
