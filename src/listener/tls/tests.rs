//! Faults of certificate files stop the load.

use std::fs;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// Files of a self-signed pair, and of another key.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        let other = KeyPair::generate().unwrap();
        fs::write(folder.path().join("other.pem"), other.serialize_pem()).unwrap();
        fs::write(folder.path().join("empty.pem"), "").unwrap();
        Self { folder }
    }

    fn settings(&self, certificate: &str, key: &str) -> ServerTls {
        ServerTls {
            certificate: OwnCertificate::Files {
                certificate_file: self.path(certificate),
                key_file: self.path(key),
            },
            client_certificates: ClientCertificates::Off,
            allow_tls12: true,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn loads_a_pair_with_both_protocols_and_without_early_data() {
    let files = Files::new();
    let loaded = load(&files.settings("cert.pem", "key.pem"), &Arc::default());
    let config = TlsInUse::new(loaded.unwrap()).config();
    assert_eq!(
        config.alpn_protocols,
        [b"h2".to_vec(), b"http/1.1".to_vec()]
    );
    assert_eq!(config.max_early_data_size, 0);
    assert!(config.ticketer.enabled());
}

#[test]
fn a_key_of_another_certificate_is_an_error() {
    let files = Files::new();
    let error = load(&files.settings("cert.pem", "other.pem"), &Arc::default()).unwrap_err();
    assert!(matches!(error, TlsError::Pair { .. }), "{error:?}");
}

#[test]
fn missing_and_empty_files_are_errors() {
    let files = Files::new();
    let missing = load(&files.settings("none.pem", "key.pem"), &Arc::default()).unwrap_err();
    assert!(matches!(missing, TlsError::Read { .. }), "{missing:?}");
    let empty = load(&files.settings("empty.pem", "key.pem"), &Arc::default()).unwrap_err();
    assert!(matches!(empty, TlsError::NoCertificate { .. }), "{empty:?}");
    let no_key = load(&files.settings("cert.pem", "empty.pem"), &Arc::default()).unwrap_err();
    assert!(matches!(no_key, TlsError::Read { .. }), "{no_key:?}");
}

#[test]
fn an_empty_or_missing_bundle_never_turns_client_certificates_off() {
    let files = Files::new();
    for bundle in ["empty.pem", "none.pem", "key.pem"] {
        for kind in [ClientCertificates::Optional, ClientCertificates::Required] {
            let mut settings = files.settings("cert.pem", "key.pem");
            settings.client_certificates = kind(files.path(bundle));
            assert!(load(&settings, &Arc::default()).is_err(), "{bundle}");
        }
    }
}
