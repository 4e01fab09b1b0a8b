//! What a receiver asks of a transmitter: its metadata, its keys, and the management of a stream (SSF 1.0 §7, §8).
//!
//! Whatever a transmitter answers is held against its issuer, as it is configured. Never here: an address that a token
//! names, and a redirect that is followed.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LANGUAGE, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};

use super::access;
use super::address::{document, metadata_address, with_stream};
use super::error::TransmitterError;
use super::settings::{Delivery, StreamSettings};
use crate::client::{Client, ClientError, Limits, parse_address};
use crate::feeds::client_token::ClientToken;
use crate::identity::KeySet;
use crate::risk::signal::SignalEvent;

/// The largest answer of a transmitter, in bytes: a poll may bring a hundred events.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The methods of delivery (SSF §6.1).
const PUSH: &str = "urn:ietf:rfc:8935";
const POLL: &str = "urn:ietf:rfc:8936";

/// The transmitter's metadata (SSF §7.1), as far as it is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Metadata {
    pub(super) jwks_uri: Option<String>,
    configuration: Option<String>,
    status: Option<String>,
    verification: Option<String>,
    pub(super) critical: BTreeSet<String>,
}

/// One stream at its transmitter.
#[derive(Debug, Clone)]
pub(super) struct RemoteStream {
    pub(super) id: String,
    /// Where events are asked for, if they are.
    pub(super) endpoint: Option<String>,
}

/// A transmitter as it is spoken to in one round.
pub(super) struct Transmitter<'a> {
    settings: &'a StreamSettings,
    client: Client,
    token: ClientToken,
    pub(super) metadata: Metadata,
}

impl<'a> Transmitter<'a> {
    /// Reads its metadata, where they are needed.
    pub(super) async fn meet(settings: &'a StreamSettings) -> Result<Self, TransmitterError> {
        let issuer = settings.events.issuer.to_string();
        let ca_file = settings.ca_file.clone();
        // With the roots of the moment: a bundle that was replaced counts in the next round.
        let client = tokio::task::spawn_blocking(move || Client::new(ca_file.as_deref())).await;
        let client = client.unwrap_or_else(|_| Err(ClientError::NoRoots(String::new())));
        let client = client.map_err(|fault| TransmitterError::Fetch(issuer, fault))?;
        let mut met = Self {
            settings,
            client,
            token: ClientToken::default(),
            metadata: Metadata::default(),
        };
        if settings.jwks_uri.is_none() || settings.management.is_some() {
            met.metadata = met.read_metadata().await?;
        }
        Ok(met)
    }

