//! The token that Graph knows us by: an OAuth client's, by its secret or by a token of another issuer (RFC 6749 §4.4,
//! RFC 7523 §2.2). Never here: a secret in a message, and a token that is used after its time.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::error::GraphError;
use super::settings::{GraphClient, Proof};
use crate::client::{Client, Limits, parse_address};
use crate::store::files::read_bounded;
use crate::types::{Secret, json, percent_encoded};

/// How long before its end a token is not used any more.
const EARLY: Duration = Duration::from_secs(60);

/// How long a token is used that does not say when it ends.
const UNSAID: Duration = Duration::from_secs(300);

/// The largest answer of a token endpoint, and the largest token of another issuer.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The longest patience that is had, whoever asks for it.
const MAX_PATIENCE: Duration = Duration::from_secs(3_600);

/// The token in use.
#[derive(Debug, Default)]
pub(super) struct Token {
    current: Option<(Secret, Instant)>,
}

impl Token {
    /// The token: the one that there is, or a new one.
    pub(super) async fn get(
        &mut self,
        settings: &GraphClient,
        client: &Client,
        timeout: Duration,
    ) -> Result<Secret, GraphError> {
        if let Some((token, until)) = &self.current
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let (token, lifetime) = ask(settings, client, timeout).await?;
        // One that lives shortly is used for half of its time at least.
        let until = Instant::now() + lifetime.saturating_sub(EARLY.min(lifetime / 2));
        self.current = Some((token.clone(), until));
        Ok(token)
    }

    /// This token was refused: the next request asks for another one.
    pub(super) fn forget(&mut self, refused: &Secret) {
        self.current.take_if(|(token, _)| token == refused);
    }
}

async fn ask(
    settings: &GraphClient,
    client: &Client,
    timeout: Duration,
) -> Result<(Secret, Duration), GraphError> {
    let limits = Limits {
        timeout,
        max_bytes: MAX_TOKEN_BYTES,
    };
    let form = form(settings).await?;
    let address = &settings.token_url;
    let failed = |fault| GraphError::Fetch(without_query(address).to_owned(), fault);
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = parse_address(address).map_err(failed)?;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    let answer = client.send(request, limits).await.map_err(failed)?;
    let document = json::parse(answer.body()).unwrap_or(Value::Null);
    match answer.status() {
        StatusCode::OK => {
            let token = document.get("access_token").and_then(Value::as_str);
            let token = token.ok_or(GraphError::Token("no `access_token`"))?;
            let kind = document.get("token_type").and_then(Value::as_str);
            if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")) {
                return Err(GraphError::Token("its `token_type` is not `Bearer`"));
            }
            let lifetime = document.get("expires_in").and_then(Value::as_u64);
            Ok((
                Secret::new(token),
                lifetime.map_or(UNSAID, Duration::from_secs),
            ))
        }
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
