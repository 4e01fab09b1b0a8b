//! The Workload API of a test, and what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::CertificateParams;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::pki::Pki;
use crate::support::process::Process;
use crate::support::servers::tool;

/// The gateway of the tests.
pub(super) const GATEWAY: &str = "spiffe://example.org/ns/hr/sa/gateway";

/// An agent, which runs or not.
pub(super) struct Agent {
    python: PathBuf,
    folder: TempDir,
    process: Option<Process>,
}

impl Agent {
    /// One that does not run yet, and denies everybody.
    pub(super) fn new() -> Option<Self> {
        let agent = Self {
            python: tool("BOOMGATE_PYTHON")?,
            folder: TempDir::new().unwrap(),
            process: None,
        };
        agent.say(&json!({"deny": true}));
        Some(agent)
    }

    /// One that runs and says this.
    pub(super) fn saying(said: &Value) -> Option<Self> {
        let mut agent = Self::new()?;
        agent.say(said);
        agent.start();
        Some(agent)
    }

    pub(super) fn start(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spiffe/agent.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(self.socket()).arg(self.said());
        self.process = Some(Process::of(command));
    }

    /// Ends it, as it ends when it is killed.
    pub(super) fn stop(&mut self) {
        self.process = None;
        fs::remove_file(self.socket()).unwrap();
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// As workloads are told it.
    pub(super) fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// From now on it says this, to everybody who listens.
    pub(super) fn say(&self, said: &Value) {
        let next = self.folder.path().join("next");
        fs::write(&next, said.to_string()).unwrap();
        fs::rename(next, self.said()).unwrap();
    }

    fn said(&self) -> PathBuf {
        self.folder.path().join("said.json")
    }
}

/// An identity as the API says it.
pub(super) struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    said: Value,
}

impl Identity {
    pub(super) fn new(pki: &Pki, id: &str, names: &[&str]) -> Self {
        Self::changed(pki, id, names, |_| {})
    }

    pub(super) fn changed(
        pki: &Pki,
        id: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let (certificate, key) = pki.issue_svid(id, names, change);
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let said = json!({
            "spiffe_id": id,
            "x509_svid": STANDARD.encode(&certificate),
            "x509_svid_key": STANDARD.encode(key.secret_der()),
            "bundle": STANDARD.encode(pki.ca()),
            "hint": "internal",
        });
        Self { certificate, said }
    }

    /// The message with this identity alone.
    pub(super) fn message(&self) -> Value {
        message(&[self])
    }

    /// The same with this member of its own put over.
    pub(super) fn with(mut self, member: &str, value: Value) -> Self {
        self.said[member] = value;
        self
    }

    pub(super) fn member(&self, member: &str) -> Value {
        self.said[member].clone()
    }
}

pub(super) fn message(identities: &[&Identity]) -> Value {
    let said: Vec<_> = identities.iter().map(|identity| &identity.said).collect();
    json!({ "svids": said })
}
