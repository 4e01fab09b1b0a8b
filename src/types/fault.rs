//! What is wrong with something that an operator wrote: where it stands, what it is, what was expected.
//!
//! Readers collect faults and go on, so that one run of `boomgate check` names them all.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Whether a fault stops the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is loaded while this stands.
    Error,
    /// Loaded, but the operator should know.
    Warning,
}

/// One fault of a configuration, policy, directory or risk file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fault {
    /// The file's name as the operator gave it.
    pub file: Arc<str>,
    /// Line, from 1; 0 where the fault is of the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 where the fault is of the whole file.
    pub column: u32,
    /// The member, as a path: `resources[1].upstream.url`, `conditions.locations`.
    pub member: String,
    /// What is wrong and what was expected; lower case, no full stop, input in backticks, never a secret.
    pub message: String,
    /// Whether it stops the load.
    pub severity: Severity,
}

impl fmt::Display for Fault {
    /// `file:line:column: error: member: message`, which editors turn into a link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(match self.severity {
            Severity::Error => ": error: ",
            Severity::Warning => ": warning: ",
        })?;
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        f.write_str(&self.message)
    }
}

/// All faults of one load, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No faults yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds those of another reader.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether one of them stops the load.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// The faults, sorted by place.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Fault> {
        self.0.sort();
        self.0
    }

    /// The faults as they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Whether there are none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// An error with all its causes, as an operator reads it.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
