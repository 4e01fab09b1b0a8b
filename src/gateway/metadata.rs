//! The metadata of a protected resource (RFC 9728), which a client asks for before it has a token.
//!
//! Tells what a challenge refers to: the issuers whose tokens are accepted, and the scopes. Reads no policy.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use serde_json::{Value, json};

use crate::call::{Body, CallContext, RESOURCE_METADATA_PATH, Resource};
use crate::snapshot::Snapshot;

/// The answer, if the call asks for the metadata of a resource that there is.
pub(super) fn answer(context: &CallContext, snapshot: &Snapshot) -> Option<Response<Body>> {
    if !matches!(context.method, Some(Method::GET | Method::HEAD)) {
        return None;
    }
    let prefix = context
        .path
        .as_deref()?
        .strip_prefix(RESOURCE_METADATA_PATH)?;
    let path = if prefix.is_empty() { "/" } else { prefix };
    let host = context.host.as_deref()?;
    let resource = snapshot.resources.find(host, path)?;
    let document = document(context, resource, snapshot).to_string();
    let mut response = Response::new(Body::from(document.into_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Some(response)
}

/// RFC 9728 §2.
fn document(context: &CallContext, resource: &Resource, snapshot: &Snapshot) -> Value {
    let issuers = snapshot
        .issuers
        .iter()
        .flat_map(|issuer| issuer.settings.issuers.iter());
    let mut scopes: Vec<_> = resource
        .operations
        .iter()
        .flat_map(|o| o.scopes.iter())
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    json!({
        "resource": context.resource_identifier(resource),
        "resource_name": resource.display_name,
        "authorization_servers": issuers.collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
        "scopes_supported": scopes,
    })
}
