//! A permit is spent by the call that it was issued for.
use std::sync::Arc;

use boomgate::enforcement::{OpenCall, Permit};
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, call: &Arc<OpenCall>, permit: Permit) -> [Forwarded; 2] {
    [
        upstreams.forward(permit, call, table, None).await,
        upstreams.forward(permit, call, table, None).await,
    ]
}

fn main() {}
