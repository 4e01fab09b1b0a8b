//! The floor: a reverse proxy on hyper and rustls that checks nothing, counts nothing and writes nothing.
//!
//! Where it is asked to, it checks the signature of each call's token, and nothing else: what a check costs in a proxy.
//! One current-thread runtime per worker with its own socket and its own idle upstream connections; nothing is shared.
//! What a proxy on these libraries costs more than this one is what it does.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::{Either, Empty};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::keys::Keys;
use crate::{Fallible, tls};

type Idle = Rc<RefCell<Vec<SendRequest<Incoming>>>>;
type Answer = Response<Either<Returning, Empty<Bytes>>>;

pub(crate) fn run(
    address: SocketAddr,
    upstream: SocketAddr,
    folder: &Path,
    workers: usize,
    checks: bool,
) -> Fallible<()> {
    let keys = checks.then(|| Keys::of(folder)).transpose()?.map(Arc::new);
    let acceptor = TlsAcceptor::from(tls::server(folder, &[b"h2", b"http/1.1"])?);
    let connector = TlsConnector::from(tls::client(folder)?);
    let mut threads = Vec::new();
    for _ in 0..workers {
        let socket = tls::listen(address)?;
        let (acceptor, connector, keys) = (acceptor.clone(), connector.clone(), keys.clone());
        threads.push(std::thread::spawn(move || -> Fallible<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let worker = Rc::new(Worker {
                upstream,
                connector,
                keys,
                idle: Idle::default(),
            });
            LocalSet::new().block_on(&runtime, accept(socket, acceptor, worker))
        }));
    }
    println!("listening");
    for thread in threads {
        thread.join().map_err(|_panic| "a worker panicked")??;
    }
    Ok(())
}

async fn accept(
    socket: std::net::TcpListener,
    acceptor: TlsAcceptor,
    worker: Rc<Worker>,
) -> Fallible<()> {
    let socket = TcpListener::from_std(socket)?;
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, worker) = (acceptor.clone(), Rc::clone(&worker));
        spawn_local(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let io = TokioIo::new(stream);
            let service = service_fn(move |request| {
                let worker = Rc::clone(&worker);
                async move { Ok::<_, Infallible>(worker.answer(request).await) }
            });
            // What ends a connection early is the load generator's business.
            if is_http2 {
                drop(
                    http2::Builder::new(OnThisThread)
                        .serve_connection(io, service)
                        .await,
                );
            } else {
                drop(http1::Builder::new().serve_connection(io, service).await);
            }
        });
    }
}

#[derive(Clone, Copy)]
struct OnThisThread;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for OnThisThread {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

struct Worker {
    upstream: SocketAddr,
    connector: TlsConnector,
    /// With what tokens are checked, if they are.
    keys: Option<Arc<Keys>>,
    idle: Idle,
}

impl Worker {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let admits = |keys: &Arc<Keys>| keys.admit(request.headers());
        if !self.keys.as_ref().is_none_or(admits) {
            return empty(StatusCode::UNAUTHORIZED);
        }
        match self.forward(request).await {
            Ok(response) => response.map(Either::Left),
            Err(_) => empty(StatusCode::BAD_GATEWAY),
        }
    }

    async fn forward(&self, mut request: Request<Incoming>) -> Fallible<Response<Returning>> {
        if request.version() == Version::HTTP_2 {
            let authority = request.uri().authority().ok_or("no authority")?;
            let host = HeaderValue::from_str(authority.as_str())?;
            request.headers_mut().insert(HOST, host);
            let target = request.uri().path_and_query().cloned().ok_or("no path")?;
            *request.uri_mut() = Uri::from(target);
            *request.version_mut() = Version::HTTP_11;
        }
        request.headers_mut().remove(CONNECTION);
        let kept = self.idle.borrow_mut().pop();
        let mut sender = match kept {
            Some(sender) if sender.is_ready() => sender,
            _ => self.connect().await?,
        };
        let mut response = sender.send_request(request).await?;
        response.headers_mut().remove(CONNECTION);
        let idle = Rc::clone(&self.idle);
        Ok(response.map(|body| Returning {
            body,
            sender: Some(sender),
            idle,
        }))
    }

    async fn connect(&self) -> Fallible<SendRequest<Incoming>> {
        let stream = TcpStream::connect(self.upstream).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = self.connector.connect(name, stream).await?;
        let (sender, connection) = client::handshake(TokioIo::new(stream)).await?;
        spawn_local(async move { drop(connection.await) });
        Ok(sender)
    }
}

fn empty(status: StatusCode) -> Answer {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response
}

/// An upstream's body, which gives its connection back when it was read.
struct Returning {
    body: Incoming,
    sender: Option<SendRequest<Incoming>>,
    idle: Idle,
}

impl Body for Returning {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(mut sender) = self.sender.take() else {
            return;
        };
        if sender.is_ready() {
            self.idle.borrow_mut().push(sender);
            return;
        }
        let idle = Rc::clone(&self.idle);
        spawn_local(async move {
            if sender.ready().await.is_ok() {
                idle.borrow_mut().push(sender);
            }
        });
    }
}
