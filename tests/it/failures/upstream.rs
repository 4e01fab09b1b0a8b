//! An upstream that fails on the way: half-closed, slow, reset or talking rubbish behind the head of its answer.

use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::BodyExt;

use crate::support::client::RawClient;
use crate::support::script::{Scene, Script};
use crate::support::site::{AGENT, Setup, Site};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const IDLE: Duration = Duration::from_millis(400);

async fn site(script: &Script) -> Site {
    Site::start(Setup {
        upstream: vec![
            format!("url: http://{}", script.address),
            format!("stream_idle_timeout: {}ms", IDLE.as_millis()),
        ],
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn an_upstream_that_takes_the_call_and_closes_its_side_is_a_502() {
    for http2 in [false, true] {
        let script = Script::new().await;
        let site = site(&script).await;
        let mut client = site.client(http2).await;
        let play = async {
            let (mut scene, _) = script.call().await;
            scene.close_half().await;
            scene
        };
        // The other half stays open for as long as the scene is there.
        let (response, _scene) = tokio::join!(client.send(site.request(Method::GET, http2)), play);
        assert_eq!(response.unwrap().status(), StatusCode::BAD_GATEWAY);
        let labels = [("resource", "hr-api"), ("result", "upstream_failed")];
        let failed = site.count("boomgate_upstream_requests_total", &labels);
        assert_eq!(failed.await, 1);
    }
}

#[tokio::test]
async fn an_answer_that_trickles_comes_as_it_is_made_and_is_no_failure_however_long_it_takes() {
    for http2 in [false, true] {
        let script = Script::new().await;
        let site = site(&script).await;
        let mut client = site.client(http2).await;
        let play = async {
            let (mut scene, _) = script.call().await;
            scene.write(CHUNKED).await;
            scene
        };
        let (response, mut scene) =
            tokio::join!(client.send(site.request(Method::GET, http2)), play);
        let mut response = response.unwrap();
        // All of it takes four times as long as nothing at all may.
        for number in 0..16 {
            scene.write(&format!("1\r\n{}\r\n", number % 10)).await;
            let piece = response.frame().await.unwrap().unwrap();
            let piece = piece.into_data().unwrap();
            assert_eq!(piece, (number % 10).to_string(), "http2: {http2}");
            tokio::time::sleep(IDLE / 4).await;
        }
        scene.write("0\r\n\r\n").await;
        let rest = response.into_body().collect().await.unwrap();
        assert!(rest.to_bytes().is_empty());
    }
}

/// How an upstream ends an answer that it has begun.
const BREAKS: [(&str, Break); 4] = [
    ("reset", |scene| Box::pin(async move { scene.reset() })),
    ("closed", |scene| Box::pin(async move { drop(scene) })),
    ("no size of a chunk", |mut scene| {
        Box::pin(async move {
            scene.write("zz\r\nrubbish\r\n0\r\n\r\n").await;
            scene.until_closed().await;
        })
    }),
    ("a chunk longer than it said", |mut scene| {
        Box::pin(async move {
            scene.write("1\r\nmore\r\n0\r\n\r\n").await;
            scene.until_closed().await;
        })
    }),
];

type Break = fn(Scene) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

#[tokio::test]
async fn an_answer_that_breaks_never_looks_whole() {
    for (name, end) in BREAKS {
        let script = Script::new().await;
        let site = site(&script).await;
        // HTTP/1.1: the connection is closed without a last chunk.
        let mut caller = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
        let head = format!(
            "GET /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            site.agent_token(AGENT)
        );
        caller.send(head.as_bytes()).await.unwrap();
        let (mut scene, _) = script.call().await;
        scene.write(&format!("{CHUNKED}5\r\nfirst\r\n")).await;
        end(scene).await;
        let answer = String::from_utf8(caller.read_to_close().await).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{name}: {answer}"
        );
        assert!(!answer.contains("\r\n0\r\n"), "{name}: {answer}");

        // HTTP/2: the stream is reset, and the connection goes on.
        let mut client = site.client(true).await;
        let play = async {
            let (mut scene, _) = script.call().await;
            scene.write(&format!("{CHUNKED}5\r\nfirst\r\n")).await;
            scene
        };
        let (response, scene) = tokio::join!(client.send(site.request(Method::GET, true)), play);
        let body = response.unwrap().into_body();
        let (body, ()) = tokio::join!(body.collect(), end(scene));
        assert!(body.is_err(), "{name}");
        let whole = script.answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        let (response, ()) = tokio::join!(client.send(site.request(Method::GET, true)), whole);
        let body = response.unwrap().into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "ok", "{name}");

        let failed = |record: &serde_json::Value| {
            record["boomgate"]["outcome"]["result"] == "upstream_failed"
        };
        site.until("both are recorded as they ended", async |site| {
            site.records()
                .iter()
                .filter(|record| failed(record))
                .count()
                == 2
        })
        .await;
    }
}
