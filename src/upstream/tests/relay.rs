//! A relay without a gate: receives calls and sends them on, with the rooms' own code. And upstreams to send them to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::call::{
    AuthorizationHeader, Body, ConnectionFacts, HostPattern, Moment, NonAgents, RequestLimits,
    Resource, ResourceKind, Resources, receive,
};
use crate::enforcement::{Denial, ResponseSettings, respond};
use crate::identity::{Agent, Caller};
use crate::telemetry::{EndpointState, Metrics, UpstreamEvent};
use crate::types::{AgentId, AppId, Attributes, CallId, ResourceName, Timestamp};
use crate::upstream::settings::UpstreamSettings;
use crate::upstream::{Outbound, Passport, UpstreamTable, Upstreams, prepare, send};

pub(super) const MAX_BODY: usize = 1000;
const LIMITS: RequestLimits = RequestLimits {
    max_uri_bytes: 1000,
    max_header_bytes: 10_000,
    max_headers: 50,
    body_timeout: Duration::from_secs(30),
};

type CallBody = BoxBody<Bytes, Infallible>;

pub(super) fn settings(port: u16) -> UpstreamSettings {
    UpstreamSettings {
        response_timeout: Duration::from_secs(5),
        max_idle: 4,
        ..UpstreamSettings::at("127.0.0.1", port)
    }
}

pub(super) fn get(target: &str) -> Request<CallBody> {
    let body = http_body_util::Empty::new().boxed();
    let request = Request::get(target).header("host", "localhost");
    request.body(body).unwrap()
}

pub(super) fn post(target: &str, body: &str) -> Request<CallBody> {
    let body = Full::new(Bytes::from(body.to_owned())).boxed();
    let request = Request::post(target).header("host", "localhost");
    request.body(body).unwrap()
}

/// A body of unknown length, piece by piece.
pub(super) fn pieces() -> (mpsc::Sender<Bytes>, CallBody) {
    let (sender, receiver) = mpsc::channel(4);
    (sender, Pieces(receiver).boxed())
}

struct Pieces(mpsc::Receiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = std::task::ready!(self.0.poll_recv(context));
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// An upstream, and how many connections it got.
pub(super) struct Upstream {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn accept(serve: impl Fn(TcpStream) + Send + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                serve(stream);
            }
        });
        Self { port, connections }
    }
}

pub(super) async fn upstream_http1<H, F, B>(handler: H) -> Upstream
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    Upstream::accept(move |stream| {
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let response = handler(request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    })
    .await
}

pub(super) async fn upstream_http2<H, F, B>(handler: H, max_streams: u32) -> Upstream
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    Upstream::accept(move |stream| {
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let response = handler(request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(max_streams)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    })
    .await
}

/// An upstream that speaks bytes.
pub(super) struct Scripted {
    pub(super) port: u16,
    seen: Seen,
}

/// What a scripted upstream read.
pub(super) type Seen = Arc<Mutex<Vec<String>>>;

impl Scripted {
    pub(super) async fn start<H, F>(script: H) -> Self
    where
        H: Fn(TcpStream, Seen) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let seen = Seen::default();
        let noted = Arc::clone(&seen);
        let upstream = Upstream::accept(move |stream| {
            tokio::spawn(script(stream, Arc::clone(&noted)));
        })
        .await;
        Self {
            port: upstream.port,
            seen,
        }
    }

    /// How many of the things read hold this text.
    pub(super) fn count(&self, text: &str) -> usize {
        let seen = self.seen.lock();
        seen.iter().filter(|read| read.contains(text)).count()
    }
}

/// Receives calls on plaintext HTTP/1.1 and sends them to one upstream.
pub(super) struct Relay {
    port: u16,
    table: Arc<ArcSwap<UpstreamTable>>,
    metrics: Arc<Metrics>,
}

impl Relay {
    pub(super) async fn start(upstream: UpstreamSettings) -> Self {
        let metrics = Metrics::new().unwrap();
        let first = table(upstream, &metrics, &UpstreamTable::default());
        let table = Arc::new(ArcSwap::from_pointee(first));
        let upstreams = Arc::new(Upstreams::default());
        let current = Arc::clone(&table);
        let relaying = move |request: Request<Incoming>| {
            let (upstreams, table) = (Arc::clone(&upstreams), current.load_full());
            async move { relay(&upstreams, &table, request).await }
        };
        let Upstream { port, .. } = upstream_http1(relaying).await;
        Self {
            port,
            table,
            metrics,
        }
    }

