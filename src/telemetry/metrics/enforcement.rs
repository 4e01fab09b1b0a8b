//! What is counted of calls that are cut while they are open.

use std::time::Duration;

use super::Metrics;
use crate::telemetry::labels::{ChangeSource, REASONS_TO_CUT};
use crate::types::Reason;

/// From half a millisecond to ten seconds: what is compromised should be out within a tenth of one.
pub(super) const DELAY_BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

impl Metrics {
    /// Shows the counters before their first event.
    pub(super) fn begin_enforcement_at_zero(&self) {
        for reason in REASONS_TO_CUT {
            self.calls_cut.with_label_values(&[reason.as_str()]);
        }
        self.judging_failures.with_label_values::<&str>(&[]);
        for source in ChangeSource::ALL {
            self.enforcement_delay.with_label_values(&[source.as_str()]);
        }
    }

    /// A call was cut while it was open.
    pub fn call_cut(&self, reason: Reason) {
        self.calls_cut.with_label_values(&[reason.as_str()]).inc();
    }

    /// Open calls could not be judged again, and were cut.
    pub fn judging_failed(&self) {
        self.judging_failures.with_label_values::<&str>(&[]).inc();
    }

    /// A change cut its last open call after `delay`.
    pub fn enforced(&self, source: ChangeSource, delay: Duration) {
        self.enforcement_delay
            .with_label_values(&[source.as_str()])
            .observe(delay.as_secs_f64());
    }
}
