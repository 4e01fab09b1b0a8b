//! A call whose caller is not known cannot be forwarded.
use boomgate::call::Received;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, received: Received) -> Forwarded {
    upstreams.forward(received, table).await
}

fn main() {}
