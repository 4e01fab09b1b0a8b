//! Room 1: what arrived. HTTP parts and connection facts go in, a [`Received`] comes out.
//!
//! The target is normalised once; that very text is what the decision reads **and** what the upstream gets.
//! What could be read in two ways is refused here, so that no later room has to wonder.
//! Never here: who the caller is, and what policy says.

pub mod body;
pub mod connection;
pub mod received;
pub mod resource;

pub use body::Body;
pub use connection::ConnectionFacts;
pub use received::{CallContext, RESOURCE_METADATA_PATH, Received, Refused};
pub use resource::{
    AuthorizationHeader, HostPattern, NonAgents, OperationRule, Resource, Resources,
};
