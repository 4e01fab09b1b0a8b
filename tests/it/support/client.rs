//! Clients of a TLS listener: HTTP/1.1, HTTP/2, and bytes as they are.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::pki::Pki;

/// Longer than anything that is expected to happen; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const ALL_VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Connects with a configuration of the test's own.
pub(crate) async fn connect(
    address: SocketAddr,
    config: ClientConfig,
    server_name: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(server_name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// A connection that carries bytes.
pub(crate) struct RawClient(pub(crate) TlsStream<TcpStream>);

impl RawClient {
    pub(crate) async fn connect(pki: &Pki, address: SocketAddr, alpn: &str) -> Self {
        let config = pki.client(&[alpn], ALL_VERSIONS, None);
        Self(connect(address, config, "localhost").await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    /// Reads until the server closes, cleanly or not.
    pub(crate) async fn read_to_close(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = async {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = self.0.read(&mut buffer).await {
                bytes.extend_from_slice(&buffer[..read]);
            }
        };
        let closed = tokio::time::timeout(PATIENCE, read).await;
        closed.expect("the server should have closed the connection");
        bytes
    }

    /// Gets what is not there, and reads the answer to its end.
    pub(crate) async fn get_and_close(&mut self) -> u16 {
        let request = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        self.send(request).await.unwrap();
        status_of(&self.read_to_close().await)
    }

    /// Reads the head of one response and gives its status; 0 when the server closes without one.
    pub(crate) async fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                match self.0.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_closed) => break,
                }
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the server should have answered");
        status_of(&head)
    }
}

/// The status of a response that begins these bytes; 0 without one.
pub(crate) fn status_of(bytes: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(bytes);
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    status.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A connection that carries HTTP.
pub(crate) enum Client {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    pub(crate) async fn http1(pki: &Pki, address: SocketAddr) -> Self {
        let config = pki.client(&["http/1.1"], ALL_VERSIONS, None);
        Self::over(connect(address, config, "localhost").await.unwrap()).await
    }

    /// One to a server that may be gone.
    pub(crate) async fn try_http1(pki: &Pki, address: SocketAddr) -> io::Result<Self> {
        let config = pki.client(&["http/1.1"], ALL_VERSIONS, None);
        Ok(Self::over(connect(address, config, "localhost").await?).await)
    }

    pub(crate) async fn http2(pki: &Pki, address: SocketAddr) -> Self {
        let config = pki.client(&["h2"], ALL_VERSIONS, None);
        Self::over(connect(address, config, "localhost").await.unwrap()).await
    }

    /// Speaks what ALPN said.
    pub(crate) async fn over(stream: TlsStream<TcpStream>) -> Self {
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        if is_http2 {
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

    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        let sending = async {
            match self {
                Self::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Self::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
            }
        };
        tokio::time::timeout(PATIENCE, sending)
            .await
            .expect("the server should have answered")
    }

    /// Gets a target of `https://localhost`.
    pub(crate) async fn get(&mut self, target: &str) -> hyper::Result<Response<Incoming>> {
        let request = match self {
            Self::Http1(_) => Request::get(target).header("host", "localhost"),
            Self::Http2(_) => Request::get(format!("https://localhost{target}")),
        };
        self.send(request.body(Full::default()).unwrap()).await
    }
}

/// A whole body as text.
pub(crate) async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
