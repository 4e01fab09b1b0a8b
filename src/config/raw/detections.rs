//! Detections: what is looked for in the traffic of agents, and what follows from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Duration;

/// What is looked for in the traffic of agents, and what follows from it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Detections {
    /// Whether anything is looked for.
    pub enabled: bool,
    /// For so long an agent is only watched, but for what needs no habits to compare with.
    pub learning: Duration,
    /// The most agents whose habits are remembered, each in about a kilobyte. When there are more, those that did not
    /// call lately are forgotten, and counted.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_agents: u32,
    /// How many calls may wait to be looked at. No call waits for that: one that finds no place is passed over, and counted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: u32,
    /// An agent uses a resource in earnest that is new to it and to the other agents of its blueprint. The threshold is
    /// the number of calls within an hour of the first day; from a new network one weighs 8, at an unusual hour 2.
    pub unfamiliar_resource_access: Detection,
    /// An agent makes many times as many calls within an hour as usual. The threshold is how many times.
    pub sign_in_spike: Detection,
    /// An agent asks for what it may not reach. The threshold is how many different things within an hour.
    pub failed_access_attempt: Detection,
    /// An agent shows several patterns of an attacker on its first day. The threshold is how many.
    pub early_life_malicious_activity: Detection,
    /// One token is used from several places or by several clients. The threshold is how often it goes to and fro where
    /// only the network differs.
    pub token_replay: Detection,
    /// How often a token goes to and fro between two clients that have one name and network and begin TLS otherwise, until
    /// that is token replay; from another network once is enough. 0: how clients begin TLS does not matter.
    #[schemars(range(max = 1_000_000))]
    pub token_replay_tls_threshold: u32,
    /// An agent asks for what is not there. The threshold is how many different things within an hour; of things that
    /// are there, and that it never asked for, five times as many.
    pub reconnaissance: Detection,
    /// An agent works at an hour of the week at which it never works. The threshold is how many calls within that hour.
    pub off_hours_activity: Detection,
}

impl Default for Detections {
    fn default() -> Self {
        Self {
            enabled: true,
            learning: Duration::seconds(7 * 24 * 3_600),
            max_agents: 100_000,
            queue: 16_384,
            unfamiliar_resource_access: Detection::default(),
            sign_in_spike: Detection::default(),
            failed_access_attempt: Detection::default(),
            early_life_malicious_activity: Detection::default(),
            token_replay: Detection::default(),
            token_replay_tls_threshold: 4,
            reconnaissance: Detection::default(),
            off_hours_activity: Detection::default(),
        }
    }
}

/// One kind of detection. What is left out is as `docs/detections.md` says.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Detection {
    /// What happens with it.
    pub mode: DetectionMode,
    /// The level that it raises the agent's risk to.
    pub level: Option<DetectionLevel>,
    /// How long it counts, if no administrator says anything of it.
    pub expiry: Option<Duration>,
    /// How much it takes.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub threshold: Option<u32>,
}

/// What happens with a kind of detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectionMode {
    /// It raises the agent's risk.
    #[default]
    Enforce,
    /// It is shown and counted, and raises nothing.
    ReportOnly,
    /// It is not looked for.
    Off,
}

/// A level of risk that a detection stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectionLevel {
    /// Graph's `low`.
    Low,
    /// Graph's `medium`.
    Medium,
    /// Graph's `high`.
    High,
}
