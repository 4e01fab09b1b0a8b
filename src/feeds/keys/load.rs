//! Loads an issuer's keys once, from wherever its settings say.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::client::{Client, ClientError, Limits, parse_address};
use crate::identity::settings::{IssuerSettings, KeyOrigin, KeySettings};
use crate::identity::{KeySet, KeySetError};
use crate::types::json;

/// Why an issuer's keys could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyLoadError {
    /// The file cannot be read.
    #[error("the key file `{0}` cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    /// The file is too large.
    #[error("the key file `{0}` is larger than {1} bytes")]
    TooLarge(PathBuf, usize),
    /// The document cannot be fetched.
    #[error("`{0}` cannot be fetched")]
    Fetch(String, #[source] ClientError),
    /// Any status but 200; redirects are not followed.
    #[error("`{0}` answered {1}, expected 200")]
    Status(String, StatusCode),
    /// The OpenID configuration is not one.
    #[error("`{0}` is not an OpenID configuration with `issuer` and `jwks_uri`")]
    Discovery(String),
    /// The OpenID configuration is another issuer's (OpenID Connect Discovery §4.3).
    #[error("the OpenID configuration is that of issuer `{0}`, which is not configured here")]
    Issuer(String),
    /// Not a usable key set.
    #[error("the key set is refused")]
    KeySet(#[from] KeySetError),
}

/// Loads the keys.
pub(super) async fn load(settings: &IssuerSettings) -> Result<KeySet, KeyLoadError> {
    let keys = &settings.keys;
    let document = match &keys.origin {
        KeyOrigin::File(path) => read(path, keys.max_bytes).await?,
        KeyOrigin::JwksUri(address) => {
            let client = client(keys, address).await?;
            get(&client, address, keys).await?
        }
        KeyOrigin::Discovery(address) => {
            let client = client(keys, address).await?;
            let configuration = get(&client, address, keys).await?;
            let address = jwks_uri(address, &configuration, settings)?;
            get(&client, &address, keys).await?
        }
    };
    Ok(KeySet::parse(&document)?)
}

async fn read(path: &Path, max_bytes: usize) -> Result<Bytes, KeyLoadError> {
    let unreadable = |fault| KeyLoadError::File(path.to_owned(), fault);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .await
        .map_err(unreadable)?;
    if bytes.len() > max_bytes {
        return Err(KeyLoadError::TooLarge(path.to_owned(), max_bytes));
    }
    Ok(bytes.into())
}

/// A client with the roots of the moment: a bundle that was replaced counts at the next refresh.
async fn client(keys: &KeySettings, address: &str) -> Result<Client, KeyLoadError> {
    let ca_file = keys.ca_file.clone();
    let made = tokio::task::spawn_blocking(move || Client::new(ca_file.as_deref())).await;
    let made = made.unwrap_or_else(|_| Err(ClientError::NoRoots(String::new())));
    made.map_err(|fault| KeyLoadError::Fetch(address.to_owned(), fault))
}

async fn get(client: &Client, address: &str, keys: &KeySettings) -> Result<Bytes, KeyLoadError> {
    let limits = Limits {
        timeout: keys.timeout,
        max_bytes: keys.max_bytes,
    };
    let failed = |fault| KeyLoadError::Fetch(address.to_owned(), fault);
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = parse_address(address).map_err(failed)?;
    let answer = client.send(request, limits).await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        let address = address.to_owned();
        return Err(KeyLoadError::Status(address, answer.status()));
    }
    Ok(answer.into_body())
}

/// Where the OpenID configuration says that the keys are, once it is known to be our issuer's.
fn jwks_uri(
    address: &str,
    configuration: &[u8],
    settings: &IssuerSettings,
) -> Result<String, KeyLoadError> {
    let refused = || KeyLoadError::Discovery(address.to_owned());
    let configuration = json::parse(configuration).ok().ok_or_else(refused)?;
    let text = |name: &str| configuration.get(name).and_then(Value::as_str);
    let issuer = text("issuer").ok_or_else(refused)?;
    if !settings.issuers.iter().any(|known| **known == *issuer) {
        return Err(KeyLoadError::Issuer(issuer.chars().take(200).collect()));
    }
    text("jwks_uri").map(ToOwned::to_owned).ok_or_else(refused)
}
