//! WebSockets through the gateway: with a client and a server of others (Python's `websockets`, `tests/websocket`), and
//! byte by byte where it matters which byte goes when.

mod bytes;
mod many;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::open_calls::{confirm_compromised, outcome_of};
use crate::support::servers::{Server, free_address, run, tool};
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, block};

/// A gateway that blocks agents at high risk, in front of a server of WebSockets; where that notes what it saw.
struct Sockets {
    site: Site,
    python: PathBuf,
    log: PathBuf,
    _server: Server,
}

fn setup(upstream: String) -> Setup {
    Setup {
        policies: vec![block("on-risk", json!({"agentIdRiskLevels": "high"}))],
        resource: vec!["upgrades: [websocket]"],
        upstream: vec![upstream],
        ..Setup::default()
    }
}

impl Sockets {
    /// Where there is no Python there is nothing to test with.
    async fn start(change: impl FnOnce(&mut Setup)) -> Option<Self> {
        let python = tool("BOOMGATE_PYTHON")?;
        let (folder, address) = (TempDir::new().unwrap(), free_address());
        let log = folder.path().join("log");
        std::fs::write(&log, "").unwrap();
        let mut command = Command::new(&python);
        command.arg(script("server.py"));
        command.arg(address.port().to_string()).arg(&log);
        command.stderr(Stdio::null());
        let server = Server::start("websockets", command, address, folder).await;
        let mut setup = setup(format!("url: http://{address}"));
        change(&mut setup);
        Some(Self {
            site: Site::start(setup).await,
            python,
            log,
            _server: server,
        })
    }

    fn client(&self, scenario: &str, agent: &str) -> Command {
        let (name, scenario) = scenario.split_once(' ').unwrap_or(("client.py", scenario));
        let mut command = Command::new(&self.python);
        command
            .arg(script(name))
            .arg(self.site.address().port().to_string())
            .arg(self.site.pki.path("ca.pem"))
            .arg(self.site.agent_token(agent))
            .arg(scenario);
        command
    }

    /// Runs a scenario of `client.py`, or of another program that stands before it.
    async fn run(&self, scenario: &str) -> String {
        run(self.client(scenario, AGENT)).await.unwrap()
    }

    /// Starts a client, and waits until it holds its connection open.
    async fn hold(&self, scenario: &str, agent: &str) -> Holding {
        let output = self.site.path(&format!("{scenario}-{agent}"));
        let mut command = self.client(scenario, agent);
        let file = std::fs::File::create(&output).unwrap();
        command.stdin(Stdio::null()).stdout(file);
        let holding = Holding {
            child: command.spawn().unwrap(),
            output,
        };
        self.site
            .until("the client holds", async |_| holding.said() == "held\n")
            .await;
        holding
    }

    /// What the server noted.
    fn noted(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    async fn open_calls(&self) -> u64 {
        let labels = [("resource", "hr-api")];
        self.site.count("boomgate_open_calls", &labels).await
    }
}

/// A client that holds a connection open; it ends with this value.
struct Holding {
    child: Child,
    output: PathBuf,
}

impl Holding {
    fn said(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// What it said when it had ended by itself.
    async fn end(mut self, site: &Site) -> String {
        site.until("the client has ended", async |_| {
            self.child.try_wait().unwrap().is_some()
        })
        .await;
        self.said()
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/websocket");
    folder.join(name)
}

#[tokio::test]
async fn messages_of_every_size_pings_and_closes_go_both_ways_and_are_counted() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let said = sockets.run("talk").await;
    let expected = "\
protocol chat True
bytes 0 True
bytes 1 True
bytes 125 True
bytes 126 True
bytes 65535 True
bytes 65536 True
bytes 10000000 True
text in fragments, to be sure
pong
closed 4000 done
";
    assert_eq!(said, expected);
    let noted = sockets.noted();
    assert!(
        noted.contains(&format!("open /hr/echo {AGENT} ['Upgrade']")),
        "{noted}"
    );
    assert!(noted.contains("end /hr/echo 4000 done"), "{noted}");
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "completed", "{outcome}");
    assert_eq!(outcome["status"], 101);
    let bytes = |member: &str| outcome[member].as_u64().unwrap();
    assert!(bytes("bytes") > 1_000 && bytes("bytesReceived") > 1_000);
    assert_eq!(sockets.open_calls().await, 0);
}

#[tokio::test]
async fn the_close_of_a_server_reaches_its_client_as_it_is() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    assert_eq!(sockets.run("leave").await, "closed 4001 enough\n");
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "completed");
}

