//! A new process takes over the port of an old one, again and again, while calls go on: none fails.
//!
//! The clients are strict: they never send a call again that may have been sent.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::json;

use crate::support::client::{ALL_VERSIONS, Client, PATIENCE, connect};
use crate::support::gateway::{Gateway, as_administrator};
use crate::support::pki::Pki;
use crate::support::process::{Process, command, listening_at};
use crate::support::servers::{free_address, refusing_address};
use crate::support::site::{AGENT, Answer, Ground, Setup, block, exchange};

const RESTARTS: usize = 4;

/// Two workers, so that there are four sockets while two processes run.
async fn ground(more: &str) -> (Ground, SocketAddr) {
    let setup = Setup {
        policies: vec![block(
            "other",
            json!({"clientApplications": {"includeAgentIdServicePrincipals": ["All"], "excludeAgentIdServicePrincipals": [AGENT]}}),
        )],
        listener: vec!["reuse_port: true"],
        sections: format!("workers: 2\nstore: {{dir: \"state-${{INSTANCE}}\"}}\n{more}"),
        ..Setup::default()
    };
    let ground = Ground::lay(&setup).await;
    let address = free_address();
    let file = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replacen("127.0.0.1:0", &address.to_string(), 1);
    std::fs::write(file, text).unwrap();
    (ground, address)
}

/// One of the processes, which have the whole configuration in common but the folder of their state.
fn start_with(ground: &Ground, config: &str, instance: usize) -> Process {
    let config = ground.path(config);
    let mut command = command(&["run", "--config", config.to_str().unwrap()]);
    command.env("INSTANCE", instance.to_string());
    Process::of(command)
}

/// One that takes calls.
async fn started(ground: &Ground, instance: usize) -> Gateway {
    let mut process = start_with(ground, "boomgate.yaml", instance);
    let listens = async |process: &Process| listening_at(&process.stderr(), "public").is_some();
    process.until("it takes calls", listens).await;
    Gateway::of(process).await
}

async fn readiness(gateway: &Gateway, pki: &Pki) -> Answer {
    gateway.manage(pki, http::Method::GET, "/readyz", "").await
}

/// How a client calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    KeptHttp1,
    KeptHttp2,
    FreshHttp1,
    FreshHttp2,
}

/// What came of a client's calls.
#[derive(Debug, Default)]
struct Tally {
    calls: AtomicUsize,
    connections: AtomicUsize,
    failed: parking_lot::Mutex<Vec<String>>,
}

/// A client that calls on and on.
struct Load {
    pki: Arc<Pki>,
    address: SocketAddr,
    bearer: String,
    stop: Arc<AtomicBool>,
}

impl Load {
    async fn connect(&self, alpn: &'static str) -> std::io::Result<Client> {
        let config = self.pki.client(&[alpn], ALL_VERSIONS, None);
        Ok(Client::over(connect(self.address, config, "localhost").await?).await)
    }

    fn request(&self, client: &Client) -> Request<Full<bytes::Bytes>> {
        let request = match client {
            Client::Http1(_) => Request::post("/hr/people").header("host", "localhost"),
            Client::Http2(_) => Request::post("https://localhost/hr/people"),
        };
        let request = request.header("authorization", &self.bearer);
        request.body(Full::from("a body")).unwrap()
    }

    /// Calls until it is told to stop. Every call is a POST, which nobody may send twice.
    async fn run(self, manner: Manner, tally: Arc<Tally>) {
        let alpn = match manner {
            Manner::KeptHttp1 | Manner::FreshHttp1 => "http/1.1",
            Manner::KeptHttp2 | Manner::FreshHttp2 => "h2",
        };
        let is_kept = matches!(manner, Manner::KeptHttp1 | Manner::KeptHttp2);
        let mut kept: Option<Client> = None;
        while !self.stop.load(Ordering::Relaxed) {
            let mut client = match kept.take() {
                Some(client) => client,
                None => match self.connect(alpn).await {
                    Ok(client) => {
                        tally.connections.fetch_add(1, Ordering::Relaxed);
                        client
                    }
                    Err(error) => {
                        tally.failed.lock().push(format!("{manner:?}: {error}"));
                        continue;
                    }
                },
            };
            let response = match client.send(self.request(&client)).await {
                Ok(response) => response,
                // The connection was told to take no more calls, and this one was not sent.
                Err(error) if was_not_sent(&error) && manner == Manner::KeptHttp2 => continue,
                Err(error) => {
                    tally.failed.lock().push(format!("{manner:?}: {error:?}"));
                    continue;
                }
            };
            tally.calls.fetch_add(1, Ordering::Relaxed);
            let (status, is_last) = (response.status(), is_last(&response));
            let body = response.into_body().collect().await;
            let body = body.map(|body| body.to_bytes());
            if status != StatusCode::OK || !matches!(&body, Ok(body) if body == "a body") {
                let failure = format!("{manner:?}: {status} {body:?}");
                tally.failed.lock().push(failure);
            } else if is_kept && !is_last {
                kept = Some(client);
            }
        }
    }
}

