//! One stream of security events: what is known of it, and of its transmitter.
//!
//! Never here: the network.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::reporter::Reporter;
use super::settings::{Delivery, StreamSettings};
use super::{Report, SignalContext};
use crate::identity::KeySet;

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) settings: StreamSettings,
    pub(super) reporter: Reporter,
    /// The issuer's keys; none before they were loaded.
    pub(super) keys: watch::Sender<Option<Arc<KeySet>>>,
    /// Members of complex subjects that must be understood, by the transmitter's word.
    pub(super) critical: Mutex<BTreeSet<String>>,
    /// The stream's id at the transmitter.
    pub(super) id: Mutex<Option<String>>,
    /// Whether the operator has deleted the stream, and not resumed it since.
    pub(super) is_deleted: Mutex<bool>,
    /// Wakes the upkeep: a key is not known, or an operator wants something.
    pub(super) wake: Notify,
    /// Held by the one event that waits for new keys.
    pub(super) waiting: tokio::sync::Mutex<()>,
}

impl Stream {
    pub(super) fn new(settings: StreamSettings, context: SignalContext) -> Self {
        let name = Arc::clone(&settings.name);
        Self {
            reporter: Reporter::new(name, settings.freshness, context),
            settings,
            keys: watch::Sender::new(None),
            critical: Mutex::default(),
            id: Mutex::default(),
            is_deleted: Mutex::new(false),
            wake: Notify::new(),
            waiting: tokio::sync::Mutex::default(),
        }
    }

    pub(super) const fn settings(&self) -> &StreamSettings {
        &self.settings
    }

    pub(super) const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    pub(super) fn report(&self) -> Report {
        let delivery = match &self.settings.delivery {
            Delivery::Push { .. } => "push",
            Delivery::Poll { .. } => "poll",
        };
        Report {
            issuer: Some(Arc::clone(&self.settings.events.issuer)),
            stream_id: self.id.lock().clone(),
            ..self.reporter.report(delivery)
        }
    }
}
