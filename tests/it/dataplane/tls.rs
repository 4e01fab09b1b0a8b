//! Certificates: both TLS versions, client certificates, reload while connections are open, the management listener.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use boomgate::call::ConnectionFacts;
use boomgate::listener::settings::{ClientCertificates, ListenerSettings};
use boomgate::listener::{load, serve_management};
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

use crate::support::client::{ALL_VERSIONS, Client, RawClient, connect, text};
use crate::support::pki::Pki;
use crate::support::server::{LIMITS, Server, settings};

#[tokio::test]
async fn speaks_tls_1_2_only_where_it_is_allowed() {
    let pki = Pki::new();
    for allow_tls12 in [true, false] {
        let mut settings = settings(&pki, LIMITS);
        settings.tls.as_mut().unwrap().allow_tls12 = allow_tls12;
        let server = Server::with(&settings, 1);
        let old = pki.client(&["http/1.1"], &[&TLS12], None);
        let spoken = connect(server.address, old, "localhost").await.is_ok();
        assert_eq!(spoken, allow_tls12);
        let new = pki.client(&["http/1.1"], &[&TLS13], None);
        assert!(connect(server.address, new, "localhost").await.is_ok());
    }
}

fn with_client_certificates(pki: &Pki, rule: ClientCertificates) -> ListenerSettings {
    let mut settings = settings(pki, LIMITS);
    settings.tls.as_mut().unwrap().client_certificates = rule;
    settings
}

/// What a call sees of a client with this certificate; `None` when it gets no answer.
async fn called_with(pki: &Pki, address: SocketAddr, issuer: Option<&Pki>) -> Option<String> {
    let identity = issuer.map(|issuer| issuer.pair(&["agent"]));
    let config = pki.client(&["http/1.1"], ALL_VERSIONS, identity);
    let stream = connect(address, config, "localhost").await.ok()?;
    let mut client = RawClient(stream);
    let request = b"GET /hr HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.send(request).await.ok()?;
    let mut answer = String::new();
    client.0.read_to_string(&mut answer).await.ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(answer)
}

#[tokio::test]
async fn a_required_certificate_must_lead_to_the_bundle() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let rule = ClientCertificates::Required(pki.path("ca.pem"));
    let server = Server::with(&with_client_certificates(&pki, rule), 1);
    assert_eq!(called_with(&pki, server.address, None).await, None);
    assert_eq!(
        called_with(&pki, server.address, Some(&foreign)).await,
        None
    );
    let seen = called_with(&pki, server.address, Some(&pki)).await.unwrap();
    assert!(seen.contains("certificate true"), "{seen}");
}

#[tokio::test]
async fn an_optional_certificate_may_be_missing_but_not_wrong() {
    let (pki, foreign) = (Pki::new(), Pki::new());
    let rule = ClientCertificates::Optional(pki.path("ca.pem"));
    let server = Server::with(&with_client_certificates(&pki, rule), 1);
    let seen = called_with(&pki, server.address, None).await.unwrap();
    assert!(seen.contains("certificate false"), "{seen}");
    assert_eq!(
        called_with(&pki, server.address, Some(&foreign)).await,
        None
    );
    let seen = called_with(&pki, server.address, Some(&pki)).await.unwrap();
    assert!(seen.contains("certificate true"), "{seen}");
}

#[tokio::test]
async fn a_reload_changes_new_connections_only_and_a_bad_file_changes_nothing() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let presented = async || {
        let config = pki.client(&["http/1.1"], ALL_VERSIONS, None);
        let stream = connect(server.address, config, "localhost").await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let mut open = Client::http1(&pki, server.address).await;
    let first = presented().await;
    let renewed = pki.server_tls();
    assert_eq!(presented().await, first, "nobody reloaded yet");
    server.handle.use_tls(load(&renewed).unwrap());
    let second = presented().await;
    assert_ne!(second, first);
    assert_eq!(open.get("/hr").await.unwrap().status(), 200);

    std::fs::write(&renewed.key_file, "not a key").unwrap();
    assert!(load(&renewed).is_err());
    assert_eq!(presented().await, second);
}

#[tokio::test]
async fn the_management_plane_has_the_same_front() {
    let pki = Pki::new();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let tls = Arc::new(ArcSwap::new(load(&pki.server_tls()).unwrap()));
    let (stop, stopped) = watch::channel(false);
    let router = tower::service_fn(|request: http::Request<hyper::body::Incoming>| async move {
        let facts = request.extensions().get::<Arc<ConnectionFacts>>().unwrap();
        let text = format!("{} {}", facts.listener, facts.http2);
        let body = http_body_util::Full::new(bytes::Bytes::from(text));
        Ok::<_, Infallible>(http::Response::new(body))
    });
    let served = tokio::spawn(serve_management(socket, tls, router, stopped));
    let mut http1 = Client::http1(&pki, address).await;
    assert_eq!(
        text(http1.get("/").await.unwrap()).await,
        "management false"
    );
    let mut http2 = Client::http2(&pki, address).await;
    assert_eq!(text(http2.get("/").await.unwrap()).await, "management true");
    stop.send(true).unwrap();
    served.await.unwrap().unwrap();
}