/// Whether a call never left its client.
fn was_not_sent(error: &hyper::Error) -> bool {
    error.is_canceled() || error.is_closed()
}

/// Whether an answer of HTTP/1.1 is the last of its connection.
fn is_last(response: &http::Response<hyper::body::Incoming>) -> bool {
    let connection = response.headers().get("connection");
    connection.is_some_and(|value| value == "close")
}

/// curl, which keeps its connection for as long as it may.
async fn curl(
    ground: &Ground,
    address: SocketAddr,
    version: &'static str,
    stop: Arc<AtomicBool>,
) -> usize {
    let (ca, token) = (ground.pki.path("ca.pem"), ground.agent_token(AGENT));
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--output", "/dev/null", version])
            .args(["--data", "a body", "--write-out", "%{http_code}\n"])
            .arg("--cacert")
            .arg(&ca)
            .args(["--header", &format!("authorization: Bearer {token}")])
            .arg("--resolve")
            .arg(format!("localhost:{}:127.0.0.1", address.port()))
            .arg(format!("https://localhost:{}/hr/[1-100]", address.port()));
        let said = crate::support::servers::run(command).await.unwrap();
        assert!(said.lines().all(|status| status == "200"), "{said}");
        calls += said.lines().count();
    }
    calls
}

#[tokio::test]
async fn no_call_fails_when_one_process_takes_over_from_another() {
    let (ground, address) = ground("").await;
    let ground = Arc::new(ground);
    let stop = Arc::new(AtomicBool::new(false));
    let mut old = started(&ground, 0).await;
    let mut clients = Vec::new();
    for manner in [
        Manner::KeptHttp1,
        Manner::KeptHttp2,
        Manner::FreshHttp1,
        Manner::FreshHttp1,
        Manner::FreshHttp1,
        Manner::FreshHttp1,
        Manner::FreshHttp2,
        Manner::FreshHttp2,
    ] {
        let tally = Arc::new(Tally::default());
        let load = Load {
            pki: Arc::clone(&ground.pki),
            address,
            bearer: format!("Bearer {}", ground.agent_token(AGENT)),
            stop: Arc::clone(&stop),
        };
        let running = tokio::spawn(load.run(manner, Arc::clone(&tally)));
        clients.push((manner, tally, running));
    }
    let mut others = Vec::new();
    for version in ["--http1.1", "--http2"] {
        let (ground, stop) = (Arc::clone(&ground), Arc::clone(&stop));
        others.push(tokio::spawn(async move {
            curl(&ground, address, version, stop).await
        }));
    }
    for restart in 1..=RESTARTS {
        let before: Vec<_> = clients.iter().map(|(_, tally, _)| calls(tally)).collect();
        let new = started(&ground, restart).await;
        assert_eq!(readiness(&new, &ground.pki).await.status, StatusCode::OK);
        old.process.signal("TERM");
        assert_eq!(old.process.end().await.code(), Some(0));
        // The new one alone answers all of them.
        let all_call = async {
            while (clients.iter().zip(&before))
                .any(|((_, tally, _), before)| calls(tally) <= before + 20)
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, all_call).await.unwrap();
        old = new;
    }
    stop.store(true, Ordering::Relaxed);
    for (manner, tally, running) in clients {
        running.await.unwrap();
        let (calls, connections) = (calls(&tally), tally.connections.load(Ordering::Relaxed));
        println!("{manner:?}: {calls} calls on {connections} connections");
        let failed = tally.failed.lock();
        assert!(failed.is_empty(), "of {calls}: {failed:#?}");
        if matches!(manner, Manner::KeptHttp1 | Manner::KeptHttp2) {
            assert!(
                connections > RESTARTS / 2,
                "it never was where a process ended"
            );
            assert!(connections < calls / 10, "it keeps its connection");
        }
    }
    for other in others {
        println!("curl: {} calls", other.await.unwrap());
    }
}

fn calls(tally: &Tally) -> usize {
    tally.calls.load(Ordering::Relaxed)
}

