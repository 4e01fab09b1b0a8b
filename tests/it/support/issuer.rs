//! An issuer that nobody here wrote: npm's `oidc-provider`, as a process of its own, over TLS.
//!
//! The script is in `tests/issuer`; `tests/run` sets `BOOMGATE_ISSUER_MODULES` to a folder that has the modules.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::process::Process;
use super::servers::tool;
use super::site::Ground;

/// A folder with the modules.
pub(crate) fn modules() -> Option<PathBuf> {
    tool("BOOMGATE_ISSUER_MODULES")
}

/// The issuer; it ends with this value.
pub(crate) struct RealIssuer {
    /// Its `iss`, which is its address too.
    pub(crate) url: String,
    process: Process,
}

impl RealIssuer {
    /// Starts it with the server's certificate of this ground, and these settings beside.
    pub(crate) async fn start(modules: &Path, ground: &Ground, mut settings: Value) -> Self {
        settings["certificate"] = json!(ground.pki.path("server.pem"));
        settings["key"] = json!(ground.pki.path("server.key"));
        let file = ground.path("issuer.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let mut command = Command::new("node");
        command
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/issuer/server.mjs"
            ))
            .args([modules, file.as_path()])
            .env("NODE_EXTRA_CA_CERTS", ground.pki.path("ca.pem"));
        let mut process = Process::of(command);
        let says_where = async |process: &Process| !lines(process).is_empty();
        process.until("the issuer listens", says_where).await;
        let url = lines(&process)[0]["issuer"].as_str().unwrap().to_owned();
        Self { url, process }
    }

    /// How often it answered a call that was forwarded under this decision's id, once it has answered the one of
    /// `later`, which was forwarded after it.
    pub(crate) async fn answered(&mut self, decision: &str, later: &str) -> usize {
        let answers = |process: &Process, id: &str| {
            let lines = lines(process);
            lines.iter().filter(|line| line["decision"] == id).count()
        };
        let has_answered = async |process: &Process| answers(process, later) > 0;
        self.process.until("the issuer says it", has_answered).await;
        answers(&self.process, decision)
    }
}

/// What it has said so far, without its advice to operators.
fn lines(process: &Process) -> Vec<Value> {
    let text = process.stdout();
    let whole = text.split_inclusive('\n');
    let said = whole.filter(|line| line.starts_with('{') && line.ends_with('\n'));
    said.map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
