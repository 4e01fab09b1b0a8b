//! Listeners of calls, and the management listener.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Address, Duration, Exact, File, Host, IpRange, Name, SecretSource, Size};

/// A listener of calls.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Its name in logs.
    pub name: Name,
    /// The IP address and port.
    pub address: Address,
    /// Share the port with other processes of this user that say so too, so that the next one takes over without a gap.
    /// It takes connections once it is ready.
    #[serde(default)]
    pub reuse_port: bool,
    /// TLS. Needed, unless `dangerous_plaintext` is set.
    pub tls: Option<ServerTls>,
    /// Speak HTTP without TLS: tokens can be read on the way.
    #[serde(default)]
    pub dangerous_plaintext: bool,
    /// Load balancers that say in the PROXY protocol whose connections they pass on.
    #[serde(default)]
    pub proxy_protocol: ProxyProtocol,
    /// Proxies whose word on their clients' addresses counts.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
    /// What it bears.
    #[serde(default)]
    pub limits: Limits,
}

/// Load balancers that speak the PROXY protocol, version 1 or 2.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyProtocol {
    /// Their addresses. A connection of theirs must begin with the header; no other connection may.
    pub from: Vec<IpRange>,
}

/// Proxies in front of the gateway that speak HTTP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrustedProxies {
    /// Their addresses. The client of a call that comes from one of them is the rightmost address in the header that is
    /// none of theirs.
    pub addresses: Vec<IpRange>,
    /// The header that they append to.
    pub header: ForwardingHeader,
}

/// The header in which proxies say whose call they pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Certificate and key: two files, which are watched, or SPIFFE's Workload API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// PEM: the chain, leaf first. Needed, unless `spiffe` is set.
    pub certificate_file: Option<File>,
    /// PEM: the leaf's private key. Needed, unless `spiffe` is set.
    pub key_file: Option<File>,
    /// In place of the two files: show the certificate that the Workload API of the section `spiffe` gives.
    #[serde(default)]
    pub spiffe: bool,
    /// The oldest version of TLS that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// Certificates of clients.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246), with forward secrecy only.
    #[default]
    #[serde(rename = "TLSv1.2")]
    V12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "TLSv1.3")]
    V13,
}

/// Certificates of clients.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientCertificates {
    /// Whether a client shows one.
    pub mode: ClientCertificateMode,
    /// PEM: the roots that it must lead to. Needed, unless the mode is `none`.
    pub ca_file: Option<File>,
}

/// Whether a client shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateMode {
    /// It is not asked for one.
    #[default]
    None,
    /// It may show one; a bad one ends the connection.
    Optional,
    /// It must show one.
    Required,
}

/// What a listener bears. Counts are per worker.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections; more are closed at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// Open connections of one client address (of an IPv6 network of 64 bits), over all workers; more are closed at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections_per_client: u32,
    /// TLS handshakes under way; more connections are closed at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_concurrent_handshakes: u32,
    /// Calls under way; more are shed with 503.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_concurrent_calls: u32,
    /// HTTP/2 streams of one connection at a time.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_concurrent_streams: u32,
    /// HTTP/2: calls that a client may give up on one connection, if they are more than half of all.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_resets: u32,
    /// Header fields of a request.
    #[schemars(range(min = 1, max = 1000))]
    pub max_headers: u32,
    /// All header names and values of a request together.
    pub max_header_size: Size,
    /// The longest path and query.
    pub max_uri_size: Size,
    /// The time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// The time for a request's head.
    pub header_timeout: Duration,
    /// How long a request's body may stand still while its upstream waits for it.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what waits for it.
    pub write_timeout: Duration,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_client: 500,
            max_concurrent_handshakes: 1_000,
            max_concurrent_calls: 5_000,
            max_concurrent_streams: 100,
            max_resets: 200,
            max_headers: 100,
            max_header_size: Size::kib(32),
            max_uri_size: Size::kib(8),
            handshake_timeout: Duration::seconds(10),
            header_timeout: Duration::seconds(10),
            body_timeout: Duration::seconds(30),
            write_timeout: Duration::seconds(60),
            idle_timeout: Duration::seconds(75),
        }
    }
}

/// The management listener. It always speaks TLS.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Management {
    /// The IP address and port. One that is not loopback opens the control plane to the network.
    #[serde(default = "Management::address")]
    pub address: Address,
    /// Its certificate and key.
    pub tls: ManagementTls,
    /// The bearer token that may do everything: `${NAME}` or `file:PATH`, at least 32 characters.
    #[schemars(extend("writeOnly" = true))]
    pub admin_token: SecretSource,
    /// Tokens that are let in too: each with one of the roles `reader`, `operator` and `admin`.
    pub oidc: Option<ManagementOidc>,
    /// Host names that requests may name beside the address itself; others are refused, against DNS rebinding.
    #[serde(default)]
    pub allowed_hosts: Vec<Host>,
    /// Whether `/healthz`, `/readyz`, `/startupz` and `/metrics` need no token.
    #[serde(default)]
    pub unauthenticated_probes: bool,
}

impl Management {
    fn address() -> Address {
        Address(std::net::SocketAddr::from(([127, 0, 0, 1], 9443)))
    }
}

/// Tokens of one of the `issuers`, for people and programs that manage the gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementOidc {
    /// The name of one of the `issuers`.
    pub issuer: Name,
    /// The exact audience that such a token has. No resource may have it.
    pub audience: Exact,
}

/// Certificate and key of the management listener: from files, which are watched, or from SPIFFE's Workload API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementTls {
    /// PEM: the chain, leaf first. Needed, unless `spiffe` is set.
    pub certificate_file: Option<File>,
    /// PEM: the leaf's private key. Needed, unless `spiffe` is set.
    pub key_file: Option<File>,
    /// In place of the two files: show the certificate that the Workload API of the section `spiffe` gives.
    #[serde(default)]
    pub spiffe: bool,
    /// PEM: the roots that every client's certificate must lead to. With it, nobody connects without such a certificate,
    /// probes included; the token is needed all the same.
    pub client_ca_file: Option<File>,
}
