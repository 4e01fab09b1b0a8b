//! An API behind the gateway: real sockets, TLS or not, and a memory of every call that reached it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::pki::Pair;

/// One call that reached the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Path and query, byte for byte.
    pub(crate) target: String,
    /// `:authority` of HTTP/2.
    pub(crate) authority: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Call {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "`{name}` came twice");
        value.to_str().ok()
    }
}

/// An upstream that answers every call with its body.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Upstream {
    /// Without TLS, over HTTP/1.1.
    pub(crate) async fn plain() -> Self {
        Self::start(None, false).await
    }

    /// With TLS, over the version that ALPN names.
    pub(crate) async fn tls(pair: Pair, alpn: &str) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.certificate], pair.key)
            .unwrap();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        Self::start(Some(TlsAcceptor::from(Arc::new(config))), alpn == "h2").await
    }

    async fn start(tls: Option<TlsAcceptor>, is_http2: bool) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (tls, noted) = (tls.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, is_http2, noted).await;
                            }
                        }
                        None => serve(stream, is_http2, noted).await,
                    }
                });
            }
        });
        Self { address, calls }
    }

    /// The same upstream, for whoever outlives its owner.
    pub(crate) fn handle(&self) -> Self {
        Self {
            address: self.address,
            calls: Arc::clone(&self.calls),
        }
    }

    /// The calls that arrived, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().clone()
    }

    /// The one call that arrived.
    pub(crate) fn only_call(&self) -> Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }
}

async fn serve<I>(io: I, is_http2: bool, calls: Arc<Mutex<Vec<Call>>>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let calls = Arc::clone(&calls);
        async move { answer(request, &calls).await }
    });
    let io = TokioIo::new(io);
    // A client that leaves is no fault of the upstream.
    let _ended = if is_http2 {
        let builder = http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(io, service).await
    } else {
        http1::Builder::new().serve_connection(io, service).await
    };
}

/// Notes a call that is there to its end, and answers it.
async fn answer(
    request: Request<Incoming>,
    calls: &Mutex<Vec<Call>>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned();
    let body = body.to_bytes();
    calls.lock().push(Call {
        method: head.method.to_string(),
        target: head.uri.path_and_query().unwrap().to_string(),
        authority: head.uri.authority().map(ToString::to_string),
        headers: head.headers,
        body: body.clone(),
        trailers,
    });
    let response = Response::builder()
        .header("boomgate-decision-id", "forged")
        .header("alt-svc", "h3=\":443\"")
        .header("x-upstream", "yes")
        .body(Full::new(body));
    Ok(response.unwrap())
}
