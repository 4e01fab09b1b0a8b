//! A listener with a handler that receives calls and says what it received, without judging them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use boomgate::call::{
    AuthorizationHeader, Body, CallContext, ConnectionFacts, HostPattern, Moment, NonAgents,
    RequestLimits, Resource, ResourceKind, Resources, TrustedProxies, receive,
};
use boomgate::call::{Received, Refused};
use boomgate::enforcement::{Denial, ResponseSettings, respond};
use boomgate::listener::settings::{Limits, ListenerSettings};
use boomgate::listener::{CallHandler, ListenerHandle, Listeners, Workers, run};
use boomgate::telemetry::Metrics;
use boomgate::types::{AppId, Attributes, CallId, Reason, ResourceName, Timestamp};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, watch};

use super::pki::Pki;

pub(crate) const LIMITS: Limits = Limits {
    max_connections: 1000,
    max_connections_per_client: 1000,
    max_concurrent_handshakes: 1000,
    max_concurrent_calls: 1000,
    handshake_timeout: Duration::from_secs(10),
    header_timeout: Duration::from_secs(10),
    body_timeout: Duration::from_secs(30),
    write_timeout: Duration::from_secs(60),
    idle_timeout: Duration::from_secs(75),
    max_uri_bytes: 2000,
    max_header_bytes: 8000,
    max_headers: 50,
    max_concurrent_streams: 100,
    max_resets: 100,
};

/// The largest body of the one resource.
pub(crate) const MAX_BODY: u64 = 100;

/// A running listener.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) handle: ListenerHandle,
    pub(crate) handler: Arc<Echo>,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    workers: Workers,
}

impl Server {
    /// How long a drain waits for calls under way.
    pub(crate) const DRAIN: Duration = Duration::from_secs(2);

    pub(crate) fn start(pki: &Pki, limits: Limits) -> Self {
        Self::with(&settings(pki, limits), 2)
    }

    pub(crate) fn with(settings: &ListenerSettings, workers: usize) -> Self {
        let metrics = Metrics::new().unwrap();
        let listeners = Listeners::bind(
            std::slice::from_ref(settings),
            workers,
            &metrics,
            &Arc::default(),
        )
        .unwrap();
        let handle = listeners.handles().remove(0);
        let handler = Arc::new(Echo::new(settings.limits.request()));
        let shared = Arc::clone(&handler);
        let (stop, stopped) = watch::channel(false);
        let factory = move |_| Arc::clone(&shared);
        let workers = run(listeners, factory, &stopped, Self::DRAIN).unwrap();
        Self {
            address: handle.address(),
            handle,
            handler,
            metrics,
            stop,
            workers,
        }
    }

    /// Tells the workers to drain.
    pub(crate) fn stop(&self) {
        self.stop.send(true).unwrap();
    }

    /// How many connections were refused or cut for a reason.
    pub(crate) fn refused(&self, reason: &str) -> u64 {
        let series =
            format!("boomgate_connections_refused_total{{listener=\"main\",reason=\"{reason}\"}} ");
        let text = self.metrics.encode();
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap().parse().unwrap()
    }

    /// Waits until they have.
    pub(crate) async fn join(self) {
        let joined = tokio::task::spawn_blocking(|| self.workers.join());
        joined.await.unwrap().unwrap();
    }
}

pub(crate) fn settings(pki: &Pki, limits: Limits) -> ListenerSettings {
    ListenerSettings {
        name: "main".into(),
        address: "127.0.0.1:0".parse().unwrap(),
        reuse_port: false,
        tls: Some(pki.server_tls()),
        proxy_protocol_from: Vec::new(),
        trusted_proxies: TrustedProxies::default(),
        limits,
    }
}

/// Answers with what `receive` makes of a call. A call of `/hr/wait` waits until the test lets it go.
pub(crate) struct Echo {
    resources: Resources,
    limits: RequestLimits,
    pub(crate) gate: Semaphore,
    pub(crate) waiting: AtomicUsize,
}

impl Echo {
    fn new(limits: RequestLimits) -> Self {
        Self {
            resources: resources(),
            limits,
            gate: Semaphore::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits until this many calls of `/hr/wait` have come in.
    pub(crate) async fn until_waiting(&self, calls: usize) {
        while self.waiting.load(Ordering::SeqCst) < calls {
            tokio::task::yield_now().await;
        }
    }
}

impl CallHandler for Echo {
    type Body = Body;

    async fn handle(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> Response<Body> {
        let received = receive(
            request,
            &connection,
            &self.resources,
            &self.limits,
            moment(),
        );
        match received {
            Ok(received) => {
                if received.path() == "/hr/wait" {
                    self.waiting.fetch_add(1, Ordering::SeqCst);
                    self.gate.acquire().await.unwrap().forget();
                }
                described(&received)
            }
            Err(refused) => refusal(refused),
        }
    }

    async fn shed(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> Response<Body> {
        let (head, _) = request.into_parts();
        let context = CallContext::begin(&head, &connection, moment());
        refusal(Refused::new(context, Reason::Overloaded))
    }

    fn is_whole(body: &Body) -> bool {
        body.is_whole()
    }
}

fn refusal(refused: Refused) -> Response<Body> {
    let mut response = respond(&Denial::of(refused), &ResponseSettings::default());
    response
        .headers_mut()
        .insert("x-refused", http::HeaderValue::from_static("here"));
    response
}

/// A received call, line by line.
fn described(received: &Received) -> Response<Body> {
    let context = received.context();
    let mut lines = vec![
        format!("path {}", received.path()),
        format!("query {:?}", received.query()),
        format!("host {:?}", context.host),
        format!("server name {:?}", context.connection.server_name),
        format!("http2 {}", context.connection.http2),
        format!(
            "certificate {}",
            context.connection.client_certificate_sha256.is_some()
        ),
    ];
    for (name, value) in received.headers() {
        lines.push(format!("header {name}: {}", value.to_str().unwrap()));
    }
    Response::new(Body::from(lines.join("\n").into_bytes()))
}

fn moment() -> Moment {
    Moment {
        now: Timestamp::from_seconds(0),
        started: Instant::now(),
        id: CallId::from_uuid(uuid::Uuid::nil()),
        trace_id: [b'1'; 32],
    }
}

fn resources() -> Resources {
    Resources::new(vec![Arc::new(Resource {
        kind: ResourceKind::default(),
        name: ResourceName::parse("hr").unwrap(),
        app_id: AppId::parse("app").unwrap(),
        service_principal_id: None,
        display_name: "HR".into(),
        attributes: Attributes::none(),
        is_agent: false,
        hosts: vec![
            HostPattern::parse("localhost").unwrap(),
            HostPattern::parse("hr.example.com").unwrap(),
        ],
        path_prefixes: vec!["/hr".into()],
        audiences: Arc::new([]),
        non_agents: NonAgents::Block,
        authorization: AuthorizationHeader::Forward,
        assertion_audience: None,
        requires_bound_tokens: false,
        operations: Vec::new(),
        max_body_bytes: MAX_BODY,
        upgrades: Vec::new(),
        trailers: boomgate::call::TrailerNames::default(),
    })])
}
