//! A permit is spent by the call that it was issued for.
use boomgate::enforcement::Permit;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, permit: Permit) -> [Forwarded; 2] {
    [
        upstreams.forward(permit, table).await,
        upstreams.forward(permit, table).await,
    ]
}

fn main() {}
