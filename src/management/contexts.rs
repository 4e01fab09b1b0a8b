//! Graph's `identity/conditionalAccess/authenticationContextClassReferences`: the contexts by which policies name
//! operations, as the configuration maps them.

use std::collections::BTreeMap;
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
use crate::snapshot::Snapshot;

static SET: EntitySet = EntitySet {
    path: "identity/conditionalAccess/authenticationContextClassReferences",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("description", Kind::Text),
        Property::new("isAvailable", Kind::Bool),
    ],
    only_selected: &[],
    order: Direction::Ascending,
};

/// The operations that need a context, by context.
type Contexts = BTreeMap<Arc<str>, Vec<String>>;

/// The addresses of contexts, in both of Graph's schemas.
pub(super) fn routes() -> Router<Arc<Control>> {
    const CONTEXTS: &str = "/identity/conditionalAccess/authenticationContextClassReferences";
    Router::new()
        .route(CONTEXTS, get(list))
        .route(&format!("{CONTEXTS}/$count"), get(count))
        .route(&format!("{CONTEXTS}/{{id}}"), get(one))
}

async fn list(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let rows = contexts(&control.state.snapshots.load()).into_iter();
        asked.list(&SET, rows, |(id, _)| id, |(id, uses)| show(id, uses))
    })
    .await
}

async fn count(State(control): State<Arc<Control>>, asked: Asked) -> Result<Response, GraphError> {
    apart(move || {
        let rows = contexts(&control.state.snapshots.load()).into_iter();
        asked.count(&SET, rows, |(id, _)| id, |(id, uses)| show(id, uses))
    })
    .await
}

async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let contexts = contexts(&control.state.snapshots.load());
        let Some((id, uses)) = contexts.get_key_value(id.as_str()) else {
            let message = "no operation has this authentication context";
            return Err(GraphError::new(StatusCode::NOT_FOUND, message));
        };
        asked.entity(&SET, show(id, uses))
    })
    .await
}

fn contexts(snapshot: &Snapshot) -> Contexts {
    let mut contexts = Contexts::new();
    for resource in snapshot.resources.iter() {
        for operation in &resource.operations {
            for context in &operation.authentication_contexts {
                let uses = contexts.entry(Arc::clone(context)).or_default();
                uses.push(format!("{}: {}", resource.name, operation.name));
            }
        }
    }
    contexts
}

fn show(id: &str, uses: &[String]) -> Value {
    json!({
        "id": id,
        "displayName": id,
        "description": uses.join(", "),
        "isAvailable": true,
    })
}
