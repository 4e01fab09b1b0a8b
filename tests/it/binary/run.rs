//! `boomgate run`: signals, records, and what it keeps to itself.

use std::fs;
use std::net::TcpListener;
use std::ops::Deref;
use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::client::{ALL_VERSIONS, RawClient, connect, status_of};
use crate::support::gateway;
use crate::support::process::run;
use crate::support::site::{
    ADMIN_TOKEN, AGENT, Answer, Ground, OTHER_AGENT, Setup, agent_claims, block,
};

/// A gateway that runs as a process, and its ground.
struct Gateway {
    ground: Ground,
    runs: gateway::Gateway,
}

impl Deref for Gateway {
    type Target = gateway::Gateway;

    fn deref(&self) -> &gateway::Gateway {
        &self.runs
    }
}

impl Gateway {
    async fn start(sections: &str) -> Self {
        let ground = Ground::lay(&Setup {
            policies: vec![block(
                "other",
                json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}}),
            )],
            sections: sections.to_owned(),
            ..Setup::default()
        })
        .await;
        let runs = gateway::Gateway::start(&ground.path("boomgate.yaml")).await;
        Self { ground, runs }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.runs.get(&self.ground.pki, path, token).await
    }

    async fn manage(&self, path: &str) -> Answer {
        self.runs
            .manage(&self.ground.pki, Method::GET, path, "")
            .await
    }

    async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let came = tokio::time::timeout(crate::support::client::PATIENCE, waiting).await;
        assert!(
            came.is_ok(),
            "waited in vain until {what}:\n{}",
            self.process.stderr()
        );
    }
}

