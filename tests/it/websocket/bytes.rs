//! Which bytes of a WebSocket go when: an upstream and a client of the test's own.

use boomgate::call::websocket::accept;
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::setup;
use crate::open_calls::{confirm_compromised, outcome_of};
use crate::support::client::{PATIENCE, RawClient, status_of};
use crate::support::site::{AGENT, Site};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// A text frame of a client: masked by zeros.
pub(super) const HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";

/// A client that has asked for a WebSocket, and the upstream's end of the connection, with the head that it got.
struct Asked {
    site: Site,
    client: RawClient,
    upstream: TcpStream,
    head: String,
}

/// Asks for a WebSocket, with `early` right behind the request.
async fn ask(early: &[u8], upstream: &[&str]) -> Asked {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut setup = setup(format!("url: http://{}", socket.local_addr().unwrap()));
    let further = upstream.iter().map(|line| (*line).to_owned());
    setup.upstream.extend(further);
    setup.listener.push("limits: {write_timeout: 2s}");
    let site = Site::start(setup).await;
    let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let head = request(&site.agent_token(AGENT));
    client
        .send(&[head.as_bytes(), early].concat())
        .await
        .unwrap();
    let accepted = tokio::time::timeout(PATIENCE, socket.accept()).await;
    let (mut upstream, _) = accepted.unwrap().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(upstream.read_u8().await.unwrap());
    }
    Asked {
        site,
        client,
        upstream,
        head: String::from_utf8(head).unwrap(),
    }
}

