//! Clients that take more than their share: of connections, of handshakes, of time, of frames.

use std::time::Duration;

use boomgate::listener::settings::Limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::client::{ALL_VERSIONS, Client, PATIENCE, RawClient, connect};
use crate::support::http2_bytes::{PREFACE, block, frame};
use crate::support::pki::Pki;
use crate::support::server::{LIMITS, Server, settings};

const SHORT: Duration = Duration::from_millis(300);

/// Waits until a connection was refused or cut for this reason.
async fn until_refused(server: &Server, reason: &str) {
    let refused = async {
        while server.refused(reason) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, refused).await;
    assert!(waited.is_ok(), "nothing was refused for `{reason}`");
}

#[tokio::test]
async fn a_client_has_only_so_many_connections_over_all_workers() {
    let pki = Pki::new();
    let limits = Limits {
        max_connections_per_client: 2,
        ..LIMITS
    };
    let server = Server::start(&pki, limits);
    let mut first = Client::http1(&pki, server.address).await;
    let second = Client::http2(&pki, server.address).await;
    let client = || pki.client(&["http/1.1"], ALL_VERSIONS, None);
    assert!(
        connect(server.address, client(), "localhost")
            .await
            .is_err()
    );
    until_refused(&server, "too_many_of_client").await;
    assert_eq!(first.get("/hr").await.unwrap().status(), 200);
    // A place is free again once a connection has ended.
    drop(second);
    let admitted = async {
        while connect(server.address, client(), "localhost")
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, admitted).await.unwrap();
}

#[tokio::test]
async fn handshakes_that_dawdle_are_counted_and_end() {
    let pki = Pki::new();
    let limits = Limits {
        max_concurrent_handshakes: 1,
        handshake_timeout: SHORT,
        ..LIMITS
    };
    let server = Server::with(&settings(&pki, limits), 1);
    let silent = TcpStream::connect(server.address).await.unwrap();
    let client = || pki.client(&["http/1.1"], ALL_VERSIONS, None);
    let refused = async {
        while server.refused("too_many_handshakes") == 0 {
            drop(connect(server.address, client(), "localhost").await);
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    until_refused(&server, "handshake_timeout").await;
    drop(silent);
    assert!(connect(server.address, client(), "localhost").await.is_ok());
    let mut no_tls = TcpStream::connect(server.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut no_tls, b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    until_refused(&server, "handshake_failed").await;
}

#[tokio::test]
async fn half_a_head_is_answered_and_silence_is_not() {
    let pki = Pki::new();
    let limits = Limits {
        header_timeout: SHORT,
        ..LIMITS
    };
    let server = Server::start(&pki, limits);
    let mut slow = RawClient::connect(&pki, server.address, "http/1.1").await;
    slow.send(b"GET /hr HTTP/1.1\r\nHost: loc").await.unwrap();
    let answer = String::from_utf8(slow.read_to_close().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    // Behind a call too: the next head has its time from its first byte.
    let mut second = RawClient::connect(&pki, server.address, "http/1.1").await;
    let two = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    second.send(two).await.unwrap();
    assert_eq!(second.status().await, 404);
    second.send(b"GET").await.unwrap();
    let rest = String::from_utf8(second.read_to_close().await).unwrap();
    assert!(rest.contains("HTTP/1.1 408 "), "{rest}");

    assert_eq!(server.refused("head_timeout"), 0);
    let mut silent = RawClient::connect(&pki, server.address, "http/1.1").await;
    assert_eq!(silent.read_to_close().await, b"");
    until_refused(&server, "head_timeout").await;
}

#[tokio::test]
async fn who_sends_on_after_a_refusal_still_reads_it() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
    let mut bytes = b"GET /hr HTTP/1.1\nHost: localhost\r\n\r\n".to_vec();
    bytes.resize(500_000, b'x');
    let (mut reading, mut writing) = tokio::io::split(&mut client.0);
    let writing = async {
        drop(tokio::io::AsyncWriteExt::write_all(&mut writing, &bytes).await);
    };
    let reading = async {
        let mut answer = Vec::new();
        let read = reading.read_to_end(&mut answer);
        drop(tokio::time::timeout(PATIENCE, read).await.unwrap());
        answer
    };
    let ((), answer) = tokio::join!(writing, reading);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("\"code\":\"request_malformed\""),
        "{answer}"
    );
}

/// hyper has a limit of its own, 100, which is none of a listener's.
#[tokio::test]
async fn as_many_headers_as_the_limit_are_taken_and_one_more_is_refused_by_us() {
    let pki = Pki::new();
    for max_headers in [50, 100, 101, 250] {
        let limits = Limits {
            max_headers,
            ..LIMITS
        };
        let server = Server::start(&pki, limits);
        let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
        let head = |headers: usize| {
            let others = "x: 1\r\n".repeat(headers - 1);
            format!("GET /hr HTTP/1.1\r\nHost: localhost\r\n{others}\r\n")
        };
        client.send(head(max_headers).as_bytes()).await.unwrap();
        assert_eq!(client.status().await, 200, "{max_headers}");
        client.send(head(max_headers + 1).as_bytes()).await.unwrap();
        let rest = String::from_utf8(client.read_to_close().await).unwrap();
        assert!(rest.contains("HTTP/1.1 431 "), "{rest}");
        assert!(rest.contains("\"code\":\"headers_too_large\""), "{rest}");
    }
}

/// One frame that opens a call, and one that gives it up.
fn call(stream: u32) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/hr/wait"),
    ];
    frame(1, 5, stream, &block(&fields))
}

fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8_u32.to_be_bytes())
}

#[tokio::test]
async fn calls_that_are_given_up_one_by_one_end_the_connection() {
    let pki = Pki::new();
    let limits = Limits {
        max_resets: 10,
        ..LIMITS
    };
    let server = Server::with(&settings(&pki, limits), 1);
    let mut client = RawClient::connect(&pki, server.address, "h2").await;
    client.send(PREFACE).await.unwrap();
    client.send(&frame(4, 0, 0, &[])).await.unwrap();
    let mut given_up = 0;
    // Each is under way when it is given up, so the library's own limit does not see it.
    while server.refused("too_many_resets") == 0 {
        let stream = given_up * 2 + 1;
        if client
            .send(&call(u32::try_from(stream).unwrap()))
            .await
            .is_err()
        {
            until_refused(&server, "too_many_resets").await;
            break;
        }
        let waiting = server.handler.until_waiting(given_up + 1);
        if tokio::time::timeout(SHORT, waiting).await.is_err() {
            until_refused(&server, "too_many_resets").await;
            break;
        }
        drop(client.send(&reset(u32::try_from(stream).unwrap())).await);
        given_up += 1;
        assert!(given_up < 50, "{given_up} calls were given up");
    }
    assert!(given_up >= 10, "only {given_up}");
}

#[tokio::test]
async fn a_flood_ends_its_connection_and_nobody_elses() {
    let pki = Pki::new();
    let server = Server::with(&settings(&pki, LIMITS), 1);
    let mut bystander = Client::http2(&pki, server.address).await;
    assert_eq!(bystander.get("/hr").await.unwrap().status(), 200);
    let ping = frame(6, 0, 0, b"12345678");
    let mut flooders = Vec::new();
    for _ in 0..4 {
        let mut client = RawClient::connect(&pki, server.address, "h2").await;
        let flood = [PREFACE, &frame(4, 0, 0, &[]), &ping.repeat(100_000)].concat();
        flooders.push(tokio::spawn(async move {
            drop(client.send(&flood).await);
            client.read_to_close().await.len()
        }));
    }
    until_refused(&server, "frame_flood").await;
    assert_eq!(bystander.get("/hr").await.unwrap().status(), 200);
    for flooder in flooders {
        let answered = flooder.await.unwrap();
        assert!(answered < 200_000, "{answered} bytes of answers to pings");
    }
    assert_eq!(server.refused("frame_flood"), 4);
}
