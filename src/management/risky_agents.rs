//! Graph's `identityProtection/riskyAgents` (beta): which agents are risky, and an administrator's word on them.
//!
//! An id that nobody knows is accepted as long as it is one: an agent that is not in the directory must be stoppable
//! too. That it was not known is logged.

mod actions;
mod audit;
mod explain;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::Control;
use super::graph::GraphError;
use super::odata::{Asked, Direction, EntitySet, Kind, Property, apart};
use crate::risk::RiskEntry;
use crate::snapshot::Snapshot;
use crate::types::AgentId;

pub(super) use view::{described, identity_type};

/// `riskyAgent` and its three subtypes.
static SET: EntitySet = EntitySet {
    path: "identityProtection/riskyAgents",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("agentDisplayName", Kind::Text),
        Property::new("blueprintId", Kind::Id),
        Property::new("identityType", IDENTITY_TYPE),
        Property::new("isDeleted", Kind::Bool),
        Property::new("isEnabled", Kind::Bool),
        Property::new("isProcessing", Kind::Bool),
        Property::new("riskLevel", RISK_LEVEL),
        Property::new("riskState", RISK_STATE),
        Property::new("riskDetail", Kind::Text),
        Property::new("riskLastModifiedDateTime", Kind::Time),
    ],
    only_selected: &[],
    order: Direction::Ascending,
};

/// Graph's `agentIdentityType`.
pub(super) const IDENTITY_TYPE: Kind = Kind::GrownName(
    &["agentIdentity", "agentUser"],
    &["agentIdentityBlueprintPrincipal", "user"],
);

/// Graph's `riskLevel`.
pub(super) const RISK_LEVEL: Kind = Kind::Name(&["none", "low", "medium", "high", "hidden"]);

/// Graph's `riskState`.
pub(super) const RISK_STATE: Kind = Kind::Name(&[
    "none",
    "confirmedSafe",
    "remediated",
    "dismissed",
    "atRisk",
    "confirmedCompromised",
]);

/// The addresses of risky agents.
pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/identityProtection/riskyAgents", get(list))
        .route("/identityProtection/riskyAgents/$count", get(count))
        .route("/identityProtection/riskyAgents/{id}", get(one))
        .route(
            "/identityProtection/riskyAgents/{id}/boomgate.explain",
            get(explain::explain),
        )
        .route(
            "/identityProtection/riskyAgents/confirmCompromised",
            post(actions::confirm_compromised),
        )
        .route(
            "/identityProtection/riskyAgents/confirmSafe",
            post(actions::confirm_safe),
        )
        .route(
            "/identityProtection/riskyAgents/dismiss",
            post(actions::dismiss),
        )
}

/// `GET …/riskyAgents`: every agent of which risk was reported.
async fn list(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        asked.list(&SET, rows(&snapshot), id, |entry| {
            view::show(&snapshot, entry)
        })
    })
    .await
}

/// `GET …/riskyAgents/$count`
async fn count(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        asked.count(&SET, rows(&snapshot), id, |entry| {
            view::show(&snapshot, entry)
        })
    })
    .await
}

/// `GET …/riskyAgents/{id}`
async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    let snapshot = control.state.snapshots.load();
    // Ids that are GUIDs are kept in lower case; others compare byte for byte.
    let id = AgentId::parse(&id).ok();
    let entry = id.and_then(|id| snapshot.risk.get(id.as_str()));
    let Some(entry) = entry else {
        let message = "no risk was ever reported of an agent with this id";
        return Err(GraphError::new(StatusCode::NOT_FOUND, message));
    };
    asked.entity(&SET, view::show(&snapshot, entry))
}

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<RiskEntry>> {
    snapshot.risk.iter()
}

fn id<'r>(entry: &'r &Arc<RiskEntry>) -> &'r str {
    &entry.id
}
