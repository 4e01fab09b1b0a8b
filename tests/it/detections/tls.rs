//! How clients begin TLS: real ones of three libraries are told apart, by records and by detections.

use std::collections::BTreeSet;
use std::process::Command;

use boomgate::cli::Output;
use http::{Method, Request};
use rustls::HandshakeKind;
use serde_json::{Value, json};

use super::replay::run as replay;
use super::theft::token;
use crate::support::client::{ALL_VERSIONS, Client, connect};
use crate::support::servers::run;
use crate::support::site::{AGENT, Setup, Site, block, exchange};

/// The agent's own machine, and a thief's: networks of their own on this one.
const HOME: &str = "127.0.0.1";
const ELSEWHERE: &str = "127.66.0.1";

/// Two calls over a connection each; the second one resumes the first one's session. Prints the second answer.
const PYTHON: &str = r#"
import socket, ssl, sys
port, ca, token, agent, source, times = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
session = None
for time in range(int(times)):
    plain = socket.create_connection(("127.0.0.1", int(port)), source_address=(source, 0))
    with context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
        assert tls.session_reused == (time > 0), "not resumed"
        head = f"GET /hr/people HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: {agent}\r\n"
        tls.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
        answer = b""
        while part := tls.recv(4096):
            answer += part
        session = tls.session
print(answer.decode())
"#;

async fn python(site: &Site, agent: &str, token: &str, (source, times): (&str, u8)) -> String {
    let port = site.address().port().to_string();
    let mut command = Command::new("python3");
    command
        .args(["-c", PYTHON, &port])
        .arg(site.pki.path("ca.pem"));
    command.args([token, agent, source, &times.to_string()]);
    run(command).await.unwrap()
}

/// One call of curl's; prints its answer with the head.
async fn curl(site: &Site, agent: &str, token: &str, (source, more): (&str, &str)) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--include", more]);
    command.args(["--interface", source, "--user-agent", agent]);
    command.arg("--cacert").arg(site.pki.path("ca.pem"));
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    let port = site.address().port();
    command.args(["--resolve", &format!("localhost:{port}:127.0.0.1")]);
    command.arg(format!("https://localhost:{port}/hr/people"));
    run(command).await.unwrap()
}

/// Two calls of rustls, the second on a session of the first.
async fn rustls(site: &Site, agent: &str, token: &str, alpn: &str) {
    let config = site.pki.client(&[alpn], ALL_VERSIONS, None);
    let expected = [HandshakeKind::Full, HandshakeKind::Resumed];
    for kind in expected {
        let stream = connect(site.address(), config.clone(), "localhost").await;
        let stream = stream.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
        let uri = match alpn {
            "h2" => "https://localhost/hr/people",
            _ => "/hr/people",
        };
        let mut request = Request::get(uri)
            .header("user-agent", agent)
            .header("authorization", format!("Bearer {token}"));
        if alpn != "h2" {
            request = request.header("host", "localhost");
        }
        let answer = exchange(Client::over(stream).await, request, "").await;
        assert_eq!(answer.status, 200);
    }
}

/// The prints on record of so many calls by clients of this name.
async fn prints(site: &Site, agent: &str, calls: usize) -> BTreeSet<String> {
    let of_agent = |site: &Site| -> Vec<Value> {
        let mut records = site.records();
        records.retain(|record| record["userAgent"] == agent);
        records
    };
    let all = async |site: &Site| of_agent(site).len() == calls;
    site.until("the calls are recorded", all).await;
    let records = of_agent(site);
    let prints = records
        .iter()
        .map(|one| one["boomgate"]["tlsClient"].as_str());
    prints.map(|print| print.unwrap().to_owned()).collect()
}

#[tokio::test]
async fn clients_of_three_libraries_have_three_prints_and_each_the_same_in_every_connection() {
    let site = Site::start(Setup::default()).await;
    let token = token(&site, "shared");
    for _ in 0..2 {
        curl(&site, "curl", &token, (HOME, "--http1.1")).await;
        python(&site, "python", &token, (HOME, 2)).await;
    }
    curl(&site, "curl", &token, (HOME, "--http2")).await;
    rustls(&site, "rustls", &token, "http/1.1").await;
    rustls(&site, "rustls", &token, "h2").await;
    let mut all = BTreeSet::new();
    for (agent, calls) in [("curl", 3), ("python", 4), ("rustls", 4)] {
        let prints = prints(&site, agent, calls).await;
        assert_eq!(prints.len(), 1, "{agent}: {prints:?}");
        all.extend(prints);
    }
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().all(|print| print.len() == 16), "{all:?}");
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn behind_a_proxy_that_is_believed_there_is_no_print_for_it_would_be_the_proxys() {
    let site = Site::start(Setup {
        listener: vec!["trusted_proxies: {addresses: [127.0.0.0/8], header: x_forwarded_for}"],
        ..Setup::default()
    })
    .await;
    let token = token(&site, "shared");
    let answer = curl(&site, "curl", &token, (HOME, "--http1.1")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let is_there = async |site: &Site| !site.records().is_empty();
    site.until("the call is recorded", is_there).await;
    let record = &site.records()[0];
    assert_eq!(record["boomgate"]["tlsClient"], Value::Null, "{record}");
    site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_thief_who_takes_the_agents_name_is_known_by_another_tls_library() {
    let site = Site::start(Setup {
        policies: vec![block("agents", json!({"agentIdRiskLevels": "high"}))],
        ..Setup::default()
    })
    .await;
    let agent = "hr-agent/1.0";
    // The agent itself moves: that alone is nothing.
    let its_own = token(&site, "its own");
    for from in [HOME, ELSEWHERE] {
        let answer = curl(&site, agent, &its_own, (from, "--http1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let stolen = token(&site, "stolen");
    curl(&site, agent, &stolen, (HOME, "--http1.1")).await;
    let thefts = python(&site, agent, &stolen, ("127.77.0.1", 1)).await;
    assert!(thefts.starts_with("HTTP/1.1 200"), "{thefts}");
    let lines = thefts.lines();
    let mut ids = lines.filter_map(|line| line.strip_prefix("boomgate-decision-id: "));
    let id = ids.next().unwrap();

    site.until("the agent is blocked", async |site| {
        let answer = curl(site, agent, &its_own, (HOME, "--http1.1")).await;
        answer.starts_with("HTTP/1.1 403")
    })
    .await;
    let path = "/beta/identityProtection/agentRiskDetections";
    let detections = site.manage(Method::GET, path, "").await.json();
    let detections = detections["value"].as_array().unwrap();
    assert_eq!(detections.len(), 1, "{detections:?}");
    assert_eq!(detections[0]["riskEventType"], "tokenReplay");
    assert_eq!(detections[0]["signInRequestId"], id);
    let evidence = detections[0]["riskEvidence"].as_str().unwrap();
    assert!(evidence.contains("begins TLS otherwise"), "{evidence}");

    // The records tell the same.
    let config = site.path("boomgate.yaml");
    let (code, text) = replay(site.path("records.jsonl"), Some(config), Output::Json);
    assert_eq!(code, 0, "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["agents"][0]["id"], AGENT);
    assert_eq!(found["agents"][0]["first"]["requestId"], id, "{text}");
    site.app.stop().await.unwrap();
}
