//! A decision is not leave to forward: it may be a block.
use boomgate::decision::Decided;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, decided: Decided) -> Forwarded {
    upstreams.forward(decided, table).await
}

fn main() {}
