//! Requests as bytes, and the one answer to each. Status 0: the connection ends without an answer.

use crate::support::client::{RawClient, status_of};
use crate::support::http2_bytes::{Answer, request};
use crate::support::pki::Pki;
use crate::support::server::{LIMITS, Server};

/// Heads without their last empty line; `~` stands for CR LF.
const HTTP1: &[(&str, u16)] = &[
    // What is well-formed gets through.
    ("GET /hr HTTP/1.1~Host: localhost", 200),
    ("GET /hr HTTP/1.1~Host: LOCALHOST.", 200),
    ("GET /hr HTTP/1.1~Host: localhost:8443", 200),
    ("GET /%68r HTTP/1.1~Host: localhost", 200),
    ("GET /hr?a=b HTTP/1.1~Host: localhost", 200),
    ("GET https://localhost/hr HTTP/1.1~Host: localhost", 200),
    ("PROPFIND /hr HTTP/1.1~Host: localhost", 200),
    (
        "GET /hr HTTP/1.1~Host: localhost~Connection: keep-alive",
        200,
    ),
    ("GET /nothing HTTP/1.1~Host: localhost", 404),
    ("GET /hrx HTTP/1.1~Host: localhost", 404),
    // Host and SNI.
    ("GET /hr HTTP/1.1", 400),
    ("GET /hr HTTP/1.1~Host:", 400),
    ("GET /hr HTTP/1.1~Host: localhost~Host: localhost", 400),
    ("GET /hr HTTP/1.1~Host: localhost~Host: evil", 400),
    ("GET /hr HTTP/1.1~Host: a@localhost", 400),
    ("GET /hr HTTP/1.1~Host: localhost/../x", 400),
    ("GET /hr HTTP/1.1~Host: localhost, localhost", 400),
    ("GET /hr HTTP/1.1~Host: localhost:port", 400),
    ("GET /hr HTTP/1.1~Host: local%68ost", 400),
    ("GET /hr HTTP/1.1~Host: localhost\\x", 400),
    ("GET /hr HTTP/1.1~Host: hr.example.com", 421),
    ("GET /hr HTTP/1.1~Host: 127.0.0.1", 421),
    ("GET /hr HTTP/1.0", 400),
    // Forms of the target.
    ("GET https://evil/hr HTTP/1.1~Host: localhost", 400),
    ("GET https://localhost/hr HTTP/1.1~Host: evil", 400),
    ("GET https://a@localhost/hr HTTP/1.1~Host: localhost", 400),
    ("GET http://localhost/hr HTTP/1.1~Host: localhost", 400),
    ("GET ftp://localhost/hr HTTP/1.1~Host: localhost", 400),
    ("GET https://localhost/hr HTTP/1.1", 400),
    ("GET localhost:80 HTTP/1.1~Host: localhost", 400),
    ("GET * HTTP/1.1~Host: localhost", 400),
    ("OPTIONS * HTTP/1.1~Host: localhost", 400),
    ("GET hr HTTP/1.1~Host: localhost", 400),
    ("GET http:http://x/admin HTTP/1.1~Host: localhost", 400),
    ("GET ?hr HTTP/1.1~Host: localhost", 400),
    // Spellings of the path.
    ("GET //localhost/hr HTTP/1.1~Host: localhost", 400),
    ("GET /hr//x HTTP/1.1~Host: localhost", 400),
    ("GET /hr/../admin HTTP/1.1~Host: localhost", 400),
    ("GET /hr/%2e%2e/admin HTTP/1.1~Host: localhost", 400),
    ("GET /hr/..;/admin HTTP/1.1~Host: localhost", 400),
    ("GET /hr%2fx HTTP/1.1~Host: localhost", 400),
    ("GET /hr%5cx HTTP/1.1~Host: localhost", 400),
    ("GET /hr\\x HTTP/1.1~Host: localhost", 400),
    ("GET /hr%00 HTTP/1.1~Host: localhost", 400),
    ("GET /hr%zz HTTP/1.1~Host: localhost", 400),
    ("GET /hr%252fx HTTP/1.1~Host: localhost", 400),
    ("GET /hr%c0%af HTTP/1.1~Host: localhost", 400),
    ("GET /hr\u{e9} HTTP/1.1~Host: localhost", 400),
    ("GET /hr\"x HTTP/1.1~Host: localhost", 400),
    ("GET /hr{x} HTTP/1.1~Host: localhost", 400),
    // Methods.
    ("CONNECT localhost:443 HTTP/1.1~Host: localhost:443", 405),
    ("TRACE /hr HTTP/1.1~Host: localhost", 405),
    ("TRACK /hr HTTP/1.1~Host: localhost", 405),
    ("get /hr HTTP/1.1~Host: localhost", 405),
    ("Get /hr HTTP/1.1~Host: localhost", 405),
    ("G!T /hr HTTP/1.1~Host: localhost", 405),
    ("G@T /hr HTTP/1.1~Host: localhost", 400),
    // Framing.
    (
        "POST /hr HTTP/1.1~Host: localhost~Transfer-Encoding: chunked, chunked",
        400,
    ),
    (
        "POST /hr HTTP/1.1~Host: localhost~Transfer-Encoding: chunked~Transfer-Encoding: chunked",
        400,
    ),
    (
        "POST /hr HTTP/1.1~Host: localhost~Transfer-Encoding: ,chunked",
        400,
    ),
    (
        "POST /hr HTTP/1.1~Host: localhost~Transfer-Encoding: gzip, chunked",
        400,
    ),
    (
        "POST /hr HTTP/1.1~Host: localhost~Transfer-Encoding: identity",
        400,
    ),
    (
        "POST /hr HTTP/1.0~Host: localhost~Transfer-Encoding: chunked",
        400,
    ),
    (
        "POST /hr HTTP/1.1~Host: localhost~Content-Length: 1~Content-Length: 2",
        400,
    ),
    ("POST /hr HTTP/1.1~Host: localhost~Content-Length: +1", 400),
    ("POST /hr HTTP/1.1~Host: localhost~Content-Length: -1", 400),
    ("POST /hr HTTP/1.1~Host: localhost~Content-Length: 0x1", 400),
    ("POST /hr HTTP/1.1~Host: localhost~Content-Length: 101", 413),
    ("GET /hr HTTP/2.0~Host: localhost", 400),
    // Names and values of headers.
    ("GET /hr HTTP/1.1~Host: localhost~X-A : b", 400),
    ("GET /hr HTTP/1.1~Host: localhost~X-A: b~ c", 400),
    ("GET /hr HTTP/1.1~Host: localhost~X-A: caf\u{e9}", 400),
    ("GET /hr HTTP/1.1~Host: localhost~X-A: a\u{1}b", 400),
    ("GET /hr HTTP/1.1~Host: localhost~X-A: a\u{0}b", 400),
    ("GET /hr HTTP/1.1~Host: localhost~Boomgate_Agent_Id: a", 400),
    ("GET /hr HTTP/1.1~Host: localhost~Boomgate.Agent.Id: a", 400),
    (
        "GET /hr HTTP/1.1~Host: localhost~X_Forwarded_For: 1.2.3.4",
        400,
    ),
    ("GET /hr HTTP/1.1~Host: localhost~Content_Length: 7", 400),
    (
        "GET /hr HTTP/1.1~Host: localhost~Connection: Boomgate-Agent-Id",
        400,
    ),
    (
        "GET /hr HTTP/1.1~Host: localhost~connection: close,authorization",
        400,
    ),
    ("GET /hr HTTP/1.1~Host: localhost~Connection: host", 400),
];

