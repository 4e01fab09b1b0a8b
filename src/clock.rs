//! The one place where wall time is read. Rooms below the gateway get the time as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::types::Timestamp;

/// Tells the time. A test may stop it or set it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, by the wall.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}