/// What asks for a WebSocket.
pub(super) fn request(token: &str) -> String {
    format!(
        "GET /hr/socket HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// The answer of a server that agrees.
pub(super) fn agreement() -> String {
    let accept = accept(&HeaderValue::from_static(KEY));
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

impl Asked {
    /// The upstream answers.
    async fn answer(&mut self, bytes: &[u8]) {
        self.upstream.write_all(bytes).await.unwrap();
    }

    /// The upstream agrees, and the client has read so.
    async fn agree(&mut self) -> String {
        self.answer(agreement().as_bytes()).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.client.0.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// So many bytes that the upstream gets.
    async fn upstream_reads<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let reading = self.upstream.read_exact(&mut bytes);
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.expect("the bytes should have come").unwrap();
        bytes
    }

    /// What the upstream still gets before its connection ends.
    async fn rest_of_upstream(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let reading = self.upstream.read_to_end(&mut rest);
        let _reset = tokio::time::timeout(PATIENCE, reading).await.unwrap();
        rest
    }
}

#[tokio::test]
async fn early_bytes_wait_for_the_agreement_of_the_upstream_and_then_go_first() {
    let mut asked = ask(HELLO, &[]).await;
    let head = asked.head.to_ascii_lowercase();
    assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    // What is on its way would be here in this time; a test that is too quick misses a fault, and finds none.
    let early = tokio::time::timeout(
        std::time::Duration::from_millis(300),
        asked.upstream.read_u8(),
    );
    assert!(
        early.await.is_err(),
        "a byte came before the upstream agreed"
    );
    let head = asked.agree().await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "boomgate-decision-id: ",
    ] {
        assert!(head.contains(&format!("\r\n{line}")), "{head}");
    }
    assert_eq!(asked.upstream_reads::<11>().await, HELLO);
    asked.client.send(HELLO).await.unwrap();
    assert_eq!(asked.upstream_reads::<11>().await, HELLO);
}

#[tokio::test]
async fn early_bytes_end_with_the_connection_where_the_upstream_does_not_agree() {
    let request = b"GET /hr/other HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno",
    ] {
        let mut asked = ask(request, &[]).await;
        asked.answer(answer.as_bytes()).await;
        let said = asked.client.read_to_close().await;
        let said = String::from_utf8(said).unwrap().to_ascii_lowercase();
        assert!(said.contains("\r\nconnection: close\r\n"), "{said}");
        assert!(said.ends_with("no"), "{said}");
        assert_eq!(said.matches("http/1.1").count(), 1, "{said}");
        asked.site.app.stop().await.unwrap();
        let mut rest = Vec::new();
        asked.upstream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    }
}

#[tokio::test]
async fn an_agreement_that_is_none_is_a_502() {
    let good = agreement();
    let other = format!(
        "sec-websocket-accept: {}",
        accept(&HeaderValue::from_static("x"))
    );
    for (part, instead) in [
        ("Sec-WebSocket-Accept", "X-Accept".to_owned()),
        ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", other),
        ("Upgrade: websocket", "Upgrade: h2c".to_owned()),
        (
            "Upgrade: websocket",
            "Upgrade: websocket\r\nUpgrade: h2c".to_owned(),
        ),
        ("\r\nUpgrade: websocket", String::new()),
        ("Connection: Upgrade", "Connection: keep-alive".to_owned()),
    ] {
        let mut asked = ask(HELLO, &[]).await;
        let bad = good.replace(part, &instead);
        assert_ne!(bad, good);
        asked.answer(bad.as_bytes()).await;
        let said = asked.client.read_to_close().await;
        assert_eq!(status_of(&said), 502, "{bad}");
        assert_eq!(asked.rest_of_upstream().await, b"", "{bad}");
    }
}

#[tokio::test]
async fn a_close_frame_is_put_between_frames_and_never_into_one() {
    // What the upstream has sent when the call is cut, and whether the client may be told.
    let between: [(&[u8], bool); 6] = [
        (b"", true),
        (b"\x81\x02hi", true),
        (b"\x01\x02hi", true),
        (b"\x81\x05hi", false),
        (b"\x82", false),
        (b"\x82\x7e\0", false),
    ];
    for (sent, is_between) in between {
        let mut asked = ask(b"", &[]).await;
        asked.agree().await;
        asked.answer(sent).await;
        let mut got = vec![0; sent.len()];
        asked.client.0.read_exact(&mut got).await.unwrap();
        assert_eq!(got, sent);
        confirm_compromised(&asked.site, AGENT).await;
        let rest = asked.client.read_to_close().await;
        let close: &[u8] = if is_between {
            b"\x88\x13\x03\xf0blocked_by_policy"
        } else {
            b""
        };
        assert_eq!(rest, close, "behind {sent:?}");
        let of_upstream = asked.rest_of_upstream().await;
        assert!(of_upstream.starts_with(b"\x88\x93"), "{of_upstream:?}");
        let outcome = outcome_of(&asked.site, AGENT).await;
        assert_eq!(outcome["result"], "cut");
        assert_eq!(outcome["bytes"].as_u64(), u64::try_from(sent.len()).ok());
    }
}

#[tokio::test]
async fn nothing_follows_a_close_frame_of_the_upstream() {
    let mut asked = ask(b"", &[]).await;
    asked.agree().await;
    let close = b"\x88\x02\x03\xe8";
    asked.answer(close).await;
    let mut got = [0; 4];
    asked.client.0.read_exact(&mut got).await.unwrap();
    confirm_compromised(&asked.site, AGENT).await;
    assert_eq!(asked.client.read_to_close().await, b"");
}

#[tokio::test]
async fn one_half_goes_on_when_the_other_has_ended() {
    let mut asked = ask(b"", &[]).await;
    asked.agree().await;
    asked.client.send(HELLO).await.unwrap();
    asked.client.0.shutdown().await.unwrap();
    assert_eq!(asked.rest_of_upstream().await, HELLO);
    asked.answer(b"\x81\x02hi\x88\x02\x03\xe8").await;
    asked.upstream.shutdown().await.unwrap();
    assert_eq!(
        asked.client.read_to_close().await,
        b"\x81\x02hi\x88\x02\x03\xe8"
    );
    let outcome = outcome_of(&asked.site, AGENT).await;
    assert_eq!(outcome["result"], "completed");
    assert_eq!(outcome["bytes"], 8);
    assert_eq!(outcome["bytesReceived"], 11);
}

#[tokio::test]
async fn a_socket_on_which_nothing_moves_is_closed_after_its_time() {
    let mut asked = ask(b"", &["stream_idle_timeout: 300ms"]).await;
    asked.agree().await;
    let rest = asked.client.read_to_close().await;
    assert_eq!(rest, b"\x88\x09\x03\xe9timeout");
    let outcome = outcome_of(&asked.site, AGENT).await;
    assert_eq!(outcome["result"], "upstream_failed");
    assert_eq!(outcome["reason"], "upstream_timeout");
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_its_upstream_and_is_let_go_of() {
    let mut asked = ask(b"", &[]).await;
    asked.agree().await;
    let piece = vec![0; 64 * 1024];
    let mut sent = 0_usize;
    // The client's window, its TLS and the system's buffers take some; then nothing more is taken.
    let failed = loop {
        match asked.upstream.write(&piece).await {
            Ok(length) => sent += length,
            Err(error) => break error,
        }
        assert!(sent < 100_000_000, "all of it was taken");
    };
    assert!(sent > 100_000, "{failed} after {sent}");
    let outcome = outcome_of(&asked.site, AGENT).await;
    assert_eq!(outcome["result"], "client_left");
    let passed = outcome["bytes"].as_u64().unwrap();
    assert!(passed < 50_000_000, "{passed}");
}
