//! An upstream that restarts as a well-kept server does: it takes no more connections, ends what is under way, closes, and
//! listens again where it did.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Sleep;

/// The time between two events of a stream.
const BEAT: Duration = Duration::from_millis(200);

type Answer = Response<BoxBody<Bytes, Infallible>>;

pub(super) struct Restarting {
    pub(super) address: SocketAddr,
    running: Mutex<Option<Running>>,
    /// Numbers the answers, so that no two are the same.
    answers: Arc<AtomicU64>,
}

struct Running {
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl Restarting {
    pub(super) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let answers = Arc::default();
        let running = Mutex::new(Some(Running::on(socket, &answers)));
        Self {
            address,
            running,
            answers,
        }
    }

    pub(super) async fn restart(&self) {
        let running = self.running.lock().take().unwrap();
        running.stop.send(true).unwrap();
        running.server.await.unwrap();
        let socket = TcpListener::bind(self.address).await.unwrap();
        *self.running.lock() = Some(Running::on(socket, &self.answers));
    }
}

impl Running {
    fn on(socket: TcpListener, answers: &Arc<AtomicU64>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(socket, stopped, Arc::clone(answers)));
        Self { stop, server }
    }
}

async fn serve(socket: TcpListener, mut stopped: watch::Receiver<bool>, answers: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    let of_connection = stopped.clone();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                let (stream, _) = accepted.unwrap();
                connections.spawn(serve_connection(stream, of_connection.clone(), Arc::clone(&answers)));
            }
            Some(_ended) = connections.join_next() => {}
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
    }
    drop(socket);
    connections.join_all().await;
}

async fn serve_connection(
    stream: TcpStream,
    mut stopped: watch::Receiver<bool>,
    answers: Arc<AtomicU64>,
) {
    let service = service_fn(move |request| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answer(request, &answers).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A gateway that leaves is no fault of the upstream.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// Reads the call to its end, and answers it: with a stream of events without end, or at once.
async fn answer(request: Request<Incoming>, answers: &AtomicU64) -> Answer {
    let is_stream = request.uri().path().ends_with("/events");
    let Ok(_body) = request.into_body().collect().await else {
        return Response::new(Full::default().boxed());
    };
    if is_stream {
        let events = Events {
            next: Box::pin(tokio::time::sleep(BEAT)),
        };
        let response = Response::builder().header("content-type", "text/event-stream");
        return response.body(events.boxed()).unwrap();
    }
    let n = answers.fetch_add(1, Ordering::Relaxed);
    Response::new(Full::from(format!("{n}{}", *FILLING)).boxed())
}

/// Events of a stream, one at each beat.
struct Events {
    next: Pin<Box<Sleep>>,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.next.as_mut().poll(context));
        self.next.set(tokio::time::sleep(BEAT));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"data: beat\n\n")))))
    }
}

/// What makes an answer as long as those of an API are.
static FILLING: LazyLock<String> = LazyLock::new(|| ".".repeat(900));
