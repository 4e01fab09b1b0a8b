//! Where state is kept: what was reported of agents, and which tokens are refused.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::File;

/// Where what was reported of agents is kept (one of `dir`, `dangerous_memory_only`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The folder of the state file, this gateway's alone; made if it is not there. Default: `state`.
    pub dir: Option<File>,
    /// Keep state in memory alone: a restart forgets which agents are compromised and which tokens are revoked.
    pub dangerous_memory_only: bool,
}
