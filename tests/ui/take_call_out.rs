//! A call cannot be taken out of its identity to go on without it.
use boomgate::call::Received;
use boomgate::identity::Identified;

fn attempt(identified: Identified) -> Received {
    identified.into_received()
}

fn main() {}
