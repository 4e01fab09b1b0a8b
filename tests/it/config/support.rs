//! Folders with a configuration that loads, for tests that change one thing.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use boomgate::config::load;
use tempfile::TempDir;

/// The admin token of the tests' environment.
pub(crate) const TOKEN: &str = "admin-token-of-the-tests-0123456789";

/// The smallest configuration that loads.
pub(crate) const MINIMAL: &str = "\
listeners:
  - name: https
    address: 127.0.0.1:8443
    tls:
      certificate_file: certs/server.pem
      key_file: certs/server-key.pem
management:
  tls:
    certificate_file: certs/management.pem
    key_file: certs/management-key.pem
  admin_token: ${BOOMGATE_ADMIN_TOKEN}
issuers:
  - name: entra
    profile: entra
    tenant: 7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00
resources:
  - name: hr-api
    app_id: e5e5e5e5-0000-4000-8000-000000000005
    hosts: [hr.example.com]
    audiences: [api://hr-api]
    upstream:
      url: http://127.0.0.1:9101
policies:
  dir: policies
";

pub(crate) fn environment(name: &str) -> Option<String> {
    match name {
        "BOOMGATE_ADMIN_TOKEN" => Some(TOKEN.to_owned()),
        "SHORT_TOKEN" => Some("hunter2".to_owned()),
        "BAD_URL" => Some("hunter2://secret-host".to_owned()),
        "HR_HOST" => Some("hr.example.com".to_owned()),
        _ => None,
    }
}

fn reference_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

pub(crate) fn reference_text() -> String {
    std::fs::read_to_string(reference_folder().join("boomgate.yaml")).unwrap()
}

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn with_reference() -> Self {
        let folder = Self::with_certificates();
        copy(&reference_folder(), folder.root());
        folder
    }

    /// The reference as it is shipped: without certificates.
    pub(crate) fn as_cloned() -> Self {
        let folder = Self(TempDir::new().unwrap());
        copy(&reference_folder(), folder.root());
        assert!(!folder.path("certs").exists(), "no certificate is shipped");
        folder
    }

    pub(crate) fn with_minimal() -> Self {
        let folder = Self::with_certificates();
        copy(
            &reference_folder().join("policies"),
            &folder.path("policies"),
        );
        folder.write("boomgate.yaml", MINIMAL);
        folder
    }

    pub(crate) fn with_certificates() -> Self {
        let folder = Self(TempDir::new().unwrap());
        for name in ["server", "management"] {
            let (certificate, key) = certificate(name);
            folder.write(&format!("certs/{name}.pem"), &certificate);
            folder.write(&format!("certs/{name}-key.pem"), &key);
        }
        folder
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Changes the configuration.
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let path = self.path("boomgate.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in the configuration");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn append(&self, more: &str) {
        let path = self.path("boomgate.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text + more).unwrap();
    }

    /// A JWK Set of one public key.
    pub(crate) fn write_jwks(&self, name: &str) {
        use base64::Engine as _;
        use rcgen::PublicKeyData as _;
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let point = key.der_bytes();
        let number = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let (x, y) = (number(&point[1..33]), number(&point[33..65]));
        let jwk = serde_json::json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y});
        self.write(name, serde_json::json!({"keys": [jwk]}).to_string());
    }

    /// The faults as lines, without the folder's name.
    pub(crate) fn faults(&self) -> Vec<String> {
        let (loaded, faults) = load(&self.path("boomgate.yaml"), &environment);
        assert_eq!(loaded.is_none(), faults.has_errors());
        let folder = format!("{}/", self.root().display());
        let lines = faults.sorted();
        lines
            .iter()
            .map(|fault| fault.to_string().replace(&folder, ""))
            .collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// A certificate and its key, as PEM; made once per name.
fn certificate(name: &str) -> (String, String) {
    static SERVER: OnceLock<(String, String)> = OnceLock::new();
    static MANAGEMENT: OnceLock<(String, String)> = OnceLock::new();
    let made = if name == "server" {
        &SERVER
    } else {
        &MANAGEMENT
    };
    made.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    })
    .clone()
}
