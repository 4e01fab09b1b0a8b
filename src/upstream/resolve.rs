//! Looks an upstream's names up, again and again: by the operating system's resolver, or by DNS itself.
//!
//! That resolver reads what the machine is set up with (`/etc/hosts`, search domains, `nsswitch.conf`), and tells no
//! time to live: names are looked up at an interval. By DNS a name is looked up when its records are to live no longer. A
//! look-up that fails changes nothing, and is counted.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::dns;
use super::table::{Upstream, bare_host};
use crate::types::ResourceName;

/// Looks names up from now on, until nobody has the upstream any more.
pub(super) fn follow(resource: &ResourceName, upstream: &Arc<Upstream>) {
    for name in names(upstream) {
        let resource = resource.clone();
        let upstream = Arc::downgrade(upstream);
        tokio::spawn(async move {
            while let Some(upstream) = Weak::upgrade(&upstream) {
                let pause = resolve(&resource, &upstream, &name).await;
                drop(upstream);
                tokio::time::sleep(pause).await;
            }
        });
    }
}

/// Looks all names up, for a call that finds no endpoint. Calls that come meanwhile wait for the same answer. Servers of
/// DNS are not asked again for `min_ttl`, however many calls come.
pub(super) async fn resolve_for_call(resource: &ResourceName, upstream: &Upstream) {
    let mut begun = upstream.live.resolving.lock().await;
    let least = upstream.settings.dns.as_ref().map(|dns| dns.min_ttl);
    let is_early = begun
        .zip(least)
        .is_some_and(|(begun, least)| begun.elapsed() < least);
    if is_early || !upstream.live.members().is_empty() {
        return;
    }
    // Before the look-up, which ends with the call that waits for it.
    *begun = Some(Instant::now());
    for name in names(upstream) {
        resolve(resource, upstream, &name).await;
    }
}

/// Looks one name up; gives how long the answer counts.
async fn resolve(resource: &ResourceName, upstream: &Upstream, name: &Name) -> Duration {
    let Name { place, host, port } = name;
    let found = match &upstream.settings.dns {
        None => {
            let found = tokio::net::lookup_host((host.as_str(), *port)).await;
            let found = found.map_err(|error| error.to_string());
            found.map(|found| (found.collect(), upstream.settings.resolve_interval))
        }
        Some(settings) => {
            let found = dns::look_up(settings, host, *port).await;
            let found = found.map_err(|error| error.to_string());
            found.map(|answer| (answer.addresses, answer.ttl))
        }
    };
    let (addresses, pause): (Vec<SocketAddr>, _) = found.unwrap_or_else(|error| {
        tracing::warn!(%resource, host, error, "an upstream's name cannot be looked up");
        let settings = &upstream.settings;
        let again = settings.dns.as_ref().map(|dns| dns.min_ttl);
        (Vec::new(), again.unwrap_or(settings.resolve_interval))
    });
    upstream.live.resolved(*place, &addresses);
    pause
}

/// An origin that is a name.
#[derive(Debug)]
struct Name {
    /// Its place among the origins.
    place: usize,
    host: String,
    port: u16,
}

fn names(upstream: &Upstream) -> Vec<Name> {
    let origins = upstream.settings.origins.iter().enumerate();
    let names = origins.map(|(place, origin)| Name {
        place,
        host: bare_host(&origin.host).to_owned(),
        port: origin.port,
    });
    names
        .filter(|name| name.host.parse::<std::net::IpAddr>().is_err())
        .collect()
}
