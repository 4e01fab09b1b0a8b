//! How long a call may take, by its upstream's settings: in all, and without a byte that moves.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::Request;

use super::exchange::ExchangeError;
use super::table::Upstream;
use super::upload::{Progress, Upload};
use crate::call::{Beside, OpenLimits};
use crate::telemetry::UpstreamEvent;

/// The caller's side of a call, and who counts.
struct Call {
    progress: Arc<Progress>,
    upstream: Arc<Upstream>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.upstream).finish()
    }
}

impl Beside for Call {
    fn moved_at(&self) -> Instant {
        self.progress.moved_at()
    }

    fn note_expired(&self) {
        self.upstream.live.count(UpstreamEvent::Expired);
    }
}

/// How long a call may take that is sent now.
pub(super) fn limits(upstream: &Arc<Upstream>, request: &Request<Upload>) -> OpenLimits {
    let settings = &upstream.settings;
    let total = settings.total_timeout;
    OpenLimits {
        idle: Some(settings.stream_idle_timeout),
        until: total.and_then(|total| Instant::now().checked_add(total)),
        beside: Some(Arc::new(Call {
            progress: Arc::clone(&request.body().progress),
            upstream: Arc::clone(upstream),
        })),
    }
}

/// Waits for the head of an answer until then at the latest.
pub(super) async fn until<T>(
    until: Option<Instant>,
    exchange: impl Future<Output = Result<T, ExchangeError>> + Unpin,
) -> Result<T, ExchangeError> {
    match until {
        None => exchange.await,
        Some(until) => tokio::time::timeout_at(until.into(), exchange)
            .await
            .unwrap_or(Err(ExchangeError::Elapsed)),
    }
}
