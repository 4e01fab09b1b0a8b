//! Upstreams: where a resource's calls are forwarded to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listeners::TlsVersion;
use super::text::{Address, Duration, File, Host, KeyPin, RequestTarget, SpiffeId, UpstreamUrl};
use crate::upstream::settings;

/// Where a resource's calls are forwarded to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// `http` or `https`, host and port. Calls are forwarded with their own path. Either this or `endpoints`.
    pub url: Option<UpstreamUrl>,
    /// Several such addresses, all `http` or all `https`. Every address of every name is an endpoint.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub endpoints: Vec<UpstreamUrl>,
    /// Which endpoint gets the next call.
    #[serde(default)]
    pub balance: Balance,
    /// How often names are looked up, by the operating system's resolver, which tells no time to live.
    #[serde(default = "Upstream::resolve_interval")]
    pub resolve_interval: Duration,
    /// Looking names up by DNS itself, as long as their records are to live. Without it, by the operating system's resolver.
    pub dns: Option<Dns>,
    /// Asking endpoints whether they are well, beside the calls. Without it nobody asks.
    pub health_check: Option<HealthCheck>,
    /// Taking out endpoints on which calls fail.
    #[serde(default)]
    pub ejection: Ejection,
    /// Over how long an endpoint that is new or back gets more and more calls; at once without it.
    pub slow_start: Option<Duration>,
    /// When a call may be sent again.
    #[serde(default)]
    pub retries: Retries,
    /// How much it gets at a time.
    #[serde(default)]
    pub limits: UpstreamLimits,
    /// The HTTP version that it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// TLS, for an `https` address.
    pub tls: Option<UpstreamTls>,
    /// Whether it gets the caller's `Host`, or its own.
    #[serde(default = "Upstream::preserve_host")]
    pub preserve_host: bool,
    /// The time that a connection may take, TLS included.
    #[serde(default = "Upstream::connect_timeout")]
    pub connect_timeout: Duration,
    /// The time until the head of the response.
    #[serde(default = "Upstream::response_timeout")]
    pub response_timeout: Duration,
    /// How long no byte of a call may move, either way, behind the head of its response.
    #[serde(default = "Upstream::stream_idle_timeout")]
    pub stream_idle_timeout: Duration,
    /// How long a call may take in all, from its sending to the last byte of its response; no limit without it.
    pub total_timeout: Option<Duration>,
    /// How long an unused connection is kept; less than the upstream keeps it.
    #[serde(default = "Upstream::idle_timeout")]
    pub idle_timeout: Duration,
    /// How many unused connections each worker keeps per endpoint.
    #[serde(default = "Upstream::max_idle_connections")]
    #[schemars(range(max = 10_000))]
    pub max_idle_connections: u32,
}

impl Upstream {
    const fn preserve_host() -> bool {
        true
    }

    const fn resolve_interval() -> Duration {
        Duration::seconds(30)
    }

    const fn connect_timeout() -> Duration {
        Duration::seconds(5)
    }

    const fn response_timeout() -> Duration {
        Duration::seconds(60)
    }

    const fn stream_idle_timeout() -> Duration {
        Duration::seconds(300)
    }

    const fn idle_timeout() -> Duration {
        Duration::seconds(50)
    }

    const fn max_idle_connections() -> u32 {
        32
    }
}

/// Looking names up by DNS. `/etc/hosts` and the search domains of `/etc/resolv.conf` hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// The servers that are asked; those of `/etc/resolv.conf` without it.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub servers: Vec<Address>,
    /// A record counts for so long, however shorter it is to live; a look-up that failed is repeated after it.
    #[serde(default = "Dns::min_ttl")]
    pub min_ttl: Duration,
    /// A record counts for no longer, however long it is to live.
    #[serde(default = "Dns::max_ttl")]
    pub max_ttl: Duration,
}

impl Dns {
    const fn min_ttl() -> Duration {
        Duration::seconds(5)
    }

    const fn max_ttl() -> Duration {
        Duration::seconds(300)
    }
}

/// Which endpoint gets the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Of two that are drawn, the one with fewer calls under way.
    LeastRequests,
}

