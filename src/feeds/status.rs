//! What `/readyz` shows: how each feed fares, and whether this process wants calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::types::Timestamp;

/// What is kept fresh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Configuration, policies, directory and certificates.
    Configuration,
    /// The risk file of the configuration.
    RiskFile,
    /// The state that replicas share.
    SharedState,
    /// The stream of events of this configured name.
    Signals(Arc<str>),
    /// A list of Microsoft Graph, by its name there.
    Graph(&'static str),
    /// The certificate of the Workload API.
    Spiffe,
    /// The keys of the issuer of this configured name.
    Keys(Arc<str>),
}

/// How one source fares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// When it was last loaded.
    pub last_success: Option<Timestamp>,
    /// What was wrong the last time, if that was after the last success.
    pub fault: Option<SourceFault>,
}

/// Why a source could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFault {
    /// When.
    pub at: Timestamp,
    /// One message per fault, as an operator reads them: `file:line:column: error: …`.
    pub messages: Vec<String>,
}

/// How all sources fare. Shared; written by feeds, read by the control plane.
#[derive(Debug, Default)]
pub struct Status {
    sources: Mutex<BTreeMap<Source, Health>>,
    started: AtomicBool,
    draining: AtomicBool,
}

impl Status {
    /// The source was loaded.
    pub fn succeeded(&self, source: Source, at: Timestamp) {
        let health = Health {
            last_success: Some(at),
            fault: None,
        };
        self.sources.lock().insert(source, health);
    }

    /// The source could not be loaded; what it gave before stays in use.
    pub fn failed(&self, source: Source, at: Timestamp, messages: Vec<String>) {
        let mut sources = self.sources.lock();
        sources.entry(source).or_default().fault = Some(SourceFault { at, messages });
    }

    /// The source is no longer configured.
    pub fn forget(&self, source: &Source) {
        self.sources.lock().remove(source);
    }

    /// How one source fares; `None` if it was never heard of.
    #[must_use]
    pub fn of(&self, source: &Source) -> Option<Health> {
        self.sources.lock().get(source).cloned()
    }

    /// How every source fares, in a fixed order.
    #[must_use]
    pub fn all(&self) -> Vec<(Source, Health)> {
        let sources = self.sources.lock();
        sources
            .iter()
            .map(|(source, health)| (source.clone(), health.clone()))
            .collect()
    }

    /// Every listener is bound and serves.
    pub fn start(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Whether every listener is bound and serves.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// The process is about to end: it wants no further calls.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stands_until_the_next_success_and_keeps_the_last_one() {
        let status = Status::default();
        let at = Timestamp::from_seconds;
        status.succeeded(Source::Configuration, at(1));
        let fault = vec!["policies/a.json:3:1: error: state: unknown".to_owned()];
        status.failed(Source::Configuration, at(2), fault.clone());
        let health = status.of(&Source::Configuration).unwrap();
        assert_eq!(health.last_success, Some(at(1)));
        assert_eq!(health.fault.unwrap().messages, fault);
        status.succeeded(Source::Configuration, at(3));
        assert_eq!(status.of(&Source::Configuration).unwrap().fault, None);
    }
}