#[tokio::test]
async fn every_http1_request_has_one_answer() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut wrong = Vec::new();
    for (head, expected) in HTTP1 {
        let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
        let bytes = format!("{}\r\n\r\n", head.replace('~', "\r\n"));
        client.send(bytes.as_bytes()).await.unwrap();
        let status = client.status().await;
        if status != *expected {
            wrong.push(format!("{head}: {status} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// hyper drops a `Content-Length` beside `Transfer-Encoding` before anybody sees it. What counts is that the rest of the
/// connection is not read as a request (RFC 9112 §6.3).
#[tokio::test]
async fn two_framings_end_the_connection() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let smuggled = "GET /hr/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
    ] {
        let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
        let request =
            format!("POST /hr HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n0\r\n\r\n{smuggled}");
        client.send(request.as_bytes()).await.unwrap();
        let answer = String::from_utf8(client.read_to_close().await).unwrap();
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(!answer.contains("smuggled"), "{answer}");
    }
}

/// hyper drops a fragment before anybody sees it: it is neither judged nor forwarded.
#[tokio::test]
async fn a_fragment_is_no_part_of_the_path() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
    let request = "GET /hr/a#/../secret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.send(request.as_bytes()).await.unwrap();
    let answer = String::from_utf8(client.read_to_close().await).unwrap();
    assert!(answer.contains("path /hr/a\n"), "{answer}");
    assert!(!answer.contains("secret"), "{answer}");
}

#[tokio::test]
async fn bytes_behind_an_upgrade_are_a_request_of_their_own() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    for upgrade in ["websocket", "h2c"] {
        let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
        let request = format!(
            "GET /hr HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: {upgrade}\r\n\r\n\
             GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        client.send(request.as_bytes()).await.unwrap();
        let answer = String::from_utf8(client.read_to_close().await).unwrap();
        assert_eq!(status_of(answer.as_bytes()), 200, "{answer}");
        assert!(answer.contains("HTTP/1.1 404"), "judged too: {answer}");
        assert!(!answer.contains("header upgrade"), "{answer}");
        assert!(!answer.contains("HTTP/1.1 101"), "{answer}");
    }
}

#[tokio::test]
async fn a_head_over_a_limit_is_named_by_its_limit() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let many: String = (0..60).map(|n| format!("X-{n}: a\r\n")).collect();
    let more: String = (0..150).map(|n| format!("X-{n}: a\r\n")).collect();
    for (head, expected) in [
        (format!("GET /hr/{} HTTP/1.1\r\n", "a".repeat(2100)), 414),
        (
            format!("GET /hr HTTP/1.1\r\nX-A: {}\r\n", "a".repeat(8100)),
            431,
        ),
        (
            format!("GET /hr HTTP/1.1\r\nX-A: {}\r\n", "a".repeat(50_000)),
            431,
        ),
        (format!("GET /hr HTTP/1.1\r\n{many}"), 431),
        (format!("GET /hr HTTP/1.1\r\n{more}"), 431),
    ] {
        let mut client = RawClient::connect(&pki, server.address, "http/1.1").await;
        let request = format!("{head}Host: localhost\r\n\r\n");
        client.send(request.as_bytes()).await.unwrap();
        assert_eq!(client.status().await, expected, "{head:.40}");
    }
}

