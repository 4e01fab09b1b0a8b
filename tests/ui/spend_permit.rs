//! A permit is spent by forwarding, and by nothing else.
use boomgate::call::Received;
use boomgate::enforcement::Permit;

fn attempt(permit: Permit) -> Received {
    permit.spend()
}

fn main() {}
