//! TLS to an upstream: roots, name, versions. Prepared when a configuration is loaded, never on the path of a call.
//!
//! Never here: a certificate that does not verify, whatever the reason.

use std::path::PathBuf;
use std::sync::Arc;

use ::aws_lc_rs::digest::{Context as Digest, SHA256};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::settings::{UpstreamProtocol, UpstreamSettings, UpstreamTls};
use super::table::UpstreamError;
use crate::types::ResourceName;

/// TLS to one upstream.
pub(super) struct EndpointTls {
    pub(super) config: Arc<ClientConfig>,
    /// SHA-256 of the roots: a bundle may change under one file name.
    pub(super) roots: [u8; 32],
}

impl EndpointTls {
    pub(super) fn load(
        resource: &ResourceName,
        settings: &UpstreamSettings,
        tls: &UpstreamTls,
        system: &mut Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, UpstreamError> {
        let (store, roots) = match &tls.ca_file {
            Some(path) => roots_of_file(resource, path)?,
            None => {
                let certificates =
                    system.get_or_insert_with(|| rustls_native_certs::load_native_certs().certs);
                roots_of_system(resource, certificates)?
            }
        };
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(UpstreamError::Provider)?
                .with_root_certificates(store)
                .with_no_client_auth();
        config.alpn_protocols = match settings.protocol {
            UpstreamProtocol::Http1 => vec![b"http/1.1".to_vec()],
            UpstreamProtocol::Http2 => vec![b"h2".to_vec()],
        };
        Ok(Self {
            config: Arc::new(config),
            roots,
        })
    }
}

/// The roots of a bundle: every one of them must be usable.
fn roots_of_file(
    resource: &ResourceName,
    path: &PathBuf,
) -> Result<(RootCertStore, [u8; 32]), UpstreamError> {
    let read = |source| UpstreamError::Read {
        resource: resource.clone(),
        path: path.clone(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(read)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(read)?;
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store
            .add(certificate.clone())
            .map_err(|source| UpstreamError::Root {
                resource: resource.clone(),
                path: path.clone(),
                source,
            })?;
    }
    finish(
        resource,
        store,
        &certificates,
        format!("`{}`", path.display()),
    )
}

/// The operating system's roots: those that cannot be used are left out, as everybody does.
fn roots_of_system(
    resource: &ResourceName,
    certificates: &[CertificateDer<'static>],
) -> Result<(RootCertStore, [u8; 32]), UpstreamError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    let place = "the operating system's store".to_owned();
    finish(resource, store, certificates, place)
}

fn finish(
    resource: &ResourceName,
    store: RootCertStore,
    certificates: &[CertificateDer<'static>],
    place: String,
) -> Result<(RootCertStore, [u8; 32]), UpstreamError> {
    if store.is_empty() {
        return Err(UpstreamError::NoRoots {
            resource: resource.clone(),
            place,
        });
    }
    let mut digest = Digest::new(&SHA256);
    for certificate in certificates {
        digest.update(certificate);
    }
    let digest = digest.finish();
    Ok((store, digest.as_ref().try_into().unwrap_or_default()))
}
