//! What an operator says of records. Built by `config`, already checked.

use std::path::PathBuf;
use std::time::Duration;

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Destination {
    /// Standard output.
    #[default]
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

/// What happens to a call whose record finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The call waits, then is refused. No record is lost.
    #[default]
    Refuse,
    /// The call goes on without a record, and that is counted.
    DangerousDrop,
}

/// How decisions are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// Where records go.
    pub destination: Destination,
    /// How many records may wait for the writer; default 8,192.
    pub queue: usize,
    /// How long a call waits for a place in the queue; default 1 s.
    pub wait: Duration,
    /// What happens then.
    pub overflow: Overflow,
    /// Whether records list the policies that did not apply too, each by name and result: why not is not in it.
    pub list_not_applied: bool,
    /// How many of the newest records are kept in memory, for those who look; default 10,000.
    pub recent: usize,
}
