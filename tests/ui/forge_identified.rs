//! Nobody but the room of identity says who calls.

use boomgate::call::Received;
use boomgate::identity::{Caller, Credential, Identified, Recognition};

fn attempt(received: Received, caller: Caller, credential: Credential) -> Identified {
    Identified {
        received,
        caller,
        recognition: Recognition::Markers,
        credential,
    }
}

fn main() {}
