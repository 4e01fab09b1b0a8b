//! Nobody but the room of identity says who calls.
use std::sync::Arc;

use boomgate::call::Received;
use boomgate::identity::{Caller, Identified, Recognition, TokenFacts};

fn attempt(received: Received, caller: Caller, token: Arc<TokenFacts>) -> Identified {
    Identified {
        received,
        caller,
        recognition: Recognition::Markers,
        token,
    }
}

fn main() {}
