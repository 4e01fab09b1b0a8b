//! Room 2: who calls. A [`Received`](crate::call::Received), keys, the directory and the time go in;
//! an [`Identified`] or a refusal comes out.
//!
//! Only the `Authorization` header counts. A token is checked by our own strict reader before `jsonwebtoken`
//! sees it. Never here: the network (not even for a key that a token names), the clock, and policy.

mod authenticate;
mod bearer;
mod cache;
pub mod caller;
mod claims;
mod classify;
pub mod controls;
pub mod digest;
pub mod directory;
pub mod evidence;
pub mod issuers;
pub mod jose;
pub mod keys;
mod profile;
pub mod settings;
pub mod subject;
mod verify;

pub use authenticate::{Authenticator, CacheResult, Observation};
pub use caller::{Account, Agent, Caller, Human, Identified, NonAgent, Recognition, TokenFacts};
pub use controls::{GrantControl, VouchedControls};
pub use directory::{AgentIdentity, AgentUser, Blueprint, Directory, ServicePrincipal, User};
pub use evidence::{ControlEvidence, Evidence, Guest};
pub use issuers::{Generation, Issuer, IssuerKeys, Issuers};
pub use keys::{KeySet, KeySetError};
pub use verify::Verified;