/// The ids of the decisions in a file of records, each line of which is whole.
fn decisions(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .filter(|record| record["boomgate"]["decision"].is_string())
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn sighup_reloads_and_goes_on_in_a_new_file_of_records() {
    let mut gateway = Gateway::start("reload: {interval: 1h}").await;
    let token = gateway.ground.agent_token(AGENT);
    let records = gateway.ground.path("records.jsonl");
    let rotated = gateway.ground.path("records.1.jsonl");
    let mut asked = Vec::new();
    let mut ask = async |gateway: &Gateway| {
        let answer = gateway.get("/hr/people", &token).await;
        asked.push(answer.header("boomgate-decision-id").to_owned());
        answer.status
    };
    assert_eq!(ask(&gateway).await, StatusCode::OK);

    fs::rename(&records, &rotated).unwrap();
    let policy = block("all", json!({})).1;
    fs::write(gateway.ground.path("policies/all.json"), policy.to_string()).unwrap();
    assert_eq!(
        ask(&gateway).await,
        StatusCode::OK,
        "nobody asked for it yet"
    );

    gateway.process.signal("HUP");
    gateway
        .until("the new policy is in force", async |gateway| {
            ask(gateway).await == StatusCode::FORBIDDEN
        })
        .await;

    // A bad file is no reason to end.
    fs::write(gateway.ground.path("policies/bad.json"), "{").unwrap();
    gateway.process.signal("HUP");
    gateway
        .until("the fault is logged", async |gateway| {
            let log = gateway.process.stderr();
            log.contains("configuration not reloaded") && log.contains("policies/bad.json:1:1")
        })
        .await;
    assert_eq!(ask(&gateway).await, StatusCode::FORBIDDEN);

    gateway.process.signal("TERM");
    assert_eq!(gateway.runs.process.end().await.code(), Some(0));
    let (before, after) = (decisions(&rotated), decisions(&records));
    assert!(before.len() >= 2 && after.len() >= 2);
    assert_eq!(
        [before, after].concat(),
        asked,
        "no record is lost or twice"
    );
}

#[tokio::test]
async fn sigterm_lets_the_calls_under_way_end_and_takes_no_more() {
    let mut gateway = Gateway::start("").await;
    let bearer = format!("Bearer {}", gateway.ground.agent_token(AGENT));
    let mut call = RawClient::connect(&gateway.ground.pki, gateway.public, "http/1.1").await;
    let head = format!(
        "POST /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: {bearer}\r\ncontent-length: 10\r\n\r\n12345"
    );
    call.send(head.as_bytes()).await.unwrap();
    gateway
        .until("the call is under way", async |gateway| {
            let metrics = gateway.manage("/metrics").await.body;
            let open = "boomgate_open_calls{resource=\"hr-api\"} 1\n";
            String::from_utf8(metrics).unwrap().contains(open)
        })
        .await;
    assert_eq!(gateway.manage("/readyz").await.status, StatusCode::OK);

    gateway.process.signal("TERM");
    gateway
        .until("nobody is let in", async |gateway| {
            TcpStream::connect(gateway.public).await.is_err()
        })
        .await;
    let ready = gateway.manage("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["status"], "not_ready");

    call.send(b"67890").await.unwrap();
    let answer = call.read_to_close().await;
    assert_eq!(status_of(&answer), 200);
    assert!(answer.ends_with(b"1234567890"));
    assert_eq!(gateway.runs.process.end().await.code(), Some(0));
    let records = gateway.ground.records();
    let outcome = &records.last().unwrap()["boomgate"]["outcome"];
    assert_eq!(outcome["result"], "completed", "{records:#?}");
}

#[tokio::test]
async fn a_call_that_does_not_end_is_given_up_at_the_drain_timeout() {
    let mut gateway = Gateway::start("shutdown: {drain_timeout: 500ms}").await;
    let bearer = format!("Bearer {}", gateway.ground.agent_token(AGENT));
    let mut call = RawClient::connect(&gateway.ground.pki, gateway.public, "http/1.1").await;
    let head = format!(
        "POST /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: {bearer}\r\ncontent-length: 10\r\n\r\n12345"
    );
    call.send(head.as_bytes()).await.unwrap();
    gateway
        .until("the call is recorded", async |gateway| {
            !decisions(&gateway.ground.path("records.jsonl")).is_empty()
        })
        .await;
    gateway.process.signal("INT");
    assert_eq!(gateway.runs.process.end().await.code(), Some(0));
    let records = gateway.ground.records();
    let outcome = &records.last().unwrap()["boomgate"]["outcome"];
    assert!(outcome["result"].is_string(), "{records:#?}");
}

#[tokio::test]
async fn a_taken_port_is_exit_code_1_and_named() {
    let ground = Ground::lay(&Setup::default()).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let path = ground.path("boomgate.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replacen("127.0.0.1:0", &address.to_string(), 1);
    fs::write(&path, text).unwrap();
    let ended = run(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&address.to_string()),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("the port is taken"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn no_secret_is_printed_logged_or_recorded() {
    let mut gateway = Gateway::start("").await;
    let ground = &gateway.ground;
    let mut expired = agent_claims(AGENT);
    expired["exp"] = json!(crate::support::site::now() - 7200);
    let good = ground.agent_token(AGENT);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let tokens = [
        good.clone(),
        ground.agent_token(OTHER_AGENT),
        ground.issuer.sign(&expired).unwrap(),
        format!("{unsigned}.c2lnbmF0dXJlLW9mLXNvbWVib2R5LWVsc2U"),
        "a-token-that-is-none-0123456789".to_owned(),
    ];
    for token in &tokens {
        gateway.get("/hr/people", token).await;
        gateway
            .get(&format!("/hr/people?access_token={token}"), token)
            .await;
        gateway.get(&format!("/hr/{token}"), "none").await;
        gateway.get(&format!("/nowhere/{token}"), token).await;
    }
    // As user and password, as a cookie, twice, and to the control plane.
    let raw = [
        format!("authorization: Basic {good}"),
        format!("cookie: token={good}"),
        format!("authorization: Bearer {good}\r\nauthorization: Bearer {good}"),
        format!("authorization: Bearer {good}\u{7f}"),
    ];
    for (address, header) in [gateway.public, gateway.management]
        .into_iter()
        .flat_map(|address| raw.iter().map(move |header| (address, header)))
    {
        let config = ground.pki.client(&["http/1.1"], ALL_VERSIONS, None);
        let mut client = RawClient(connect(address, config, "localhost").await.unwrap());
        let head =
            format!("GET /hr HTTP/1.1\r\nhost: localhost\r\n{header}\r\nconnection: close\r\n\r\n");
        client.send(head.as_bytes()).await.unwrap();
        client.read_to_close().await;
    }
    gateway.manage("/beta/identityProtection/riskyAgents").await;
    gateway.process.signal("HUP");
    gateway
        .until("it reloads", async |gateway| {
            gateway.process.stderr().contains("configuration reloaded")
        })
        .await;
    gateway.process.signal("TERM");
    assert_eq!(gateway.runs.process.end().await.code(), Some(0));

    let records = fs::read_to_string(gateway.ground.path("records.jsonl")).unwrap();
    assert!(decisions(&gateway.ground.path("records.jsonl")).len() >= 4 * tokens.len());
    let written = [gateway.process.stdout(), gateway.process.stderr(), records];
    let secrets = tokens.iter().flat_map(|token| token.split('.'));
    // The header is the same in all tokens and no secret, but whoever writes it writes tokens.
    for secret in secrets.chain([ADMIN_TOKEN]) {
        let piece = secret.get(..24).unwrap();
        for text in &written {
            let line = text.lines().find(|line| line.contains(piece));
            assert_eq!(line, None, "{piece}");
        }
    }
}
