//! Room 1: what arrived. HTTP parts and connection facts go in, a [`Received`] comes out.
//!
//! The target is normalised once; that very text is what the decision reads **and** what the upstream gets.
//! What could be read in two ways is refused here, so that no later room has to wonder.
//! Never here: who the caller is, and what policy says.

pub mod authority;
pub mod body;
pub mod client;
pub mod connection;
pub mod form;
pub mod headers;
pub mod hook;
pub mod proxy;
pub mod receive;
pub mod received;
pub mod resource;
pub mod target;
pub mod trace;
pub mod websocket;
pub mod wire;

pub use authority::Authority;
pub use body::{Beside, Body, BodyError, OpenLimits, Switched};
pub use client::{ForwardingHeader, TrustedProxies};
pub use connection::ConnectionFacts;
pub use form::{Form, FormError};
pub use headers::RequestLimits;
pub use hook::{HookCaller, HookForm, TokenHook};
pub use receive::{Moment, Unreadable, is_forwarded, receive};
pub use received::{CallContext, RESOURCE_METADATA_PATH, Received, Refused};
pub use resource::{
    AuthorizationHeader, HostPattern, NonAgents, OperationRule, Resource, ResourceKind, Resources,
    TokenSource, TrailerNames, UnknownClients, Upgrade,
};
pub use target::{Target, TargetError};
pub use trace::TraceParent;
