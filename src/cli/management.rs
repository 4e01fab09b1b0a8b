//! How a command asks a running gateway: over its management listener, as the administrator.
//!
//! The token comes from a file and goes to the one address that the operator named. Never here: a token on the command
//! line, in a message or in an address, and a connection without TLS.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{Output, UsageError};
use crate::client::{Client, ClientError, Identity, Limits, parse_address};
use crate::types::json;

/// What one request may cost. A page of risky agents is well below a MiB.
const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(10),
    max_bytes: 8 * 1024 * 1024,
};

/// The longest text that is shown of an answer that refuses.
const MAX_MESSAGE_CHARACTERS: usize = 300;

/// What every command is told that asks a gateway.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) access: Access,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// Which gateway a command asks, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// The gateway's management listener
    #[arg(long, value_name = "URL", env = "BOOMGATE_MANAGEMENT",
        default_value = "https://127.0.0.1:9443", value_parser = parse_origin)]
    management: Origin,
    #[command(flatten)]
    credentials: Credentials,
}

/// Whom a command trusts, and as whom it asks.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Credentials {
    /// The CA certificates to trust, as PEM [default: those of the operating system]
    #[arg(long, value_name = "FILE", env = "BOOMGATE_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// The file that holds the admin token
    #[arg(long, value_name = "FILE", env = "BOOMGATE_ADMIN_TOKEN_FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// The certificate to show where the gateway asks for one, as PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "BOOMGATE_CLIENT_CERTIFICATE_FILE",
        requires = "client_key"
    )]
    pub client_certificate: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "BOOMGATE_CLIENT_KEY_FILE",
        requires = "client_certificate"
    )]
    pub client_key: Option<PathBuf>,
}

/// A scheme and an authority, without a path: `https://127.0.0.1:9443`.
#[derive(Debug, Clone)]
pub struct Origin(String);

pub(super) fn parse_origin(text: &str) -> Result<Origin, String> {
    let address = parse_address(text).map_err(|fault| fault.to_string())?;
    match address.path_and_query().map(|path| path.as_str()) {
        None | Some("/") => Ok(Origin(text.trim_end_matches('/').to_owned())),
        Some(_) => Err("expected `https://host[:port]` without a path".to_owned()),
    }
}

