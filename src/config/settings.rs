//! What a configuration says, checked and typed: each room's own settings, and what concerns the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::assertion::AssertionSettings;
use crate::call::Resources;
use crate::decision::DecisionSettings;
use crate::enforcement::ResponseSettings;
use crate::feeds::detections::FeedSettings;
use crate::feeds::graph::settings::GraphSettings;
use crate::feeds::signals::settings::SourceSettings;
use crate::identity::settings::{IssuerSettings, TokenSettings};
use crate::listener::settings::ListenerSettings;
use crate::management::settings::ManagementSettings;
use crate::policy::OnUnsupported;
use crate::policy::locations::OwnRanges;
use crate::record::settings::RecordSettings;
use crate::spiffe::settings::WorkloadApi;
use crate::store::settings::StoreSettings;
use crate::telemetry::logging::LogSettings;
use crate::types::ResourceName;
use crate::upstream::settings::UpstreamSettings;

/// The settings of a gateway. Nobody downstream checks them again.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where calls come in; at least one.
    pub listeners: Vec<ListenerSettings>,
    /// The control plane.
    pub management: ManagementSettings,
    /// Who gives this gateway certificates of SPIFFE, if anybody does.
    pub spiffe: Option<WorkloadApi>,
    /// The APIs behind the gateway; no two answer to one host and path.
    pub resources: Arc<Resources>,
    /// Where each resource's calls are forwarded to.
    pub upstreams: BTreeMap<ResourceName, UpstreamSettings>,
    /// Whose tokens are accepted; no two share an `iss`.
    pub issuers: Vec<IssuerSettings>,
    /// What holds for every issuer's tokens.
    pub tokens: TokenSettings,
    /// How decisions are made.
    pub decisions: DecisionSettings,
    /// How decisions are asserted to upstreams, if they are.
    pub assertions: Option<AssertionSettings>,
    /// How the traffic of agents is looked at.
    pub detections: FeedSettings,
    /// What refusals say.
    pub responses: ResponseSettings,
    /// How decisions are recorded.
    pub records: RecordSettings,
    /// Where state is kept.
    pub store: StoreSettings,
    /// The streams of events; no two share a name.
    pub signals: Vec<SourceSettings>,
    /// What Microsoft Graph is asked; `None`: nothing.
    pub graph: Option<GraphSettings>,
    /// Where policies, directory, named locations and risk are.
    pub sources: Sources,
    /// The time between two looks at the files.
    pub reload_interval: Duration,
    /// How it ends.
    pub shutdown: Shutdown,
    /// The log.
    pub log: LogSettings,
    /// How many workers serve calls; `None`: one per core.
    pub workers: Option<usize>,
}

/// How the gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    /// How long `/readyz` says so before anything else changes.
    pub delay: Duration,
    /// How long calls under way may take to end after that.
    pub drain_timeout: Duration,
}

/// The folders and files that decisions rest on, beside the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The folder of policies.
    pub policies: PathBuf,
    /// What happens to a policy that is not understood whole.
    pub on_unsupported: OnUnsupported,
    /// Whether the folder of policies may hold none.
    pub no_policies: bool,
    /// The folder of the directory, if there is one.
    pub directory: Option<PathBuf>,
    /// The folder of what Graph lists, if it is asked.
    pub graph_directory: Option<PathBuf>,
    /// The folder of named locations, if there is one.
    pub named_locations: Option<PathBuf>,
    /// The ranges of the places that no export has.
    pub own_ranges: OwnRanges,
    /// The database of countries, if there is one.
    pub countries: Option<PathBuf>,
    /// The file of risky agents, if there is one.
    pub risk: Option<PathBuf>,
}
