//! A call that was not decided on cannot be forwarded.
use boomgate::identity::Identified;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, identified: Identified) -> Forwarded {
    upstreams.forward(identified, table).await
}

fn main() {}
