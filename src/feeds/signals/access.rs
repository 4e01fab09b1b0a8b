//! What a transmitter knows us by: a bearer token of the configuration, or one that an authorization server gives a client
//! (RFC 6749 §4.4). Never here: a token that shows, and one that is used after its time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::error::TransmitterError;
use super::settings::Access;
use crate::client::{Client, Limits, parse_address};
use crate::types::{Secret, json, percent_encoded};

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(30);

/// How long a token is used that does not say when it ends.
const UNSAID: Duration = Duration::from_secs(300);

/// The tokens of one stream.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    current: Option<(Secret, Instant)>,
}

impl Tokens {
    /// The value of `Authorization`.
    pub(super) async fn authorization(
        &mut self,
        access: &Access,
        client: &Client,
        limits: Limits,
    ) -> Result<HeaderValue, TransmitterError> {
        let token = match access {
            Access::Token(token) => token.clone(),
            Access::Client { .. } => match &self.current {
                Some((token, until)) if *until > Instant::now() => token.clone(),
                _ => {
                    let (token, lifetime) = ask(access, client, limits).await?;
                    let until = Instant::now() + lifetime.saturating_sub(EARLY);
                    self.current = Some((token.clone(), until));
                    token
                }
            },
        };
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_no_header| TransmitterError::Token)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The token was refused: the next request asks for another one.
    pub(super) fn forget(&mut self) {
        self.current = None;
    }
}

/// Asks the authorization server for a token.
async fn ask(
    access: &Access,
    client: &Client,
    limits: Limits,
) -> Result<(Secret, Duration), TransmitterError> {
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
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = parse_address(token_endpoint).map_err(failed)?;
    let headers = request.headers_mut();
    let mut basic = HeaderValue::from_str(&format!("Basic {basic}"))
        .map_err(|_no_header| TransmitterError::Token)?;
    basic.set_sensitive(true);
    headers.insert(AUTHORIZATION, basic);
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
    let answer = client.send(request, limits).await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(TransmitterError::Status(
            token_endpoint.to_string(),
            answer.status(),
        ));
    }
    let document = json::parse(answer.body()).unwrap_or(Value::Null);
    let token = document.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| {
        TransmitterError::Document(token_endpoint.to_string(), "no `access_token`")
    })?;
    let lifetime = document.get("expires_in").and_then(Value::as_u64);
    let lifetime = lifetime.map_or(UNSAID, Duration::from_secs);
    Ok((Secret::new(token), lifetime))
}
