//! Room 6: forwards a call to its resource, and takes nothing but a [`Permit`] for it.
//!
//! What was judged is what is sent: method, path and query come out of the permit as they are, the headers as
//! `headers` rewrites them, the body as it streams. Never here: a verdict, and a second reading of the target.

mod balance;
mod check;
mod connect;
mod dns;
mod exchange;
mod headers;
mod lane;
mod live;
mod member;
mod open;
mod pins;
mod pool;
mod resolve;
pub mod settings;
mod spare;
mod table;
mod tls;
mod upload;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{HOST, TRANSFER_ENCODING};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use http_body::Body as _;
use parking_lot::Mutex;

use crate::assertion::Signer;
use crate::call::{Body, CallContext, Received};
use crate::enforcement::open_calls::Side;
use crate::enforcement::{OpenCall, Permit};
use crate::types::{Reason, ResourceName};

use exchange::{ExchangeError, exchange};
use headers::Passport;
use lane::Lane;
use member::Member;
use settings::UpstreamProtocol;
use table::Upstream;
use upload::{Progress, Upload};

pub use table::{UpstreamError, UpstreamTable};

/// One worker's way to the upstreams. Its connections live on when the table is replaced, where the new one has taken
/// the upstream from the one before.
#[derive(Debug, Default)]
pub struct Upstreams {
    lanes: Mutex<HashMap<ResourceName, Arc<Lane>>>,
}

/// What came of a call that was permitted.
#[derive(Debug)]
#[must_use]
pub struct Forwarded {
    /// What is known of the call, for its outcome or its denial.
    pub context: CallContext,
    /// The upstream's answer, or why there is none: a reason of the upstream, of the caller's body, or the one that the
    /// call was cut for.
    pub result: Result<Response<Body>, Reason>,
}

/// A call that is ready to be sent.
#[derive(Debug)]
struct Outbound {
    method: Method,
    path: Arc<str>,
    query: Option<Arc<str>>,
    headers: HeaderMap,
    body: Body,
    is_for_socket: bool,
    /// `None` where nobody could cut it.
    call: Option<Arc<OpenCall>>,
}

impl Upstreams {
    /// Forwards the one call of a permit, by the table that it was judged with, until it is cut.
    /// Returns with the head of the answer; its body streams.
    ///
    /// All that needs no waiting is done here and now: what a future is handed stays in it for as long as it lives, and
    /// this one is a part of every call.
    pub fn forward(
        &self,
        permit: Permit,
        call: &Arc<OpenCall>,
        table: &UpstreamTable,
        signer: Option<&Signer>,
    ) -> impl Future<Output = Forwarded> + use<> {
        let resource = permit.received().resource().name.clone();
        let passport = Passport::of(&permit, signer);
        let (context, outbound) = Outbound::of(permit.spend(), Some(Arc::clone(call)));
        let lane = self.lane(&resource, table);
        let prepared = match passport {
            Ok(passport) => prepare(lane, passport, &context, outbound),
            // FAIL-CLOSED: an upstream that is owed a proof of the decision gets no call without one.
            Err(fault) => {
                tracing::error!(%fault, "a call is not forwarded");
                Err(Reason::UpstreamFailed)
            }
        };
        let call = Arc::clone(call);
        async move {
            let result = match prepared {
                Ok(prepared) => {
                    let sending = pin!(send(prepared, context.version));
                    until_cut(&call, sending).await
                }
                Err(reason) => Err(reason),
            };
            Forwarded { context, result }
        }
    }

    /// The way to a resource's upstream; a new one where that has changed.
    fn lane(&self, resource: &ResourceName, table: &UpstreamTable) -> Option<Arc<Lane>> {
        let upstream = table.upstream(resource)?;
        let mut lanes = self.lanes.lock();
        if let Some(lane) = lanes.get(resource)
            && Arc::ptr_eq(&lane.upstream, upstream)
        {
            return Some(Arc::clone(lane));
        }
        let lane = Lane::new(resource.clone(), Arc::clone(upstream));
        lanes.insert(resource.clone(), Arc::clone(&lane));
        Some(lane)
    }
}

/// Waits for the answer of a call as long as nobody cuts it. One that is cut before it begins is not sent at all.
async fn until_cut<T>(
    call: &OpenCall,
    mut sending: Pin<&mut impl Future<Output = Result<T, Reason>>>,
) -> Result<T, Reason> {
    poll_fn(|context| {
        if !call.is_cut()
            && let Poll::Ready(answer) = sending.as_mut().poll(context)
        {
            return Poll::Ready(answer);
        }
        std::task::ready!(call.poll_cut(Side::Caller, context));
        // FAIL-CLOSED: whatever it was cut for.
        Poll::Ready(Err(call.cut_reason().unwrap_or(Reason::FactsUnavailable)))
    })
    .await
}

/// The request that a call becomes, and where it goes.
struct Prepared {
    lane: Arc<Lane>,
    request: Box<Request<Upload>>,
    /// What an answer must say that agrees to a WebSocket, where one was asked for.
    accept: Option<String>,
    /// The fields that may stand behind the body of its answer.
    trailers: Arc<[HeaderName]>,
}

