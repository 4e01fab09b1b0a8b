//! A transmitter of security events, written from the standards (SSF 1.0, RFC 8935, RFC 8936): its metadata, its keys, the
//! management of streams, the questions for events. What it signs, a test decides, be it wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use boomgate::identity::settings::Algorithm;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::https;
use super::pki::Pki;
use super::site::now;
use crate::tokens::mint::{Keys, key_id};

/// The audience of its events.
pub(crate) const AUDIENCE: &str = "https://gateway.example/ssf";

/// What receivers know it by.
pub(crate) const RECEIVER_TOKEN: &str = "receiver-token-0123456789";

/// A transmitter that runs.
pub(crate) struct Transmitter {
    state: Arc<State>,
}

/// What it has and what it was told.
pub(crate) struct State {
    /// Its issuer.
    pub(crate) issuer: String,
    keys: Mutex<Keys>,
    inner: Mutex<Inner>,
    /// Wakes questions that wait.
    news: Notify,
}

#[derive(Default)]
struct Inner {
    stream: Option<Value>,
    status: String,
    /// Events that were not acknowledged, in order.
    waiting: VecDeque<(String, String)>,
    acknowledged: Vec<String>,
    refused: BTreeMap<String, Value>,
    /// The states of verifications that were asked for.
    verifications: Vec<String>,
    /// Requests to the management of streams: method and path.
    requests: Vec<String>,
    critical: Vec<String>,
    /// How often its metadata were read.
    metadata_reads: usize,
    /// The forms that tokens were asked for with; so many were granted, and the last alone is good.
    forms: Vec<String>,
    /// What the metadata says of the issuer, where that is a lie.
    false_issuer: Option<String>,
}

impl Transmitter {
    pub(crate) async fn start(pki: &Pki) -> Self {
        let mut started = None;
        https::serve(pki, |address| {
            let state = Arc::new(State {
                issuer: format!("https://localhost:{}/tenant", address.port()),
                keys: Mutex::new(Keys::generate()),
                inner: Mutex::default(),
                news: Notify::new(),
            });
            started = Some(Arc::clone(&state));
            move |request| {
                let state = Arc::clone(&state);
                async move { state.serve(request).await }
            }
        })
        .await;
        Self {
            state: started.unwrap(),
        }
    }
}

