//! The shape of the configuration file: what serde reads and what the shipped JSON Schema is made from.
//!
//! The documentation of a field is its description in the schema, so it speaks to operators. What is left
//! out never weakens; a key that weakens has a name that says so. Never here: a check between two keys.

pub mod detections;
pub mod graph;
pub mod hooks;
pub mod issuers;
pub mod listeners;
pub mod process;
pub mod resources;
pub mod signals;
pub mod spiffe;
pub mod store;
pub mod text;
pub mod upstreams;
pub mod webhooks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use detections::Detections;
use graph::{Graph, GraphDirectory};
use issuers::{Issuer, Tokens};
use listeners::{Listener, Management};
use process::{Assertions, Log, Records, Reload, Responses, Shutdown};
use resources::Resource;
use signals::Signals;
use spiffe::Spiffe;
use store::Store;
use text::{File, IpRange};

// The sections that must be there, and the items of lists, are optional for serde only: while one is at fault,
// the others are still checked.
/// The configuration of a Boomgate gateway.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["listeners", "management", "issuers", "resources", "policies"]))]
pub struct Config {
    /// Where calls come in.
    #[schemars(with = "Vec<Listener>", length(min = 1, max = 64))]
    pub listeners: Option<Vec<Option<Listener>>>,
    /// The control plane: health, metrics, the Graph subset.
    pub management: Option<Management>,
    /// Whose tokens are accepted.
    #[schemars(with = "Vec<Issuer>", length(min = 1, max = 64))]
    pub issuers: Option<Vec<Option<Issuer>>>,
    /// SPIFFE's Workload API, which gives the gateway a certificate.
    pub spiffe: Option<Spiffe>,
    /// The APIs behind the gateway.
    #[schemars(with = "Vec<Resource>", length(min = 1, max = 1000))]
    pub resources: Option<Vec<Option<Resource>>>,
    /// Conditional Access policies.
    pub policies: Option<Policies>,
    /// Named locations, which policies refer to.
    pub named_locations: NamedLocations,
    /// The directory of agents.
    pub directory: Directory,
    /// What is known of the agents' risk.
    pub risk: Risk,
    /// What is looked for in the traffic of agents, and what follows from it.
    pub detections: Detections,
    /// How policies are read.
    pub evaluation: Evaluation,
    /// What holds for the tokens of every issuer.
    pub tokens: Tokens,
    /// Who else reports what is known of agents.
    pub signals: Signals,
    /// What Microsoft Graph is asked about agents.
    pub graph: Option<Graph>,
    /// Where what was reported of agents is kept.
    pub store: Store,
    /// The record of every decision.
    pub records: Records,
    /// Proof for upstreams of what was decided.
    pub assertions: Option<Assertions>,
    /// What refusals say.
    pub responses: Responses,
    /// When changed files are read again.
    pub reload: Reload,
    /// How the gateway ends.
    pub shutdown: Shutdown,
    /// The gateway's own log, on standard error.
    pub log: Log,
    /// How many workers serve calls, each with its own sockets; one per core without it.
    #[schemars(range(min = 1, max = 1024))]
    pub workers: Option<u16>,
}

/// Conditional Access policies, as Microsoft Graph exports them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// The folder of policies: each `*.json` file holds one policy object or a Graph list.
    pub dir: File,
    /// What happens to a policy that is not understood whole.
    #[serde(default)]
    pub on_unsupported: OnUnsupported,
    /// Go on when the folder holds no policy: then nothing is blocked by policy.
    #[serde(default)]
    pub dangerous_allow_none: bool,
}

/// What happens to a policy that is not understood whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnsupported {
    /// The load fails and names the file, line and member.
    #[default]
    Reject,
    /// The policy is evaluated as far as it is understood and recorded, but never enforced.
    ReportOnly,
}

/// Named locations.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedLocations {
    /// The folder of named locations: each `*.json` file holds one Graph object or a Graph list.
    pub dir: Option<File>,
    /// The database that tells in which country an address is, in MaxMind's format (GeoLite2-Country and the like).
    pub country_database: Option<File>,
    /// The MFA trusted IPs of the tenant, which no export has: ranges such as `198.51.100.0/24`. Without it, a policy that
    /// names them counts an address as neither inside nor outside, and blocks.
    #[schemars(length(max = 2000))]
    pub mfa_trusted_ips: Option<Vec<IpRange>>,
    /// The ranges of the compliant network; as above.
    #[schemars(length(max = 2000))]
    pub compliant_networks: Option<Vec<IpRange>>,
}

/// The directory of agents.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Directory {
    /// The folder of the directory: each `*.json` file holds Graph objects of blueprints, agent identities and agent users.
    pub dir: Option<File>,
    /// What happens to agents that the directory does not know.
    pub unknown_agents: UnknownAgents,
    /// The agents that Microsoft Graph lists are in the directory too; needs the section `graph`.
    pub graph: Option<GraphDirectory>,
}

/// What happens to agents that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAgents {
    /// Policies judge them: those on all agents apply, and attribute filters see no attributes.
    #[default]
    Evaluate,
    /// They are blocked.
    Block,
}

/// What is known of the agents' risk.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Risk {
    /// A Graph list of risky agents (`GET /beta/identityProtection/riskyAgents`).
    pub file: Option<File>,
    /// Whether a risk level that is withheld counts as met for a policy that blocks on risk.
    pub required: bool,
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            file: None,
            required: true,
        }
    }
}

/// How policies are read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluation {
    /// Whether policies do only what they do in Entra: then an agent that acts for a human is not judged itself,
    /// no risk is inherited, and unknown facts do not block.
    pub entra_parity: bool,
    /// The kinds of fact that may be missing: a condition on one that is missing does not hold, as in Entra's What-If.
    /// Any other kind is required: where it is missing, a policy that reads it and demands anything blocks.
    #[schemars(length(max = 16))]
    pub optional_facts: Vec<FactKind>,
}

/// A kind of fact that a token, the directory or a database may not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The human's groups.
    Groups,
    /// The human's directory roles.
    DirectoryRoles,
    /// Whether the human is a guest, and of what kind.
    UserType,
    /// The country of the caller's address.
    Country,
    /// The platform of the device.
    Platform,
    /// What the human uses.
    ClientAppType,
    /// How the session came to this client.
    TransferMethod,
    /// The device's properties.
    Device,
    /// Where an agent user's session was started from.
    AgentContext,
    /// What was shown of grant controls: one that is missing is not satisfied either way.
    Controls,
    /// Whether a classic workload is registered in the tenant, and its attributes.
    ServicePrincipal,
}