/// Asking endpoints whether they are well.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// What is asked for by GET: path and query.
    pub path: RequestTarget,
    /// The status of an endpoint that is well.
    #[serde(default = "HealthCheck::status")]
    #[schemars(range(min = 200, max = 599))]
    pub status: u16,
    /// From one question to the next, a tenth more or less.
    #[serde(default = "HealthCheck::interval")]
    pub interval: Duration,
    /// The time for connection and answer.
    #[serde(default = "HealthCheck::timeout")]
    pub timeout: Duration,
    /// So many bad answers in a row take an endpoint out.
    #[serde(default = "HealthCheck::unhealthy_after")]
    #[schemars(range(min = 1, max = 100))]
    pub unhealthy_after: u32,
    /// So many good ones in a row bring it back.
    #[serde(default = "HealthCheck::healthy_after")]
    #[schemars(range(min = 1, max = 100))]
    pub healthy_after: u32,
}

impl HealthCheck {
    const fn status() -> u16 {
        200
    }

    const fn interval() -> Duration {
        Duration::seconds(10)
    }

    const fn timeout() -> Duration {
        Duration::seconds(2)
    }

    const fn unhealthy_after() -> u32 {
        3
    }

    const fn healthy_after() -> u32 {
        2
    }
}

/// Taking out endpoints on which calls fail: no connection, no answer, or 502, 503 or 504.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ejection {
    /// So many failures in a row.
    #[schemars(range(min = 1, max = 10_000))]
    pub consecutive_failures: u32,
    /// For how long at first; each further time for as much more.
    pub time: Duration,
    /// For how long at most.
    pub max_time: Duration,
    /// The most of all endpoints that may be out at a time, in percent; with 0 none is ever taken out.
    #[schemars(range(max = 100))]
    pub max_percent: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        let settings::Ejection {
            consecutive_failures,
            time,
            max_time,
            max_percent,
        } = settings::Ejection::default();
        Self {
            consecutive_failures,
            time: Duration(time),
            max_time: Duration(max_time),
            max_percent,
        }
    }
}

/// When a call may be sent again, to another endpoint: when nothing of it was sent, or when it is idempotent and has no
/// body, and never because its answer is late.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// How often one call.
    #[schemars(range(max = 10))]
    pub max_per_call: u32,
    /// How many of the calls under way may be repetitions, in percent.
    #[schemars(range(max = 100))]
    pub budget_percent: u32,
    /// So many in each second are within the budget anyhow.
    #[schemars(range(max = 100_000))]
    pub min_per_second: u32,
    /// Whether the answer 503 with `Retry-After: 0` asks for it.
    pub on_unavailable: bool,
}

impl Default for Retries {
    fn default() -> Self {
        let settings::Retries {
            max_per_call,
            budget_percent,
            min_per_second,
            on_unavailable,
        } = settings::Retries::default();
        Self {
            max_per_call,
            budget_percent,
            min_per_second,
            on_unavailable,
        }
    }
}

/// How much an upstream gets at a time. More is refused with 503 (`upstream_overloaded`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamLimits {
    /// Calls under way on one endpoint, over all workers; no limit without it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_requests: Option<u32>,
    /// Calls that may wait for a place, each for `connect_timeout` at most.
    #[schemars(range(max = 1_000_000))]
    pub max_pending: u32,
}

/// The HTTP version of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, with prior knowledge without it.
    Http2,
}

/// TLS to an upstream.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamTls {
    /// PEM: the roots that its certificate must lead to; those of the operating system without it.
    pub ca_file: Option<File>,
    /// The name in the handshake and in the certificate; the URL's host without it.
    pub server_name: Option<Host>,
    /// The keys of which its certificate must have one, beside leading to a root: `sha256/` and the base64 of the SHA-256
    /// of the leaf's SubjectPublicKeyInfo. Any without it.
    #[schemars(length(max = 16))]
    pub pins: Vec<KeyPin>,
    /// The SPIFFE ids of which its certificate must have one, in place of the name. It must lead to the bundle of that
    /// id's trust domain: `ca_file`, else what the Workload API of the section `spiffe` says.
    #[schemars(length(max = 64))]
    pub spiffe_ids: Vec<SpiffeId>,
    /// What the gateway shows where the upstream asks for a certificate. Read again when the files change.
    pub client_certificate: Option<ClientCertificate>,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
}

/// A certificate of the gateway's own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// PEM: the chain, leaf first. Needed, unless `spiffe` is set.
    pub certificate_file: Option<File>,
    /// PEM: the leaf's private key. Needed, unless `spiffe` is set.
    pub key_file: Option<File>,
    /// In place of the two files: show the certificate that the Workload API of the section `spiffe` gives.
    #[serde(default)]
    pub spiffe: bool,
}
