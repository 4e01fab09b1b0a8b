//! A decision is not leave to forward: it may be a block.
use boomgate::decision::Decided;
use boomgate::upstream::{Forwarded, Upstreams};

async fn attempt(upstreams: &Upstreams, decided: Decided) -> Forwarded {
    upstreams.forward(decided).await
}

fn main() {}
