//! `/healthz`, `/startupz`, `/readyz`: whether the process lives, has started, and wants calls.
//!
//! Not ready means: send calls elsewhere. So what is wrong here and everywhere alike (a bad file, keys that grew old)
//! is shown as `degraded` and stays ready, for no other replica would do better; what only this process lacks (keys
//! that were never loaded, an end that is near) makes it `not_ready`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::Control;
use crate::feeds::state::SHARED_STATE;
use crate::feeds::status::{Health, Source};
use crate::types::Timestamp;

/// The process answers.
pub(super) async fn alive() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// Every listener is bound and serves.
pub(super) async fn started(State(control): State<Arc<Control>>) -> Response {
    if control.state.status.has_started() {
        Json(json!({"status": "ok"})).into_response()
    } else {
        let starting = Json(json!({"status": "starting"}));
        (StatusCode::SERVICE_UNAVAILABLE, starting).into_response()
    }
}

/// Whether calls are wanted, and what is wrong.
pub(super) async fn ready(State(control): State<Arc<Control>>) -> Response {
    let problems = problems(&control);
    let severity = problems.iter().map(|problem| problem.severity).max();
    let (code, status) = match severity {
        None => (StatusCode::OK, "ready"),
        Some(Severity::Degraded) => (StatusCode::OK, "degraded"),
        Some(Severity::NotReady) => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    let body = Json(json!({"status": status, "reasons": problems}));
    (code, body).into_response()
}

/// What a problem means for readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Degraded,
    NotReady,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    severity: Severity,
    /// `configuration`, `risk_file`, `store`, `keys/<issuer>`, the name of a stream of events,
    /// `riskyAgents` and the other lists of Graph, `graph_directory`, `spiffe`, `process`.
    source: String,
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<Timestamp>,
}

impl Problem {
    fn of_process(message: &str) -> Self {
        Self {
            severity: Severity::NotReady,
            source: "process".to_owned(),
            messages: vec![message.to_owned()],
            failed_at: None,
            last_success: None,
        }
    }
}

fn problems(control: &Control) -> Vec<Problem> {
    let status = &control.state.status;
    let mut problems = Vec::new();
    if !status.has_started() {
        problems.push(Problem::of_process("the listeners are not up yet"));
    }
    if status.is_draining() {
        problems.push(Problem::of_process("the process is about to end"));
    }
    problems.extend(key_problems(control));
    let silent = Arc::clone(&control.state.snapshots.load().reported.silent);
    for source in silent.iter() {
        problems.push(Problem {
            severity: Severity::NotReady,
            source: source.to_string(),
            messages: vec!["required, and not heard of for longer than allowed".to_owned()],
            failed_at: None,
            last_success: None,
        });
    }
    problems.extend(status.all().into_iter().filter_map(|(source, health)| {
        // The keys of an issuer are shown once, together with what the gateway has of them.
        let name = match &source {
            Source::Configuration => "configuration",
            Source::RiskFile => "risk_file",
            Source::SharedState => SHARED_STATE,
            Source::Signals(name) => &**name,
            Source::Graph(list) => list,
            Source::Spiffe => "spiffe",
            Source::Keys(_) => return None,
        };
        let fault = health.fault?;
        // Without a certificate of its own no handshake of this process comes to an end.
        let lacks = source == Source::Spiffe && health.last_success.is_none();
        Some(Problem {
            // What is silent for too long is told of above.
            severity: if lacks {
                Severity::NotReady
            } else {
                Severity::Degraded
            },
            source: name.to_owned(),
            messages: fault.messages,
            failed_at: Some(fault.at),
            last_success: health.last_success,
        })
    }));
    problems
}

/// Issuers whose keys were never loaded, are too old, or were not refreshed the last time.
fn key_problems(control: &Control) -> Vec<Problem> {
    let now = control.state.clock.now();
    let snapshot = control.state.snapshots.load();
    let mut problems = Vec::new();
    for issuer in snapshot.issuers.iter() {
        let name = &issuer.settings.name;
        let Health {
            last_success,
            fault,
        } = control
            .state
            .status
            .of(&Source::Keys(Arc::clone(name)))
            .unwrap_or_default();
        let (severity, message) = match (&issuer.keys, issuer.fresh_keys(now)) {
            (None, _) => (
                Severity::NotReady,
                Some(format!("the keys of issuer `{name}` were never loaded")),
            ),
            (Some(_), Err(_)) => (
                Severity::Degraded,
                Some(format!(
                    "the keys of issuer `{name}` are too old to be used"
                )),
            ),
            (Some(_), Ok(_)) => (Severity::Degraded, None),
        };
        let failed_at = fault.as_ref().map(|fault| fault.at);
        let mut messages: Vec<_> = message.into_iter().collect();
        messages.extend(fault.into_iter().flat_map(|fault| fault.messages));
        if !messages.is_empty() {
            problems.push(Problem {
                severity,
                source: format!("keys/{name}"),
                messages,
                failed_at,
                last_success,
            });
        }
    }
    problems
}
