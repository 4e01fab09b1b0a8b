//! The calls of the table: plain ones, and those that take more than a request to bring about.

use std::convert::Infallible;
use std::fs::File;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{Method, Request};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::client::{ALL_VERSIONS, Client, PATIENCE, RawClient, connect};
use crate::support::site::{AGENT, Answer, HUMAN, Site, exchange};
use crate::tokens::mint::b64;

pub(super) type Answering<'s> = Pin<Box<dyn Future<Output = Answer> + 's>>;

/// Makes a call to a gateway.
pub(super) type Call = Box<dyn for<'s> Fn(&'s Site) -> Answering<'s>>;

/// A call that is made by an async function.
pub(super) fn by<F>(call: F) -> Call
where
    F: for<'s> Fn(&'s Site) -> Answering<'s> + 'static,
{
    Box::new(call)
}

/// Sends a request without a body.
pub(super) fn send(request: impl Fn(&Site) -> Builder + 'static) -> Call {
    by(move |site| {
        let request = request(site);
        Box::pin(async move { site.send(request).await })
    })
}

/// Gets `/hr/people` with these values of `Authorization`.
pub(super) fn authorized(values: &'static [&'static str]) -> Call {
    send(move |_| {
        let request = Request::get("/hr/people");
        values.iter().fold(request, |request, value| {
            request.header("authorization", *value)
        })
    })
}

/// Gets `/hr/people` with this token.
pub(super) fn token(token: impl Fn(&Site) -> String + 'static) -> Call {
    send(move |site| with_token(Request::get("/hr/people"), &token(site)))
}

/// Gets `/hr/people` with these claims put over those of the default agent.
pub(super) fn claims(claims: Value) -> Call {
    token(move |site| site.token(&claims))
}

/// Gets `/hr/people` with a token whose header has these members put over its own. The signature stays as it was.
pub(super) fn header(members: Value) -> Call {
    token(move |site| {
        let token = site.agent_token(AGENT);
        let (_, rest) = token.split_once('.').unwrap();
        let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": "demo"});
        for (name, value) in members.as_object().unwrap() {
            header[name] = value.clone();
        }
        format!("{}.{rest}", b64(header.to_string()))
    })
}

/// Sends a request as the default agent.
pub(super) fn as_agent(request: impl Fn() -> Builder + 'static) -> Call {
    send(move |site| with_token(request(), &site.agent_token(AGENT)))
}

/// Posts a body of this size as the default agent.
pub(super) fn post(bytes: usize) -> Call {
    by(move |site| {
        Box::pin(async move {
            let client = Client::http1(&site.pki, site.address()).await;
            let request = Request::post("/hr/people").header("host", "localhost");
            let request = with_token(request, &site.agent_token(AGENT));
            exchange(client, request, &"x".repeat(bytes)).await
        })
    })
}

/// Posts two kibibytes without saying beforehand how many they are.
pub(super) fn post_of_unknown_length(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
        let stream = connect(site.address(), config, "localhost").await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post("/hr/people").header("host", "localhost");
        let request = with_token(request, &site.agent_token(AGENT));
        let body = OfUnknownLength(Bytes::from_static(&[b'x'; 2048]).into());
        let response = sender.send_request(request.body(body).unwrap()).await;
        let (head, body) = response.unwrap().into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    })
}

/// A body that does not say how long it is.
struct OfUnknownLength(Full<Bytes>);

impl Body for OfUnknownLength {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }
}

/// Names one host in the handshake and another one in the request.
pub(super) fn misdirected(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
        let stream = connect(site.address(), config, "hr.example.com").await;
        let client = Client::over(stream.unwrap()).await;
        let request = Request::get("/hr/people").header("host", "localhost");
        let request = with_token(request, &site.agent_token(AGENT));
        exchange(client, request, "").await
    })
}

/// Sends half a head, and waits.
pub(super) fn half_a_head(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let mut client = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
        client
            .send(b"GET /hr/people HTTP/1.1\r\nHost: ")
            .await
            .unwrap();
        Answer::of_bytes(&client.read_to_close().await)
    })
}

/// Calls while another call, whose body does not end, holds the one place.
pub(super) fn one_too_many(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let mut holder = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
        let head = format!(
            "POST /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 9\r\n\r\n",
            // Of another kind than the caller of the row, so that it is not counted as the row's.
            site.token(
                &json!({"azp": AGENT, "idtyp": "user", "oid": HUMAN, "sub": "pairwise",
                "xms_act_fct": "11 9 3", "xms_sub_fct": "2 3"})
            )
        );
        holder.send(head.as_bytes()).await.unwrap();
        site.until("the first call is under way", async |site| {
            site.count("boomgate_open_calls", &[("resource", "hr-api")])
                .await
                == 1
        })
        .await;
        site.get("/hr/people", &site.agent_token(AGENT)).await
    })
}

/// Calls once the first record was refused by a full disk.
pub(super) fn after_a_lost_record(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        site.get("/hr/people", &site.agent_token(AGENT)).await;
        site.until("a record could not be written", async |site| {
            site.count("boomgate_records_total", &[("result", "failed")])
                .await
                > 0
        })
        .await;
        site.get("/hr/people", &site.agent_token(AGENT)).await
    })
}

/// Calls with a token of a subject whose tokens were revoked since; one that is issued later is good.
pub(super) fn after_revocation(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let token = site.agent_token(AGENT);
        let subject = json!({"sub_id": {"format": "opaque", "id": AGENT}}).to_string();
        let path = "/global-token-revocation";
        let answer = site.manage(Method::POST, path, &subject).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        site.get("/hr/people", &token).await
    })
}

/// Calls until a call finds no place for its record, because nobody reads the pipe that records go to.
pub(super) fn until_records_stand_still(site: &Site) -> Answering<'_> {
    Box::pin(async move {
        let token = site.agent_token(AGENT);
        // A pipe takes 64 KiB, and a call writes more than 256 bytes.
        for _ in 0..256 {
            let answer = site.get("/hr/people", &token).await;
            if answer.status != 200 {
                return answer;
            }
        }
        panic!("calls go on without records")
    })
}

/// A pipe in a folder, held open so that it can be written to, and not read.
pub(super) fn unread_pipe() -> (PathBuf, impl Sized + 'static) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let pipe = File::options().read(true).write(true).open(&path).unwrap();
    (path, (folder, pipe))
}

fn with_token(request: Builder, token: &str) -> Builder {
    request.header("authorization", format!("Bearer {token}"))
}

/// An upstream that answers whatever comes with these bytes, and closes; with none, it never answers.
pub(super) fn bytes_server(bytes: &'static [u8]) -> std::net::SocketAddr {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let socket = TcpListener::from_std(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                if bytes.is_empty() {
                    tokio::time::sleep(PATIENCE + Duration::from_secs(1)).await;
                }
                drop(tokio::io::AsyncWriteExt::write_all(&mut stream, bytes).await);
            });
        }
    });
    address
}
