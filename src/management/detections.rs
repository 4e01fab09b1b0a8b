//! Graph's `identityProtection/agentRiskDetections` (beta): why agents are risky, event by event.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};

use super::Control;
use super::graph::GraphError;
use super::odata::{Asked, Direction, EntitySet, Kind, Property, apart};
use super::risky_agents::{IDENTITY_TYPE, RISK_LEVEL, RISK_STATE, described, identity_type};
use crate::risk::RiskDetection;
use crate::snapshot::Snapshot;
use crate::types::RiskLevel;

static SET: EntitySet = EntitySet {
    path: "identityProtection/agentRiskDetections",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("agentId", Kind::Id),
        Property::new("agentDisplayName", Kind::Text),
        Property::new("identityId", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("identityType", IDENTITY_TYPE),
        Property::new("blueprintId", Kind::Id),
        Property::new("activityDateTime", Kind::Time),
        Property::new("detectedDateTime", Kind::Time),
        Property::new("lastModifiedDateTime", Kind::Time),
        Property::new(
            "detectionTimingType",
            Kind::Name(&["notDefined", "realtime", "nearRealtime", "offline"]),
        ),
        Property::new("riskEventType", Kind::Text),
        Property::new("riskLevel", RISK_LEVEL),
        Property::new("riskState", RISK_STATE),
        Property::new("riskDetail", Kind::Text),
        Property::new("riskEvidence", Kind::Text),
        Property::new("additionalInfo", Kind::Text),
        Property::new("source", Kind::Text),
        Property::new("signInCorrelationId", Kind::Id),
        Property::new("signInRequestId", Kind::Id),
        Property::new("signInClientDisplayName", Kind::Text),
        Property::new("clientSessionId", Kind::Id),
    ],
    only_selected: &[],
    // Ids are in the order of time: the newest first.
    order: Direction::Descending,
};

/// The addresses of detections.
pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/identityProtection/agentRiskDetections", get(list))
        .route("/identityProtection/agentRiskDetections/$count", get(count))
        .route("/identityProtection/agentRiskDetections/{id}", get(one))
}

async fn list(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let rows = snapshot.reported.detections.iter();
        asked.list(&SET, rows, |row| &row.id, |row| show(&snapshot, row))
    })
    .await
}

async fn count(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let rows = snapshot.reported.detections.iter();
        asked.count(&SET, rows, |row| &row.id, |row| show(&snapshot, row))
    })
    .await
}

async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let Some(found) = snapshot.reported.detections.get(&id) else {
            let message = "no detection has this id, or it is no longer kept";
            return Err(GraphError::new(StatusCode::NOT_FOUND, message));
        };
        asked.entity(&SET, show(&snapshot, found))
    })
    .await
}

fn show(snapshot: &Snapshot, detection: &RiskDetection) -> Value {
    let subject = described(snapshot, detection.subject, &detection.identity_id);
    json!({
        "id": detection.id,
        // The older names of the two that follow them.
        "agentId": detection.identity_id,
        "agentDisplayName": subject.display_name,
        "identityId": detection.identity_id,
        "displayName": subject.display_name,
        "identityType": identity_type(detection.subject),
        "blueprintId": subject.blueprint_id,
        "activityDateTime": detection.activity_at,
        "detectedDateTime": detection.detected_at,
        "lastModifiedDateTime": detection.last_modified,
        "detectionTimingType": detection.timing.as_str(),
        "riskEventType": detection.event_type,
        "riskLevel": detection.level.map_or("hidden", RiskLevel::as_str),
        "riskState": detection.state,
        "riskDetail": detection.detail,
        "riskEvidence": detection.evidence,
        "additionalInfo": null,
        "source": detection.source,
        "signInCorrelationId": detection.correlation_id,
        "signInRequestId": detection.request_id,
        "signInClientDisplayName": null,
        "clientSessionId": null,
    })
}
