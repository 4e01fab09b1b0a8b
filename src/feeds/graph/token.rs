//! The token that Graph knows us by: an OAuth client's, by its secret or by a token of another issuer (RFC 6749 §4.4,
//! RFC 7523 §2.2), and what a refusal means. Never here: a secret in a message.

use std::path::Path;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::error::GraphError;
use super::settings::{GraphClient, Proof};
use crate::client::{Client, Limits};
use crate::feeds::client_token::{Granted, granted, request};
use crate::store::files::read_bounded;
use crate::types::{Secret, json, percent_encoded};

/// The largest answer of a token endpoint, and the largest token of another issuer.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The longest patience that is had, whoever asks for it.
const MAX_PATIENCE: Duration = Duration::from_secs(3_600);

/// Asks for a token.
pub(super) async fn ask(
    settings: &GraphClient,
    client: &Client,
    timeout: Duration,
) -> Result<Granted, GraphError> {
    let limits = Limits {
        timeout,
        max_bytes: MAX_TOKEN_BYTES,
    };
    let form = form(settings).await?;
    let address = &settings.token_url;
    let failed = |fault| GraphError::Fetch(without_query(address).to_owned(), fault);
    let request = request(address, form).map_err(failed)?;
    let answer = client.send(request, limits).await.map_err(failed)?;
    let document = json::parse(answer.body()).unwrap_or(Value::Null);
    match answer.status() {
        StatusCode::OK => granted(&document).map_err(GraphError::Token),
        status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            Err(GraphError::Throttled {
                address: without_query(address).to_owned(),
                status,
                after: patience(answer.headers()),
            })
        }
        status => {
            let code = document.get("error").and_then(Value::as_str);
            let code = code_of(code);
            let hint = match (code.as_str(), &settings.proof) {
                ("invalid_client", Proof::Secret(_)) => {
                    "the client secret or `client_id` is not that of the application, or has expired"
                }
                ("invalid_client", Proof::TokenFile(_)) => {
                    "the application has no federated credential of this issuer, subject and audience, or the token has expired"
                }
                ("unauthorized_client", _) => "the tenant has no such application; see `client_id`",
                ("invalid_scope", _) => "see `scope`",
                _ => "see `token_url`, `tenant` and `client_id`",
            };
            // Entra's own number says more, and can be looked up.
            let number = document.pointer("/error_codes/0").and_then(Value::as_u64);
            let code =
                number.map_or_else(|| code.clone(), |number| format!("{code}, AADSTS{number}"));
            Err(GraphError::NoToken { status, code, hint })
        }
    }
}

/// The body of the request. It is a secret.
async fn form(settings: &GraphClient) -> Result<String, GraphError> {
    let id = percent_encoded(&settings.id);
    let scope = percent_encoded(&settings.scope);
    let proof = match &settings.proof {
        Proof::Secret(secret) => format!("client_secret={}", percent_encoded(secret.expose())),
        Proof::TokenFile(path) => {
            let token = read_token(path).await?;
            let kind = percent_encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            format!(
                "client_assertion_type={kind}&client_assertion={}",
                percent_encoded(token.expose())
            )
        }
    };
    Ok(format!(
        "grant_type=client_credentials&client_id={id}&scope={scope}&{proof}"
    ))
}

async fn read_token(path: &Path) -> Result<Secret, GraphError> {
    let refused = |why: String| GraphError::TokenFile(path.to_owned(), why);
    let owned = path.to_owned();
    let limit = u64::try_from(MAX_TOKEN_BYTES).unwrap_or(u64::MAX);
    let read = tokio::task::spawn_blocking(move || read_bounded(&owned, limit)).await;
    let bytes = read
        .map_err(|error| refused(error.to_string()))?
        .map_err(refused)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused("it holds no token".to_owned()));
    }
    Ok(Secret::new(token))
}

/// How long an answer wants us to wait: `Retry-After` in seconds, as Graph writes it.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(MAX_PATIENCE))
}

/// An error code that may be shown: letters, digits and what stands between them.
pub(super) fn code_of(code: Option<&str>) -> String {
    const MAX_CHARACTERS: usize = 64;
    let is_shown = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let Some(code) = code else {
        return "without a code".to_owned();
    };
    code.chars().filter(is_shown).take(MAX_CHARACTERS).collect()
}

/// An address that may be shown.
pub(super) fn without_query(address: &str) -> &str {
    address.split_once('?').map_or(address, |(path, _)| path)
}
