//! Room 2: who calls. A [`Received`](crate::call::Received), keys, the directory and the time go in;
//! an [`Identified`] or a refusal comes out.
//!
//! Of a call's credentials only the `Authorization` header counts, and all of the form of one that asks for a token, or
//! what an issuer says in its place. A token is checked by our own strict reader before `jsonwebtoken` sees it. Never here: the network (not even for a key that a token names), the clock, and policy.

mod authenticate;
mod bearer;
pub mod binding;
mod cache;
pub mod caller;
mod claims;
mod classify;
pub mod controls;
pub mod digest;
pub mod directory;
pub mod dpop;
pub mod evidence;
pub mod issuers;
pub mod jose;
pub mod keys;
mod known;
mod presented;
mod profile;
mod request;
mod requester;
pub mod security_event;
pub mod settings;
pub mod subject;
pub mod targets;
mod verify;

pub use authenticate::{Authenticator, CacheResult, Observation, Seen};
pub use caller::{
    Account, Agent, Basis, Caller, Credential, Found, Human, Identified, NonAgent, Provisional,
    Recognition, TokenFacts,
};
pub use controls::{GrantControl, VouchedControls};
pub use directory::{AgentIdentity, AgentUser, Blueprint, Directory, ServicePrincipal, User};
pub use evidence::{ControlEvidence, Evidence, Guest};
pub use issuers::{Generation, Issuer, IssuerKeys, Issuers};
pub use keys::{KeySet, KeySetError};
pub use request::{
    ClientCredential, Grant, KnownTarget, RequestFacts, Target, Teller, TokenRequest, UserName,
};
pub use requester::Requester;
pub use verify::Verified;
