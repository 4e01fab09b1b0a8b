//! The upstream of every contender: answers as fast as it can, on one thread.
//!
//! `GET /bytes/N` gives N bytes, everything else two; what is uploaded is read to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Fallible, tls};

/// The largest body that is asked for.
const LARGEST: usize = 1024 * 1024;

pub(crate) fn run(address: SocketAddr, folder: &Path) -> Fallible<()> {
    let acceptor = TlsAcceptor::from(tls::server(folder, &[b"http/1.1"])?);
    let filler = Bytes::from(vec![b'x'; LARGEST]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(tls::listen(address)?)?;
        println!("listening");
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (acceptor, filler) = (acceptor.clone(), filler.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(move |request| answer(request, filler.clone()));
                // A proxy that is stopped leaves its connections broken.
                drop(
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await,
                );
            });
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    filler: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let size = request
        .uri()
        .path()
        .strip_prefix("/bytes/")
        .and_then(|size| size.parse::<usize>().ok())
        .filter(|size| *size <= LARGEST);
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let bytes = size.map_or(Bytes::from_static(b"ok"), |size| filler.slice(..size));
    Ok(Response::new(Full::new(bytes)))
}
