//! Room 2: who calls. A [`Received`](crate::call::Received), keys, the directory and the time go in;
//! an [`Identified`] or a refusal comes out.
//!
//! Only the `Authorization` header counts. A token is checked by our own strict reader before `jsonwebtoken`
//! sees it. Never here: the network (not even for a key that a token names), the clock, and policy.

pub mod caller;
pub mod directory;
pub mod issuers;
pub mod settings;

pub use caller::{Agent, Caller, Human, Identified, NonAgent, Recognition, TokenFacts};
pub use directory::{AgentIdentity, AgentUser, Blueprint, Directory};
pub use issuers::{IssuerKeys, Issuers};
