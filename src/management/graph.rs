//! How Graph answers: its error object and its request ids (`reference/entra.md` §5.4).

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::types::Timestamp;
use crate::types::ids::is_guid;

/// Names the request, in every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The caller's own name for it, given back.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Why a request failed. Its body is written at the rim, where the request's ids are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What is wrong with which member.
    details: Vec<(String, String)>,
}

impl GraphError {
    /// With the code that goes with the status.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self::coded(status, Self::code_of(status), message)
    }

    /// With a code of its own, which programs read.
    pub(super) fn coded(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// With what is wrong, member by member.
    pub(super) fn with_details(mut self, details: Vec<(String, String)>) -> Self {
        self.details = details;
        self
    }

    /// What went wrong, for people.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Graph's code where nothing more is known.
    const fn code_of(status: StatusCode) -> &'static str {
        match status {
            StatusCode::BAD_REQUEST => "BadRequest",
            StatusCode::UNAUTHORIZED => "InvalidAuthenticationToken",
            StatusCode::FORBIDDEN => "Forbidden",
            StatusCode::NOT_FOUND => "ResourceNotFound",
            StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowed",
            StatusCode::CONFLICT => "Conflict",
            StatusCode::PRECONDITION_FAILED => "PreconditionFailed",
            StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLarge",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "UnsupportedMediaType",
            StatusCode::MISDIRECTED_REQUEST => "MisdirectedRequest",
            StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
            _ => "InternalServerError",
        }
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The ids of one request.
#[derive(Debug, Clone)]
pub(super) struct RequestIds {
    id: String,
    client: Option<String>,
}

impl RequestIds {
    /// A new id, and the caller's own if it is a GUID.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let client = headers.get(CLIENT_REQUEST_ID);
        let client = client.and_then(|value| value.to_str().ok());
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            client: client.filter(|id| is_guid(id)).map(ToOwned::to_owned),
        }
    }

    /// The request's id, for the log.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Completes an answer: ids, the body of an error, and that nobody keeps or sniffs it.
    pub(super) fn finish(&self, mut response: Response, now: Timestamp) -> Response {
        if let Some(error) = response.extensions_mut().remove::<GraphError>() {
            *response.body_mut() = self.error_body(&error, now).into();
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let ids = [
            (REQUEST_ID, Some(&self.id)),
            (CLIENT_REQUEST_ID, self.client.as_ref()),
        ];
        for (name, id) in ids {
            if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }

    fn error_body(&self, error: &GraphError, now: Timestamp) -> String {
        let mut inner = json!({"date": now, "request-id": self.id});
        if let (Some(inner), Some(client)) = (inner.as_object_mut(), &self.client) {
            inner.insert("client-request-id".to_owned(), json!(client));
        }
        let mut body = json!({
            "code": error.code,
            "message": error.message,
            "innerError": inner,
        });
        if let (Some(body), false) = (body.as_object_mut(), error.details.is_empty()) {
            let details = error.details.iter().map(|(member, message)| {
                json!({"code": error.code, "target": member, "message": message})
            });
            body.insert("details".to_owned(), details.collect());
        }
        json!({"error": body}).to_string()
    }
}
