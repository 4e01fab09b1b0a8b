//! Looks an upstream's names up, by the operating system's resolver, again and again.
//!
//! That resolver reads what the machine is set up with (`/etc/hosts`, search domains, `nsswitch.conf`), and tells no
//! time to live: names are looked up at an interval. A look-up that fails changes nothing, and is counted.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use super::table::{Upstream, bare_host};
use crate::types::ResourceName;

/// Looks names up from now on, until nobody has the upstream any more.
pub(super) fn follow(resource: &ResourceName, upstream: &Arc<Upstream>) {
    if names(upstream).next().is_none() {
        return;
    }
    let (resource, interval) = (resource.clone(), upstream.settings.resolve_interval);
    let upstream = Arc::downgrade(upstream);
    tokio::spawn(async move {
        while let Some(upstream) = Weak::upgrade(&upstream) {
            resolve(&resource, &upstream).await;
            drop(upstream);
            tokio::time::sleep(interval).await;
        }
    });
}

/// Looks all names up, for a call that finds no endpoint. Calls that come meanwhile wait for the same answer.
pub(super) async fn resolve_for_call(resource: &ResourceName, upstream: &Upstream) {
    let _resolving = upstream.live.resolving.lock().await;
    if upstream.live.members().is_empty() {
        resolve(resource, upstream).await;
    }
}

async fn resolve(resource: &ResourceName, upstream: &Upstream) {
    for (place, host, port) in names(upstream) {
        let addresses: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                tracing::warn!(%resource, host, %error, "an upstream's name cannot be looked up");
                Vec::new()
            }
        };
        upstream.live.resolved(place, &addresses);
    }
}

/// The origins that are names.
fn names(upstream: &Upstream) -> impl Iterator<Item = (usize, &str, u16)> {
    let origins = upstream.settings.origins.iter().enumerate();
    let hosts = origins.map(|(place, origin)| (place, bare_host(&origin.host), origin.port));
    hosts.filter(|(_, host, _)| host.parse::<std::net::IpAddr>().is_err())
}
