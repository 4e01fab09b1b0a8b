//! A call that was not decided on cannot be forwarded.
use std::sync::Arc;

use boomgate::identity::Identified;
use boomgate::enforcement::OpenCall;
use boomgate::upstream::{Forwarded, UpstreamTable, Upstreams};

async fn attempt(upstreams: &Upstreams, table: &UpstreamTable, call: &Arc<OpenCall>, identified: Identified) -> Forwarded {
    upstreams.forward(identified, call, table, None).await
}

fn main() {}
