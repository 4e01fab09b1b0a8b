//! Limits in number and time, the version that ALPN said, shedding and drain.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boomgate::listener::settings::Limits;
use boomgate::listener::{ListenError, Listeners};
use boomgate::telemetry::Metrics;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{ALL_VERSIONS, Client, PATIENCE, RawClient, connect, text};
use crate::support::http2_bytes::{Answer, PREFACE, request_under};
use crate::support::pki::Pki;
use crate::support::server::{LIMITS, Server, settings};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn speaks_both_versions_and_takes_away_what_is_forged() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    for mut client in [
        Client::http1(&pki, server.address).await,
        Client::http2(&pki, server.address).await,
    ] {
        let is_http2 = matches!(client, Client::Http2(_));
        let uri = if is_http2 {
            "https://localhost/hr/a%2db?x=1"
        } else {
            "/hr/a%2db?x=1"
        };
        let mut request = http::Request::get(uri)
            .header("boomgate-agent-id", "forged")
            .header("x-forwarded-for", "6.6.6.6")
            .header("authorization", "Bearer a")
            .body(http_body_util::Full::default())
            .unwrap();
        if !is_http2 {
            let host = http::HeaderValue::from_static("LOCALHOST:8443");
            request.headers_mut().insert("host", host);
        }
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let seen = text(response).await;
        assert!(seen.contains("path /hr/a-b\n"), "{seen}");
        assert!(seen.contains("server name Some(\"localhost\")"), "{seen}");
        assert!(seen.contains(&format!("http2 {is_http2}")), "{seen}");
        assert!(seen.contains("header authorization: Bearer a"), "{seen}");
        let host = if is_http2 {
            "localhost"
        } else {
            "localhost:8443"
        };
        assert!(seen.contains(&format!("header host: {host}")), "{seen}");
        assert!(
            !seen.contains("forged") && !seen.contains("6.6.6.6"),
            "{seen}"
        );
    }
}

#[tokio::test]
async fn the_version_is_what_alpn_said() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut client = RawClient::connect(&pki, server.address, "h2").await;
    client
        .send(b"GET /hr HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = client.read_to_close().await;
    assert!(
        !answer.starts_with(b"HTTP/1.1"),
        "HTTP/1.1 text got HTTP/1.1 text"
    );

    let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
    client.send(PREFACE).await.unwrap();
    let answer = client.read_to_close().await;
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");

    let unknown = pki.client(&["spdy/3"], ALL_VERSIONS, None);
    assert!(connect(server.address, unknown, "localhost").await.is_err());
}

