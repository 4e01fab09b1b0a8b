//! Where security events are pushed to (RFC 8935), and where an operator looks after the sources of signals.
//!
//! Events carry their own proof, so this is the one path that asks for no token of ours. Never here: "accepted" before
//! the event is kept, and an answer that tells a stranger more than the standard does.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::Control;
use super::graph::GraphError;
use super::webhooks;
use super::writes::{Asker, not_recorded};
use crate::feeds::signals::{Action, MAX_EVENT_BYTES, Refusal, Report};
use crate::record::change::{Change, Target};
use crate::types::fault::chain;

/// How long an event may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The media type of events (RFC 8935 §2.1).
const MEDIA_TYPE: &str = "application/secevent+jwt";

/// Whether a request is one that carries its own proof.
pub(super) fn is_event(method: &Method, path: &str) -> bool {
    let name = path.strip_prefix("/signals/");
    method == Method::POST && name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// The addresses of streams.
pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/signals", get(list))
        .route("/signals/{name}", post(receive))
        .route("/signals/{name}/{action}", post(act))
}

async fn list(State(control): State<Arc<Control>>) -> Json<Vec<Report>> {
    Json(control.state.signals.report())
}

async fn receive(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Some(limit) = control.state.signals.webhook_limit(&name) {
        return webhooks::receive(&control, &name, limit, &headers, body).await;
    }
    let invalid = |why| refused(StatusCode::BAD_REQUEST, "invalid_request", why);
    let only = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    let media_type = only(&CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|of| of.trim().eq_ignore_ascii_case(MEDIA_TYPE)) {
        return invalid("expected `Content-Type: application/secevent+jwt`");
    }
    let body = tokio::time::timeout(PATIENCE, to_bytes(body, MAX_EVENT_BYTES)).await;
    let Ok(Ok(body)) = body else {
        return invalid("the event did not arrive whole, in time and within 64 KiB");
    };
    let Ok(event) = std::str::from_utf8(&body) else {
        return invalid("the event is not text");
    };
    let authorization = only(&AUTHORIZATION).map(HeaderValue::as_bytes);
    let received = control
        .state
        .signals
        .receive(&name, authorization, event)
        .await;
    match received {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refusal) => answer(refusal),
    }
}

fn answer(refusal: Refusal) -> Response {
    let why = refusal.to_string();
    match refusal {
        Refusal::NoStream => refused(StatusCode::NOT_FOUND, refusal.code(), &why),
        Refusal::Unavailable => {
            let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, refusal.code(), &why);
            let seconds = HeaderValue::from_static("5");
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
        Refusal::Unauthenticated | Refusal::Event(_) | Refusal::Payload(_) | Refusal::State => {
            refused(StatusCode::BAD_REQUEST, refusal.code(), &why)
        }
    }
}

/// A failure in the form of RFC 8935 §2.3.
pub(super) fn refused(status: StatusCode, code: &str, why: &str) -> Response {
    let body = Json(json!({"err": code, "description": why}));
    (status, [(CONTENT_LANGUAGE, "en")], body).into_response()
}

async fn act(
    State(control): State<Arc<Control>>,
    Path((name, action)): Path<(String, String)>,
    asker: Asker,
) -> Result<StatusCode, GraphError> {
    let not_found = || GraphError::new(StatusCode::NOT_FOUND, "no stream or action has this name");
    let known = control.state.signals.report();
    if !known.iter().any(|stream| *stream.name == name) {
        return Err(not_found());
    }
    let action = Action::ALL.into_iter().find(|one| one.as_str() == action);
    let action = action.ok_or_else(not_found)?;
    let change = Change {
        id: uuid::Uuid::now_v7().to_string(),
        correlation_id: asker.ids.id().to_owned(),
        activity_date_time: control.state.clock.now(),
        activity_display_name: match action {
            Action::Verify => "Verify stream of events",
            Action::Pause => "Pause stream of events",
            Action::Resume => "Resume stream of events",
            Action::Delete => "Delete stream of events",
        },
        category: "Other",
        operation_type: "Update",
        initiated_by: asker.actor.initiator(),
        target_resources: vec![Target {
            id: name.clone(),
            display_name: None,
            kind: "Other",
            modified_properties: Vec::new(),
        }],
    };
    let begun = control.state.recorder.change(change).await;
    let begun = begun.map_err(|_unavailable| not_recorded())?;
    let done = control.state.signals.act(&name, action).await;
    let done = done.ok_or_else(not_found)?;
    let done = done.map_err(|error| GraphError::new(StatusCode::BAD_GATEWAY, chain(&error)));
    begun.ended(done.as_ref().copied().map_err(GraphError::message));
    done.map(|()| StatusCode::NO_CONTENT)
}
