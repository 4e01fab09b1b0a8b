//! What an operator says of where state is kept. Built by `config`, already checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::types::Secret;

/// Where state is kept.
#[derive(Debug, Clone)]
pub enum StoreSettings {
    /// In a file of this folder, which is this process's alone.
    Embedded(PathBuf),
    /// In an engine that replicas share.
    Redis(RedisSettings),
    /// Nowhere: it ends with the process.
    MemoryOnly,
}

/// A Redis or Valkey engine.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// A name or an address.
    pub host: Arc<str>,
    /// The port.
    pub port: u16,
    /// TLS; `None`: plain text.
    pub tls: Option<RedisTls>,
    /// The ACL user; the engine's `default` without one.
    pub username: Option<Arc<str>>,
    /// Its password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: u16,
    /// What the names of keys begin with.
    pub prefix: Arc<str>,
    /// The time for a connection, and for an answer.
    pub timeout: Duration,
    /// How many changes the stream keeps at least.
    pub stream_length: u64,
    /// How old what is known may be.
    pub freshness: Freshness,
}

/// TLS to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisTls {
    /// PEM: the roots; those of the operating system without it.
    pub ca_file: Option<PathBuf>,
}

/// How old shared state may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// For so long it is gone on with when the engine does not answer.
    pub max_age: Duration,
    /// Whether calls are refused after that.
    pub required: bool,
}

impl PartialEq for StoreSettings {
    /// By what they show of themselves: a password that was changed is not noticed.
    fn eq(&self, other: &Self) -> bool {
        let in_words = |settings: &Self| format!("{settings:?}");
        in_words(self) == in_words(other)
    }
}