const GET: (&str, &str) = (":method", "GET");
const HTTPS: (&str, &str) = (":scheme", "https");
const LOCALHOST: (&str, &str) = (":authority", "localhost");
const HR: (&str, &str) = (":path", "/hr");

const HTTP2: &[(&[(&str, &str)], Answer)] = &[
    (&[GET, HTTPS, LOCALHOST, HR], Answer::Status(200)),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("host", "localhost")],
        Answer::Status(200),
    ),
    (
        &[GET, HTTPS, HR, ("host", "localhost")],
        Answer::Status(200),
    ),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "/nothing")],
        Answer::Status(404),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("host", "evil")],
        Answer::Status(400),
    ),
    (
        &[
            GET,
            HTTPS,
            LOCALHOST,
            HR,
            ("host", "localhost"),
            ("host", "localhost"),
        ],
        Answer::Status(400),
    ),
    (&[GET, HTTPS, HR], Answer::Status(400)),
    (
        &[GET, HTTPS, (":authority", "a@localhost"), HR],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, (":authority", "hr.example.com"), HR],
        Answer::Status(421),
    ),
    (
        &[GET, (":scheme", "http"), LOCALHOST, HR],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "*")],
        Answer::Status(400),
    ),
    (&[GET, HTTPS, LOCALHOST, (":path", "hr")], Answer::Refused),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "?hr")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "/hr/../x")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "/hr%2fx")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, (":path", "//evil/hr")],
        Answer::Status(400),
    ),
    (&[(":method", "CONNECT"), LOCALHOST], Answer::Status(405)),
    (
        &[(":method", "TRACE"), HTTPS, LOCALHOST, HR],
        Answer::Status(405),
    ),
    (
        &[(":method", "get"), HTTPS, LOCALHOST, HR],
        Answer::Status(405),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("x-a", " b")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("x-a", "b\t")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("x-a", "caf\u{e9}")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("boomgate_agent_id", "a")],
        Answer::Status(400),
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("transfer-encoding", "chunked")],
        Answer::Refused,
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("connection", "x-a")],
        Answer::Refused,
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("X-Upper", "a")],
        Answer::Refused,
    ),
    (
        &[GET, HTTPS, LOCALHOST, HR, ("content-length", "101")],
        Answer::Refused,
    ),
];

#[tokio::test]
async fn every_http2_request_has_one_answer() {
    let pki = Pki::new();
    let server = Server::start(&pki, LIMITS);
    let mut wrong = Vec::new();
    for (fields, expected) in HTTP2 {
        let mut client = RawClient::connect(&pki, server.address, "h2").await;
        let answer = request(&mut client, fields).await;
        if answer != *expected {
            wrong.push(format!("{fields:?}: {answer:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
