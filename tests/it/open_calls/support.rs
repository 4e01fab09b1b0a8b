//! An upstream whose calls stay open for as long as the test wants, and clients that hold them open.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::client::{ALL_VERSIONS, PATIENCE, connect};
use crate::support::pki::Pki;
use crate::support::site::{Setup, Site};

/// Waits until a condition holds; a test that waits in vain has failed.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE * 3, waiting).await;
    assert!(came.is_ok(), "waited in vain until {what}");
}

/// A body whose frames the test sends one by one. It ends when its sender is dropped.
pub(super) struct Fed {
    frames: UnboundedReceiver<Frame<Bytes>>,
    length: Option<u64>,
    gone: Arc<AtomicBool>,
}

impl Fed {
    /// A body of `length` bytes, if that is known, and what feeds it.
    pub(super) fn new(length: Option<u64>) -> (Self, Feeder) {
        let (sender, frames) = unbounded_channel();
        let gone = Arc::new(AtomicBool::new(false));
        let feeder = Feeder {
            frames: Mutex::new(Some(sender)),
            gone: Arc::clone(&gone),
        };
        let fed = Self {
            frames,
            length,
            gone,
        };
        (fed, feeder)
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}

impl Body for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.frames.poll_recv(context).map(|frame| frame.map(Ok))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length.map_or_else(
            http_body::SizeHint::default,
            http_body::SizeHint::with_exact,
        )
    }
}

/// Feeds a body.
pub(super) struct Feeder {
    frames: Mutex<Option<UnboundedSender<Frame<Bytes>>>>,
    gone: Arc<AtomicBool>,
}

impl Feeder {
    pub(super) fn send(&self, bytes: impl Into<Bytes>) {
        let frames = self.frames.lock();
        // Whoever should have read it may have gone.
        let _gone = frames.as_ref().unwrap().send(Frame::data(bytes.into()));
    }

    /// Ends the body, and leaves nothing out.
    pub(super) fn end(&self) {
        self.frames.lock().take();
    }

    /// Whether nobody reads the body any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

/// One call that reached the upstream.
pub(super) struct Held {
    pub(super) agent: String,
    pub(super) answer: Feeder,
    pub(super) received: AtomicUsize,
    /// How the caller's body ended: well, or broken off.
    pub(super) upload: Mutex<Option<bool>>,
}

/// An upstream that holds its calls open.
pub(super) struct Holder {
    pub(super) address: SocketAddr,
    calls: Arc<Mutex<Vec<Arc<Held>>>>,
}

impl Holder {
    pub(super) async fn start(http2: bool) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let calls: Arc<Mutex<Vec<Arc<Held>>>> = Arc::default();
        let noted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let noted = Arc::clone(&noted);
                let service = service_fn(move |request| hold(request, Arc::clone(&noted)));
                let io = TokioIo::new(stream);
                tokio::spawn(async move {
                    // A gateway that leaves is what the tests look for.
                    let _ended = if http2 {
                        let mut builder =
                            hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        builder.max_concurrent_streams(None);
                        builder.serve_connection(io, service).await
                    } else {
                        let builder = hyper::server::conn::http1::Builder::new();
                        builder.serve_connection(io, service).await
                    };
                });
            }
        });
        Self { address, calls }
    }

    /// The one call of an agent, once it is here.
    pub(super) async fn call_of(&self, agent: &str) -> Arc<Held> {
        let find = || {
            let calls = self.calls.lock();
            let mut of_agent = calls.iter().filter(|call| call.agent == agent);
            let call = of_agent.next_back().cloned();
            assert!(of_agent.next().is_none(), "several calls of {agent}");
            call
        };
        until("the call is here", || find().is_some()).await;
        find().unwrap()
    }

    pub(super) fn calls(&self) -> Vec<Arc<Held>> {
        self.calls.lock().clone()
    }

    /// A gateway in front of this upstream; `setup` says what else there is.
    pub(super) async fn site(&self, http2: bool, setup: Setup) -> Site {
        let upstream = self.upstream(http2);
        Site::start(Setup { upstream, ..setup }).await
    }

    /// What the configuration says of this upstream.
    pub(super) fn upstream(&self, http2: bool) -> Vec<String> {
        let protocol = if http2 { "http2" } else { "http1" };
        vec![
            format!("url: http://{}", self.address),
            format!("protocol: {protocol}"),
        ]
    }
}

