//! The call under a verdict cannot be replaced.
use boomgate::decision::Decided;
use boomgate::identity::Identified;

fn attempt(decided: Decided, other: Identified) -> Decided {
    *decided.identified() = other;
    decided
}

fn main() {}
