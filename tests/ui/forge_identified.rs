//! Nobody but the room of identity says who calls.

use boomgate::call::Received;
use boomgate::identity::{Basis, Caller, Credential, Identified, Recognition};

fn attempt(received: Received, caller: Caller, credential: Credential, basis: Basis) -> Identified {
    Identified {
        received,
        caller,
        recognition: Recognition::Markers,
        credential,
        basis,
    }
}

fn main() {}
