//! A call whose caller is not known cannot be forwarded.
use std::sync::Arc;

use boomgate::call::Received;
use boomgate::enforcement::OpenCall;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, call: &Arc<OpenCall>, received: Received) -> Forwarded {
    upstreams.forward(received, call, table, None).await
}

fn main() {}
