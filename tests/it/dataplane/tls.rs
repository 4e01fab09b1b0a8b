//! Certificates: both TLS versions, client certificates, reload while connections are open, the management listener.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use boomgate::call::ConnectionFacts;
use boomgate::listener::settings::{ClientCertificates, ListenerSettings};
use boomgate::listener::{TlsInUse, load, serve_management};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    server
        .handle
        .use_tls(load(&renewed, &Arc::default()).unwrap());
    let second = presented().await;
    assert_ne!(second, first);
    assert_eq!(open.get("/hr").await.unwrap().status(), 200);

    std::fs::write(pki.path("server.key"), "not a key").unwrap();
    assert!(load(&renewed, &Arc::default()).is_err());
    assert_eq!(presented().await, second);
}

#[tokio::test]
async fn the_management_plane_has_the_same_front() {
    let pki = Pki::new();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let tls = Arc::new(TlsInUse::new(
        load(&pki.server_tls(), &Arc::default()).unwrap(),
    ));
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

/// A ClientHello (RFC 5246 §7.4.1.2) that offers one version and these suites, with the groups and signatures of all.
fn client_hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let list = |items: &[u16]| -> Vec<u8> {
        let bytes: Vec<u8> = items.iter().flat_map(|item| item.to_be_bytes()).collect();
        with_length(&bytes)
    };
    let mut extensions = Vec::new();
    for (kind, content) in [
        (10_u16, list(&[0x1d, 0x17, 0x18])),
        (11, vec![1, 0]),
        (13, list(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0201, 0x0203])),
    ] {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(with_length(&content));
    }
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(list(suites));
    body.extend([1, 0]);
    body.extend(with_length(&extensions));
    let mut handshake = vec![1, 0];
    handshake.extend(with_length(&body));
    let mut record = vec![22, 3, 1];
    record.extend(with_length(&handshake));
    record
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length, bytes].concat()
}

/// The first record that a server answers with: its type, and its first bytes.
async fn first_record(address: SocketAddr, hello: &[u8]) -> Option<(u8, Vec<u8>)> {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(hello).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.ok()?;
    let mut content = vec![0; usize::from(head[4]).min(2)];
    stream.read_exact(&mut content).await.ok()?;
    Some((head[0], content))
}

#[tokio::test]
async fn only_suites_with_forward_secrecy_and_authenticated_encryption_are_spoken() {
    const HANDSHAKE: u8 = 22;
    const ALERT: u8 = 21;
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    // ECDHE-ECDSA with AES-GCM and ChaCha20: what the hello is good for at all.
    for suite in [0xc02b, 0xc02c, 0xcca9] {
        let answer = first_record(server.address, &client_hello(0x0303, &[suite])).await;
        assert_eq!(answer.unwrap().0, HANDSHAKE, "{suite:04x}");
    }
    // No forward secrecy; CBC; 3DES; RC4; NULL; anonymous; export; DHE.
    for suite in [
        0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024,
        0xc027, 0x000a, 0xc012, 0x0005, 0xc011, 0x0001, 0x0002, 0x003b, 0xc018, 0x0034, 0x0003,
        0x0008, 0x009e, 0x0033, 0xccaa,
    ] {
        let answer = first_record(server.address, &client_hello(0x0303, &[suite])).await;
        assert!(
            matches!(&answer, Some((ALERT, alert)) if alert[0] == 2),
            "{suite:04x}: {answer:?}"
        );
    }
    // SSL 3.0, TLS 1.0 and 1.1, with suites that those versions had.
    for version in [0x0300, 0x0301, 0x0302] {
        let hello = client_hello(version, &[0xc009, 0xc013, 0x002f, 0x000a]);
        let answer = first_record(server.address, &hello).await;
        assert!(
            matches!(&answer, Some((ALERT, alert)) if alert[0] == 2),
            "{version:04x}: {answer:?}"
        );
    }
}

/// Calls once, so that a ticket has come, and says whether the session was a resumed one.
async fn is_resumed(address: SocketAddr, config: &Arc<rustls::ClientConfig>) -> bool {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
    let stream = connector.connect(name, stream).await.unwrap();
    let kind = stream.get_ref().1.handshake_kind();
    assert_eq!(RawClient(stream).get_and_close().await, 404);
    kind == Some(rustls::HandshakeKind::Resumed)
}

#[tokio::test]
async fn sessions_resume_by_ticket_and_no_ticket_outlives_what_its_session_was_made_with() {
    let pki = Pki::new();
    let settings = settings(&pki, LIMITS);
    let server = Server::with(&settings, 1);
    for version in [&TLS13, &TLS12] {
        let config = Arc::new(pki.client(&["http/1.1"], &[version], None));
        assert!(!is_resumed(server.address, &config).await, "{version:?}");
        assert!(is_resumed(server.address, &config).await, "{version:?}");
        let reload = || {
            let loaded = load(settings.tls.as_ref().unwrap(), &Arc::default());
            server.handle.use_tls(loaded.unwrap());
        };
        reload();
        assert!(is_resumed(server.address, &config).await, "{version:?}");
        pki.server_tls();
        reload();
        assert!(!is_resumed(server.address, &config).await, "{version:?}");
    }
}
