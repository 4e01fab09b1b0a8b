//! Whole calls over real sockets: a caller, this room in the middle, an upstream. What has no permit here has its
//! call's parts, as a permit would give them.

mod endpoints;
mod relay;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use relay::{Relay, Scripted, get, pieces, post, settings, upstream_http1, upstream_http2};

/// Answers with what it got.
async fn echo(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let mut response = Response::new(Full::new(bytes));
    let target = head.uri.path_and_query().unwrap().as_str().to_owned();
    let headers = response.headers_mut();
    headers.insert("x-target", target.parse().unwrap());
    headers.insert("x-method", head.method.as_str().parse().unwrap());
    for (name, value) in &head.headers {
        let name = format!("x-seen-{name}");
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.clone(),
        );
    }
    response
}

#[tokio::test]
async fn forwards_the_normal_form_and_reuses_the_connection() {
    let upstream = upstream_http1(echo).await;
    let relay = Relay::start(settings(upstream.port)).await;
    for _ in 0..3 {
        let response = relay.call(get("/%68r/a%2db?x=%2f..;1")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-target"], "/hr/a-b?x=%2f..;1");
        assert_eq!(response.headers()["x-seen-host"], "localhost");
        assert_eq!(
            response.headers()["x-seen-boomgate-agent-type"],
            "agent_identity"
        );
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn speaks_http2_and_shares_its_connection_up_to_the_stream_limit() {
    let (entered, gate) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(tokio::sync::Notify::new()),
    );
    let handler = {
        let (entered, gate) = (Arc::clone(&entered), Arc::clone(&gate));
        move |request: Request<Incoming>| {
            let (entered, gate) = (Arc::clone(&entered), Arc::clone(&gate));
            async move {
                if request.uri().path() == "/hr/wait" {
                    let waiting = gate.notified();
                    entered.fetch_add(1, Ordering::SeqCst);
                    waiting.await;
                }
                echo(request).await
            }
        }
    };
    let upstream = upstream_http2(handler, 2).await;
    let mut upstream_settings = settings(upstream.port);
    upstream_settings.protocol = UpstreamProtocol::Http2;
    let relay = Arc::new(Relay::start(upstream_settings).await);
    // The first call learns the stream limit.
    let first = relay.call(get("/hr/x")).await;
    assert_eq!(first.headers()["x-target"], "/hr/x");
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let relay = Arc::clone(&relay);
            tokio::spawn(async move { relay.call(get("/hr/wait")).await.status() })
        })
        .collect();
    while entered.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    gate.notify_waiters();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(upstream.connections(), 2, "two streams each");
}