    pub(super) fn reload(&self, upstream: UpstreamSettings) {
        let next = table(upstream, &self.metrics, &self.table.load());
        self.table.store(Arc::new(next));
    }

    /// Looks names up and asks endpoints whether they are well, as a running gateway does.
    pub(super) fn follow(&self) {
        self.table.load().follow();
    }

    pub(super) fn upstream(&self) -> Arc<crate::upstream::table::Upstream> {
        Arc::clone(self.table.load().upstream(&name()).unwrap())
    }

    /// How many endpoints are in a state.
    pub(super) fn endpoints(&self, state: EndpointState) -> u64 {
        let table = self.table.load();
        let mut census = table.census();
        census.find(|(_, known, _)| *known == state).unwrap().2
    }

    /// How often something happened beside the calls.
    pub(super) fn events(&self, event: UpstreamEvent) -> u64 {
        let event = event.as_str();
        let series =
            format!("boomgate_upstream_events_total{{event=\"{event}\",resource=\"hr\"}} ");
        let text = self.metrics.encode();
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap().parse().unwrap()
    }

    pub(super) async fn call(&self, request: Request<CallBody>) -> Response<Incoming> {
        let stream = self.connect().await;
        let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }

    /// Sends bytes and reads until the relay closes.
    pub(super) async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// Sends a head, and its body once it is asked for. Returns what came after the interim response.
    pub(super) async fn raw_expecting_continue(&self, head: &str, body: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
}

fn name() -> ResourceName {
    ResourceName::parse("hr").unwrap()
}

fn table(upstream: UpstreamSettings, metrics: &Metrics, previous: &UpstreamTable) -> UpstreamTable {
    UpstreamTable::load(
        &[(name(), upstream)].into(),
        metrics,
        &Arc::default(),
        previous,
    )
    .unwrap()
}

async fn relay(
    upstreams: &Upstreams,
    table: &UpstreamTable,
    request: Request<Incoming>,
) -> Response<Body> {
    let address = "127.0.0.1:8443".parse().unwrap();
    let connection = Arc::new(ConnectionFacts {
        limits: LIMITS,
        listener: "main".into(),
        peer: address,
        client: address.ip(),
        proxies: Arc::default(),
        local: address,
        server_name: None,
        tls: false,
        http2: false,
        client_certificate_sha256: None,
        tls_client: None,
    });
    let at = Moment {
        now: Timestamp::from_seconds(0),
        started: Instant::now(),
        id: CallId::from_uuid(uuid::Uuid::nil()),
        trace_id: [b'1'; 32],
    };
    let answer = |context, reason| {
        let denial = Denial::after_permit(context, reason);
        respond(&denial, &ResponseSettings::default())
    };
    let received = match receive(request, &connection, &resources(), &LIMITS, at) {
        Ok(received) => received,
        Err(refused) => return answer(*refused.context, refused.reason),
    };
    let caller = Caller::Autonomous(Agent {
        id: AgentId::parse("agent-1").unwrap(),
        blueprint: None,
        entry: None,
        blueprint_entry: None,
    });
    let passport = Passport::new(&caller, AuthorizationHeader::Forward);
    let (context, outbound) = Outbound::of(received, None);
    let lane = upstreams.lane(&name(), table);
    let sent = match prepare(lane, passport, &context, outbound) {
        Ok(prepared) => send(prepared, context.version).await,
        Err(reason) => Err(reason),
    };
    sent.unwrap_or_else(|reason| answer(context, reason))
}

fn resources() -> Resources {
    Resources::new(vec![Arc::new(Resource {
        kind: ResourceKind::default(),
        name: name(),
        app_id: AppId::parse("app").unwrap(),
        service_principal_id: None,
        display_name: "HR".into(),
        attributes: Attributes::none(),
        is_agent: false,
        hosts: vec![HostPattern::Any],
        path_prefixes: vec!["/hr".into()],
        audiences: Arc::new([]),
        non_agents: NonAgents::Block,
        authorization: AuthorizationHeader::Forward,
        assertion_audience: None,
        requires_bound_tokens: false,
        operations: Vec::new(),
        max_body_bytes: u64::try_from(MAX_BODY).unwrap(),
        upgrades: Vec::new(),
        trailers: crate::call::TrailerNames::default(),
    })])
}
