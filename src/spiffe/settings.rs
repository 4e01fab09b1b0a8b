//! What an operator says of certificates of the gateway's own, and of SPIFFE. Built by `config`, already checked.

use std::path::PathBuf;

use super::id::SpiffeId;

/// Where a certificate of our own comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnCertificate {
    /// From files, which are watched.
    Files {
        /// PEM: the chain, leaf first.
        certificate_file: PathBuf,
        /// PEM: the leaf's private key.
        key_file: PathBuf,
    },
    /// From the Workload API.
    Spiffe,
}

/// The Workload API of SPIFFE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadApi {
    /// Its socket.
    pub socket: PathBuf,
    /// Which of several identities is used; the first without it.
    pub id: Option<SpiffeId>,
}
