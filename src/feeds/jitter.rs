//! Randomness in pauses, so that the replicas of a gateway do not all ask at one moment.

use std::time::Duration;

/// A random time below `limit`.
pub(super) fn jitter(limit: Duration) -> Duration {
    let mut random = [0; 8];
    let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => Duration::from_micros(u64::from_ne_bytes(random).checked_rem(limit).unwrap_or(0)),
        Err(_) => Duration::ZERO,
    }
}
