//! SPIFFE's Workload API: where the gateway gets an X.509 identity of its own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{SpiffeId, WorkloadEndpoint};

/// SPIFFE's Workload API, for certificates that are set to `spiffe`, and for the bundles of `spiffe_ids`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spiffe {
    /// The Unix socket of the agent; workloads are told it in `SPIFFE_ENDPOINT_SOCKET`.
    pub endpoint_socket: WorkloadEndpoint,
    /// Which identity is used where the API has several; its first without it.
    pub id: Option<SpiffeId>,
}
