//! The same raw targets go to a gateway in front of a real server, and to that server itself: no spelling that the
//! gateway forwards is one that the server reads as a path which the gateway blocks.
//!
//! The servers are nginx and Node's http; `tests/run` says where they are (`BOOMGATE_NGINX`, `BOOMGATE_NODE`). Each
//! answers with its readings of the target, as its own modules would hand them to an application.

mod servers;
mod targets;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::client::{ALL_VERSIONS, PATIENCE, connect};
use crate::support::servers::Server;
use crate::support::site::{AGENT, Setup, Site};

/// What no agent may reach, and what lies below it.
const BLOCKED: &str = "/hr/secret";

#[tokio::test]
async fn no_spelling_reaches_what_is_blocked_at_nginx() {
    if let Some(server) = servers::nginx().await {
        compare(&server).await;
    }
}

#[tokio::test]
async fn no_spelling_reaches_what_is_blocked_at_node() {
    if let Some(server) = servers::node().await {
        compare(&server).await;
    }
}

async fn compare(server: &Server) {
    let site = Site::start(Setup {
        resource: vec!["operations: [{path: /hr/secret/**, scopes: [Nobody]}]"],
        upstream: vec![format!("url: http://{}", server.address)],
        ..Setup::default()
    })
    .await;
    let token = site.agent_token(AGENT);
    let mut through = Asker::new(Way::Gateway(&site, &token));
    let mut direct = Asker::new(Way::Server(server.address));
    let (mut forwarded, mut dangerous, mut wrong) = (0, 0, Vec::new());
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for target in targets::all() {
        let answer = through.ask(&target).await;
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status == 200 {
            forwarded += 1;
            if let Some(reading) = answer.blocked_reading() {
                wrong.push(format!(
                    "{:?} was forwarded, and read as {reading}",
                    shown(&target)
                ));
            }
        }
        let answer = direct.ask(&target).await;
        dangerous += usize::from(answer.status == 200 && answer.blocked_reading().is_some());
    }
    println!(
        "{}: {statuses:?}, {dangerous} reach it without the gateway",
        server.name
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Otherwise the targets would show nothing.
    assert!(
        dangerous >= 100,
        "only {dangerous} targets reach what is blocked"
    );
    assert!(forwarded >= 100, "only {forwarded} targets were forwarded");
}

fn shown(target: &[u8]) -> String {
    target.escape_ascii().to_string()
}

/// An answer, and what the server said that it read.
struct Answer {
    status: u16,
    readings: Vec<String>,
}

impl Answer {
    /// A reading that is the blocked path or lies below it.
    fn blocked_reading(&self) -> Option<&String> {
        self.readings.iter().find(|reading| {
            let rest = reading.strip_prefix(BLOCKED);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Where targets go.
#[derive(Clone, Copy)]
enum Way<'a> {
    Gateway(&'a Site, &'a str),
    Server(SocketAddr),
}

enum Stream {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// Asks one target after the other, on a connection that is opened again when it was closed.
struct Asker<'a> {
    way: Way<'a>,
    stream: Option<Stream>,
}

impl<'a> Asker<'a> {
    const fn new(way: Way<'a>) -> Self {
        Self { way, stream: None }
    }

    async fn ask(&mut self, target: &[u8]) -> Answer {
        let mut request = b"GET ".to_vec();
        request.extend_from_slice(target);
        request.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n");
        if let Way::Gateway(_, token) = self.way {
            request.extend_from_slice(format!("Authorization: Bearer {token}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        // A kept connection may have been closed behind the answer before.
        for _ in 0..2 {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => self.open().await,
            };
            let exchanged = match &mut stream {
                Stream::Tls(stream) => exchange(stream, &request).await,
                Stream::Plain(stream) => exchange(stream, &request).await,
            };
            if let Some((answer, is_open)) = exchanged {
                self.stream = is_open.then_some(stream);
                return answer;
            }
        }
        panic!("no answer to {:?}", shown(target));
    }

    async fn open(&self) -> Stream {
        match self.way {
            Way::Gateway(site, _) => {
                let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
                Stream::Tls(Box::new(
                    connect(site.address(), config, "localhost").await.unwrap(),
                ))
            }
            Way::Server(address) => Stream::Plain(TcpStream::connect(address).await.unwrap()),
        }
    }
}

/// Sends a request and reads its answer; and whether the connection goes on.
async fn exchange<I>(stream: &mut I, request: &[u8]) -> Option<(Answer, bool)>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(request).await.ok()?;
    stream.flush().await.ok()?;
    let reading = async {
        let mut bytes = Vec::new();
        loop {
            if let Some(found) = whole(&bytes) {
                return Some(found);
            }
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer).await {
                Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                // An answer without a length ends with the connection.
                Ok(_) | Err(_) => return ended(&bytes),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap()
}

/// An answer with a length, once it is there.
fn whole(bytes: &[u8]) -> Option<(Answer, bool)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let length: usize = length.trim().parse().unwrap();
    let answer = (body.len() >= length).then(|| parsed(&head, body))?;
    Some((answer, !head.contains("\r\nconnection: close")))
}

fn ended(bytes: &[u8]) -> Option<(Answer, bool)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").or_else(|| {
        // Some answer what is no HTTP/1.1 to them with the body alone.
        text.starts_with("<html>").then_some(("http/0.9 400", ""))
    })?;
    Some((parsed(&head.to_ascii_lowercase(), body), false))
}

/// One reading a line.
fn parsed(head: &str, body: &str) -> Answer {
    Answer {
        status: head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap(),
        readings: body.lines().map(ToOwned::to_owned).collect(),
    }
}
