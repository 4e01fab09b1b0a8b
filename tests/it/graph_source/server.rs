//! A server that answers as Microsoft Graph and its token endpoint do, by the published shapes: pages, filters, errors.
//! What goes wrong, a test says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::https;
use crate::support::pki::Pki;
use crate::support::site::TENANT;

/// What the application proves itself with.
pub(super) const CLIENT_ID: &str = "f0f0f0f0-0000-4000-8000-00000000000f";
pub(super) const CLIENT_SECRET: &str = "a client secret + of/graph=";

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// This status, with Graph's error of this code.
    Status(u16, &'static str),
    /// 429 that asks for this many seconds of patience.
    Throttle(u64),
    /// This body.
    Body(String),
    /// Nothing: it is the request after it that matters.
    Pass,
    /// The answer takes so long.
    Slow(Duration),
}

/// A request for a list.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The last part of the path.
    pub(super) list: String,
    /// Its query, as it came.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) at: Instant,
}

impl Asked {
    /// The `$filter`, if there is one.
    pub(super) fn filter(&self) -> Option<String> {
        parameters(&self.query).remove("$filter")
    }

    pub(super) fn is_first_page(&self) -> bool {
        !self.query.contains("$skiptoken")
    }
}

#[derive(Default)]
struct Inner {
    lists: BTreeMap<String, Vec<Value>>,
    page_size: usize,
    /// What goes wrong with the next requests for a list, one after the other.
    troubles: BTreeMap<String, VecDeque<Trouble>>,
    /// What goes wrong with every request for a list.
    standing: BTreeMap<String, Trouble>,
    /// What goes wrong with every request for a token.
    no_token: Option<(u16, Value)>,
    /// The tokens that are taken.
    tokens: BTreeSet<String>,
    issued: usize,
    asked: Vec<Asked>,
    /// The forms that tokens were asked for with.
    forms: Vec<BTreeMap<String, String>>,
    /// In place of where the next page is.
    next_link: Option<String>,
    /// The assertion that is taken in place of a secret.
    assertion: Option<String>,
}

pub(super) struct Graph {
    state: Arc<State>,
}

pub(super) struct State {
    /// Where it is.
    pub(super) url: String,
    inner: Mutex<Inner>,
}

