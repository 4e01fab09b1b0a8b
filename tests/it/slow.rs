//! Clients that are slow on purpose, against a whole gateway: what they hold, for how long, and what is recorded.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::client::{PATIENCE, RawClient, status_of};
use crate::support::http2_bytes::{PREFACE, block, frame};
use crate::support::site::{AGENT, Setup, Site};

/// An upstream that answers every call with far more than any buffer on the way takes.
fn endless() -> SocketAddr {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let socket = TcpListener::from_std(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
                let _sent = stream.write_all(head).await;
                while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
            });
        }
    });
    address
}

async fn site(limits: &'static str) -> Site {
    Site::start(Setup {
        listener: vec![limits],
        upstream: vec![format!("url: http://{}", endless())],
        ..Setup::default()
    })
    .await
}

/// The one outcome that is recorded.
async fn outcome(site: &Site) -> Value {
    let find = |site: &Site| {
        let records = site.records().into_iter();
        let mut outcomes = records.filter_map(|record| record["boomgate"].get("outcome").cloned());
        outcomes.next()
    };
    site.until("the outcome is recorded", async |site| find(site).is_some())
        .await;
    find(site).unwrap()
}

async fn open_calls(site: &Site) -> u64 {
    let labels = [("resource", "hr-api")];
    site.count("boomgate_open_calls", &labels).await
}

#[tokio::test]
async fn who_does_not_read_its_answer_over_http1_is_cut() {
    let site = site("limits: {write_timeout: 300ms}").await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let token = site.agent_token(AGENT);
    let request = format!(
        "GET /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    client.send(request.as_bytes()).await.unwrap();
    let outcome = outcome(&site).await;
    assert_eq!(outcome["result"], "client_left", "{outcome}");
    assert_eq!(outcome["status"], 200);
    assert_eq!(open_calls(&site).await, 0);
    let labels = [("listener", "public"), ("reason", "write_timeout")];
    site.until("the connection is counted", async |site| {
        site.count("boomgate_connections_refused_total", &labels)
            .await
            == 1
    })
    .await;
}

#[tokio::test]
async fn who_opens_no_window_over_http2_loses_the_answer_and_keeps_the_connection() {
    let site = site("limits: {write_timeout: 300ms}").await;
    let mut client = RawClient::connect(&site.pki, site.address(), "h2").await;
    let token = format!("Bearer {}", site.agent_token(AGENT));
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/hr/people"),
        ("authorization", &token),
    ];
    let bytes = [
        PREFACE,
        &frame(4, 0, 0, &[]),
        &frame(1, 5, 1, &block(&fields)),
    ]
    .concat();
    client.send(&bytes).await.unwrap();
    let outcome = outcome(&site).await;
    assert_eq!(outcome["result"], "client_left", "{outcome}");
    assert_eq!(open_calls(&site).await, 0);
    // The stream that was given up is an error for its peer, never a shorter answer; other streams go on.
    let more = [
        frame(8, 0, 1, &1_000_000_u32.to_be_bytes()),
        frame(8, 0, 0, &1_000_000_u32.to_be_bytes()),
        frame(6, 0, 0, b"are you "),
    ];
    client.send(&more.concat()).await.unwrap();
    let (mut reset, mut pong) = (false, false);
    let reading = async {
        while !(reset && pong) {
            let mut head = [0; 9];
            client.0.read_exact(&mut head).await.unwrap();
            let length =
                usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            client.0.read_exact(&mut payload).await.unwrap();
            assert!(
                head[3] != 0 || head[4] & 1 == 0,
                "the answer ended as if whole"
            );
            reset |= head[3] == 3;
            pong |= head[3] == 6 && payload == b"are you ";
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap();
}

#[tokio::test]
async fn a_body_that_stands_still_is_refused_and_the_upstream_is_not_blamed() {
    let setup = Setup {
        listener: vec!["limits: {body_timeout: 300ms}"],
        ..Setup::default()
    };
    let site = Site::start(setup).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let token = site.agent_token(AGENT);
    let request = format!(
        "POST /hr/people HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\nauthorization: Bearer {token}\r\n\r\nhello"
    );
    client.send(request.as_bytes()).await.unwrap();
    let answer = client.read_to_close().await;
    assert_eq!(status_of(&answer), 408);
    let outcome = outcome(&site).await;
    assert_eq!(outcome["result"], "client_failed", "{outcome}");
    assert_eq!(outcome["reason"], "request_timeout");
    assert!(site.upstream.calls().is_empty());
}

#[tokio::test]
async fn a_body_that_is_slow_and_steady_goes_through() {
    let setup = Setup {
        listener: vec!["limits: {body_timeout: 2s}"],
        ..Setup::default()
    };
    let site = Site::start(setup).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let token = site.agent_token(AGENT);
    let request = format!(
        "POST /hr/people HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 10\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    client.send(request.as_bytes()).await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for byte in b"helloworld" {
        ticks.tick().await;
        client.send(&[*byte]).await.unwrap();
    }
    assert_eq!(client.status().await, 200);
    assert_eq!(&*site.upstream.only_call().body, b"helloworld");
}

#[tokio::test]
async fn half_a_head_has_a_record() {
    let setup = Setup {
        listener: vec!["limits: {header_timeout: 300ms}"],
        ..Setup::default()
    };
    let site = Site::start(setup).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    client.send(b"GET /hr/people HTTP/1.1\r\n").await.unwrap();
    let answer = client.read_to_close().await;
    assert_eq!(status_of(&answer), 408);
    let outcome = outcome(&site).await;
    assert_eq!(outcome["result"], "refused", "{outcome}");
    let records = site.records();
    assert_eq!(records[0]["boomgate"]["reason"], "request_timeout");
}

#[tokio::test]
async fn a_body_that_comes_behind_its_refusal_does_not_take_the_refusal_back() {
    let site = Site::start(Setup::default()).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let head = "POST /hr/people HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n";
    client.send(head.as_bytes()).await.unwrap();
    // The answer, and the end of the gateway's side behind it, of which the answer tells.
    let answer = client.read_to_close().await;
    assert_eq!(status_of(&answer), 401);
    assert!(String::from_utf8_lossy(&answer).contains("\r\nconnection: close\r\n"));
    // A connection whose other side is closed as well would be reset by the first of these.
    for _ in 0..20 {
        let sent = client.send(b"12345").await;
        sent.expect("the gateway should still listen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_call_that_is_refused_with_its_body_leaves_its_connection_to_the_next_one() {
    let site = Site::start(Setup::default()).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let call = "POST /hr/people HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello";
    client.send(call.as_bytes()).await.unwrap();
    let last = call.replace("host:", "connection: close\r\nhost:");
    client.send(last.as_bytes()).await.unwrap();
    let answers = client.read_to_close().await;
    let answers = String::from_utf8_lossy(&answers);
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 2, "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1, "{answers}");
}
