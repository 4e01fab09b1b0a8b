//! Accepts connections from one socket, does the TLS handshake, and hands each to [`serve`].
//!
//! Nothing that a peer does, or does not do, stops the loop: no error of a connection and no lack of file
//! descriptors. Never here: HTTP.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdTcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use rustls::server::Acceptor;
use rustls::{ServerConfig, ServerConnection};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::door::{ClientPlace, Door};
use super::hello;
use super::parting;
use super::proxied;
use super::serve::{Served, serve};
use super::settings::Limits;
use super::socket::ListenError;
use super::tls::TlsInUse;
use crate::call::ConnectionFacts;
use crate::telemetry::ConnectionTrouble as Trouble;

/// The first and the longest pause after an error that is not of one connection.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the management listener bears: a few people, a few scrapers.
const MANAGEMENT_LIMITS: Limits = Limits {
    max_connections: 256,
    max_connections_per_client: 256,
    max_concurrent_handshakes: 64,
    max_concurrent_calls: 256,
    handshake_timeout: Duration::from_secs(10),
    header_timeout: Duration::from_secs(10),
    body_timeout: Duration::from_secs(30),
    write_timeout: Duration::from_secs(60),
    idle_timeout: Duration::from_secs(75),
    max_uri_bytes: 16 * 1024,
    max_header_bytes: 32 * 1024,
    max_headers: 100,
    max_concurrent_streams: 64,
    max_resets: 100,
};
/// How long a drained management listener waits for the calls under way.
const MANAGEMENT_DRAIN: Duration = Duration::from_secs(5);

/// When to stop, and how long calls under way may go on then.
#[derive(Debug, Clone)]
pub(super) struct Drain {
    pub(super) shutdown: watch::Receiver<bool>,
    pub(super) deadline: Duration,
}

/// Accepts until it is told to stop; then waits for the open connections, up to the deadline.
/// `make` gives each connection its service.
pub(super) async fn accept<M, S, B>(socket: TcpListener, door: Arc<Door>, make: M, drain: Drain)
where
    M: Fn(Arc<ConnectionFacts>) -> Served<S> + Clone + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let most = u32::try_from(door.limits.max_connections).unwrap_or(u32::MAX);
    let places = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(0)));
    let handshakes = Arc::new(Semaphore::new(door.limits.max_concurrent_handshakes));
    let mut pause = FIRST_PAUSE;
    let told = {
        let mut closing = pin!(parting::until_closing(&socket, &door, drain.clone()));
        loop {
            let accepted = tokio::select! {
                biased;
                told = &mut closing => break told,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = FIRST_PAUSE;
                    // Beyond a limit a connection is closed at once: to wait would fill the backlog with it.
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        door.trouble(Trouble::TooMany);
                        continue;
                    };
                    let Some(client_place) = door.admit(peer.ip().to_canonical()) else {
                        door.trouble(Trouble::TooManyOfClient);
                        continue;
                    };
                    tokio::spawn(connect(
                        (stream, peer),
                        (client_place, place),
                        Arc::clone(&door),
                        Arc::clone(&handshakes),
                        make.clone(),
                        drain.clone(),
                    ));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(listener = %door.name, error = %error, "cannot accept connections");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
    };
    drop(socket);
    // Every open connection holds a place.
    let all_closed = places.acquire_many(most);
    let left = drain.deadline.saturating_sub(told.elapsed());
    if tokio::time::timeout(left, all_closed).await.is_err() {
        tracing::warn!(listener = %door.name, "connections were still open at the drain deadline");
    }
}

/// Serves the management plane: TLS, HTTP/1.1 and HTTP/2, the same care as for calls. Every request carries the
/// `Arc<ConnectionFacts>` of its connection as an extension. Returns when `shutdown` says `true` and the calls under
/// way are done.
///
/// # Errors
/// [`ListenError::Adopt`] when the runtime does not take the socket.
pub async fn serve_management<S, B>(
    socket: StdTcpListener,
    tls: Arc<TlsInUse>,
    service: S,
    shutdown: watch::Receiver<bool>,
) -> Result<(), ListenError>
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let door = Door::new("management".into(), MANAGEMENT_LIMITS, Some(tls));
    let door = Arc::new(door);
    let socket = adopt(socket, &door)?;
    let make = move |connection: Arc<ConnectionFacts>| {
        let service = service.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&connection));
            service.clone().oneshot(request)
        });
        Served {
            service,
            has_websockets: false,
        }
    };
    let drain = Drain {
        shutdown,
        deadline: MANAGEMENT_DRAIN,
    };
    accept(socket, door, make, drain).await;
    Ok(())
}

