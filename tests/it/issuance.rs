//! Token endpoints behind the gateway: who gets a token, who gets which error, and what of a request is kept.

mod malformed;
mod real;
pub(crate) mod support;
mod table;
