//! Where tools send what they know of agents as signed JSON.
//!
//! Such a report carries its own proof: see `signals`, whose paths these are. Never here: "accepted" before the report is
//! kept, and an answer that tells a stranger anything but that it is not let in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Control;
use super::signals::refused;
use crate::feeds::signals::webhook::Unacceptable;

/// How long a report may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes a report of at most `limit` bytes to the webhook of this name.
pub(super) async fn receive(
    control: &Arc<Control>,
    name: &str,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    if !is_json(headers) {
        let why = "expected `Content-Type: application/json`";
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request", why);
    }
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_too_large_or_broken)) => {
            let why = format!("the report did not arrive whole within {limit} bytes");
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &why);
        }
        Err(_late) => {
            let why = "the report did not arrive in time";
            return refused(StatusCode::REQUEST_TIMEOUT, "too_slow", why);
        }
    };
    let signals = &control.state.signals;
    match signals.receive_webhook(name, headers, &body).await {
        Some(Ok(())) => StatusCode::ACCEPTED.into_response(),
        Some(Err(error)) => answer(&error),
        // The configuration has changed meanwhile.
        None => refused(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such webhook",
        ),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().filter(|_| values.next().is_none());
    let text = value.and_then(|value| value.to_str().ok());
    let media_type = text.and_then(|text| text.split(';').next()).map(str::trim);
    media_type.is_some_and(|of| {
        let of = of.to_ascii_lowercase();
        of == "application/json" || of.starts_with("application/") && of.ends_with("+json")
    })
}

fn answer(error: &Unacceptable) -> Response {
    let why = error.to_string();
    match error {
        Unacceptable::Signature(_) => {
            refused(StatusCode::UNAUTHORIZED, "authentication_failed", &why)
        }
        Unacceptable::Json => refused(StatusCode::BAD_REQUEST, "invalid_request", &why),
        Unacceptable::Report(_) => {
            refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", &why)
        }
        Unacceptable::Unavailable => {
            let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &why);
            let seconds = HeaderValue::from_static("5");
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
    }
}
