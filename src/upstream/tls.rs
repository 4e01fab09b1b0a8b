//! TLS to an upstream: roots, name or SPIFFE ids, versions, pins, and a certificate of our own. Prepared when a configuration is loaded, never on the path of a call.
//!
//! Never here: a certificate that does not verify, whatever the reason.

use std::path::PathBuf;
use std::sync::Arc;

use ::aws_lc_rs::digest::{Context as Digest, SHA256};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::pins::Pinned;
use super::settings::{UpstreamProtocol, UpstreamSettings, UpstreamTls};
use super::table::UpstreamError;
use crate::spiffe::settings::OwnCertificate;
use crate::spiffe::{Bundle, Held, Peers};
use crate::types::ResourceName;

/// TLS to one upstream.
pub(super) struct EndpointTls {
    pub(super) config: Arc<ClientConfig>,
    /// SHA-256 of all that was read: a file may change under one name.
    pub(super) files: [u8; 32],
}

impl EndpointTls {
    pub(super) fn load(
        resource: &ResourceName,
        settings: &UpstreamSettings,
        tls: &UpstreamTls,
        system: &mut Option<Vec<CertificateDer<'static>>>,
        held: &Arc<Held>,
    ) -> Result<Self, UpstreamError> {
        let mut files = Digest::new(&SHA256);
        let versions: &[&rustls::SupportedProtocolVersion] = if tls.refuse_tls12 {
            &[&rustls::version::TLS13]
        } else {
            &[&rustls::version::TLS13, &rustls::version::TLS12]
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(UpstreamError::Provider)?;
        let verifier = if tls.spiffe_ids.is_empty() {
            let roots = match &tls.ca_file {
                Some(path) => roots_of_file(resource, path, &mut files)?,
                None => {
                    let certificates = system
                        .get_or_insert_with(|| rustls_native_certs::load_native_certs().certs);
                    roots_of_system(resource, certificates, &mut files)?
                }
            };
            by_name(resource, roots, &provider)?
        } else {
            let bundle = match &tls.ca_file {
                Some(path) => Bundle::Fixed(Arc::new(roots_of_file(resource, path, &mut files)?)),
                None => Bundle::Held(Arc::clone(held)),
            };
            Arc::new(Peers::new(tls.spiffe_ids.clone(), bundle, &provider))
        };
        let verifier = if tls.pins.is_empty() {
            verifier
        } else {
            Arc::new(Pinned::new(verifier, &tls.pins))
        };
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &tls.client_certificate {
            None => builder.with_no_client_auth(),
            Some(OwnCertificate::Spiffe) => {
                let held: Arc<Held> = Arc::clone(held);
                builder.with_client_cert_resolver(held)
            }
            Some(OwnCertificate::Files {
                certificate_file,
                key_file,
            }) => {
                let own = (certificate_file, key_file);
                let (chain, key) = certificate_of_files(resource, own, &mut files)?;
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|source| UpstreamError::Pair {
                    resource: resource.clone(),
                    certificate: certificate_file.clone(),
                    source,
                })?
            }
        };
        if !tls.spiffe_ids.is_empty() {
            // Certificates live for an hour and bundles change: a session that is taken up again would be looked at no more.
            config.resumption = Resumption::disabled();
        }
        config.alpn_protocols = match settings.protocol {
            UpstreamProtocol::Http1 => vec![b"http/1.1".to_vec()],
            UpstreamProtocol::Http2 => vec![b"h2".to_vec()],
        };
        let files = files.finish();
        Ok(Self {
            config: Arc::new(config),
            files: files.as_ref().try_into().unwrap_or_default(),
        })
    }
}

/// The usual checks: a root, the name, the time.
fn by_name(
    resource: &ResourceName,
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, UpstreamError> {
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = builder.build().map_err(|source| UpstreamError::Verifier {
        resource: resource.clone(),
        source,
    })?;
    Ok(verifier)
}

/// The certificate that we show, and its key.
fn certificate_of_files(
    resource: &ResourceName,
    (certificate_file, key_file): (&PathBuf, &PathBuf),
    files: &mut Digest,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), UpstreamError> {
    let read = |path: &PathBuf| {
        let (resource, path) = (resource.clone(), path.clone());
        move |source| UpstreamError::Read {
            resource,
            path,
            source,
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate_file)
        .map_err(read(certificate_file))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(read(certificate_file))?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(read(key_file))?;
    for certificate in &chain {
        files.update(certificate);
    }
    // With the certificate alone a key that was put right would not be noticed.
    files.update(key.secret_der());
    Ok((chain, key))
}

/// The roots of a bundle: every one of them must be usable.
fn roots_of_file(
    resource: &ResourceName,
    path: &PathBuf,
    files: &mut Digest,
) -> Result<RootCertStore, UpstreamError> {
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
    let place = format!("`{}`", path.display());
    finish(resource, store, &certificates, place, files)
}

/// The operating system's roots: those that cannot be used are left out, as everybody does.
fn roots_of_system(
    resource: &ResourceName,
    certificates: &[CertificateDer<'static>],
    files: &mut Digest,
) -> Result<RootCertStore, UpstreamError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    let place = "the operating system's store".to_owned();
    finish(resource, store, certificates, place, files)
}

fn finish(
    resource: &ResourceName,
    store: RootCertStore,
    certificates: &[CertificateDer<'static>],
    place: String,
    files: &mut Digest,
) -> Result<RootCertStore, UpstreamError> {
    if store.is_empty() {
        return Err(UpstreamError::NoRoots {
            resource: resource.clone(),
            place,
        });
    }
    for certificate in certificates {
        files.update(certificate);
    }
    Ok(store)
}
