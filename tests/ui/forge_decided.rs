//! Nobody but the room of decisions makes one.
use boomgate::decision::{Decided, Decision};
use boomgate::identity::Identified;

fn attempt(identified: Identified, decision: Decision) -> Decided {
    Decided {
        identified,
        decision,
    }
}

fn main() {}
