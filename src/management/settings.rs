//! What an operator says of the management listener. Built by `config`, already checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::policy::OnUnsupported;
use crate::spiffe::settings::OwnCertificate;
use crate::types::Secret;

/// The management listener.
#[derive(Debug, Clone)]
pub struct ManagementSettings {
    /// Where it listens; loopback by default.
    pub address: SocketAddr,
    /// Its certificate.
    pub certificate: OwnCertificate,
    /// PEM: the roots that every client's certificate must lead to; watched. `None`: no client is asked for one.
    pub client_ca_file: Option<PathBuf>,
    /// The bearer token that may do everything.
    pub admin_token: Secret,
    /// Whose tokens are let in too, with the role that they say.
    pub oidc: Option<RoleTokens>,
    /// Host names that requests may name, beside the address itself (DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Whether `/healthz`, `/readyz`, `/startupz` and `/metrics` need no token.
    pub open_probes: bool,
}

/// Tokens that carry a role, of one of the issuers of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTokens {
    /// The issuer's configured name.
    pub issuer: Arc<str>,
    /// The audience that such a token has; no resource has it.
    pub audiences: Arc<[Arc<str>]>,
}

/// The folders of the configuration that the API writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Policies.
    pub policies: PathBuf,
    /// What happens to a policy that is not understood whole.
    pub on_unsupported: OnUnsupported,
    /// Named locations, if there is a folder of them.
    pub named_locations: Option<PathBuf>,
    /// The directory, if there is one.
    pub directory: Option<PathBuf>,
}
