//! Boomgate: a TLS reverse proxy that judges every call of an AI agent by Conditional Access policy.
#![doc = ""]
pub mod call;
pub mod capability;
pub mod clock;
pub mod decision;
pub mod enforcement;
pub mod identity;
pub mod policy;
pub mod risk;
pub mod types;
