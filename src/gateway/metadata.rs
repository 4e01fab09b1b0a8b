//! What the gateway answers itself: the metadata of a protected resource (RFC 9728), which a client asks for before it
//! has a token, and the public keys of assertions, which upstreams ask for.
//!
//! All of it is public. Reads no policy.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use serde_json::{Value, json};

use crate::assertion::{KEY_SET_MAX_AGE, KEY_SET_PATH};
use crate::call::{Body, CallContext, RESOURCE_METADATA_PATH, Resource};
use crate::identity::settings::Algorithm;
use crate::snapshot::Snapshot;

/// How long a client may remember metadata, in seconds.
const METADATA_MAX_AGE: u32 = 300;

/// The answer, if the call asks for the keys, or for the metadata of a resource that there is.
pub(super) fn answer(context: &CallContext, snapshot: &Snapshot) -> Option<Response<Body>> {
    if !matches!(context.method, Some(Method::GET | Method::HEAD)) {
        return None;
    }
    let path = context.path.as_deref()?;
    if path == KEY_SET_PATH {
        let signer = snapshot.assertions.as_ref()?;
        let keys = signer.key_set(context.received_at);
        return Some(json_answer(
            &keys,
            "application/jwk-set+json",
            KEY_SET_MAX_AGE,
        ));
    }
    let prefix = path.strip_prefix(RESOURCE_METADATA_PATH)?;
    let path = if prefix.is_empty() { "/" } else { prefix };
    let host = context.host.as_deref()?;
    let resource = snapshot.resources.find(host, path)?;
    let document = document(context, resource, snapshot);
    Some(json_answer(&document, "application/json", METADATA_MAX_AGE))
}

fn json_answer(document: &Value, media_type: &'static str, max_age: u32) -> Response<Body> {
    let mut response = Response::new(Body::from(document.to_string().into_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(max_age) = HeaderValue::from_str(&format!("max-age={max_age}")) {
        headers.insert(CACHE_CONTROL, max_age);
    }
    response
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
        "dpop_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "dpop_bound_access_tokens_required": resource.requires_bound_tokens,
    })
}
