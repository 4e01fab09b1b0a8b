//! Listeners that share their port with another process take no connection before this one can judge calls.
//!
//! Until then the other process has them all: here they would be refused for want of keys or facts. Never here: giving
//! up. Who waits in vain says why on `/readyz`, and the other process goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::feeds::{Source, Status};
use crate::listener::Closed;
use crate::snapshot::Snapshots;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// All listeners take calls, or those that wait will once calls can be judged.
pub(super) fn begin(
    tasks: &mut JoinSet<()>,
    closed: Option<Closed>,
    (snapshots, status): (&Arc<Snapshots>, &Arc<Status>),
    clock: Arc<dyn Clock>,
) {
    let Some(closed) = closed else {
        status.start();
        return;
    };
    let (snapshots, status) = (Arc::clone(snapshots), Arc::clone(status));
    tasks.spawn(open_when_ready(closed, snapshots, clock, status));
}

/// Opens the listeners once calls can be judged.
async fn open_when_ready(
    closed: Closed,
    snapshots: Arc<Snapshots>,
    clock: Arc<dyn Clock>,
    status: Arc<Status>,
) {
    while !can_judge(&snapshots, &*clock) || lacks_certificate(&status) {
        tokio::time::sleep(LOOK).await;
    }
    match closed.open() {
        Ok(handles) => {
            for handle in handles {
                tracing::info!(listener = %handle.name(), address = %handle.address(), "listening");
            }
            status.start();
        }
        Err(fault) => tracing::error!(%fault, "no calls are taken"),
    }
}

/// Whether listeners show a certificate of SPIFFE, and none has come yet.
fn lacks_certificate(status: &Status) -> bool {
    let health = status.of(&Source::Spiffe);
    health.is_some_and(|health| health.last_success.is_none())
}

/// Whether every issuer's keys are there, and all that is required was heard of.
fn can_judge(snapshots: &Snapshots, clock: &dyn Clock) -> bool {
    let (snapshot, now) = (snapshots.load(), clock.now());
    let mut issuers = snapshot.issuers.iter();
    issuers.all(|issuer| issuer.fresh_keys(now).is_ok())
        && snapshot.reported.silent.iter().next().is_none()
}
