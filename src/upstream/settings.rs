//! What an operator says of a resource's upstream. Built by `config`, already checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::spiffe::SpiffeId;
use crate::spiffe::settings::OwnCertificate;

/// The HTTP version spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpstreamProtocol {
    /// HTTP/1.1
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, with prior knowledge without it.
    Http2,
}

/// Which endpoint gets the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// One after the other; each worker goes round by itself.
    #[default]
    RoundRobin,
    /// Of two that are drawn, the one with fewer calls under way, counted over all workers.
    LeastRequests,
}

/// Where an upstream listens: one host name or address, and a port. A name may have several addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Host name or address.
    pub host: Arc<str>,
    /// Port.
    pub port: u16,
}

/// TLS to an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpstreamTls {
    /// A CA bundle; the operating system's roots without it.
    pub ca_file: Option<PathBuf>,
    /// The name in the handshake and in the certificate; the origin's host without it.
    pub server_name: Option<Arc<str>>,
    /// SHA-256 of the keys (SubjectPublicKeyInfo) of which its certificate must have one, beside all else; any without it.
    pub pins: Vec<[u8; 32]>,
    /// The ids of which its certificate must have one, in place of a name; its roots are the bundle of the trust domain then:
    /// `ca_file`, or what the Workload API says. None: the name counts.
    pub spiffe_ids: Vec<SpiffeId>,
    /// The certificate that we show where the upstream asks for one.
    pub client_certificate: Option<OwnCertificate>,
    /// Whether only TLS 1.3 is spoken; default no, 1.2 is as well.
    pub refuse_tls12: bool,
}

/// Looking names up by DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// Whom is asked; those of `/etc/resolv.conf` where there are none.
    pub servers: Vec<SocketAddr>,
    /// The shortest time until a name is looked up again; default 5 s.
    pub min_ttl: Duration,
    /// The longest; default 5 min.
    pub max_ttl: Duration,
}

/// Asking endpoints whether they are well, beside the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for: path and query.
    pub path: Arc<str>,
    /// The status of an endpoint that is well; default 200.
    pub status: StatusCode,
    /// From one question to the next, a tenth more or less; default 10 s.
    pub interval: Duration,
    /// The time for connection and answer; default 2 s.
    pub timeout: Duration,
    /// So many bad answers in a row take an endpoint out; default 3.
    pub unhealthy_after: u32,
    /// So many good ones bring it back; default 2.
    pub healthy_after: u32,
}

/// Taking out endpoints on which calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ejection {
    /// So many failures in a row; default 5.
    pub consecutive_failures: u32,
    /// For how long at first; each further time for as much more. Default 30 s.
    pub time: Duration,
    /// For how long at most; default 5 min.
    pub max_time: Duration,
    /// The most of all endpoints that may be out at a time, in percent; default 50.
    pub max_percent: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            time: Duration::from_secs(30),
            max_time: Duration::from_secs(300),
            max_percent: 50,
        }
    }
}

/// When a call may be sent again, beyond what costs nobody anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often one call; default 1.
    pub max_per_call: u32,
    /// How many of the calls under way may be repetitions, in percent; default 20.
    pub budget_percent: u32,
    /// So many in each second are within the budget anyhow; default 10.
    pub min_per_second: u32,
    /// Whether `503` with `Retry-After: 0` asks for it; default no.
    pub on_unavailable: bool,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            max_per_call: 1,
            budget_percent: 20,
            min_per_second: 10,
            on_unavailable: false,
        }
    }
}

/// How much an upstream gets at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UpstreamLimits {
    /// Calls under way on one endpoint, over all workers; without it there is no limit.
    pub max_requests: Option<usize>,
    /// Calls that may wait for a place, over all endpoints; default none.
    pub max_pending: usize,
}

/// One resource's upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Where it listens; at least one.
    pub origins: Vec<Origin>,
    /// TLS, for `https` URLs.
    pub tls: Option<UpstreamTls>,
    /// HTTP version.
    pub protocol: UpstreamProtocol,
    /// Whether the upstream gets the caller's `Host` (default) or its own.
    pub preserve_host: bool,
    /// Which endpoint gets the next call.
    pub balance: Balance,
    /// How often names are looked up by the operating system's resolver; default 30 s.
    pub resolve_interval: Duration,
    /// Looking names up by DNS itself, by their time to live, in place of that.
    pub dns: Option<Dns>,
    /// Asking endpoints whether they are well; default off.
    pub health_check: Option<HealthCheck>,
    /// Taking out endpoints on which calls fail.
    pub ejection: Ejection,
    /// Over how long an endpoint that is new or back gets more and more; none by default.
    pub slow_start: Option<Duration>,
    /// When a call may be sent again.
    pub retries: Retries,
    /// How much it gets at a time.
    pub limits: UpstreamLimits,
    /// The time a connection may take, TLS included; default 5 s.
    pub connect_timeout: Duration,
    /// The time until the response's head; default 60 s.
    pub response_timeout: Duration,
    /// How long no byte of an open call may move, either way, behind the head of its answer; default 5 min.
    pub stream_idle_timeout: Duration,
    /// How long a call may take from its sending to its end; default without limit.
    pub total_timeout: Option<Duration>,
    /// How long an unused connection is kept; default 50 s, below what servers keep.
    pub idle_timeout: Duration,
    /// How many unused connections each worker keeps per endpoint; default 32.
    pub max_idle: usize,
}

impl UpstreamSettings {
    /// An upstream with this origin, and the defaults for the rest.
    #[must_use]
    pub fn at(host: &str, port: u16) -> Self {
        Self {
            origins: vec![Origin {
                host: host.into(),
                port,
            }],
            tls: None,
            protocol: UpstreamProtocol::Http1,
            preserve_host: true,
            balance: Balance::RoundRobin,
            resolve_interval: Duration::from_secs(30),
            dns: None,
            health_check: None,
            ejection: Ejection::default(),
            slow_start: None,
            retries: Retries::default(),
            limits: UpstreamLimits::default(),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(60),
            stream_idle_timeout: Duration::from_secs(300),
            total_timeout: None,
            idle_timeout: Duration::from_secs(50),
            max_idle: 32,
        }
    }
}
