//! What a transmitter knows us by: a bearer token of the configuration, or one that an authorization server gives a client
//! (RFC 6749 §4.4). Never here: a token that shows.

use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::error::TransmitterError;
use super::settings::Access;
use crate::client::{Client, Limits};
use crate::feeds::client_token::{ClientToken, Granted, granted, request};
use crate::types::{Secret, json, percent_encoded};

/// The value of `Authorization` with this token.
pub(super) fn authorization(token: &Secret) -> Result<HeaderValue, TransmitterError> {
    sensitive(&format!("Bearer {}", token.expose()))
}

/// The token: that of the configuration, or the client's.
pub(super) async fn token(
    tokens: &mut ClientToken,
    access: &Access,
    client: &Client,
    limits: Limits,
) -> Result<Secret, TransmitterError> {
    match access {
        Access::Token(token) => Ok(token.clone()),
        Access::Client { .. } => tokens.get(ask(access, client, limits)).await,
    }
}

/// Asks the authorization server for a token.
async fn ask(
    access: &Access,
    client: &Client,
    limits: Limits,
) -> Result<Granted, TransmitterError> {
    let Access::Client {
        token_endpoint,
        id,
        secret,
        scope,
    } = access
    else {
        return Err(TransmitterError::Token);
    };
    let mut form = "grant_type=client_credentials".to_owned();
    if !scope.is_empty() {
        form.push_str("&scope=");
        form.push_str(&percent_encoded(scope));
    }
    // RFC 6749 §2.3.1: both are encoded before they are joined.
    let basic = format!(
        "{}:{}",
        percent_encoded(id),
        percent_encoded(secret.expose())
    );
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, basic);
    let failed = |fault| TransmitterError::Fetch(token_endpoint.to_string(), fault);
    let mut request = request(token_endpoint, form).map_err(failed)?;
    let basic = sensitive(&format!("Basic {basic}"))?;
    request.headers_mut().insert(AUTHORIZATION, basic);
    let answer = client.send(request, limits).await.map_err(failed)?;
    let shown = || token_endpoint.to_string();
    if answer.status() != StatusCode::OK {
        return Err(TransmitterError::Status(shown(), answer.status()));
    }
    let document = json::parse(answer.body()).unwrap_or(Value::Null);
    granted(&document).map_err(|lacks| TransmitterError::Document(shown(), lacks))
}

/// A header's value that is shown nowhere.
fn sensitive(text: &str) -> Result<HeaderValue, TransmitterError> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_no_header| TransmitterError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
