//! A decision is made once and cannot be copied.
use boomgate::decision::Decided;

fn attempt(decided: &Decided) -> Decided {
    Decided::clone(decided)
}

fn main() {}
