//! A listener's metrics, bound to their series beforehand.

use prometheus::{IntCounter, IntCounterVec};

use super::labels::ConnectionTrouble;

/// The metrics of one listener. Fetch it once per listener, and keep it.
#[derive(Debug)]
pub struct ConnectionMetrics(Vec<(ConnectionTrouble, IntCounter)>);

impl ConnectionMetrics {
    pub(super) fn new(troubles: &IntCounterVec, listener: &str) -> Self {
        let bind = |trouble: &ConnectionTrouble| {
            let counter = troubles.with_label_values(&[listener, trouble.as_str()]);
            (*trouble, counter)
        };
        Self(ConnectionTrouble::ALL.iter().map(bind).collect())
    }

    /// A connection was refused or cut.
    pub fn trouble(&self, trouble: ConnectionTrouble) {
        let mut bound = self.0.iter();
        if let Some((_, counter)) = bound.find(|(known, _)| *known == trouble) {
            counter.inc();
        }
    }
}