#[tokio::test]
async fn sends_an_idempotent_call_again_and_another_never() {
    // Each connection answers one request; the next is read and left without an answer.
    let upstream = Scripted::start(|mut stream, seen| async move {
        let mut buffer = [0; 4096];
        for answer in [true, false] {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                return;
            }
            seen.lock()
                .push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            if answer {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    let relay = Relay::start(settings(upstream.port)).await;
    assert_eq!(relay.call(get("/hr/1")).await.status(), 200);
    assert_eq!(relay.call(get("/hr/2")).await.status(), 200, "sent again");
    assert_eq!(upstream.count("GET /hr/2 "), 2);
    assert_eq!(relay.call(post("/hr/3", "a body")).await.status(), 502);
    assert_eq!(upstream.count("POST /hr/3 "), 1, "a body is sent once");
}

#[tokio::test]
async fn a_connection_that_its_peer_closed_costs_nobody_a_call() {
    let upstream = Scripted::start(|mut stream, seen| async move {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        seen.lock()
            .push(String::from_utf8_lossy(&buffer[..read]).into_owned());
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let relay = Relay::start(settings(upstream.port)).await;
    for n in 0..5 {
        let response = relay.call(post(&format!("/hr/{n}"), "body")).await;
        assert_eq!(response.status(), 200, "call {n}");
    }
    assert_eq!(upstream.count("POST "), 5);
}

#[tokio::test]
async fn names_what_the_upstream_did_wrong() {
    let answers: [(&'static [u8], u16); 5] = [
        (b"", 502),
        (b"SSH-2.0-OpenSSH_9\r\n", 502),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            502,
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", 502),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ];
    for (answer, status) in answers {
        let upstream = Scripted::start(move |mut stream, _| async move {
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.unwrap() > 0 {
                stream.write_all(answer).await.unwrap();
            }
        })
        .await;
        let relay = Relay::start(settings(upstream.port)).await;
        let response = relay.call(get("/hr")).await;
        assert_eq!(
            response.status(),
            status,
            "{}",
            String::from_utf8_lossy(answer)
        );
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let relay = Relay::start(settings(port)).await;
    assert_eq!(relay.call(get("/hr")).await.status(), 503);
}

/// TLS that trusts a CA of its own, in a file that lives as long as the guard.
fn trusting_something() -> (tempfile::NamedTempFile, settings::UpstreamTls) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), params.self_signed(&key).unwrap().pem()).unwrap();
    let tls = settings::UpstreamTls {
        ca_file: Some(file.path().to_owned()),
        server_name: None,
        ..settings::UpstreamTls::default()
    };
    (file, tls)
}

#[tokio::test]
async fn a_late_answer_and_a_late_handshake_end_by_their_own_limits() {
    let silent = || {
        Scripted::start(|mut stream, _| async move {
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).await.unwrap_or(0) > 0 {}
        })
    };
    let upstream = silent().await;
    let mut late = settings(upstream.port);
    late.response_timeout = Duration::from_millis(50);
    let relay = Relay::start(late).await;
    assert_eq!(relay.call(get("/hr")).await.status(), 504);

    let upstream = silent().await;
    let mut mute = settings(upstream.port);
    let (_file, tls) = trusting_something();
    mute.tls = Some(tls);
    mute.connect_timeout = Duration::from_millis(50);
    let relay = Relay::start(mute).await;
    assert_eq!(relay.call(get("/hr")).await.status(), 503);
}

#[tokio::test]
async fn streams_both_ways_before_either_side_is_done() {
    // The upstream answers at once and sends back every piece as it comes.
    let upstream =
        upstream_http1(|request: Request<Incoming>| async { Response::new(request.into_body()) })
            .await;
    let relay = Relay::start(settings(upstream.port)).await;
    let (sender, body) = pieces();
    let request = Request::post("/hr")
        .header("host", "localhost")
        .body(body)
        .unwrap();
    sender.send(Bytes::from_static(b"one")).await.unwrap();
    let mut response = relay.call(request).await.into_body();
    for piece in ["one", "two", "three"] {
        if piece != "one" {
            sender
                .send(Bytes::from_static(piece.as_bytes()))
                .await
                .unwrap();
        }
        let frame = response.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(sender);
    assert!(response.frame().await.is_none());
}

#[tokio::test]
async fn a_body_over_the_limit_never_arrives_whole() {
    let upstream = upstream_http1(echo).await;
    let relay = Relay::start(settings(upstream.port)).await;
    let announced = relay
        .call(post("/hr", &"x".repeat(relay::MAX_BODY + 1)))
        .await;
    assert_eq!(announced.status(), 413);
    assert_eq!(upstream.connections(), 0, "refused by its announced length");

    let (sender, body) = pieces();
    let request = Request::post("/hr")
        .header("host", "localhost")
        .body(body)
        .unwrap();
    sender
        .send(Bytes::from(vec![b'x'; relay::MAX_BODY + 1]))
        .await
        .unwrap();
    assert_eq!(relay.call(request).await.status(), 413);
}

#[tokio::test]
async fn a_get_with_a_body_of_unknown_length_keeps_it() {
    let upstream = upstream_http1(echo).await;
    let relay = Relay::start(settings(upstream.port)).await;
    let (sender, body) = pieces();
    let request = Request::get("/hr")
        .header("host", "localhost")
        .header("transfer-encoding", "chunked")
        .body(body)
        .unwrap();
    sender.send(Bytes::from_static(b"query")).await.unwrap();
    drop(sender);
    let body = relay
        .call(request)
        .await
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), "query");
}

#[tokio::test]
async fn trailers_end_here_but_for_those_that_are_allowed() {
    let upstream = Scripted::start(|mut stream, seen| async move {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        while !text.ends_with(b"0\r\n\r\n") && !text.ends_with(b"forged\r\n\r\n") {
            let read = stream.read(&mut buffer).await.unwrap();
            text.extend_from_slice(&buffer[..read]);
        }
        seen.lock()
            .push(String::from_utf8_lossy(&text).into_owned());
        let answer =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: grpc-status\r\n\r\n\
            2\r\nok\r\n0\r\ngrpc-status: 7\r\nx-sum: 7\r\nboomgate-agent-id: forged\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let relay = Relay::start(settings(upstream.port)).await;
    let response = relay
        .raw(
            "POST /hr HTTP/1.1\r\nhost: localhost\r\nte: trailers\r\nconnection: close, te\r\n\
             transfer-encoding: chunked\r\ntrailer: boomgate-agent-id\r\n\r\n\
             1\r\na\r\n0\r\nboomgate-agent-id: forged\r\n\r\n",
        )
        .await;
    assert_eq!(upstream.count("forged"), 0);
    assert!(response.contains("grpc-status: 7"), "{response}");
    assert!(!response.contains("x-sum"), "{response}");
    assert!(!response.contains("forged"), "{response}");
}

#[tokio::test]
async fn answers_without_a_body_end_at_their_head() {
    let upstream = upstream_http1(|request: Request<Incoming>| async move {
        let status = request
            .uri()
            .path()
            .trim_start_matches("/hr/")
            .parse()
            .unwrap();
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if request.method() == Method::HEAD {
            response.headers_mut().insert("content-length", 42.into());
        }
        response
    })
    .await;
    let relay = Relay::start(settings(upstream.port)).await;
    for status in ["204", "304", "200"] {
        let response = relay.call(get(&format!("/hr/{status}"))).await;
        assert_eq!(response.status().as_str(), status);
        assert!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
    let mut head = get("/hr/200");
    *head.method_mut() = Method::HEAD;
    let response = relay.call(head).await;
    assert_eq!(response.headers()["content-length"], "42");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn asks_for_the_body_only_when_the_upstream_takes_it() {
    let upstream = upstream_http1(echo).await;
    let relay = Relay::start(settings(upstream.port)).await;
    let response = relay
        .raw_expecting_continue(
            "POST /hr HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             expect: 100-continue\r\ncontent-length: 4\r\n\r\n",
            "body",
        )
        .await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.ends_with("body"), "{response}");
    assert!(!response.contains("x-seen-expect"), "{response}");
}

#[tokio::test]
async fn connections_survive_a_reload_that_does_not_change_their_upstream() {
    let upstream = upstream_http1(echo).await;
    let relay = Relay::start(settings(upstream.port)).await;
    relay.call(get("/hr")).await;
    relay.reload(settings(upstream.port));
    relay.call(get("/hr")).await;
    assert_eq!(upstream.connections(), 1);
    let mut changed = settings(upstream.port);
    changed.max_idle = 7;
    relay.reload(changed);
    relay.call(get("/hr")).await;
    assert_eq!(upstream.connections(), 2);
}
