//! A permit lifts the boom for one call and cannot be copied.
use boomgate::enforcement::Permit;

fn attempt(permit: &Permit) -> Permit {
    Permit::clone(permit)
}

fn main() {}
