//! Randomness in pauses, so that the replicas of a gateway do not all ask at one moment.

use std::time::Duration;

/// The pause after so many failures in a row: it doubles, up to `longest`, and is up to half longer, so that replicas do
/// not all come at one moment.
pub(super) fn pause_after(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let pause = first.saturating_mul(2_u32.saturating_pow(doublings));
    let pause = pause.min(longest);
    pause.saturating_add(jitter(pause / 2))
}

/// A random time below `limit`.
pub(super) fn jitter(limit: Duration) -> Duration {
    let mut random = [0; 8];
    let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => Duration::from_micros(u64::from_ne_bytes(random).checked_rem(limit).unwrap_or(0)),
        Err(_) => Duration::ZERO,
    }
}
