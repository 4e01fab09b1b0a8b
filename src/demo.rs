//! probe
pub mod issuer;
pub mod pki;