/// A file that the command line names cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// The CA certificates, or the certificate to show.
    #[error("no connection can be set up")]
    Tls(#[source] ClientError),
    /// The file of the admin token.
    #[error("the admin token cannot be read from `{0}`")]
    TokenFile(PathBuf, #[source] io::Error),
    /// What the file holds cannot travel as a bearer token (RFC 6750 §2.1).
    #[error("`{0}` holds no admin token, expected printable ASCII characters without blanks")]
    NoToken(PathBuf),
}

/// The gateway refuses what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("`{origin}` answered {status}{}", .message.as_ref().map(|message| format!(": {message}")).unwrap_or_default())]
pub(super) struct Refusal {
    origin: String,
    pub(super) status: StatusCode,
    /// What Graph's error object says.
    message: Option<String>,
}

impl Access {
    /// Asks the gateway, and waits for its answer.
    pub(super) fn ask<T>(
        self,
        question: impl AsyncFnOnce(Management) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let gateway = Management::new(self.management, self.credentials)?;
        super::control_runtime()?.block_on(question(gateway))
    }
}

/// A gateway's control plane.
#[derive(Debug)]
pub(super) struct Management {
    client: Client,
    origin: Origin,
    credential: HeaderValue,
    token_file: PathBuf,
}

impl Management {
    /// Reads the files; asks nothing yet.
    pub(super) fn new(origin: Origin, credentials: Credentials) -> anyhow::Result<Self> {
        let Some(token_file) = credentials.admin_token_file else {
            let message = "`--admin-token-file <FILE>` is needed to ask a gateway";
            return Err(UsageError(message.to_owned()).into());
        };
        let pair = credentials.client_certificate.as_deref();
        let identity =
            pair.zip(credentials.client_key.as_deref())
                .map(|(certificate_file, key_file)| Identity {
                    certificate_file,
                    key_file,
                });
        let client = Client::with_identity(credentials.ca_file.as_deref(), identity)
            .map_err(InputError::Tls)?;
        let token = std::fs::read_to_string(&token_file)
            .map_err(|fault| InputError::TokenFile(token_file.clone(), fault))?;
        let Some(credential) = bearer(token.trim_end_matches(['\r', '\n'])) else {
            return Err(InputError::NoToken(token_file).into());
        };
        Ok(Self {
            client,
            origin,
            credential,
            token_file,
        })
    }

    /// What is at `path`.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        self.parsed(&answer)
    }

    /// What is answered to a question.
    pub(super) async fn ask(&self, path: &str, question: &Value) -> anyhow::Result<Value> {
        let body = question.to_string().into();
        let answer = self.send(Method::POST, path, body).await?;
        self.parsed(&answer)
    }

    fn parsed(&self, answer: &Response<Bytes>) -> anyhow::Result<Value> {
        let origin = &self.origin.0;
        json::parse(answer.body()).with_context(|| format!("`{origin}` did not answer in JSON"))
    }

    /// What is at `path`; `None` where nothing is.
    pub(super) async fn find(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let answer = self.exchange(Method::GET, path, Bytes::new()).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.checked(answer)?;
        let origin = &self.origin.0;
        let value = json::parse(answer.body());
        value
            .with_context(|| format!("`{origin}` did not answer in JSON"))
            .map(Some)
    }

    /// Has something done.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let body = body.to_string().into();
        self.send(Method::POST, path, body).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        self.checked(self.exchange(method, path, body).await?)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        let origin = &self.origin.0;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{origin}{path}"))
            .header(header::AUTHORIZATION, self.credential.clone())
            // Names that Graph added later: what is shown should say what it is.
            .header("prefer", "include-unknown-enum-members");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).context("the request cannot be made")?;
        let answer = self.client.send(request, LIMITS).await;
        answer.with_context(|| format!("`{origin}` cannot be asked"))
    }

    /// An answer, unless it refuses.
    fn checked(&self, answer: Response<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let origin = &self.origin.0;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let file = self.token_file.display();
                bail!("`{origin}` refused the token of `{file}` ({status})")
            }
            status => Err(Refusal {
                origin: origin.clone(),
                status,
                message: message(answer.body()),
            }
            .into()),
        }
    }
}

/// The `Authorization` header's value, which no `Debug` shows.
fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What Graph's error object says.
fn message(body: &[u8]) -> Option<String> {
    let body = json::parse(body).ok()?;
    let message = body.pointer("/error/message")?.as_str()?;
    let message: String = message.chars().take(MAX_MESSAGE_CHARACTERS).collect();
    Some(printable(&message))
}

/// Text from elsewhere, without characters that would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_tls_and_no_path() {
        for (text, origin) in [
            ("https://127.0.0.1:9443", "https://127.0.0.1:9443"),
            ("https://ops.example.com/", "https://ops.example.com"),
            ("https://[::1]:9443", "https://[::1]:9443"),
        ] {
            assert_eq!(parse_origin(text).unwrap().0, origin);
        }
        for refused in [
            "http://127.0.0.1:9443",
            "127.0.0.1:9443",
            "https://ops.example.com/boomgate",
            "https://ops.example.com/?x",
            "https://admin@ops.example.com",
        ] {
            assert!(parse_origin(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_bearer_token_shows_in_no_debug_output_and_holds_no_blank() {
        let value = bearer("s3cret").unwrap();
        assert_eq!(value, "Bearer s3cret");
        assert_eq!(format!("{value:?}"), "Sensitive");
        for refused in ["", "two words", "two\nlines", "é"] {
            assert_eq!(bearer(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_message_steers_no_terminal() {
        let body = br#"{"error": {"message": "a\u001b[31mb\u009bc"}}"#;
        assert_eq!(message(body).unwrap(), "a\u{FFFD}[31mb\u{FFFD}c");
        assert_eq!(message(b"<html>"), None);
    }
}
