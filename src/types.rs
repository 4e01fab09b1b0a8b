//! Room 0: the vocabulary. Text becomes a typed value here, once, and is never checked again inside.
//!
//! Every other room may name this one; this one names nothing of the crate, and does no IO.

pub mod attributes;
mod buffer;
pub mod eight;
pub mod fact;
pub mod fault;
pub mod ids;
pub mod json;
mod names;
pub mod percent;
pub mod range;
pub mod reason;
pub mod risk;
pub mod secret;
pub mod session;
pub mod shared;
pub mod text;
pub mod threads;
pub mod time;

pub use attributes::{AttributeValue, Attributes};
pub(crate) use buffer::Buffer;
pub use fact::Fact;
pub use fault::{Fault, Faults, Severity};
pub use ids::{
    AgentId, AgentUserId, AppId, BlueprintId, CallId, IdError, ObjectId, PolicyId, PrincipalId,
    ResourceName, TenantId,
};
pub use percent::percent_encoded;
pub use range::IpRange;
pub use reason::{Effect, Reason};
pub use risk::{RiskLevel, RiskState};
pub use secret::Secret;
pub use session::{
    ClientAppType, Country, DevicePlatform, GuestType, InsiderRiskLevel, TransferMethod,
};
pub use shared::SharedParts;
pub use threads::{Apart, PerThread};
pub use time::Timestamp;
