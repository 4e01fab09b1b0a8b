//! A call that was not decided on gets no permit.
use boomgate::enforcement::{Denial, Permit, enforce};
use boomgate::identity::Identified;

fn attempt(identified: Identified) -> Result<Permit, Denial> {
    enforce(identified)
}

fn main() {}
