//! Looks a name up by DNS, with the time for which its records are to live.
//!
//! `/etc/hosts` and `/etc/resolv.conf` are read at each look-up, so that a change of them counts at once. Nothing is kept
//! here: what a record said is kept where endpoints are. Never here: an answer for longer than its records are to live,
//! and for shorter than the least time, which protects the servers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, TokioResolver};

use super::settings::Dns;

/// What a look-up found, and after what time to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) ttl: Duration,
}

/// Looks a name up.
pub(super) async fn look_up(settings: &Dns, host: &str, port: u16) -> Result<Answer, NetError> {
    // First, and alone: what is written there waits for no server, neither with search domains nor for the other family.
    let written = in_hosts(host, port);
    if !written.is_empty() {
        return Ok(Answer {
            addresses: written,
            ttl: settings.max_ttl,
        });
    }
    let found = resolver(settings)?.lookup_ip(host).await?;
    let ttl = found
        .valid_until()
        .saturating_duration_since(Instant::now());
    Ok(Answer {
        addresses: found.iter().map(|ip| SocketAddr::new(ip, port)).collect(),
        ttl: ttl.clamp(settings.min_ttl, settings.max_ttl),
    })
}

/// The addresses that `/etc/hosts` has for a name.
fn in_hosts(host: &str, port: u16) -> Vec<SocketAddr> {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_utf8(host)) else {
        return Vec::new();
    };
    let mut addresses = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        if let Some(found) = hosts.lookup_static_host(&Query::query(name.clone(), kind)) {
            let records = found.answers().iter();
            let ips = records.filter_map(|record| record.data.ip_addr());
            addresses.extend(ips.map(|ip| SocketAddr::new(ip, port)));
        }
    }
    addresses
}

/// One that knows nothing yet.
fn resolver(settings: &Dns) -> Result<TokioResolver, NetError> {
    let system = read_system_conf();
    let (config, mut options) = if settings.servers.is_empty() {
        system?
    } else {
        // Where there are servers, a machine without any is as good as another one; it has no search domains then.
        let (config, options) = system.unwrap_or_default();
        let (domain, search, _others) = config.into_parts();
        let servers = settings.servers.iter().map(server).collect();
        (ResolverConfig::from_parts(domain, search, servers), options)
    };
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
}

/// A server by UDP, and by TCP for what is too long for that.
fn server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}