/// Gives a bound socket to the runtime of this thread.
pub(super) fn adopt(socket: StdTcpListener, door: &Door) -> Result<TcpListener, ListenError> {
    socket
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(socket))
        .map_err(|source| ListenError::Adopt {
            name: Arc::clone(&door.name),
            source,
        })
}

/// One connection from its first byte to its last, which holds its places until then.
async fn connect<M, S, B>(
    (mut stream, peer): (TcpStream, SocketAddr),
    _places: (ClientPlace, OwnedSemaphorePermit),
    door: Arc<Door>,
    handshakes: Arc<Semaphore>,
    make: M,
    drain: Drain,
) where
    M: Fn(Arc<ConnectionFacts>) -> Served<S>,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (Ok(local), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else {
        return;
    };
    let (client, _client_place) = match find_client(&mut stream, peer, &door).await {
        Ok(found) => found,
        Err(trouble) => {
            cut(&door, peer, trouble);
            return;
        }
    };
    let mut facts = ConnectionFacts {
        listener: Arc::clone(&door.name),
        limits: door.limits.request(),
        peer,
        client,
        proxies: Arc::clone(&door.proxies),
        local,
        server_name: None,
        tls: false,
        http2: false,
        client_certificate_sha256: None,
        tls_client: None,
    };
    let limits = &door.limits;
    let trouble = if let Some(tls) = &door.tls {
        match shake_hands(stream, tls.config(), &handshakes, limits.handshake_timeout).await {
            Ok((stream, begins)) => {
                note_handshake(&mut facts, stream.get_ref().1, begins);
                let http2 = facts.http2;
                serve(stream, http2, make(Arc::new(facts)), limits, drain).await
            }
            Err(trouble) => Some(trouble),
        }
    } else {
        serve(stream, false, make(Arc::new(facts)), limits, drain).await
    };
    if let Some(trouble) = trouble {
        cut(&door, peer, trouble);
    }
}

/// Whose connection it is, and its place where that is not the peer who was given one.
async fn find_client(
    stream: &mut TcpStream,
    peer: SocketAddr,
    door: &Arc<Door>,
) -> Result<(IpAddr, Option<ClientPlace>), Trouble> {
    let peer = peer.ip().to_canonical();
    if !door.is_balancer(peer) {
        return Ok((peer, None));
    }
    let header = proxied::read_client(stream);
    let client = match tokio::time::timeout(door.limits.handshake_timeout, header).await {
        Ok(Ok(Some(client))) => client.ip().to_canonical(),
        // The balancer's own, as its health checks are.
        Ok(Ok(None)) => return Ok((peer, None)),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "no header of the PROXY protocol");
            return Err(Trouble::BadProxyHeader);
        }
        Err(_elapsed) => return Err(Trouble::BadProxyHeader),
    };
    let place = door.admit(client).ok_or(Trouble::TooManyOfClient)?;
    Ok((client, Some(place)))
}

/// Notes a connection that was cut.
fn cut(door: &Door, peer: SocketAddr, trouble: Trouble) {
    door.trouble(trouble);
    tracing::debug!(listener = %door.name, %peer, reason = trouble.as_str(), "connection cut");
}

/// The TLS handshake. Beyond the limit of them a connection is closed at once: those that dawdle would hold up all.
async fn shake_hands(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    handshakes: &Semaphore,
    timeout: Duration,
) -> Result<(TlsStream<TcpStream>, Arc<str>), Trouble> {
    let _place = handshakes
        .try_acquire()
        .map_err(|_taken| Trouble::TooManyHandshakes)?;
    let shaking = async {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let begins = hello::print(&begun.client_hello());
        let stream = begun.into_stream(tls).await?;
        io::Result::Ok((stream, begins))
    };
    match tokio::time::timeout(timeout, shaking).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            Err(Trouble::HandshakeFailed)
        }
        Err(_elapsed) => Err(Trouble::HandshakeTimeout),
    }
}

/// What the handshake says of the connection.
fn note_handshake(facts: &mut ConnectionFacts, tls: &ServerConnection, begins: Arc<str>) {
    facts.tls = true;
    facts.tls_client = (!facts.proxies.contains(facts.client)).then_some(begins);
    facts.http2 = tls.alpn_protocol() == Some(b"h2");
    facts.server_name = tls
        .server_name()
        .map(|name| name.to_ascii_lowercase().into());
    let certificate = tls.peer_certificates().and_then(<[_]>::first);
    facts.client_certificate_sha256 =
        certificate.and_then(|certificate| digest(&SHA256, certificate).as_ref().try_into().ok());
}

/// Errors that one peer causes, and that say nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