/// A call on a connection of its own.
async fn status(ground: &Ground, address: SocketAddr) -> u16 {
    let client = Client::http1(&ground.pki, address).await;
    let request = Request::get("/hr/people")
        .header("host", "localhost")
        .header(
            "authorization",
            format!("Bearer {}", ground.agent_token(AGENT)),
        );
    exchange(client, request, "").await.status.as_u16()
}

#[tokio::test]
async fn who_cannot_judge_calls_yet_takes_none_and_a_port_is_shared_by_those_alone_who_say_so() {
    let (ground, address) = ground("").await;
    let config = std::fs::read_to_string(ground.path("boomgate.yaml")).unwrap();
    let nobody = format!("{{jwks_uri: \"https://{}/keys\"}}", refusing_address());
    let without_keys = config.replace("{file: keys.json}", &nobody);
    std::fs::write(ground.path("without-keys.yaml"), without_keys).unwrap();
    let alone = config.replace("reuse_port: true", "reuse_port: false");
    std::fs::write(ground.path("alone.yaml"), alone).unwrap();

    let mut old = started(&ground, 0).await;
    let mut new = start_with(&ground, "without-keys.yaml", 1);
    new.until("its control plane listens", async |new| {
        listening_at(&new.stderr(), "management").is_some()
    })
    .await;
    let management = listening_at(&new.stderr(), "management").unwrap();
    let client = Client::http1(&ground.pki, management).await;
    let asked = as_administrator(http::Method::GET, "/readyz");
    let ready = exchange(client, asked, "").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let said = ready.json().to_string();
    assert!(said.contains("the listeners are not up yet"), "{said}");
    assert!(said.contains("were never loaded"), "{said}");
    // Of so many some would come to the new one.
    for _ in 0..40 {
        assert_eq!(status(&ground, address).await, 200);
    }
    assert_eq!(listening_at(&new.stderr(), "public"), None);
    new.signal("TERM");
    assert_eq!(new.end().await.code(), Some(0));

    let mut alone = start_with(&ground, "alone.yaml", 2);
    assert_eq!(alone.end().await.code(), Some(1));
    assert!(alone.stderr().contains("the port is taken"));
    assert_eq!(status(&ground, address).await, 200);
    old.process.signal("TERM");
    assert_eq!(old.process.end().await.code(), Some(0));
}

#[tokio::test]
async fn it_says_that_it_ends_before_it_takes_no_more_calls() {
    let (ground, address) = ground("shutdown: {delay: 4s}").await;
    let mut gateway = started(&ground, 0).await;
    gateway.process.signal("TERM");
    let is_ending = async {
        while readiness(&gateway, &ground.pki).await.status == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_ending).await.unwrap();
    assert_eq!(status(&ground, address).await, 200);
    assert_eq!(gateway.process.end().await.code(), Some(0));
}

/// What comes of it when Python, as this user, binds the port as `reuse_port` does: `bound`, or the kernel's error.
fn bind_as(user: Option<u32>, address: SocketAddr) -> String {
    const SCRIPT: &str = "\
import errno, os, socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
    one.setsockopt(socket.SOL_SOCKET, option, 1)
try:
    one.bind((sys.argv[1], int(sys.argv[2])))
    print(os.geteuid(), 'bound')
except OSError as error:
    print(os.geteuid(), errno.errorcode[error.errno])
";
    let mut command = Command::new("setpriv");
    if let Some(user) = user {
        command.arg(format!("--reuid={user}"));
        command.args(["--clear-groups", "--bounding-set=-all"]);
    }
    command.args(["/usr/bin/env", "python3", "-I", "-c", SCRIPT]);
    command.args([address.ip().to_string(), address.port().to_string()]);
    let output = command.current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let (who, what) = said.trim().split_once(' ').unwrap();
    assert!(user.is_none_or(|user| who == user.to_string()), "{said}");
    what.to_owned()
}

/// The user that runs the tests.
fn own_user() -> u32 {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap())
}

#[tokio::test]
async fn another_user_gets_nothing_of_the_port() {
    if own_user() != 0 {
        println!("needs to be root, so that it can be somebody else");
        return;
    }
    let (ground, address) = ground("").await;
    let mut gateway = started(&ground, 0).await;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
    for address in [address, everywhere] {
        assert_eq!(bind_as(Some(65_534), address), "EADDRINUSE", "{address}");
    }
    // Which is the user's doing alone.
    assert_eq!(bind_as(None, address), "bound");
    for _ in 0..10 {
        assert_eq!(status(&ground, address).await, 200);
    }
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
    assert_eq!(
        bind_as(Some(65_534), address),
        "bound",
        "once nobody has it"
    );
}
