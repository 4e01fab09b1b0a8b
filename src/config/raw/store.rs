//! Where state is kept: what was reported of agents, and which tokens are refused.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{Duration, File, Host, Label, SecretSource};

/// Where what was reported of agents is kept (one of `dir`, `redis`, `dangerous_memory_only`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The folder of the state file, this gateway's alone; made if it is not there. Default: `state`.
    pub dir: Option<File>,
    /// An engine that the replicas of a gateway share.
    pub redis: Option<Redis>,
    /// Keep state in memory alone: a restart forgets which agents are compromised and which tokens are revoked.
    pub dangerous_memory_only: bool,
}

/// A Redis or Valkey engine (Redis 6.2 or later, Valkey 7.2 or later).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Its host.
    pub host: Host,
    /// Its port.
    #[serde(default = "Redis::port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// TLS. Needed, unless `dangerous_plaintext` is set.
    pub tls: Option<RedisTls>,
    /// Speak without TLS: the password, and the word on an agent, can be read and changed on the way.
    #[serde(default)]
    pub dangerous_plaintext: bool,
    /// The ACL user; the engine's `default` without it.
    pub username: Option<Label>,
    /// The password: `${NAME}` or `file:PATH`.
    #[schemars(extend("writeOnly" = true))]
    pub password: Option<SecretSource>,
    /// The number of the database.
    #[serde(default)]
    pub database: u16,
    /// What the names of its keys begin with; gateways with one prefix share one state.
    #[serde(default = "Redis::prefix")]
    pub prefix: Label,
    /// The time for a connection, and for an answer.
    #[serde(default = "Redis::timeout")]
    pub timeout: Duration,
    /// How many changes the stream keeps at least; a replica that was away for longer reads everything.
    #[serde(default = "Redis::stream_length")]
    #[schemars(range(min = 1_000, max = 100_000_000))]
    pub stream_length: u64,
    /// For so long the gateway goes on with what it knew last when the engine does not answer.
    #[serde(default = "Redis::max_age")]
    pub max_age: Duration,
    /// Whether calls are refused after that, and before the engine has answered for the first time.
    #[serde(default = "Redis::required")]
    pub required: bool,
}

impl Redis {
    const fn port() -> u16 {
        6_379
    }

    fn prefix() -> Label {
        Label("boomgate".into())
    }

    fn timeout() -> Duration {
        Duration::seconds(2)
    }

    const fn stream_length() -> u64 {
        100_000
    }

    fn max_age() -> Duration {
        Duration::seconds(300)
    }

    const fn required() -> bool {
        true
    }
}

/// TLS to the engine.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisTls {
    /// PEM: the roots that its certificate must lead to; those of the operating system without it.
    pub ca_file: Option<File>,
}
