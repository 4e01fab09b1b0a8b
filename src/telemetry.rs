//! Room 1: what is counted and logged. Every metric and label of the program is declared here, in one place.
//!
//! Called from room 6 up. Labels are closed sets or configured names, so that the number of series is bounded
//! whatever arrives. Never here: an agent's id, a path or an error's text as a label; a secret anywhere.

pub mod connections;
pub mod labels;
pub mod logging;
pub mod metrics;
mod process;
pub mod resource;

pub use connections::ConnectionMetrics;
pub use labels::{
    ChangeSource, ConnectionTrouble, EndpointState, RecordResult, SignalKind, SignalResult,
    SignalSource, SubjectKind, UpstreamEvent, result_label,
};
pub use logging::{LogFormat, LogSettings};
pub use metrics::sharded::ShardedCounter;
pub use metrics::{
    DetectionCounters, DetectionMetrics, Metrics, MetricsError, Observation, RecordCounter,
};
pub use resource::{OpenCall, ResourceMetrics, TokenLookups, UpstreamEvents};
