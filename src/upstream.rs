//! Room 6: forwards a call to its resource, and takes nothing but a [`Permit`] for it.
//!
//! What was judged is what is sent: method, path and query come out of the permit as they are, the headers as
//! `headers` rewrites them, the body as it streams. Never here: a verdict, and a second reading of the target.

mod connect;
mod exchange;
mod headers;
mod pool;
pub mod settings;
mod table;
mod upload;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use parking_lot::Mutex;

use crate::assertion::Signer;
use crate::call::{Body, CallContext};
use crate::enforcement::open_calls::Side;
use crate::enforcement::{OpenCall, Permit};
use crate::types::{Reason, ResourceName};

use exchange::exchange;
use headers::Passport;
use pool::Pool;
use settings::UpstreamProtocol;
use table::Endpoint;
use upload::{Progress, Upload};

pub use table::{UpstreamError, UpstreamTable};

/// One worker's way to the upstreams. Its connections live on when the table is replaced, where the settings of
/// their upstream are the same.
#[derive(Debug, Default)]
pub struct Upstreams {
    pools: Mutex<HashMap<ResourceName, Arc<Pool>>>,
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
    /// `None` where nobody could cut it.
    call: Option<Arc<OpenCall>>,
}

impl Upstreams {
    /// Forwards the one call of a permit, by the table that it was judged with, until it is cut.
    /// Returns with the head of the answer; its body streams.
    pub async fn forward(
        &self,
        permit: Permit,
        call: &Arc<OpenCall>,
        table: &UpstreamTable,
        signer: Option<&Signer>,
    ) -> Forwarded {
        let resource = permit.received().resource().name.clone();
        let passport = Passport::of(&permit, signer);
        let (context, method, path, query, headers, body) = permit.spend().into_http();
        let outbound = Outbound {
            method,
            path,
            query,
            headers,
            body,
            call: Some(Arc::clone(call)),
        };
        let pool = self.pool(&resource, table);
        let result = match passport {
            Ok(passport) => until_cut(call, send(pool, passport, &context, outbound)).await,
            // FAIL-CLOSED: an upstream that is owed a proof of the decision gets no call without one.
            Err(fault) => {
                tracing::error!(%fault, "a call is not forwarded");
                Err(Reason::UpstreamFailed)
            }
        };
        Forwarded { context, result }
    }

    /// The connections to a resource's upstream; new ones where its settings have changed.
    fn pool(&self, resource: &ResourceName, table: &UpstreamTable) -> Option<Arc<Pool>> {
        let endpoint = table.endpoint(resource)?;
        let mut pools = self.pools.lock();
        if let Some(pool) = pools.get(resource)
            && (Arc::ptr_eq(&pool.endpoint, endpoint) || pool.endpoint == *endpoint)
        {
            return Some(Arc::clone(pool));
        }
        let pool = Pool::new(Arc::clone(endpoint));
        pools.insert(resource.clone(), Arc::clone(&pool));
        Some(pool)
    }
}

/// Waits for the answer of a call as long as nobody cuts it. One that is cut before it begins is not sent at all.
async fn until_cut<T>(
    call: &OpenCall,
    sending: impl Future<Output = Result<T, Reason>>,
) -> Result<T, Reason> {
    let mut sending = pin!(sending);
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

/// Sends a call, and cleans the head of its answer.
async fn send(
    pool: Option<Arc<Pool>>,
    passport: Passport,
    context: &CallContext,
    mut outbound: Outbound,
) -> Result<Response<Body>, Reason> {
    // FAIL-CLOSED: a resource without an upstream is not reachable.
    let pool = pool.ok_or(Reason::UpstreamUnreachable)?;
    headers::rewrite(&mut outbound.headers, passport, context, &pool.endpoint);
    let request = outbound
        .into_request(&pool.endpoint, context.connection.limits.body_timeout)
        .ok_or(Reason::UpstreamFailed)?;
    let mut response = exchange(&pool, request).await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::debug!(%error, cause, "forwarding failed");
        error.reason()
    })?;
    // No upgrade was asked for; whatever follows the head is not HTTP.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Reason::UpstreamFailed);
    }
    headers::clean_response(response.headers_mut());
    Ok(response)
}

impl Outbound {
    /// The request as hyper sends it: origin-form and `Host` in HTTP/1.1, `:authority` in HTTP/2.
    fn into_request(self, endpoint: &Endpoint, body_timeout: Duration) -> Option<Request<Upload>> {
        let Self {
            method,
            path,
            query,
            mut headers,
            body,
            call,
        } = self;
        let target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_string(),
        };
        let (version, uri) = match endpoint.settings.protocol {
            UpstreamProtocol::Http1 => (Version::HTTP_11, target.parse().ok()?),
            UpstreamProtocol::Http2 => {
                let authority = headers.remove(HOST)?;
                let scheme = if endpoint.tls.is_some() {
                    "https"
                } else {
                    "http"
                };
                let uri = Uri::builder()
                    .scheme(scheme)
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
