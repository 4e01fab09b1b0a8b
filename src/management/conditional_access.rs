//! Graph's `identity/conditionalAccess` (`reference/entra.md` §3, §6): policies, named locations, templates, What-If.
//!
//! The same under `/v1.0` and `/beta`: v1.0 shows and takes less. What is shown is what is in force. Never here: a rule.

mod evaluate;
mod policies;
mod templates;
mod versions;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::Control;
use super::graph::GraphError;
use super::odata::{Asked, EntitySet};
use crate::store::etag::ETag;

/// The addresses, relative to a version of the schema.
pub(super) fn routes() -> Router<Arc<Control>> {
    const POLICIES: &str = "/identity/conditionalAccess/policies";
    const TEMPLATES: &str = "/identity/conditionalAccess/templates";
    Router::new()
        .route(POLICIES, get(policies::list).post(policies::create))
        .route(&format!("{POLICIES}/$count"), get(policies::count))
        .route(
            &format!("{POLICIES}/{{id}}"),
            get(policies::one)
                .patch(policies::update)
                .delete(policies::delete),
        )
        .route(TEMPLATES, get(templates::list))
        .route(&format!("{TEMPLATES}/{{id}}"), get(templates::one))
        .route(
            "/identity/conditionalAccess/evaluate",
            post(evaluate::evaluate),
        )
}

/// An object with its version, for a list or alone.
fn tagged(mut object: Map<String, Value>, etag: &ETag) -> Value {
    object.insert("@odata.etag".to_owned(), json!(etag.to_string()));
    Value::Object(object)
}

/// The answer with one object: `status` says whether it is new.
fn answer(
    asked: &Asked,
    set: &EntitySet,
    status: StatusCode,
    etag: &ETag,
    object: Map<String, Value>,
) -> Result<Response, GraphError> {
    let id = object.get("id").and_then(Value::as_str);
    let location = id.map(|id| asked.address_of(set, id));
    let mut response = asked.entity(set, tagged(object, etag))?;
    *response.status_mut() = status;
    let headers = response.headers_mut();
    put(headers, ETAG, &etag.to_string());
    if let (StatusCode::CREATED, Some(location)) = (status, location) {
        put(headers, LOCATION, &location);
    }
    Ok(response)
}

/// The answer to a change: nothing, or the object for who prefers to see it (RFC 7240 §4.2).
fn changed(
    asked: &Asked,
    set: &EntitySet,
    headers: &HeaderMap,
    etag: &ETag,
    object: Map<String, Value>,
) -> Result<Response, GraphError> {
    if prefers_representation(headers) {
        return answer(asked, set, StatusCode::OK, etag, object);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(response.headers_mut(), ETAG, &etag.to_string());
    Ok(response)
}

fn prefers_representation(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|one| one.trim().eq_ignore_ascii_case("return=representation"))
}

fn put(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
