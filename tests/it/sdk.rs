//! Clients that nobody here wrote: Microsoft's own SDK of Graph's beta, and httpx, against the real binary over TLS.
//!
//! The scripts are in `tests/sdk`; `tests/run` sets `BOOMGATE_SDK_PYTHON` to a Python that has the SDK.

mod generated;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{Process, listening_at};
use crate::support::servers::tool;
use crate::support::site::{AGENT, Ground, HUMAN, OTHER_AGENT, Setup, block};

/// A Python with the SDK.
fn python() -> Option<PathBuf> {
    tool("BOOMGATE_SDK_PYTHON")
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
        let listens = async |process: &Process| {
            let log = process.stderr();
            ["management", "public"]
                .iter()
                .all(|name| listening_at(&log, name).is_some())
        };
        process.until("it listens", listens).await;
        Self { ground, process }
    }

    /// Runs scripts to their end, which must be a good one. They find the tokens of callers in the folder of the gateway.
    async fn serves(&self, python: &Path, scripts: &[&str]) {
        let address = |listener| {
            let address = listening_at(&self.process.stderr(), listener).unwrap();
            format!("https://{address}")
        };
        let tokens = self.ground.path("tokens");
        std::fs::create_dir_all(&tokens).unwrap();
        for (name, token) in self.tokens() {
            std::fs::write(tokens.join(name), token).unwrap();
        }
        let mut command = Command::new("timeout");
        command
            .arg("600")
            .arg(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/run.py"))
            .args(scripts)
            .env("BOOMGATE_MANAGEMENT", address("management"))
            .env("BOOMGATE_CALLS", address("public"))
            .env("BOOMGATE_TOKENS", &tokens)
            .env("BOOMGATE_CA_FILE", self.ground.pki.path("ca.pem"))
            .env("BOOMGATE_ADMIN_TOKEN_FILE", self.ground.path("admin-token"));
        // The upstream of the scripts' calls runs in the runtime of this test, which must not wait here.
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
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

impl Gateway {
    /// Of two agents that call, and of people with each role.
    fn tokens(&self) -> Vec<(&'static str, String)> {
        let of_role = |role: &str| {
            self.ground.token(&json!({"aud": "api://boomgate-management", "idtyp": "user", "oid": HUMAN, "sub": HUMAN,
                "azp": "console", "scp": "x", "roles": [role], "xms_act_fct": null, "xms_sub_fct": null,
                "xms_par_app_azp": null}))
        };
        vec![
            ("agent", self.ground.agent_token(AGENT)),
            ("other-agent", self.ground.agent_token(OTHER_AGENT)),
            ("reader", of_role("reader")),
            ("operator", of_role("operator")),
            ("admin", of_role("admin")),
            ("stranger", of_role("visitor")),
        ]
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
    Gateway::on(ground).await.serves(&python, &scripts).await;
}

#[tokio::test]
async fn the_sdk_pages_through_the_sign_ins_of_real_calls() {
    let Some(python) = python() else { return };
    let ground = Ground::lay(&Setup {
        policies: policies(),
        ..Setup::default()
    })
    .await;
    Gateway::on(ground)
        .await
        .serves(&python, &["sign_ins"])
        .await;
}

#[tokio::test]
async fn a_location_that_the_sdk_makes_counts_for_the_next_call() {
    let Some(python) = python() else { return };
    let conditions = json!({"locations": {"includeLocations": ["AllTrusted"]}});
    let ground = Ground::lay(&Setup {
        policies: vec![block("trusted", conditions)],
        sections: "named_locations: {dir: locations, mfa_trusted_ips: [203.0.113.0/24], \
            compliant_networks: [203.0.113.0/24]}"
            .to_owned(),
        ..Setup::default()
    })
    .await;
    std::fs::create_dir(ground.path("locations")).unwrap();
    Gateway::on(ground)
        .await
        .serves(&python, &["effects"])
        .await;
}

#[tokio::test]
async fn a_role_that_is_too_small_gets_403_and_changes_nothing() {
    let Some(python) = python() else { return };
    let ground = Ground::lay(&Setup {
        policies: policies(),
        management: vec!["oidc: {issuer: entra, audience: 'api://boomgate-management'}"],
        ..Setup::default()
    })
    .await;
    Gateway::on(ground).await.serves(&python, &["roles"]).await;
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
    Gateway::on(ground).await.serves(&python, &["errors"]).await;
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
    Gateway::on(ground)
        .await
        .serves(&python, &["round_trip"])
        .await;
}
