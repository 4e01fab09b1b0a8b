//! The verdict on one call cannot be put on another.
use boomgate::decision::Decided;
use boomgate::identity::Identified;

fn attempt(decided: Decided, other: Identified) -> Decided {
    Decided {
        identified: other,
        ..decided
    }
}

fn main() {}
