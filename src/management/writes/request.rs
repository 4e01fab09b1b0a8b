//! What every write is told: who asks, by which request, and what the client has seen. And the object that it sends.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::management::actor::Actor;
use crate::management::graph::{GraphError, RequestIds};
use crate::types::json;

/// Whether an object of a folder is the one that is asked for.
pub(in crate::management) type IsIt = Arc<dyn Fn(&Map<String, Value>) -> bool + Send + Sync>;

/// Who asks.
#[derive(Debug, Clone)]
pub(in crate::management) struct Asker {
    pub(in crate::management) actor: Actor,
    pub(in crate::management) ids: RequestIds,
    /// `If-Match`: the versions that the client has seen.
    pub(in crate::management) if_match: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GraphError> {
        // FAIL-CLOSED: a request of which nobody knows whose it is writes nothing.
        let nobody = |_| GraphError::new(StatusCode::UNAUTHORIZED, "nobody is known to ask");
        let Extension(actor) = Extension::from_request_parts(parts, state)
            .await
            .map_err(nobody)?;
        let Extension(ids) = Extension::from_request_parts(parts, state)
            .await
            .map_err(nobody)?;
        let fields = parts.headers.get_all(IF_MATCH).iter();
        let fields: Result<Vec<_>, _> = fields.map(|field| field.to_str()).collect();
        let fields = fields.map_err(|_not_text| {
            GraphError::new(StatusCode::BAD_REQUEST, "`If-Match` is not a list of tags")
        })?;
        Ok(Self {
            actor,
            ids,
            if_match: (!fields.is_empty()).then(|| fields.join(",")),
        })
    }
}

/// The JSON object of a request's body.
///
/// # Errors
/// 400, 413 or 415, with what is wrong and where.
pub(in crate::management) fn object(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Map<String, Value>, GraphError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    // A form that another site sends from a browser cannot have this type without asking first.
    if !media_type.is_some_and(|of| of.trim().eq_ignore_ascii_case("application/json")) {
        let message = "expected `Content-Type: application/json`";
        return Err(GraphError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = body.map_err(|fault| {
        let status = fault.into_response().status();
        GraphError::new(status, "the body cannot be read")
    })?;
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    let value = json::parse(&body).map_err(|fault| {
        let (line, column) = (fault.line, fault.column);
        refused(format!("line {line}, column {column}: {fault}"))
    })?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(refused("expected a JSON object".to_owned())),
    }
}
