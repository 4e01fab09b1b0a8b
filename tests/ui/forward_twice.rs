//! A permit is spent by the call that it was issued for.
use boomgate::enforcement::Permit;
use boomgate::upstream::{Forwarded, Upstreams};

async fn attempt(upstreams: &Upstreams, permit: Permit) -> [Forwarded; 2] {
    [
        upstreams.forward(permit).await,
        upstreams.forward(permit).await,
    ]
}

fn main() {}
