//! The files of one demo: what a person or a script needs to try it, in one folder.
//!
//! Keys, tokens and the admin token are readable by their owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::callers::{TENANT, issuer};
use super::samples::SAMPLES;

/// Where the servers of a demo listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// The gateway.
    pub gateway: SocketAddr,
    /// Management.
    pub management: SocketAddr,
    /// The issuer.
    pub issuer: SocketAddr,
    /// The HR sample API.
    pub hr: SocketAddr,
    /// The finance sample API.
    pub finance: SocketAddr,
}

/// The folder of one demo.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, and those in it. It must be new or empty: files that are there are not overwritten.
    ///
    /// # Errors
    /// When it cannot be made, or holds something.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        if fs::read_dir(&path)?.next().is_some() {
            let message = format!(
                "the folder `{}` is not empty; choose another",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        for inner in ["tls", "tokens"] {
            fs::create_dir(path.join(inner))?;
        }
        fs::canonicalize(path).map(Self)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file for everybody.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> io::Result<()> {
        let path = self.0.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }

    /// Writes a file for its owner only, in one step: a reader sees the old text or the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_secret(&self, name: &str, content: &str) -> io::Result<()> {
        let path = self.0.join(name);
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content.as_bytes())?;
        fs::rename(fresh, path)
    }

    /// Writes the sample policies, agents, locations and risks.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write_samples(&self) -> io::Result<()> {
        SAMPLES
            .iter()
            .try_for_each(|(name, content)| self.write(name, content))
    }

    /// Writes the gateway's configuration and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_configuration(&self, addresses: &Addresses) -> io::Result<PathBuf> {
        self.write("gateway.yaml", &configuration(addresses))?;
        Ok(self.0.join("gateway.yaml"))
    }
}

/// The gateway's configuration for a demo; `config/boomgate.yaml` explains every setting.
fn configuration(addresses: &Addresses) -> String {
    let Addresses {
        gateway,
        management,
        issuer: keys,
        hr,
        finance,
    } = addresses;
    let issuer = issuer();
    format!(
        r#"# Made by `boomgate demo`. Edit it, or the files beside it, while the demo runs: changes take effect at once.
listeners:
  - name: public
    address: "{gateway}"
    tls:
      certificate_file: tls/server.pem
      key_file: tls/server.key

management:
  address: "{management}"
  tls:
    certificate_file: tls/server.pem
    key_file: tls/server.key
  admin_token: "file:admin-token"
  allowed_hosts: [localhost]
  unauthenticated_probes: true

issuers:
  - name: demo
    profile: entra
    tenant: {TENANT}
    issuers: ["{issuer}"]
    keys:
      # The demo's own issuer stands for Microsoft's.
      jwks_uri: https://{keys}/discovery/v2.0/keys
      ca_file: ca.pem

resources:
  - name: hr-api
    display_name: HR API
    app_id: e5e5e5e5-0000-4000-8000-000000000005
    attributes: {{ResourceAttributes_Department: [HR]}}
    hosts: ["*"]
    path_prefixes: [/hr]
    audiences: [e5e5e5e5-0000-4000-8000-000000000005]
    upstream: {{url: "http://{hr}"}}
    operations:
      - {{path: /hr/people, methods: [GET]}}
      - {{path: "/hr/people/{{id}}", methods: [GET]}}
  - name: finance-api
    display_name: Finance API
    app_id: e5e5e5e5-0000-4000-8000-000000000015
    attributes: {{ResourceAttributes_Department: [Finance]}}
    hosts: ["*"]
    path_prefixes: [/finance]
    audiences: [e5e5e5e5-0000-4000-8000-000000000015]
    upstream: {{url: "http://{finance}"}}
    operations:
      - {{path: /finance/invoices, methods: [GET]}}

policies: {{dir: policies}}
named_locations: {{dir: named-locations}}
directory: {{dir: agents}}
risk: {{file: risky-agents.json}}
records: {{file: records.jsonl}}
responses: {{show_policies: true}}
reload: {{interval: 500ms}}
"#
    )
}
