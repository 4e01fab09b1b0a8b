//! The PEM files that a configuration names: read and tried once here, so that a fault shows before it matters.
//!
//! Never here: a key or certificate in a message.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Checker, Extent};
use crate::config::member::MemberPath;
use crate::config::raw::text::File;
use crate::spiffe::settings::OwnCertificate;

/// The largest PEM file, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// A certificate of our own as it is written below one member: two files, or the Workload API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) certificate_file: Option<&'a File>,
    pub(super) key_file: Option<&'a File>,
    pub(super) spiffe: bool,
}

/// Where a certificate of our own comes from. Files are read, and held against each other.
pub(super) fn own_certificate(
    check: &mut Checker<'_>,
    at: &MemberPath,
    written: Written<'_>,
) -> OwnCertificate {
    let files = [
        ("certificate_file", written.certificate_file),
        ("key_file", written.key_file),
    ];
    if written.spiffe {
        for (name, _) in files.iter().filter(|(_, file)| file.is_some()) {
            check.error(
                &at.key(name),
                "stands beside `spiffe`, expected one of them",
            );
        }
        return OwnCertificate::Spiffe;
    }
    let (Some(certificate_file), Some(key_file)) = (written.certificate_file, written.key_file)
    else {
        for (name, _) in files.iter().filter(|(_, file)| file.is_none()) {
            check.error(
                at,
                format!("`{name}` is missing; expected both files, or `spiffe: true`"),
            );
        }
        // Nobody starts with it: a fault was told.
        return OwnCertificate::Spiffe;
    };
    let (certificate_file, key_file) = certified_key(check, at, certificate_file, key_file);
    OwnCertificate::Files {
        certificate_file,
        key_file,
    }
}

/// Reads certificate and key below `at` and holds one against the other; gives their paths.
pub(super) fn certified_key(
    check: &mut Checker<'_>,
    at: &MemberPath,
    certificate_file: &File,
    key_file: &File,
) -> (PathBuf, PathBuf) {
    let certificate_at = at.key("certificate_file");
    let key_at = at.key("key_file");
    let certificate_path = check.locate(certificate_file);
    let key_path = check.locate(key_file);
    let chain = certificates(check, &certificate_at, &certificate_path);
    let key = check
        .read(&key_at, &key_path, MAX_PEM_BYTES)
        .and_then(|pem| {
            let key = PrivateKeyDer::from_pem_slice(&pem).ok();
            if key.is_none() {
                check.refuse(&key_at, "holds no private key, expected one as PEM");
            }
            key
        });
    if let (Some(chain), Some(key)) = (chain, key) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        match CertifiedKey::from_der(chain, key, &provider) {
            Ok(_) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                check.refuse(&key_at, "is not the key of the certificate's first entry");
            }
            Err(_) => check.refuse(
                &key_at,
                "does not make a usable key, expected RSA of 2048 bits or more, EC or Ed25519 with its certificate",
            ),
        }
    }
    (certificate_path, key_path)
}

/// Reads a bundle of roots and tries each; gives its path.
pub(super) fn ca_bundle(check: &mut Checker<'_>, at: &MemberPath, file: &File) -> PathBuf {
    let path = check.locate(file);
    if let Some(roots) = certificates(check, at, &path) {
        let mut store = RootCertStore::empty();
        let refused = roots
            .into_iter()
            .filter(|root| store.add(root.clone()).is_err())
            .count();
        if refused > 0 {
            let predicate = format!("holds {refused} certificates that cannot be roots");
            check.refuse(at, &predicate);
        }
    }
    path
}

fn certificates(
    check: &mut Checker<'_>,
    at: &MemberPath,
    path: &std::path::Path,
) -> Option<Vec<CertificateDer<'static>>> {
    if check.extent() == Extent::Judging {
        return None;
    }
    let pem = check.read(at, path, MAX_PEM_BYTES)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        Ok(_) => {
            check.refuse(at, "holds no certificate, expected at least one as PEM");
            None
        }
        Err(_) => {
            check.refuse(at, "is not PEM");
            None
        }
    }
}