#[tokio::test]
async fn a_client_that_is_blocked_gets_close_1008_and_its_server_too_while_others_go_on() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let cut = sockets.hold("hold", AGENT).await;
    let goes_on = sockets.hold("hold", OTHER_AGENT).await;
    assert_eq!(sockets.open_calls().await, 2);
    confirm_compromised(&sockets.site, AGENT).await;
    let said = cut.end(&sockets.site).await;
    assert_eq!(said, "held\nclosed 1008 blocked_by_policy\n");
    sockets
        .site
        .until("the server is told", async |_| {
            let noted = sockets.noted();
            noted.contains("end /hr/echo 1008 blocked_by_policy")
        })
        .await;
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "cut", "{outcome}");
    assert_eq!(outcome["reason"], "blocked_by_policy");
    let labels = [("reason", "blocked_by_policy")];
    let cuts = sockets.site.count("boomgate_calls_cut_total", &labels);
    assert_eq!(cuts.await, 1);
    let labels = [("source", "management")];
    let delays = "boomgate_enforcement_delay_seconds_count";
    assert_eq!(sockets.site.count(delays, &labels).await, 1);
    assert_eq!(sockets.open_calls().await, 1);
    assert_eq!(goes_on.said(), "held\n");
}

#[tokio::test]
async fn a_client_that_much_comes_for_is_cut_and_gets_close_1008_or_nothing_but_no_broken_frame() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let cut = sockets.hold("flood", AGENT).await;
    confirm_compromised(&sockets.site, AGENT).await;
    let said = cut.end(&sockets.site).await;
    let clean = "held\nclosed 1008 blocked_by_policy\n";
    assert!(
        said == clean || said == "held\nclosed None None\n",
        "{said}"
    );
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "cut", "{outcome}");
}

#[tokio::test]
async fn who_is_blocked_gets_403_and_a_resource_without_sockets_gives_none_and_no_server_hears_of_it()
 {
    let blocked = |setup: &mut Setup| setup.policies = vec![block("all", json!({}))];
    let Some(sockets) = Sockets::start(blocked).await else {
        return;
    };
    assert_eq!(sockets.run("refused").await, "refused 403\n");
    assert_eq!(sockets.noted(), "");
    drop(sockets);
    let without = |setup: &mut Setup| setup.resource = Vec::new();
    let sockets = Sockets::start(without).await.unwrap();
    // The server is asked for a page, without a word of an upgrade.
    assert_eq!(sockets.run("refused").await, "refused 426\n");
    assert_eq!(sockets.noted(), "");
}

#[tokio::test]
async fn a_gateway_that_stops_says_so_before_its_time_is_up() {
    let short = |setup: &mut Setup| {
        "shutdown: {drain_timeout: 3s}".clone_into(&mut setup.sections);
    };
    let Some(sockets) = Sockets::start(short).await else {
        return;
    };
    let holding = sockets.hold("hold", AGENT).await;
    let Sockets { site, .. } = sockets;
    let path = site.path("records.jsonl");
    site.app.stop().await.unwrap();
    let mut holding = holding;
    let ended = tokio::task::spawn_blocking(move || {
        holding.child.wait().unwrap();
        holding.said()
    });
    assert_eq!(ended.await.unwrap(), "held\nclosed 1001 shutdown\n");
    let records = std::fs::read_to_string(path).unwrap();
    let last: Value = serde_json::from_str(records.lines().last().unwrap()).unwrap();
    assert_eq!(last["boomgate"]["outcome"]["result"], "completed");
}

#[tokio::test]
async fn streams_of_http2_become_websockets_and_are_forwarded_by_http1() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let said = sockets.run("http2.py talk").await;
    let expected = "\
setting 1
open 200 b'chat' None
decision True upgrade False
TEXT hello
BINARY True
PONG are you there
CLOSE 4000 done
ended
";
    assert_eq!(said, expected);
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "completed", "{outcome}");
    let decision = sockets.site.records().into_iter().find(|record| {
        record["boomgate"]["decision"] == "allow" && record["boomgate"]["method"] == "GET"
    });
    assert!(decision.is_some(), "judged as the GET that it stands for");
}

#[tokio::test]
async fn a_stream_of_http2_is_cut_with_close_1008() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let cut = sockets.hold("http2.py hold", AGENT).await;
    confirm_compromised(&sockets.site, AGENT).await;
    let said = cut.end(&sockets.site).await;
    assert_eq!(said, "held\nCLOSE 1008 blocked_by_policy\nended\n");
    let outcome = outcome_of(&sockets.site, AGENT).await;
    assert_eq!(outcome["result"], "cut", "{outcome}");
}

#[tokio::test]
async fn a_stream_of_http2_that_asks_for_anything_else_is_refused() {
    let Some(sockets) = Sockets::start(|_| {}).await else {
        return;
    };
    let said = sockets.run("http2.py refused").await;
    let expected = "\
websocket 200
other protocol 405
no protocol 405
other version 400
other path 404
";
    assert_eq!(said, expected);
}
