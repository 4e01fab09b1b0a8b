//! Asks Graph: one page at a time, with a token, within limits, and nowhere else than at the configured address.
//!
//! Never here: an address that an answer chose, but for a next page at the same place.

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::Value;

use super::error::GraphError;
use super::settings::GraphSettings;
use super::token::{ask, code_of, patience, without_query};
use crate::client::{Client, ClientError, Limits, parse_address};
use crate::feeds::client_token::ClientToken;
use crate::types::json;

/// Has Graph name values that are newer than its first schema, in place of `unknownFutureValue`.
const PREFER: &str = "include-unknown-enum-members";

/// What one tenant is asked with.
#[derive(Debug)]
pub(super) struct Connection {
    settings: Arc<GraphSettings>,
    /// With the roots of the moment; made anew after a connection failed.
    client: Mutex<Option<Client>>,
    token: tokio::sync::Mutex<ClientToken>,
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    /// The objects.
    pub(super) items: Vec<Value>,
    /// Where the next page is.
    pub(super) next: Option<String>,
}

impl Connection {
    pub(super) fn new(settings: Arc<GraphSettings>) -> Self {
        Self {
            settings,
            client: Mutex::default(),
            token: tokio::sync::Mutex::default(),
        }
    }

    /// The page of a list that is there. Whoever may not read it needs `permission`.
    pub(super) async fn page(
        &self,
        address: &str,
        permission: &'static str,
    ) -> Result<Page, GraphError> {
        let answer = self.page_or_fault(address, permission).await;
        if let Err(GraphError::Fetch(..)) = &answer {
            *self.client.lock() = None;
        }
        answer
    }

    async fn page_or_fault(
        &self,
        address: &str,
        permission: &'static str,
    ) -> Result<Page, GraphError> {
        let shown = || without_query(address).to_owned();
        let failed = |fault| GraphError::Fetch(shown(), fault);
        let limits = Limits {
            timeout: self.settings.timeout,
            max_bytes: self.settings.max_page_bytes,
        };
        let client = self.client().await?;
        let mut is_renewed = false;
        loop {
            let token = {
                let asking = ask(&self.settings.client, &client, self.settings.timeout);
                self.token.lock().await.get(asking).await?
            };
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_no_header| GraphError::Token("it fits into no header"))?;
            value.set_sensitive(true);
            let mut request = Request::new(Bytes::new());
            *request.uri_mut() = parse_address(address).map_err(failed)?;
            request.headers_mut().insert(AUTHORIZATION, value);
            let prefer = HeaderValue::from_static(PREFER);
            request.headers_mut().insert("prefer", prefer);
            let answer = client.send(request, limits).await.map_err(failed)?;
            let status = answer.status();
            if status == StatusCode::OK {
                return self.read(address, answer.body());
            }
            if status == StatusCode::UNAUTHORIZED && !is_renewed {
                // It may have been revoked, or its end be nearer than it said.
                self.token.lock().await.forget(&token);
                is_renewed = true;
                continue;
            }
            let document = json::parse(answer.body()).unwrap_or(Value::Null);
            let code = code_of(document.pointer("/error/code").and_then(Value::as_str));
            let address = shown();
            return Err(match status {
                StatusCode::UNAUTHORIZED => GraphError::Unauthorized { address, code },
                StatusCode::FORBIDDEN => GraphError::Forbidden {
                    address,
                    code,
                    permission,
                },
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    let after = patience(answer.headers());
                    GraphError::Throttled {
                        address,
                        status,
                        after,
                    }
                }
                status => GraphError::Status {
                    address,
                    status,
                    code,
                },
            });
        }
    }

    async fn client(&self) -> Result<Client, GraphError> {
        if let Some(client) = &*self.client.lock() {
            return Ok(client.clone());
        }
        let ca_file = self.settings.ca_file.clone();
        let made = tokio::task::spawn_blocking(move || Client::new(ca_file.as_deref())).await;
        let made = made.unwrap_or_else(|_| Err(ClientError::NoRoots(String::new())));
        let client = made.map_err(GraphError::Client)?;
        *self.client.lock() = Some(client.clone());
        Ok(client)
    }

    fn read(&self, address: &str, body: &[u8]) -> Result<Page, GraphError> {
        let wrong = |why| GraphError::Document(without_query(address).to_owned(), why);
        let document = json::parse(body).map_err(|_fault| wrong("no strict JSON"))?;
        let Value::Object(mut members) = document else {
            return Err(wrong("no object"));
        };
        let Some(Value::Array(items)) = members.remove("value") else {
            // FAIL-CLOSED: an answer without a list is not an empty list.
            return Err(wrong("no array `value`"));
        };
        let next = match members.remove("@odata.nextLink") {
            None | Some(Value::Null) => None,
            Some(Value::String(next)) => {
                let base = &self.settings.base_url;
                if !is_at(base, &next) {
                    return Err(GraphError::Elsewhere(without_query(address).to_owned()));
                }
                if next == address {
                    return Err(wrong("its next page is itself"));
                }
                Some(next)
            }
            Some(_) => return Err(wrong("`@odata.nextLink` is not text")),
        };
        Ok(Page { items, next })
    }
}

/// Whether an address is of the same scheme, host and port as another one.
fn is_at(base: &str, address: &str) -> bool {
    let origin = |uri: Uri| {
        let authority = uri.authority()?;
        let host = authority.host().to_ascii_lowercase();
        // `parse_address` takes `https` only.
        Some((host, authority.port_u16().unwrap_or(443)))
    };
    let of = |address: &str| parse_address(address).ok().and_then(origin);
    of(base).is_some_and(|base| of(address) == Some(base))
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_next_page_is_where_the_first_one_was() {
        let base = "https://graph.example.com/a";
        for same in [
            "https://graph.example.com/beta/x?$skiptoken=1",
            "https://GRAPH.example.com:443/beta/x",
        ] {
            assert!(is_at(base, same), "{same}");
        }
        for other in [
            "http://graph.example.com/beta/x",
            "https://graph.example.com:444/beta/x",
            "https://graph.example.com.evil.example/beta/x",
            "https://graph.example.com@evil.example/beta/x",
            "https://evil.example/https://graph.example.com",
            "//graph.example.com/beta/x",
            "/beta/x",
            "",
        ] {
            assert!(!is_at(base, other), "{other}");
        }
    }
}
