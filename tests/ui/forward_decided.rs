//! A decision is not leave to forward: it may be a block.
use std::sync::Arc;

use boomgate::decision::Decided;
use boomgate::enforcement::OpenCall;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, call: &Arc<OpenCall>, decided: Decided) -> Forwarded {
    upstreams.forward(decided, call, table, None).await
}

fn main() {}
