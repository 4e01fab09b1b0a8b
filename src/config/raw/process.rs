//! What concerns the gateway as a process: records, answers, reload, shutdown, log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Duration, Exact, File, Label};
use crate::telemetry::logging::{self, LogSettings};

/// The record of every decision.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// The file that records are appended to; standard output without it.
    pub file: Option<File>,
    /// How many records may wait for the writer.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: u32,
    /// How long a call waits for a place in the queue.
    pub wait: Duration,
    /// What happens to the call then.
    pub overflow: Overflow,
    /// Whether a record lists the policies that did not apply too, each by name and result: why not is not in it.
    pub list_not_applied: bool,
    /// How many of the newest records are kept in memory, for `auditLogs/signIns` of the management API.
    #[schemars(range(max = 100_000))]
    pub recent: u32,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            file: None,
            queue: 8_192,
            wait: Duration::seconds(1),
            overflow: Overflow::Refuse,
            list_not_applied: false,
            recent: 10_000,
        }
    }
}

/// What happens to a call whose record finds no place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// It is refused. No record is lost.
    #[default]
    Refuse,
    /// It goes on without a record, and that is counted.
    DangerousDrop,
}

/// What refusals say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Responses {
    /// The `realm` of challenges (RFC 9110 §11.5).
    pub realm: Label,
    /// Whether a blocked caller may see the ids of the policies that block it.
    pub show_policies: bool,
    /// `Retry-After` on 503, in whole seconds.
    pub retry_after: Duration,
}

impl Default for Responses {
    fn default() -> Self {
        Self {
            realm: Label("boomgate".into()),
            show_policies: false,
            retry_after: Duration::seconds(5),
        }
    }
}

/// Proof for upstreams of what was decided: `Boomgate-Assertion`. Resources with an `assertion_audience` get it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertions {
    /// `iss`: a name of this gateway, the same on all replicas.
    pub issuer: Exact,
    /// How long one is valid, from the moment when the call came in, in whole seconds.
    #[serde(default = "Assertions::lifetime")]
    pub lifetime: Duration,
    /// Private EC keys on P-256, as PEM, for replicas to share. The first signs; all are published, so a new key is put
    /// last, then first, and an old one taken out once nothing that it signed is valid. Without it each process makes
    /// its own keys, in memory.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub key_files: Vec<File>,
    /// How long a key that was made in memory signs before the next one does.
    pub rotation_interval: Option<Duration>,
}

impl Assertions {
    fn lifetime() -> Duration {
        Duration::seconds(60)
    }
}

/// When changed files are read again; on SIGHUP always.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// The time between two looks at the files.
    pub interval: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            interval: Duration::seconds(2),
        }
    }
}

/// How the gateway ends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// How long `/readyz` says so before anything else changes, for load balancers that look at it.
    pub delay: Duration,
    /// How long calls under way may take to end after that; Kubernetes kills after 30 seconds by default.
    pub drain_timeout: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            delay: Duration::seconds(0),
            drain_timeout: Duration::seconds(25),
        }
    }
}

/// The gateway's own log, on standard error.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Its format.
    pub format: LogFormat,
}

impl Log {
    /// As the log wants it.
    pub(in crate::config) fn settings(self) -> LogSettings {
        LogSettings {
            format: match self.format {
                LogFormat::Text => logging::LogFormat::Text,
                LogFormat::Json => logging::LogFormat::Json,
            },
            ..LogSettings::default()
        }
    }
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