/// Makes the request that a call becomes.
fn prepare(
    lane: Option<Arc<Lane>>,
    passport: Passport,
    context: &CallContext,
    mut outbound: Outbound,
) -> Result<Prepared, Reason> {
    // FAIL-CLOSED: a resource without an upstream is not reachable.
    let lane = lane.ok_or(Reason::UpstreamUnreachable)?;
    headers::rewrite(&mut outbound.headers, passport, context, &lane.upstream);
    let accept = outbound
        .is_for_socket
        .then(|| headers::ask_for_socket(&mut outbound.headers).ok_or(Reason::UpstreamFailed))
        .transpose()?;
    let request = outbound
        .into_request(&lane.upstream, context.connection.limits.body_timeout)
        .ok_or(Reason::UpstreamFailed)?;
    let resource = context.resource.as_ref();
    let trailers = resource.map(|resource| Arc::clone(&resource.trailers.responses));
    Ok(Prepared {
        lane,
        request: Box::new(request),
        accept,
        trailers: trailers.unwrap_or_default(),
    })
}

/// Sends a call that came in this version of HTTP, and cleans the head of its answer.
async fn send(prepared: Prepared, version: Version) -> Result<Response<Body>, Reason> {
    let Prepared {
        lane,
        request,
        accept,
        trailers,
    } = prepared;
    let limits = open::limits(&lane.upstream, &request);
    let mut exchanging = pin!(exchange(&lane, request));
    let mut response = match open::until(limits.until, exchanging.as_mut()).await {
        Ok(response) => response,
        Err(ExchangeError::Unavailable(response)) => *response,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::debug!(%error, cause, "forwarding failed");
            return Err(error.reason());
        }
    };
    let is_switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let agrees = |accept| headers::agrees_to_socket(response.headers(), accept);
    match (is_switched, &accept) {
        (true, Some(accept)) if agrees(accept) => {
            headers::clean_response(response.headers_mut());
            headers::agree_to_socket(response.headers_mut());
        }
        // It was not asked for; whatever follows the head is not HTTP.
        (true, _) => return Err(Reason::UpstreamFailed),
        // To a CONNECT it would say that there is a WebSocket (RFC 8441 §5).
        (false, Some(_)) if version == Version::HTTP_2 && response.status().is_success() => {
            return Err(Reason::UpstreamFailed);
        }
        (false, _) => headers::clean_response(response.headers_mut()),
    }
    Ok(response.map(|body| body.within(limits).with_trailers(trailers)))
}

impl Upstream {
    /// Its URLs' scheme.
    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Addresses a request to an endpoint by that endpoint's own name.
    fn address(&self, request: &mut Request<Upload>, member: &Member) {
        let Some(names) = self.names_of(member.origin) else {
            return;
        };
        match self.settings.protocol {
            UpstreamProtocol::Http1 => {
                request.headers_mut().insert(HOST, names.authority.clone());
            }
            UpstreamProtocol::Http2 => {
                let mut parts = std::mem::take(request.uri_mut()).into_parts();
                parts.authority = names.authority.to_str().ok().and_then(|a| a.parse().ok());
                *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
            }
        }
    }
}

impl Outbound {
    /// Takes a call apart: what is known of it, and what is sent.
    fn of(received: Received, call: Option<Arc<OpenCall>>) -> (CallContext, Self) {
        let parts = received.into_parts();
        let outbound = Self {
            method: parts.method,
            path: parts.path,
            query: parts.query,
            headers: parts.headers,
            body: parts.body,
            is_for_socket: parts.is_for_socket,
            call,
        };
        (parts.context, outbound)
    }

    /// The request as hyper sends it: origin-form and `Host` in HTTP/1.1, `:authority` in HTTP/2.
    fn into_request(self, upstream: &Upstream, body_timeout: Duration) -> Option<Request<Upload>> {
        let Self {
            method,
            path,
            query,
            mut headers,
            body,
            is_for_socket: _,
            call,
        } = self;
        let target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_string(),
        };
        let (version, uri) = match upstream.settings.protocol {
            UpstreamProtocol::Http1 => (Version::HTTP_11, Uri::try_from(target).ok()?),
            UpstreamProtocol::Http2 => {
                let authority = headers.remove(HOST)?;
                let uri = Uri::builder()
                    .scheme(upstream.scheme())
                    .authority(authority.as_bytes())
                    .path_and_query(target);
                (Version::HTTP_2, uri.build().ok()?)
            }
        };
        // hyper takes a GET or HEAD of unknown length for one without a body, unless it is told.
        let is_of_unknown_length = !body.is_end_stream() && body.size_hint().exact().is_none();
        if is_of_unknown_length && version == Version::HTTP_11 {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let progress = Progress::new();
        let upload = Upload::new(body, progress, body_timeout);
        let mut request = Request::new(upload.of(call));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = version;
        *request.headers_mut() = headers;
        Some(request)
    }
}

#[cfg(test)]
mod tests;
