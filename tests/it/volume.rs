//! Bodies larger than memory pass in both directions, as fast as the slower side takes them, and memory stays where it was.
//! 256 MiB each way with every test; 10 GiB each way, twice, with `BOOMGATE_TESTS_LONG`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::support::client::{ALL_VERSIONS, connect};
use crate::support::gateway::Gateway;
use crate::support::process::memory_kib;
use crate::support::site::{AGENT, Ground, Setup};

const MIB: u64 = 1 << 20;
const PIECE: usize = 64 << 10;

/// What the process may take more than before.
const ALLOWED_MIB: u64 = 64;

type Sent = BoxBody<Bytes, Infallible>;

fn size() -> u64 {
    let is_long = std::env::var_os("BOOMGATE_TESTS_LONG").is_some();
    if is_long { 10_240 * MIB } else { 256 * MIB }
}

/// So many bytes, made as they are asked for.
struct Pieces {
    piece: Bytes,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.piece.len().min(usize::try_from(self.left).unwrap());
        self.left -= u64::try_from(next).unwrap();
        let data = self.piece.slice(..next);
        Poll::Ready((next > 0).then(|| Ok(Frame::data(data))))
    }
}

fn bytes_of(size: u64) -> Sent {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    Pieces { piece, left: size }.boxed()
}

/// Reads a body to its end, and gives its length.
async fn length(mut body: Incoming) -> u64 {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        length += u64::try_from(data.len()).unwrap();
    }
    length
}

/// Sends so many bytes to who gets, and counts those of who posts.
async fn upstream() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let service = service_fn(async |request: Request<Incoming>| {
                let body = if request.method() == http::Method::GET {
                    bytes_of(size())
                } else {
                    Full::from(length(request.into_body()).await.to_string()).boxed()
                };
                Ok::<_, Infallible>(Response::new(body))
            });
            tokio::spawn(server::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn call(
    ground: &Ground,
    gateway: &Gateway,
    alpn: &str,
    request: http::request::Builder,
    body: Sent,
) -> Response<Incoming> {
    let config = ground.pki.client(&[alpn], ALL_VERSIONS, None);
    let stream = connect(gateway.public, config, "localhost").await.unwrap();
    let bearer = format!("Bearer {}", ground.agent_token(AGENT));
    let request = request.header("authorization", bearer);
    let response = if alpn == "h2" {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender.send_request(request.body(body).unwrap()).await
    } else {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = request.header("host", "localhost").body(body).unwrap();
        sender.send_request(request).await
    };
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response
}

/// Resident memory of a process, in MiB.
fn resident(process: u32) -> u64 {
    memory_kib(process, "VmRSS") / 1024
}

/// Watches a process from now on; the most that it took.
fn watch(process: u32) -> Arc<AtomicU64> {
    let most = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&most);
    tokio::spawn(async move {
        loop {
            noted.fetch_max(resident(process), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    most
}

#[tokio::test]
async fn bodies_larger_than_memory_pass_both_ways_and_take_none_of_it() {
    let ground = Ground::lay(&Setup {
        upstream: vec![format!("url: http://{}", upstream().await)],
        resource: vec!["max_body_size: 11GiB"],
        ..Setup::default()
    })
    .await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let process = gateway.process.id();
    let url = |alpn| {
        if alpn == "h2" {
            "https://localhost/hr/big"
        } else {
            "/hr/big"
        }
    };
    let before = resident(process);
    let most = watch(process);
    for alpn in ["http/1.1", "h2"] {
        let down = call(
            &ground,
            &gateway,
            alpn,
            Request::get(url(alpn)),
            Full::default().boxed(),
        )
        .await;
        assert_eq!(length(down.into_body()).await, size());
        let up = call(
            &ground,
            &gateway,
            alpn,
            Request::post(url(alpn)),
            bytes_of(size()),
        )
        .await;
        let counted = up.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(counted, size().to_string());
    }
    let most = most.load(Ordering::Relaxed);
    println!(
        "{} MiB each way, twice: {before} MiB before, {most} at most",
        size() / MIB
    );
    assert!(
        most < before + ALLOWED_MIB,
        "{before} MiB before, {most} at most"
    );
}

/// The caller reads nothing for a while: the gateway takes no more of the upstream's than fits its buffers.
#[tokio::test]
async fn a_caller_who_does_not_read_holds_the_upstream_back() {
    let ground = Ground::lay(&Setup {
        upstream: vec![format!("url: http://{}", upstream().await)],
        ..Setup::default()
    })
    .await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let process = gateway.process.id();
    let before = resident(process);
    for alpn in ["http/1.1", "h2"] {
        let url = if alpn == "h2" {
            "https://localhost/hr/big"
        } else {
            "/hr/big"
        };
        let response = call(
            &ground,
            &gateway,
            alpn,
            Request::get(url),
            Full::default().boxed(),
        )
        .await;
        // Long enough for all of it to come over loopback, were it taken.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let waiting = resident(process);
        assert!(
            waiting < before + ALLOWED_MIB,
            "{before} MiB before, {waiting} while nobody reads"
        );
        assert_eq!(length(response.into_body()).await, size());
    }
}
