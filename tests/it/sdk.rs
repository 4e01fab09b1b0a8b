//! Clients that nobody here wrote: Microsoft's own SDK of Graph's beta, and httpx, against the real binary over TLS.
//!
//! The scripts are in `tests/sdk`; `tests/run` sets `BOOMGATE_SDK_PYTHON` to a Python that has the SDK.

mod generated;

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
    async fn on(ground: Ground) -> Self {
        let config = ground.path("boomgate.yaml");
        let mut process = Process::start(&["run", "--config", config.to_str().unwrap()]);
        let listens =
            async |process: &Process| listening_at(&process.stderr(), "management").is_some();
        process.until("it listens", listens).await;
        Self { ground, process }
    }

    /// Runs scripts to their end, which must be a good one.
    fn serves(&self, python: &Path, scripts: &[&str]) {
        let management = listening_at(&self.process.stderr(), "management").unwrap();
        let output = Command::new("timeout")
            .arg("600")
            .arg(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/run.py"))
            .args(scripts)
            .env("BOOMGATE_MANAGEMENT", format!("https://{management}"))
            .env("BOOMGATE_CA_FILE", self.ground.pki.path("ca.pem"))
            .env("BOOMGATE_ADMIN_TOKEN_FILE", self.ground.path("admin-token"))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success() && text(&output.stdout).ends_with("done\n"),
            "{}\n{}\n{}",
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

#[tokio::test]
async fn the_sdk_drives_policies_locations_what_if_and_risk() {
    let Some(python) = python() else { return };
    let ground = Ground::lay(&Setup {
        policies: policies(),
        sections: "named_locations: {dir: locations}".to_owned(),
        ..Setup::default()
    })
    .await;
    std::fs::create_dir(ground.path("locations")).unwrap();
    let scripts = ["policies", "locations", "evaluate", "risky_agents"];
    Gateway::on(ground).await.serves(&python, &scripts);
}

#[tokio::test]
async fn refusals_have_graphs_form() {
    let Some(python) = python() else { return };
    let ground = Ground::lay(&Setup {
        policies: policies(),
        ..Setup::default()
    })
    .await;
    let elsewhere = ground.path("linked.json");
    std::fs::write(&elsewhere, block("linked", json!({})).1.to_string()).unwrap();
    symlink(&elsewhere, ground.path("policies/linked.json")).unwrap();
    Gateway::on(ground).await.serves(&python, &["errors"]);
}

#[tokio::test]
async fn policies_are_the_same_after_a_round_trip() {
    let Some(python) = python() else { return };
    let ground = Ground::lay(&Setup {
        sections: "policies: {dir: policies, on_unsupported: report_only}".to_owned(),
        ..Setup::default()
    })
    .await;
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/entra");
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        std::fs::copy(&path, ground.path(&format!("policies/{name}"))).unwrap();
    }
    let generated = generated::policies(24).to_string();
    std::fs::write(ground.path("policies/generated.json"), generated).unwrap();
    Gateway::on(ground).await.serves(&python, &["round_trip"]);
}
