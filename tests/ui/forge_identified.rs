//! Nobody but the room of identity says who calls.

use std::sync::Arc;

use boomgate::call::Received;
use boomgate::identity::{Basis, Caller, Credential, Identified, Recognition};

fn attempt(
    received: Received,
    caller: Arc<Caller>,
    credential: Credential,
    basis: Basis,
) -> Identified {
    Identified {
        received,
        caller,
        recognition: Recognition::Markers,
        credential,
        basis,
    }
}

fn main() {}