impl std::ops::Deref for Graph {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl Graph {
    pub(super) async fn start(pki: &Pki) -> Self {
        let mut started = None;
        https::serve(pki, |address| {
            let state = Arc::new(State {
                url: format!("https://localhost:{}", address.port()),
                inner: Mutex::new(Inner {
                    page_size: 100,
                    ..Inner::default()
                }),
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

impl State {
    /// From now on, this object is in the list, in place of the one of the same id.
    pub(super) fn put(&self, list: &str, object: Value) {
        let mut inner = self.inner.lock();
        let objects = inner.lists.entry(list.to_owned()).or_default();
        objects.retain(|other| other["id"] != object["id"]);
        objects.push(object);
    }

    pub(super) fn remove(&self, list: &str, id: &str) {
        let mut inner = self.inner.lock();
        let objects = inner.lists.entry(list.to_owned()).or_default();
        objects.retain(|other| other["id"] != id);
    }

    /// From now on, so many objects are on a page.
    pub(super) fn set_page_size(&self, objects: usize) {
        self.inner.lock().page_size = objects;
    }

    /// This goes wrong with the next request for the list; after what was said before.
    pub(super) fn next(&self, list: &str, trouble: Trouble) {
        let mut inner = self.inner.lock();
        let troubles = inner.troubles.entry(list.to_owned()).or_default();
        troubles.push_back(trouble);
    }

    /// This goes wrong with every request for the list; `None`: nothing any more.
    pub(super) fn always(&self, list: &str, trouble: Option<Trouble>) {
        let mut inner = self.inner.lock();
        match trouble {
            Some(trouble) => inner.standing.insert(list.to_owned(), trouble),
            None => inner.standing.remove(list),
        };
    }

    pub(super) fn refuse_tokens(&self, answer: Option<(u16, Value)>) {
        self.inner.lock().no_token = answer;
    }

    /// No token that was given is taken any more.
    pub(super) fn revoke_tokens(&self) {
        self.inner.lock().tokens.clear();
    }

    /// From now on, the next page is there.
    pub(super) fn set_next_link(&self, address: Option<&str>) {
        self.inner.lock().next_link = address.map(ToOwned::to_owned);
    }

    /// From now on, this assertion is asked for in place of a secret.
    pub(super) fn expect_assertion(&self, assertion: &str) {
        self.inner.lock().assertion = Some(assertion.to_owned());
    }

    pub(super) fn issued(&self) -> usize {
        self.inner.lock().issued
    }

    pub(super) fn forms(&self) -> Vec<BTreeMap<String, String>> {
        self.inner.lock().forms.clone()
    }

    /// The requests for a list so far.
    pub(super) fn asked(&self, list: &str) -> Vec<Asked> {
        let mut asked = self.inner.lock().asked.clone();
        asked.retain(|one| one.list == list);
        asked
    }

    async fn serve(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes());
        if head.uri.path() == format!("/{TENANT}/oauth2/v2.0/token") {
            let body = body.unwrap_or_default();
            return self.token(&String::from_utf8_lossy(&body));
        }
        let path = head.uri.path();
        let Some(path) = path.strip_prefix("/beta/") else {
            return error(404, "ResourceNotFound");
        };
        let list = path.rsplit('/').next().unwrap().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let authorization = head.headers.get("authorization");
        let authorization = authorization.map_or("", |value| value.to_str().unwrap());
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let trouble = {
            let mut inner = self.inner.lock();
            inner.asked.push(Asked {
                list: list.clone(),
                query: query.clone(),
                headers: head.headers.clone(),
                at: Instant::now(),
            });
            if !inner.tokens.contains(token) {
                return error(401, "InvalidAuthenticationToken");
            }
            let next = inner.troubles.get_mut(&list).and_then(VecDeque::pop_front);
            next.or_else(|| inner.standing.get(&list).cloned())
        };
        match trouble {
            None | Some(Trouble::Pass) => self.page(path, &list, &query),
            Some(Trouble::Slow(time)) => {
                tokio::time::sleep(time).await;
                self.page(path, &list, &query)
            }
            Some(Trouble::Status(status, code)) => error(status, code),
            Some(Trouble::Throttle(seconds)) => {
                let mut answer = error(429, "TooManyRequests");
                answer.headers_mut().insert("retry-after", seconds.into());
                answer
            }
            Some(Trouble::Body(body)) => Response::new(Full::new(body.into())),
        }
    }

    fn page(&self, path: &str, list: &str, query: &str) -> Response<Full<Bytes>> {
        let inner = self.inner.lock();
        let query = parameters(query);
        let mut objects = inner.lists.get(list).cloned().unwrap_or_default();
        if let Some(filter) = query.get("$filter") {
            let (member, since) = filter.split_once(" ge ").expect("a filter that is known");
            // Both are of one form, in which texts compare as times do.
            objects.retain(|object| object[member].as_str().is_some_and(|at| at >= since));
        }
        if let Some(select) = query.get("$select") {
            let members: Vec<_> = select.split(',').collect();
            for object in &mut objects {
                let object = object.as_object_mut().unwrap();
                object.retain(|name, _| members.contains(&name.as_str()));
            }
        }
        let top: usize = query.get("$top").map_or(20, |top| top.parse().unwrap());
        let size = inner.page_size.min(top);
        let begin: usize = query.get("$skiptoken").map_or(0, |at| at.parse().unwrap());
        let end = objects.len().min(begin + size);
        let mut answer = json!({
            "@odata.context": format!("https://graph.microsoft.com/beta/$metadata#{path}"),
            "value": objects[begin.min(end)..end],
        });
        if end < objects.len() {
            let others = query
                .iter()
                .filter(|(name, _)| *name == "$filter" || *name == "$select");
            let filter: String = others
                .map(|(name, value)| format!("&{name}={}", value.replace(' ', "%20")))
                .collect();
            let next = format!(
                "{}/beta/{path}?$top={top}{filter}&$skiptoken={end}",
                self.url
            );
            answer["@odata.nextLink"] = json!(inner.next_link.clone().unwrap_or(next));
        }
        Response::new(Full::new(answer.to_string().into()))
    }

    fn token(&self, form: &str) -> Response<Full<Bytes>> {
        let form = parameters(form);
        let mut inner = self.inner.lock();
        inner.forms.push(form.clone());
        if let Some((status, body)) = &inner.no_token {
            let mut answer = Response::new(Full::new(body.to_string().into()));
            *answer.status_mut() = StatusCode::from_u16(*status).unwrap();
            return answer;
        }
        let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        let proof = match &inner.assertion {
            None => is("client_secret", CLIENT_SECRET),
            Some(assertion) => {
                is("client_assertion", assertion)
                    && is(
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    )
            }
        };
        let scope = format!("{}/.default", self.url);
        let is_fine = proof
            && is("client_id", CLIENT_ID)
            && is("grant_type", "client_credentials")
            && is("scope", &scope);
        if !is_fine {
            let body = json!({"error": "invalid_client", "error_codes": [7_000_215],
                "error_description": "AADSTS7000215: Invalid client secret provided."});
            let mut answer = Response::new(Full::new(body.to_string().into()));
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            return answer;
        }
        inner.issued += 1;
        let token = format!("graph-token-{}", inner.issued);
        inner.tokens.insert(token.clone());
        let body = json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token});
        Response::new(Full::new(body.to_string().into()))
    }
}

/// Graph's answer to what goes wrong.
fn error(status: u16, code: &str) -> Response<Full<Bytes>> {
    let body = json!({"error": {"code": code, "message": "Something is wrong.",
        "innerError": {"date": "2026-10-01T12:00:00", "request-id": "0"}}});
    let mut answer = Response::new(Full::new(body.to_string().into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

/// The parameters of a query or a form.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}