/// Holds one call open, by its path.
async fn hold(
    request: Request<Incoming>,
    calls: Arc<Mutex<Vec<Arc<Held>>>>,
) -> Result<Response<Fed>, Infallible> {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let length = path.ends_with("/download").then_some(1_000_000);
    let (fed, answer) = Fed::new(length);
    let agent = head.headers["boomgate-agent-id"].to_str().unwrap();
    if path.ends_with("/quick") {
        answer.send("quick");
        answer.end();
        return Ok(Response::new(fed));
    }
    let held = Arc::new(Held {
        agent: agent.to_owned(),
        answer,
        received: AtomicUsize::default(),
        upload: Mutex::default(),
    });
    calls.lock().push(Arc::clone(&held));
    let reading = {
        let held = Arc::clone(&held);
        async move {
            let mut well = true;
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => {
                        let length = frame.data_ref().map_or(0, Bytes::len);
                        held.received.fetch_add(length, Ordering::SeqCst);
                    }
                    Err(_broken) => {
                        well = false;
                        break;
                    }
                }
            }
            *held.upload.lock() = Some(well);
        }
    };
    if path.ends_with("/upload") {
        tokio::spawn(reading).await.unwrap();
        held.answer.send("done");
        held.answer.end();
    } else if path.ends_with("/silent") {
        tokio::spawn(reading);
        std::future::pending::<()>().await;
    } else {
        tokio::spawn(reading);
    }
    let mut response = Response::new(fed);
    let content_type = match path.as_str() {
        "/hr/grpc" => "application/grpc",
        "/hr/events" => "text/event-stream",
        _ => "application/octet-stream",
    };
    let headers = response.headers_mut();
    headers.insert("content-type", content_type.parse().unwrap());
    Ok(response)
}

/// A client of the gateway whose bodies are fed.
pub(super) enum Caller {
    Http1(http1::SendRequest<Fed>),
    Http2(http2::SendRequest<Fed>),
}

impl Caller {
    pub(super) async fn connect(site: &Site, http2: bool) -> Self {
        Self::connect_to(&site.pki, site.address(), http2).await
    }

    pub(super) async fn connect_to(pki: &Pki, address: SocketAddr, http2: bool) -> Self {
        let alpn = if http2 { "h2" } else { "http/1.1" };
        let config = pki.client(&[alpn], ALL_VERSIONS, None);
        let stream = connect(address, config, "localhost").await.unwrap();
        let io = TokioIo::new(stream);
        if http2 {
            let handshake = http2::handshake(TokioExecutor::new(), io);
            let (sender, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            Self::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Self::Http1(sender)
        }
    }

    /// Sends a call of an agent; gives its answer's head.
    pub(super) async fn send(
        &mut self,
        request: http::request::Builder,
        path: &str,
        token: &str,
        body: Fed,
    ) -> hyper::Result<Response<Incoming>> {
        let request = request.header("authorization", format!("Bearer {token}"));
        let sending = async {
            match self {
                Self::Http1(sender) => {
                    let request = request.uri(path).header("host", "localhost");
                    sender.ready().await?;
                    sender.send_request(request.body(body).unwrap()).await
                }
                Self::Http2(sender) => {
                    let request = request.uri(format!("https://localhost{path}"));
                    sender.ready().await?;
                    sender.send_request(request.body(body).unwrap()).await
                }
            }
        };
        tokio::time::timeout(PATIENCE * 3, sending)
            .await
            .expect("the server should have answered")
    }

    /// Gets a path.
    pub(super) async fn get(
        &mut self,
        path: &str,
        token: &str,
    ) -> hyper::Result<Response<Incoming>> {
        let (none, feeder) = Fed::new(Some(0));
        feeder.end();
        self.send(Request::get("/"), path, token, none).await
    }

    /// Whether the connection is closed.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }
}

/// The next bytes of an answer; they must come.
pub(super) async fn next(response: &mut Response<Incoming>) -> Bytes {
    let frame = tokio::time::timeout(PATIENCE * 3, response.body_mut().frame()).await;
    let frame = frame.expect("the piece should have come").unwrap();
    frame.unwrap().into_data().unwrap()
}

/// Reads an answer to its end, which must come: `Ok` for a clean one, with its trailers.
pub(super) async fn end(mut response: Response<Incoming>) -> hyper::Result<Option<HeaderMap>> {
    let reading = async {
        let mut trailers = None;
        while let Some(frame) = response.body_mut().frame().await {
            trailers = frame?.into_trailers().ok().or(trailers);
        }
        Ok(trailers)
    };
    tokio::time::timeout(PATIENCE * 3, reading)
        .await
        .expect("the answer should have ended")
}
