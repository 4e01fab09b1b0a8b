//! The process may open no more files: it accepts nothing for a while, spends nothing on it, and goes on by itself.

use std::process::Command;
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::net::TcpStream;

use crate::support::client::{Client, PATIENCE};
use crate::support::gateway::Gateway;
use crate::support::process::Process;
use crate::support::site::{AGENT, Ground, Setup};

/// The processor time that a process has taken, in hundredths of a second.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name, which is in parentheses.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || -> u64 { fields.next().unwrap().parse().unwrap() };
    next() + next()
}

fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn without_descriptors_it_waits_and_does_not_spin() {
    const FILES: usize = 64;
    let ground = Ground::lay(&Setup::default()).await;
    let config = ground.path("boomgate.yaml");
    let mut shell = Command::new("bash");
    let script = format!("ulimit -n {FILES}; exec \"$0\" run --config \"$1\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_boomgate")]);
    shell.arg(&config);
    let mut gateway = Gateway::of(Process::of(shell)).await;
    let token = ground.agent_token(AGENT);
    let mut open = Client::http1(&ground.pki, gateway.public).await;
    assert!(open.get("/nothing").await.is_ok());

    let mut silent = Vec::new();
    for _ in 0..FILES {
        silent.push(TcpStream::connect(gateway.public).await.unwrap());
    }
    let is_full = async |process: &Process| process.stderr().contains("cannot accept connections");
    gateway.process.until("it has no more", is_full).await;
    let id = gateway.process.id();
    assert!(open_files(id) >= FILES - 1, "{}", open_files(id));
    let (before, since) = (ticks(id), Instant::now());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (spent, elapsed) = (ticks(id) - before, since.elapsed());
    // A loop that spins takes a hundred in a second.
    let most = u64::try_from(elapsed.as_millis() / 40).unwrap();
    assert!(spent < most, "{spent} of {elapsed:?}");
    // It says so now and then, and not at each attempt.
    let said = gateway.process.stderr();
    let said = said.matches("cannot accept connections").count();
    assert!(said < 20, "{said} times");
    // Who is connected is served.
    let response = open.get("/nothing").await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);

    drop(silent);
    let answered = gateway.get(&ground.pki, "/hr/people", &token);
    let answer = tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
}
