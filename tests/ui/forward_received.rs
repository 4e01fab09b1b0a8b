//! A call whose caller is not known cannot be forwarded.
use boomgate::call::Received;
use boomgate::upstream::{Forwarded, Upstreams};

async fn attempt(upstreams: &Upstreams, received: Received) -> Forwarded {
    upstreams.forward(received).await
}

fn main() {}
