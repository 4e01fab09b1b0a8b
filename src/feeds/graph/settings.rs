//! What an operator says of Microsoft Graph. Built by `config`, already checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::store::settings::Freshness;
use crate::types::Secret;

/// What is read of a tenant, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSettings {
    /// `https://host[:port][/path]`, without a slash at its end: the versions of Graph are below it.
    pub base_url: Arc<str>,
    /// As whom.
    pub client: GraphClient,
    /// PEM: the roots of Graph and of the token endpoint; those of the operating system without it.
    pub ca_file: Option<PathBuf>,
    /// The time for one answer.
    pub timeout: Duration,
    /// The largest answer, in bytes.
    pub max_page_bytes: usize,
    /// The most pages of one list.
    pub max_pages: u32,
    /// The time between two looks at what has changed.
    pub interval: Duration,
    /// The time between two readings of everything.
    pub full_interval: Duration,
    /// How far before the last change that was seen a look begins: changes do not become visible in their order.
    pub overlap: Duration,
    /// How old what is known of risk may be.
    pub freshness: Freshness,
    /// Where the directory is kept; `None`: it is not read.
    pub directory: Option<DirectorySettings>,
}

/// How the directory is kept as Graph has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySettings {
    /// A folder of the gateway's own.
    pub dir: PathBuf,
    /// The time between two readings.
    pub interval: Duration,
    /// Whether custom security attributes are read too.
    pub attributes: bool,
}

/// A client of the tenant's token endpoint (RFC 6749 §4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphClient {
    /// The token endpoint.
    pub token_url: Arc<str>,
    /// The application's id.
    pub id: Arc<str>,
    /// What proves that it is the client.
    pub proof: Proof,
    /// The scope that is asked for.
    pub scope: Arc<str>,
}

/// What proves who a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A client secret.
    Secret(Secret),
    /// A file with a token of another issuer (RFC 7523 §2.2), which is read again for each token: it is replaced before
    /// it expires.
    TokenFile(PathBuf),
}
