//! One decision gives one permit.
use boomgate::decision::Decided;
use boomgate::enforcement::{Denial, Permit, enforce};

fn attempt(decided: Decided) -> [Result<Permit, Denial>; 2] {
    [enforce(decided), enforce(decided)]
}

fn main() {}
