//! Clients that nobody here wrote: Microsoft's own SDK of Graph's beta, and httpx, against the real binary over TLS.
//!
//! The scripts are in `tests/sdk`; `tests/run` sets `BOOMGATE_SDK_PYTHON` to a Python that has the SDK.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{Process, listening_at};
use crate::support::site::{Ground, OTHER_AGENT, Setup, block};

/// A Python with the SDK. Without one a test has nothing to run; under `tests/run` that is a failure.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("BOOMGATE_SDK_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let under_run = std::env::var_os("BOOMGATE_TESTS_RUN").is_some();
        assert!(!under_run, "tests/run must set BOOMGATE_SDK_PYTHON");
        println!("needs tests/run: BOOMGATE_SDK_PYTHON names no Python");
    }
    python
}

/// A gateway as a process of its own.
struct Gateway {
    ground: Ground,
    process: Process,
}

impl Gateway {
    async fn start(setup: &Setup) -> Self {
        let ground = Ground::lay(setup).await;
        let config = ground.path("boomgate.yaml");
        let mut process = Process::start(&["run", "--config", config.to_str().unwrap()]);
        let listens =
            async |process: &Process| listening_at(&process.stderr(), "management").is_some();
        process.until("it listens", listens).await;
        Self { ground, process }
    }

    /// Runs a script to its end, which must be a good one.
    fn serves(&self, python: &Path, script: &str) {
        let management = listening_at(&self.process.stderr(), "management").unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk");
        let output = Command::new("timeout")
            .arg("120")
            .arg(python)
            .arg(format!("{folder}/{script}.py"))
            .env("BOOMGATE_MANAGEMENT", format!("https://{management}"))
            .env("BOOMGATE_CA_FILE", self.ground.pki.path("ca.pem"))
            .env("BOOMGATE_ADMIN_TOKEN_FILE", self.ground.path("admin-token"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success() && text(&output.stdout).ends_with("done\n"),
            "{script}: {}\n{}\n{}",
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}

/// A policy at high risk, one on another agent, and one that is off.
fn policies() -> Vec<(String, Value)> {
    let other = json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    let mut off = block("off", json!({}));
    off.1["state"] = json!("disabled");
    vec![
        block("high", json!({"agentIdRiskLevels": "high"})),
        block("other", other),
        off,
    ]
}

async fn gateway() -> Gateway {
    Gateway::start(&Setup {
        policies: policies(),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn policies_are_listed_made_changed_and_deleted() {
    let Some(python) = python() else { return };
    gateway().await.serves(&python, "policies");
}

#[tokio::test]
async fn what_if_is_asked_as_an_agent() {
    let Some(python) = python() else { return };
    gateway().await.serves(&python, "evaluate");
}

#[tokio::test]
async fn risky_agents_are_confirmed_paged_and_dismissed() {
    let Some(python) = python() else { return };
    gateway().await.serves(&python, "risky_agents");
}

#[tokio::test]
async fn refusals_have_graphs_form() {
    let Some(python) = python() else { return };
    let gateway = gateway().await;
    let elsewhere = gateway.ground.path("linked.json");
    std::fs::write(&elsewhere, block("linked", json!({})).1.to_string()).unwrap();
    symlink(&elsewhere, gateway.ground.path("policies/linked.json")).unwrap();
    gateway.serves(&python, "errors");
}
