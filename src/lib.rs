//! Boomgate: a TLS reverse proxy that judges every call of an AI agent by Conditional Access policy.
pub mod call;
pub mod capability;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decision;
pub mod enforcement;
pub mod identity;
pub mod listener;
pub mod management;
pub mod policy;
pub mod record;
pub mod risk;
pub mod snapshot;
pub mod types;
pub mod upstream;