#[tokio::test]
async fn closes_who_says_nothing_and_who_does_not_finish() {
    let pki = Pki::new();
    let limits = Limits {
        handshake_timeout: SHORT,
        header_timeout: SHORT,
        ..LIMITS
    };
    let server = Server::start(&pki, limits);
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut no_head = RawClient::connect(&pki, server.address, "http/1.1").await;
    let mut half_head = RawClient::connect(&pki, server.address, "http/1.1").await;
    half_head
        .send(b"GET /hr HTTP/1.1\r\nHost: loc")
        .await
        .unwrap();
    let mut no_preface = RawClient::connect(&pki, server.address, "h2").await;
    let mut half_preface = RawClient::connect(&pki, server.address, "h2").await;
    half_preface.send(&PREFACE[..10]).await.unwrap();
    let mut no_call = RawClient::connect(&pki, server.address, "h2").await;
    no_call
        .send(&[PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat())
        .await
        .unwrap();

    let closed = tokio::time::timeout(PATIENCE, silent.read(&mut [0; 1]))
        .await
        .unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "no handshake");
    for client in [
        &mut no_head,
        &mut half_head,
        &mut no_preface,
        &mut half_preface,
        &mut no_call,
    ] {
        let bytes = client.read_to_close().await;
        assert!(!bytes.starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_head_that_trickles_in_has_no_more_time() {
    let pki = Pki::new();
    let server = Server::start(
        &pki,
        Limits {
            header_timeout: SHORT,
            ..LIMITS
        },
    );
    let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
    client
        .send(b"GET /hr HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while started.elapsed() < PATIENCE {
        ticks.tick().await;
        let sent = client.send(b"X: y\r\n").await;
        let read = tokio::time::timeout(Duration::from_millis(1), client.0.read_u8()).await;
        if sent.is_err() || read.is_ok() {
            return;
        }
    }
    panic!("the head had all the time it wanted");
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_head_may_take_but_not_for_ever() {
    let pki = Pki::new();
    let limits = Limits {
        header_timeout: SHORT,
        idle_timeout: SHORT * 4,
        ..LIMITS
    };
    let server = Server::start(&pki, limits);
    let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
    let request = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(request).await.unwrap();
    assert_eq!(client.status().await, 404);
    let mut rest = [0; 4096];
    let quiet = tokio::time::timeout(SHORT * 2, async {
        while client.0.read(&mut rest).await.unwrap() > 0 {}
    });
    assert!(quiet.await.is_err(), "still open after the time of a head");
    client.send(request).await.unwrap();
    assert_eq!(client.status().await, 404);
    client.read_to_close().await;

    let mut http2 = Client::http2(&pki, server.address).await;
    assert_eq!(http2.get("/hr").await.unwrap().status(), 200);
    let Client::Http2(sender) = &mut http2 else {
        panic!("ALPN said h2");
    };
    let closed = async {
        while !sender.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
}

#[tokio::test]
async fn a_call_too_many_is_shed_and_a_place_is_free_again_afterwards() {
    let pki = Pki::new();
    let one_worker = settings(
        &pki,
        Limits {
            max_concurrent_calls: 1,
            ..LIMITS
        },
    );
    let server = Server::with(&one_worker, 1);
    let mut first = Client::http2(&pki, server.address).await;
    let mut second = Client::http1(&pki, server.address).await;
    let waiting = tokio::spawn(async move { first.get("/hr/wait").await.unwrap().status() });
    server.handler.until_waiting(1).await;
    let shed = second.get("/hr").await.unwrap();
    assert_eq!(shed.status(), 503);
    assert!(shed.headers().contains_key("retry-after"));
    assert!(text(shed).await.contains("\"code\":\"overloaded\""));
    server.handler.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap(), 200);
    assert_eq!(second.get("/hr").await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_does_not_read_what_it_is_refused_with_holds_neither_place_nor_connection() {
    let pki = Pki::new();
    let limits = Limits {
        max_concurrent_calls: 1,
        idle_timeout: SHORT,
        ..LIMITS
    };
    let server = Server::with(&settings(&pki, limits), 1);
    let mut silent = RawClient::connect(&pki, server.address, "h2").await;
    let no_window = [0, 4, 0, 0, 0, 0];
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/unknown"),
    ];
    let answer = request_under(&mut silent, &no_window, &fields).await;
    assert_eq!(answer, Answer::Status(404));
    let mut other = Client::http1(&pki, server.address).await;
    assert_eq!(other.get("/hr").await.unwrap().status(), 200);
    silent.read_to_close().await;
}

#[tokio::test]
async fn a_connection_too_many_is_closed_at_once() {
    let pki = Pki::new();
    let one_worker = settings(
        &pki,
        Limits {
            max_connections: 1,
            ..LIMITS
        },
    );
    let server = Server::with(&one_worker, 1);
    let mut first = Client::http1(&pki, server.address).await;
    let config = pki.client(&["http/1.1"], ALL_VERSIONS, None);
    assert!(connect(server.address, config, "localhost").await.is_err());
    assert_eq!(first.get("/hr").await.unwrap().status(), 200);
}

#[tokio::test]
async fn drains_calls_under_way_and_takes_no_new_ones() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut under_way = Vec::new();
    for mut client in [
        Client::http1(&pki, server.address).await,
        Client::http2(&pki, server.address).await,
    ] {
        under_way.push(tokio::spawn(async move {
            let response = client.get("/hr/wait").await.unwrap();
            let status = response.status();
            response.into_body().collect().await.unwrap();
            status
        }));
    }
    server.handler.until_waiting(2).await;
    let mut idle = RawClient::connect(&pki, server.address, "http/1.1").await;
    idle.send(b"GET /hr HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(idle.status().await, 200);
    server.stop();
    idle.read_to_close().await;
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.handler.gate.add_permits(2);
    for call in under_way {
        assert_eq!(call.await.unwrap(), 200);
    }
    server.join().await;
}

#[tokio::test]
async fn a_call_that_does_not_end_holds_a_drain_up_to_its_deadline_only() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut client = Client::http1(&pki, server.address).await;
    let cut = tokio::spawn(async move { client.get("/hr/wait").await.is_err() });
    server.handler.until_waiting(1).await;
    server.stop();
    let started = Instant::now();
    server.join().await;
    assert!(started.elapsed() >= Server::DRAIN);
    assert!(cut.await.unwrap(), "the call was cut");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut again = settings(&pki, LIMITS);
    again.address = server.address;
    let error =
        Listeners::bind(&[again], 1, &Metrics::new().unwrap(), &Arc::default()).unwrap_err();
    assert!(matches!(error, ListenError::PortTaken { .. }), "{error:?}");
    assert!(error.to_string().contains(&server.address.to_string()));
}

#[tokio::test]
async fn plaintext_is_spoken_only_where_it_was_asked_for() {
    let pki = Pki::new();
    let mut plain = settings(&pki, LIMITS);
    plain.tls = None;
    let server = Server::with(&plain, 2);
    for (target, expected) in [
        ("/hr", "HTTP/1.1 200"),
        ("http://localhost/hr", "HTTP/1.1 200"),
        ("https://localhost/hr", "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(expected), "{target}: {answer}");
    }
}
