//! What the connections of one listener share, over all workers: its limits, its certificate, and how many of them
//! each client has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::settings::{Limits, ListenerSettings};
use super::tls::TlsInUse;
use crate::call::TrustedProxies;
use crate::telemetry::{ConnectionMetrics, ConnectionTrouble};
use crate::types::IpRange;

/// One listener.
pub(super) struct Door {
    pub(super) name: Arc<str>,
    pub(super) limits: Limits,
    /// The current configuration; new connections take the newest. `None`: plaintext.
    pub(super) tls: Option<Arc<TlsInUse>>,
    /// Whose connections begin with a header of the PROXY protocol.
    balancers: Vec<IpRange>,
    /// Whose word on their clients' addresses counts.
    pub(super) proxies: Arc<TrustedProxies>,
    clients: Mutex<HashMap<IpAddr, usize>>,
    /// Where other processes share the port: whether this one has begun to listen.
    pub(super) opened: Option<watch::Receiver<bool>>,
    /// `None` where nobody counts.
    metrics: Option<ConnectionMetrics>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Door {
    /// The door of a listener of calls.
    pub(super) fn of(
        settings: &ListenerSettings,
        tls: Option<Arc<TlsInUse>>,
        metrics: ConnectionMetrics,
        opened: Option<watch::Receiver<bool>>,
    ) -> Self {
        Self {
            opened,
            balancers: settings.proxy_protocol_from.clone(),
            proxies: Arc::new(settings.trusted_proxies.clone()),
            metrics: Some(metrics),
            ..Self::new(Arc::clone(&settings.name), settings.limits, tls)
        }
    }

    /// A door that believes nobody, and counts nothing.
    pub(super) fn new(name: Arc<str>, limits: Limits, tls: Option<Arc<TlsInUse>>) -> Self {
        Self {
            name,
            limits,
            tls,
            balancers: Vec::new(),
            proxies: Arc::default(),
            clients: Mutex::default(),
            opened: None,
            metrics: None,
        }
    }

    /// Whether a peer's connections begin with a header of the PROXY protocol. Nobody else's does.
    pub(super) fn is_balancer(&self, peer: IpAddr) -> bool {
        self.balancers.iter().any(|range| range.contains(peer))
    }

    /// A place for one more connection of a client; `None` if it has as many as it may have. Who passes on the calls of
    /// others is no client, and has no such limit.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ClientPlace> {
        if self.is_balancer(address) || self.proxies.contains(address) {
            return Some(ClientPlace(None));
        }
        let client = client(address);
        let mut clients = self.clients.lock();
        let open = clients.entry(client).or_insert(0);
        if *open >= self.limits.max_connections_per_client {
            return None;
        }
        *open = open.saturating_add(1);
        drop(clients);
        Some(ClientPlace(Some((Arc::clone(self), client))))
    }

    /// A connection was refused or cut.
    pub(super) fn trouble(&self, trouble: ConnectionTrouble) {
        if let Some(metrics) = &self.metrics {
            metrics.trouble(trouble);
        }
    }
}

/// One connection of a client.
#[derive(Debug)]
pub(super) struct ClientPlace(Option<(Arc<Door>, IpAddr)>);

impl Drop for ClientPlace {
    fn drop(&mut self) {
        let Some((door, client)) = self.0.take() else {
            return;
        };
        if let Entry::Occupied(mut open) = door.clients.lock().entry(client) {
            match open.get().checked_sub(1) {
                None | Some(0) => drop(open.remove()),
                Some(left) => *open.get_mut() = left,
            }
        }
    }
}

/// Whose address it is: an IPv6 network of 64 bits is one client's, who may take any address in it.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            Ipv6Addr::from_bits(network).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one_ipv4_address_or_one_ipv6_network() {
        let same =
            |one: &str, other: &str| client(one.parse().unwrap()) == client(other.parse().unwrap());
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("2001:db8::1", "2001:db8::ffff:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    }
}
