//! The JSON body of a request that changes something.
//!
//! Never here: a body of another type. A form that another site sends from a browser cannot have JSON's type without
//! asking first.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::graph::GraphError;
use crate::types::json;

/// Reads it, whole and strictly: no member twice.
pub(super) fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, GraphError> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|of| of.trim().eq_ignore_ascii_case("application/json")) {
        let message = "expected `Content-Type: application/json`";
        return Err(GraphError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = body.map_err(|fault| {
        let status = fault.into_response().status();
        GraphError::new(status, "the body cannot be read")
    })?;
    json::parse(&body).map_err(|fault| {
        let (line, column) = (fault.line, fault.column);
        let message = format!("line {line}, column {column}: {fault}");
        GraphError::new(StatusCode::BAD_REQUEST, message)
    })
}
