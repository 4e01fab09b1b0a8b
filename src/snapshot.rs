//! Room 7: all that the path of a call reads, as one immutable value behind one pointer.
//!
//! Feeds build a new snapshot and swap it in; a call loads the pointer once, at its start. No call ever
//! sees half of a change. Never here: a lock, and a change in place.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::call::Resources;
use crate::decision::{DecisionSettings, Knowledge};
use crate::enforcement::ResponseSettings;
use crate::identity::{Directory, Issuers};
use crate::policy::PolicySet;
use crate::risk::{Revocations, RiskTable};
use crate::upstream::UpstreamTable;

/// What one generation of configuration, policies, directory, keys and risk says.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The hash of the compiled set's sources: `policyGeneration`.
    pub generation: Arc<str>,
    /// The resources.
    pub resources: Arc<Resources>,
    /// The issuers, with their keys.
    pub issuers: Arc<Issuers>,
    /// The directory.
    pub directory: Arc<Directory>,
    /// The compiled policies.
    pub policies: Arc<PolicySet>,
    /// What is known of risk.
    pub risk: RiskTable,
    /// Which tokens are refused although they are valid.
    pub revocations: Revocations,
    /// Whether what was reported of agents is known: it is not before it was read, nor when it is older than allowed.
    pub is_state_known: bool,
    /// How decisions are made.
    pub decisions: DecisionSettings,
    /// What answers say.
    pub responses: Arc<ResponseSettings>,
    /// Where calls are forwarded to. Part of the snapshot, so that a call goes where it was judged for.
    pub upstreams: Arc<UpstreamTable>,
}

impl Snapshot {
    /// What a decision is made on.
    #[must_use]
    pub const fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            policies: &self.policies,
            risk: &self.risk,
            revocations: &self.revocations,
            is_state_known: self.is_state_known,
            settings: self.decisions,
            generation: &self.generation,
        }
    }
}

/// The current snapshot. Readers never wait; writers change one part of the newest at a time.
#[derive(Debug)]
pub struct Snapshots(ArcSwap<Snapshot>);

impl Snapshots {
    /// Starts with this one.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// The current one.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Makes a new one from the newest and swaps it in; `change` runs again if another writer was faster.
    pub fn update(&self, change: impl Fn(&Snapshot) -> Snapshot) {
        self.0.rcu(|current| change(current));
    }
}
