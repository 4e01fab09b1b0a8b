//! Nobody but the room of enforcement gives leave to forward.
use boomgate::decision::Decision;
use boomgate::enforcement::Permit;
use boomgate::identity::Identified;

fn attempt(identified: Identified, decision: Decision) -> Permit {
    Permit {
        identified,
        decision,
    }
}

fn main() {}
