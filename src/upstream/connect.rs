//! Opens one connection to an upstream: TCP, TLS where asked for, the HTTP version that the settings say.
//!
//! Never here: falling back to another version, to plaintext, or to a certificate that does not verify.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::member::Member;
use super::settings::UpstreamProtocol;
use super::table::Upstream;
use super::upload::Upload;
use crate::types::Reason;

/// HTTP/2: how often a connection with streams is asked whether it lives, and how long the answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// HTTP/2 flow control of responses.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("cannot reach the upstream")]
    Tcp(#[source] io::Error),
    #[error("TLS with the upstream failed")]
    Tls(#[source] io::Error),
    #[error("the upstream does not speak HTTP/2")]
    Protocol,
    #[error("the upstream does not speak HTTP")]
    Http(#[source] hyper::Error),
    #[error("the connection took too long")]
    Elapsed,
    #[error("the upstream has no address")]
    NoEndpoint,
    #[error("the upstream has as many calls as it may have")]
    Full,
}

impl ConnectError {
    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::Tcp(_) | Self::Elapsed | Self::NoEndpoint => Reason::UpstreamUnreachable,
            Self::Full => Reason::UpstreamOverloaded,
            Self::Tls(_) | Self::Protocol | Self::Http(_) => Reason::UpstreamFailed,
        }
    }
}

/// The sending side of a connection.
#[derive(Debug)]
pub(super) enum Sender {
    Http1(http1::SendRequest<Upload>),
    Http2(http2::SendRequest<Upload>, Arc<Streams>),
}

/// The streams of an HTTP/2 connection. Every one of them holds a clone, and so does the pool.
pub(super) struct Streams {
    limit: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Streams {
    /// How many the peer allows at a time, by its latest SETTINGS (RFC 9113 §5.1.2).
    pub(super) fn limit(&self) -> usize {
        (self.limit)()
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Streams").field(&self.limit()).finish()
    }
}

/// Opens a connection to an endpoint. The caller bounds the time.
pub(super) async fn connect(upstream: &Upstream, member: &Member) -> Result<Sender, ConnectError> {
    let stream = TcpStream::connect(member.address)
        .await
        .map_err(ConnectError::Tcp)?;
    stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
    let protocol = upstream.settings.protocol;
    let names = upstream.names_of(member.origin);
    let server = names.and_then(|names| names.server.as_ref());
    let Some(tls) = &upstream.tls else {
        return handshake(stream, protocol).await;
    };
    // FAIL-CLOSED: without a name to hold the certificate against there is no TLS, and nothing else either.
    let server = server.ok_or(ConnectError::NoEndpoint)?;
    let stream = TlsConnector::from(Arc::clone(&tls.config))
        .connect(server.clone(), stream)
        .await
        .map_err(ConnectError::Tls)?;
    let negotiated = stream.get_ref().1.alpn_protocol();
    if protocol == UpstreamProtocol::Http2 && negotiated != Some(b"h2") {
        return Err(ConnectError::Protocol);
    }
    handshake(stream, protocol).await
}

async fn handshake<I>(io: I, protocol: UpstreamProtocol) -> Result<Sender, ConnectError>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(io);
    match protocol {
        UpstreamProtocol::Http1 => {
            let (sender, connection) = http1::handshake(io).await.map_err(ConnectError::Http)?;
            tokio::spawn(run(connection.with_upgrades()));
            Ok(Sender::Http1(sender))
        }
        UpstreamProtocol::Http2 => {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING_INTERVAL)
                .keep_alive_timeout(PING_TIMEOUT)
                .initial_stream_window_size(STREAM_WINDOW_BYTES)
                .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
                .handshake(io)
                .await
                .map_err(ConnectError::Http)?;
            // The driver alone knows the peer's stream limit, so the pool looks at it too.
            let driver = Arc::new(Mutex::new(connection));
            let seen = Arc::clone(&driver);
            let streams = Arc::new(Streams {
                limit: Box::new(move || seen.lock().current_max_send_streams()),
            });
            tokio::spawn(run(poll_fn(move |context| {
                Pin::new(&mut *driver.lock()).poll(context)
            })));
            Ok(Sender::Http2(sender, streams))
        }
    }
}

/// Drives a connection to its end. What it fails with reaches the call through its sender.
async fn run(connection: impl Future<Output = hyper::Result<()>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "upstream connection ended early");
    }
}
