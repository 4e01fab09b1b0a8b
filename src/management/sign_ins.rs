//! Graph's `auditLogs/signIns`: the newest decisions, from memory, with the outcomes of calls that have ended.
//!
//! Unlike Graph, which lists interactive sign-ins unless asked for others, this lists them all: here they are calls.
//! Never here: the record files.

mod properties;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::Value;

use self::properties::{BETA, V1};
use super::Control;
use super::graph::GraphError;
use super::odata::{Asked, EntitySet, Version, apart};
use crate::record::recent::Recorded;

/// The addresses of sign-ins, in both of Graph's schemas.
pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/auditLogs/signIns", get(list))
        .route("/auditLogs/signIns/$count", get(count))
        .route("/auditLogs/signIns/{id}", get(one))
}

async fn list(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let rows = control.state.recorder.recent().into_iter();
        let set = set(&asked);
        asked.list(set, rows, |row| &row.id, |row| show(row, set))
    })
    .await
}

async fn count(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let rows = control.state.recorder.recent().into_iter();
        let set = set(&asked);
        asked.count(set, rows, |row| &row.id, |row| show(row, set))
    })
    .await
}

async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let mut rows = control.state.recorder.recent().into_iter();
        let found = rows.find(|row| row.id.eq_ignore_ascii_case(&id));
        let Some(found) = found else {
            let message = "no record has this id, or it is no longer kept in memory";
            return Err(GraphError::new(StatusCode::NOT_FOUND, message));
        };
        let set = set(&asked);
        asked.entity(set, show(&found, set))
    })
    .await
}

const fn set(asked: &Asked) -> &'static EntitySet {
    match asked.version {
        Version::V1 => &V1,
        Version::Beta => &BETA,
    }
}

/// The record, less what the schema that was asked for does not have.
fn show(record: &Recorded, set: &EntitySet) -> Value {
    let mut value = record.value();
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| set.properties.iter().any(|known| known.name == name));
    }
    value
}
