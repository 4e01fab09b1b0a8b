//! Room 5: X.509 identities of SPIFFE: what a certificate says of its workload, which one this gateway has now, and
//! whom an upstream's server has to be.
//!
//! The rules are those of the X509-SVID standard. Never here: a socket, a clock, and a certificate that is believed for
//! its name alone: it leads to the bundle of its own trust domain, or it is nobody's.

mod der;
pub mod held;
pub mod id;
pub mod leaf;
pub mod message;
pub mod peer;
pub mod settings;

pub use held::{Held, Svid, SvidError};
pub use id::{SpiffeId, TrustDomain};
pub use peer::{Bundle, Peers};