impl std::ops::Deref for Transmitter {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl State {
    /// The claims of an event about a subject.
    pub(crate) fn claims(&self, id: &str, kind: &str, subject: Value, event: Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer, "aud": AUDIENCE, "iat": now(), "jti": id,
        });
        claims["sub_id"] = subject;
        claims["events"][kind] = event;
        claims
    }

    /// A token of these claims, as it should be.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(Algorithm::Rs256, &json!({"typ": "secevent+jwt"}), claims)
    }

    /// A token whose header says this beside algorithm and key.
    pub(crate) fn sign_with(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let mut all = json!({"alg": algorithm.as_str(), "kid": key_id(algorithm)});
        for (name, value) in header.as_object().unwrap() {
            all[name] = value.clone();
        }
        let keys = self.keys.lock();
        keys.token(algorithm, &all.to_string(), &claims.to_string())
    }

    /// From now on it signs with other keys.
    pub(crate) fn rotate(&self) {
        *self.keys.lock() = Keys::generate();
    }

    /// Has an event wait for whoever asks.
    pub(crate) fn queue(&self, id: &str, token: String) {
        self.inner.lock().waiting.push_back((id.to_owned(), token));
        self.news.notify_waiters();
    }

    /// Whether this event was acknowledged.
    pub(crate) fn has_acknowledged(&self, id: &str) -> bool {
        self.inner.lock().acknowledged.iter().any(|one| one == id)
    }

    /// The error that an event was refused with.
    pub(crate) fn refused(&self, id: &str) -> Option<Value> {
        self.inner.lock().refused.get(id).cloned()
    }

    pub(crate) fn stream(&self) -> Option<Value> {
        self.inner.lock().stream.clone()
    }

    pub(crate) fn status(&self) -> String {
        self.inner.lock().status.clone()
    }

    pub(crate) fn verifications(&self) -> Vec<String> {
        self.inner.lock().verifications.clone()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.inner.lock().requests.clone()
    }

    pub(crate) fn metadata_reads(&self) -> usize {
        self.inner.lock().metadata_reads
    }

    /// From now on, its metadata name another issuer.
    pub(crate) fn lie(&self, issuer: Option<&str>) {
        self.inner.lock().false_issuer = issuer.map(ToOwned::to_owned);
    }

    /// The forms that tokens were asked for with.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.inner.lock().forms.clone()
    }

    /// From now on, the token that was granted is not good any more.
    pub(crate) fn revoke(&self) {
        self.inner.lock().forms.push("revoked".to_owned());
    }

    /// From now on, members of this name must be understood.
    pub(crate) fn make_critical(&self, member: &str) {
        self.inner.lock().critical.push(member.to_owned());
    }

    fn base(&self) -> &str {
        self.issuer.trim_end_matches("/tenant")
    }

    async fn serve(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes());
        let bytes = body.unwrap_or_default();
        let path = head.uri.path();
        if path == "/token" {
            return self.grant(&head.headers, &bytes);
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let open = ["/.well-known/ssf-configuration/tenant", "/keys"].contains(&path);
        let authorization = head.headers.get("authorization");
        let good = [RECEIVER_TOKEN.to_owned(), self.granted()];
        let is_good =
            |token: &String| authorization.is_some_and(|of| *of == *format!("Bearer {token}"));
        let is_known = good.iter().any(is_good);
        // Nobody's token belongs to an address that is open.
        if open == authorization.is_some() || (!open && !is_known) {
            return answer(StatusCode::UNAUTHORIZED, &Value::Null);
        }
        if !open {
            let request = format!("{} {path}", head.method);
            self.inner.lock().requests.push(request);
        }
        match (&head.method, path) {
            (&Method::GET, "/keys") => {
                answer(StatusCode::OK, &json!({"keys": self.keys.lock().jwks()}))
            }
            (&Method::GET, "/.well-known/ssf-configuration/tenant") => {
                answer(StatusCode::OK, &self.metadata())
            }
            (_, "/streams") => self.streams(&head.method, body),
            (&Method::GET, "/status") => {
                let inner = self.inner.lock();
                answer(
                    StatusCode::OK,
                    &json!({"stream_id": "s-1", "status": inner.status}),
                )
            }
            (&Method::POST, "/status") => {
                let status = body["status"].as_str().unwrap_or_default().to_owned();
                self.inner.lock().status = status;
                answer(StatusCode::OK, &body)
            }
            (&Method::POST, "/verify") => {
                self.verify(&body);
                answer(StatusCode::NO_CONTENT, &Value::Null)
            }
            (&Method::POST, "/poll") => self.poll(&body).await,
            _ => answer(StatusCode::NOT_FOUND, &Value::Null),
        }
    }

    /// Grants a token to the client that proves to be itself by its secret.
    fn grant(&self, headers: &http::HeaderMap, form: &[u8]) -> Response<Full<Bytes>> {
        let basic = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("receiver:{RECEIVER_TOKEN}"),
        );
        let authorization = headers.get("authorization");
        if authorization.is_none_or(|of| *of != *format!("Basic {basic}")) {
            return answer(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "invalid_client"}),
            );
        }
        let form = String::from_utf8(form.to_vec()).unwrap();
        self.inner.lock().forms.push(form);
        let token = self.granted();
        let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
        answer(StatusCode::OK, &body)
    }

    /// The one token of a client that is good.
    fn granted(&self) -> String {
        format!("granted-{}", self.inner.lock().forms.len())
    }

    fn metadata(&self) -> Value {
        let base = self.base();
        let mut inner = self.inner.lock();
        inner.metadata_reads += 1;
        json!({
            "spec_version": "1_0",
            "issuer": inner.false_issuer.as_deref().unwrap_or(&self.issuer),
            "jwks_uri": format!("{base}/keys"),
            "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
            "configuration_endpoint": format!("{base}/streams"),
            "status_endpoint": format!("{base}/status"),
            "verification_endpoint": format!("{base}/verify"),
            "critical_subject_members": inner.critical,
        })
    }

    fn streams(&self, method: &Method, body: Value) -> Response<Full<Bytes>> {
        let mut inner = self.inner.lock();
        match (method, &mut inner.stream) {
            (&Method::GET, stream) => {
                answer(StatusCode::OK, &json!(stream.iter().collect::<Vec<_>>()))
            }
            (&Method::POST, Some(_)) => answer(StatusCode::CONFLICT, &Value::Null),
            (&Method::POST, stream) => {
                let mut made = body;
                made["stream_id"] = "s-1".into();
                made["iss"] = self.issuer.as_str().into();
                made["aud"] = json!([AUDIENCE]);
                made["events_delivered"] = made["events_requested"].clone();
                if made["delivery"]["method"] == "urn:ietf:rfc:8936" {
                    made["delivery"]["endpoint_url"] = format!("{}/poll", self.base()).into();
                }
                *stream = Some(made.clone());
                inner.status = "enabled".to_owned();
                answer(StatusCode::CREATED, &made)
            }
            (&Method::PATCH, Some(stream)) => {
                for (name, value) in body.as_object().unwrap() {
                    stream[name] = value.clone();
                }
                answer(StatusCode::OK, stream)
            }
            (&Method::DELETE, stream @ Some(_)) => {
                *stream = None;
                answer(StatusCode::NO_CONTENT, &Value::Null)
            }
            _ => answer(StatusCode::NOT_FOUND, &Value::Null),
        }
    }

    /// Notes the state; where events are asked for, the event waits at once.
    fn verify(&self, body: &Value) {
        let state = body["state"].as_str().unwrap_or_default().to_owned();
        let polls = {
            let mut inner = self.inner.lock();
            inner.verifications.push(state.clone());
            let method = inner
                .stream
                .as_ref()
                .map(|of| of["delivery"]["method"].clone());
            method == Some("urn:ietf:rfc:8936".into())
        };
        if polls {
            let id = format!("verification-{state}");
            self.queue(&id, self.sign(&self.verification(&id, Some(&state))));
        }
    }

    /// The claims of a verification.
    pub(crate) fn verification(&self, id: &str, state: Option<&str>) -> Value {
        let kind = "https://schemas.openid.net/secevent/ssf/event-type/verification";
        let subject = json!({"format": "opaque", "id": "s-1"});
        let event = state.map_or(json!({}), |state| json!({"state": state}));
        self.claims(id, kind, subject, event)
    }

    /// Answers a question for events; waits for some, if it may.
    async fn poll(&self, body: &Value) -> Response<Full<Bytes>> {
        {
            let mut inner = self.inner.lock();
            let texts = |value: &Value| -> Vec<String> {
                let texts = value.as_array().into_iter().flatten();
                texts
                    .filter_map(Value::as_str)
                    .map(ToOwned::to_owned)
                    .collect()
            };
            let acknowledged = texts(&body["ack"]);
            let refused = body["setErrs"].as_object().cloned().unwrap_or_default();
            inner
                .waiting
                .retain(|(id, _)| !acknowledged.contains(id) && !refused.contains_key(id));
            inner.acknowledged.extend(acknowledged);
            inner.refused.extend(refused);
        }
        if body["maxEvents"] == 0 {
            return answer(StatusCode::OK, &json!({"sets": {}}));
        }
        let is_hasty = body["returnImmediately"] == true;
        loop {
            let news = self.news.notified();
            let sets: serde_json::Map<_, _> = {
                let inner = self.inner.lock();
                let waiting = inner.waiting.iter().take(100);
                waiting
                    .map(|(id, token)| (id.clone(), token.as_str().into()))
                    .collect()
            };
            if !sets.is_empty() || is_hasty {
                return answer(StatusCode::OK, &json!({"sets": sets}));
            }
            let waited = tokio::time::timeout(std::time::Duration::from_secs(5), news).await;
            if waited.is_err() {
                return answer(StatusCode::OK, &json!({"sets": {}}));
            }
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
