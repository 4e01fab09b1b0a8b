//! A call whose caller is not known cannot be decided on.
use boomgate::call::Received;
use boomgate::decision::{Decided, Knowledge, decide};
use boomgate::types::Timestamp;

fn attempt(received: Received, knowledge: &Knowledge<'_>, now: Timestamp) -> Decided {
    decide(received, knowledge, now)
}

fn main() {}