    async fn read_metadata(&self) -> Result<Metadata, TransmitterError> {
        let issuer = &*self.settings.events.issuer;
        let address = metadata_address(issuer);
        let answer = self.open(&address).await?;
        let answer = document(&address, &answer)?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        if text("issuer") != Some(issuer) {
            return Err(TransmitterError::Issuer(address));
        }
        let owned = |name: &str| text(name).map(ToOwned::to_owned);
        let critical = answer.get("critical_subject_members");
        let critical = critical.and_then(Value::as_array).into_iter().flatten();
        Ok(Metadata {
            jwks_uri: owned("jwks_uri"),
            configuration: owned("configuration_endpoint"),
            status: owned("status_endpoint"),
            verification: owned("verification_endpoint"),
            critical: critical
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned)
                .collect(),
        })
    }

    /// Its keys.
    pub(super) async fn keys(&self) -> Result<KeySet, TransmitterError> {
        let address = match &self.settings.jwks_uri {
            Some(address) => address.to_string(),
            None => self
                .metadata
                .jwks_uri
                .clone()
                .ok_or(TransmitterError::Absent("jwks_uri"))?,
        };
        let body = self.open(&address).await?;
        KeySet::parse(&body).map_err(|error| TransmitterError::Keys(address, error))
    }

    /// Our stream: the one that is there, brought to what is configured, or a new one.
    pub(super) async fn stream(&mut self) -> Result<RemoteStream, TransmitterError> {
        let address = self.configuration()?;
        let streams = self.get(&address).await?;
        let streams = match streams {
            Value::Array(streams) => streams,
            one @ Value::Object(_) => vec![one],
            _ => Vec::new(),
        };
        match streams.iter().find(|stream| self.is_ours(stream)) {
            Some(stream) if self.is_as_wanted(stream) => self.read_stream(stream, &address),
            Some(stream) => {
                let id = self.read_stream(stream, &address)?.id;
                let mut wanted = self.wanted();
                if let Some(wanted) = wanted.as_object_mut() {
                    wanted.insert("stream_id".to_owned(), id.into());
                }
                let changed = self.post(Method::PATCH, &address, &wanted).await?;
                self.read_stream(&changed, &address)
            }
            None => {
                let made = self.post(Method::POST, &address, &self.wanted()).await?;
                self.read_stream(&made, &address)
            }
        }
    }

    /// A stream is ours if it delivers to our address; where events are asked for, if it bears our name.
    fn is_ours(&self, stream: &Value) -> bool {
        let delivery = stream.get("delivery");
        let of = |name: &str| delivery.and_then(|of| of.get(name)).and_then(Value::as_str);
        match &self.settings.delivery {
            Delivery::Push { endpoint, .. } => {
                of("method") == Some(PUSH) && of("endpoint_url") == endpoint.as_deref()
            }
            Delivery::Poll { .. } => {
                of("method") == Some(POLL)
                    && stream.get("description").and_then(Value::as_str)
                        == Some(&self.description())
            }
        }
    }

    fn description(&self) -> String {
        format!("Boomgate: {}", self.settings.name)
    }

    fn is_as_wanted(&self, stream: &Value) -> bool {
        let requested = stream.get("events_requested").and_then(Value::as_array);
        let requested: BTreeSet<_> = requested
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let wanted = SignalEvent::types();
        wanted.iter().all(|kind| requested.contains(kind.as_str()))
    }

    fn wanted(&self) -> Value {
        let delivery = match &self.settings.delivery {
            Delivery::Push {
                authorization,
                endpoint,
            } => {
                let mut delivery = json!({"method": PUSH, "endpoint_url": endpoint});
                if let (Some(authorization), Some(members)) =
                    (authorization, delivery.as_object_mut())
                {
                    let value = authorization.expose().into();
                    members.insert("authorization_header".to_owned(), value);
                }
                delivery
            }
            Delivery::Poll { .. } => json!({"method": POLL}),
        };
        json!({
            "delivery": delivery,
            "events_requested": SignalEvent::types(),
            "description": self.description(),
        })
    }

    fn read_stream(&self, stream: &Value, address: &str) -> Result<RemoteStream, TransmitterError> {
        let events = &self.settings.events;
        if stream.get("iss").and_then(Value::as_str) != Some(&*events.issuer) {
            return Err(TransmitterError::Issuer(address.to_owned()));
        }
        let refused = |why| TransmitterError::Document(address.to_owned(), why);
        let is_ours = |aud: &Value| {
            let aud = aud.as_str();
            aud.is_some_and(|aud| events.audiences.iter().any(|ours| **ours == *aud))
        };
        let is_for_us = match stream.get("aud") {
            Some(Value::Array(many)) => many.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if !is_for_us {
            return Err(refused("the stream's `aud` is not one of `audience`"));
        }
        let id = stream.get("stream_id").and_then(Value::as_str);
        let delivery = stream.get("delivery");
        let endpoint = delivery
            .and_then(|of| of.get("endpoint_url"))
            .and_then(Value::as_str);
        Ok(RemoteStream {
            id: id
                .ok_or_else(|| refused("the stream has no `stream_id`"))?
                .to_owned(),
            endpoint: endpoint.map(ToOwned::to_owned),
        })
    }

    /// `enabled`, `paused` or `disabled`.
    pub(super) async fn status(
        &mut self,
        stream: &str,
    ) -> Result<Option<String>, TransmitterError> {
        let Some(address) = self.metadata.status.clone() else {
            return Ok(None);
        };
        let address = with_stream(&address, stream);
        let answer = self.get(&address).await?;
        Ok(answer
            .get("status")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned))
    }

    /// Has the stream enabled or paused.
    pub(super) async fn set_status(
        &mut self,
        stream: &str,
        status: &str,
    ) -> Result<(), TransmitterError> {
        let address = self
            .metadata
            .status
            .clone()
            .ok_or(TransmitterError::Absent("status_endpoint"))?;
        let body = json!({"stream_id": stream, "status": status});
        self.post(Method::POST, &address, &body).await.map(drop)
    }

    /// Asks for an event that verifies the stream. It comes by the stream.
    pub(super) async fn verify(
        &mut self,
        stream: &str,
        state: &str,
    ) -> Result<(), TransmitterError> {
        let address = self.metadata.verification.clone();
        let address = address.ok_or(TransmitterError::Absent("verification_endpoint"))?;
        let body = json!({"stream_id": stream, "state": state});
        match self.post(Method::POST, &address, &body).await {
            // It was asked lately, perhaps by another replica.
            Err(TransmitterError::Status(_, StatusCode::TOO_MANY_REQUESTS)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Has the stream deleted.
    pub(super) async fn delete(&mut self, stream: &str) -> Result<(), TransmitterError> {
        let address = with_stream(&self.configuration()?, stream);
        match self
            .send(Method::DELETE, &address, None, self.settings.timeout)
            .await?
        {
            (StatusCode::NO_CONTENT | StatusCode::OK | StatusCode::NOT_FOUND, _) => Ok(()),
            (status, _) => Err(TransmitterError::Status(address, status)),
        }
    }

    /// Asks for events (RFC 8936 §2), which may take as long as `patience`.
    pub(super) async fn poll(
        &mut self,
        address: &str,
        body: &Value,
        patience: Duration,
    ) -> Result<Value, TransmitterError> {
        match self
            .send(Method::POST, address, Some(body), patience)
            .await?
        {
            (StatusCode::OK, body) => document(address, &body),
            (status, _) => Err(TransmitterError::Status(address.to_owned(), status)),
        }
    }

    /// Reads what is open to everybody, and sends nobody our token.
    async fn open(&self, address: &str) -> Result<Bytes, TransmitterError> {
        let limits = self.limits(self.settings.timeout);
        let failed = |fault| TransmitterError::Fetch(address.to_owned(), fault);
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = parse_address(address).map_err(failed)?;
        let answer = self.client.send(request, limits).await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(TransmitterError::Status(
                address.to_owned(),
                answer.status(),
            ));
        }
        Ok(answer.into_body())
    }

    const fn limits(&self, timeout: Duration) -> Limits {
        Limits {
            timeout,
            max_bytes: MAX_ANSWER_BYTES,
        }
    }

    fn configuration(&self) -> Result<String, TransmitterError> {
        let address = self.metadata.configuration.clone();
        address.ok_or(TransmitterError::Absent("configuration_endpoint"))
    }

    async fn get(&mut self, address: &str) -> Result<Value, TransmitterError> {
        match self
            .send(Method::GET, address, None, self.settings.timeout)
            .await?
        {
            (StatusCode::OK, body) => document(address, &body),
            (status, _) => Err(TransmitterError::Status(address.to_owned(), status)),
        }
    }

    async fn post(
        &mut self,
        method: Method,
        address: &str,
        body: &Value,
    ) -> Result<Value, TransmitterError> {
        match self
            .send(method, address, Some(body), self.settings.timeout)
            .await?
        {
            (status, body) if status.is_success() => Ok(if body.is_empty() {
                Value::Null
            } else {
                document(address, &body)?
            }),
            (status, _) => Err(TransmitterError::Status(address.to_owned(), status)),
        }
    }

    async fn send(
        &mut self,
        method: Method,
        address: &str,
        body: Option<&Value>,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), TransmitterError> {
        let limits = self.limits(timeout);
        let failed = |fault| TransmitterError::Fetch(address.to_owned(), fault);
        let bytes = body.map(|body| Bytes::from(body.to_string()));
        let mut request = Request::new(bytes.unwrap_or_default());
        *request.method_mut() = method;
        *request.uri_mut() = parse_address(address).map_err(failed)?;
        if body.is_some() {
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
        }
        let mut token = None;
        if let Some(management) = &self.settings.management {
            let (access, tokens) = (&management.access, &mut self.token);
            let current = access::token(tokens, access, &self.client, limits).await?;
            let value = access::authorization(&current)?;
            request.headers_mut().insert(AUTHORIZATION, value);
            token = Some(current);
        }
        let answer = self.client.send(request, limits).await.map_err(failed)?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(refused) = &token
        {
            self.token.forget(refused);
        }
        Ok((answer.status(), answer.into_body()))
    }
}
