//! Room 10: the control plane: health, metrics, the Graph subset, the revocation of tokens. Decides nothing.
//!
//! A router for the management listener, which is not the listener of calls. Every request names a host that is
//! ours, comes from no other site, and carries the admin token, unless it is a probe and the operator opened those.
//! Never here: an endpoint for debugging, a secret in an answer, a change that is not logged and counted.

mod actor;
mod conditional_access;
mod contexts;
mod detections;
mod directory;
mod graph;
mod guard;
mod observe;
pub mod odata;
mod probes;
mod revocation;
mod risky_agents;
pub mod settings;
mod sign_ins;
mod signals;
mod webhooks;
mod writes;

pub use actor::Role;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use http::StatusCode;

use self::graph::GraphError;
use self::settings::{Folders, ManagementSettings};
use crate::clock::Clock;
use crate::feeds::detections::InForce;
use crate::feeds::graph::GraphFeed;
use crate::feeds::signals::SignalFeed;
use crate::feeds::{Discovered, KeyFeed, Reloads, StateFeed, Status};
use crate::identity::Authenticator;
use crate::record::Recorder;
use crate::snapshot::Snapshots;
use crate::telemetry::Metrics;

/// The largest request body in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What the control plane shows and changes.
#[derive(Debug, Clone)]
pub struct State {
    /// The current snapshot, whose risk it changes.
    pub snapshots: Arc<Snapshots>,
    /// Where what administrators report is kept, and put in force.
    pub reported: Arc<StateFeed>,
    /// The streams of events.
    pub signals: Arc<SignalFeed>,
    /// What asks Microsoft Graph.
    pub graph: Arc<GraphFeed>,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// What `/readyz` shows.
    pub status: Arc<Status>,
    /// Agents that the directory does not know.
    pub discovered: Arc<Discovered>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the operator says.
    pub settings: Arc<ArcSwap<ManagementSettings>>,
    /// The folders that it writes.
    pub folders: Arc<ArcSwap<Folders>>,
    /// Checks tokens that carry a role.
    pub authenticator: Arc<Authenticator>,
    /// Asks for an issuer's keys when such a token names one that is not known.
    pub keys: Arc<KeyFeed>,
    /// How a write takes effect.
    pub reloads: Reloads,
    /// Where changes are recorded.
    pub recorder: Recorder,
    /// What detections look for, and how long each counts.
    pub detections: InForce,
}

/// One control plane at work.
#[derive(Debug)]
struct Control {
    state: State,
    /// Held from a look at a folder until the change of it is in force, or put back.
    folder_writes: tokio::sync::Mutex<()>,
}

/// What both of Graph's schemas have.
fn both() -> Router<Arc<Control>> {
    conditional_access::routes()
        .merge(contexts::routes())
        .merge(directory::routes())
        .merge(sign_ins::routes())
}

/// The control plane as a service.
pub fn router(state: State) -> Router {
    let control = Arc::new(Control {
        state,
        folder_writes: tokio::sync::Mutex::new(()),
    });
    // Risk is in Graph's beta schema only.
    let beta = both()
        .merge(risky_agents::routes())
        .merge(detections::routes());
    Router::new()
        .route("/healthz", get(probes::alive))
        .route("/startupz", get(probes::started))
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(observe::metrics))
        .route("/global-token-revocation", post(revocation::revoke))
        .merge(signals::routes())
        .nest("/v1.0", both())
        .nest("/beta", beta)
        .fallback(async || GraphError::new(StatusCode::NOT_FOUND, "nothing has this path"))
        .method_not_allowed_fallback(async || {
            GraphError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "the method does not fit the path",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&control),
            guard::guard,
        ))
        .with_state(control)
}

#[cfg(test)]
mod tests;
