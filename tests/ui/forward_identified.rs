//! A call that was not decided on cannot be forwarded.
use boomgate::identity::Identified;
use boomgate::upstream::{Forwarded, Upstreams};

async fn attempt(upstreams: &Upstreams, identified: Identified) -> Forwarded {
    upstreams.forward(identified).await
}

fn main() {}
