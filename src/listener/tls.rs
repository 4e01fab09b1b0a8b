//! TLS of a listener, from files or with the gateway's SPIFFE identity: TLS 1.2 and 1.3, ALPN `h2` and `http/1.1`,
//! client certificates where asked for. What a reload loads replaces what is in use only where it is made of something
//! else: clients resume their sessions over it.
//!
//! A fault of a file is an error, at start and at reload: a certificate that does not fit its key, and a CA
//! bundle without a certificate in it, above all. Never here: "could not read" as "off".

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::settings::{ClientCertificates, ServerTls};
use crate::spiffe::Held;
use crate::spiffe::settings::OwnCertificate;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("cannot read `{path}` as PEM")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: pem::Error,
    },
    /// A file holds no certificate.
    #[error("`{path}` holds no certificate; expected at least one in PEM")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate that cannot be a root.
    #[error("`{path}` holds a certificate that cannot be a root of trust")]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key are not one pair, or of a kind that is not supported.
    #[error("the certificate of `{certificate}` and the key of `{key}` cannot be used together")]
    Pair {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What is wrong with them.
        #[source]
        source: rustls::Error,
    },
    /// The verifier of client certificates cannot be built.
    #[error("cannot verify client certificates by `{path}`")]
    Verifier {
        /// The CA bundle.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::server::VerifierBuilderError,
    },
    /// The provider of cryptography refuses.
    #[error("cannot set up TLS")]
    Provider(#[source] rustls::Error),
}

/// What a listener needs to speak TLS, and what that was made of.
#[derive(Debug)]
pub struct LoadedTls {
    config: Arc<ServerConfig>,
    made_of: MadeOf,
}

/// The settings, and what the files held that they name.
#[derive(Debug, PartialEq, Eq)]
struct MadeOf {
    settings: ServerTls,
    /// `None` where the certificate is SPIFFE's.
    pair: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// Those that client certificates must lead to; none where they are not asked for.
    roots: Vec<CertificateDer<'static>>,
}

/// The TLS that new connections of a listener get.
#[derive(Debug)]
pub struct TlsInUse(ArcSwap<LoadedTls>);

impl TlsInUse {
    /// What was loaded at the start.
    #[must_use]
    pub fn new(loaded: LoadedTls) -> Self {
        Self(ArcSwap::from_pointee(loaded))
    }

    /// Takes what was loaded anew, with new keys for tickets, so that no session outlives a certificate or a CA bundle
    /// that changed. What is made of the same changes nothing, and sessions go on.
    pub fn replace(&self, loaded: LoadedTls) {
        if self.0.load().made_of != loaded.made_of {
            self.0.store(Arc::new(loaded));
        }
    }

    /// As it is now, for one handshake.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.load().config)
    }
}

/// Loads what a listener needs to speak TLS. A certificate of SPIFFE is the one that is held at each handshake.
///
/// # Errors
/// [`TlsError`] names the file and what is wrong with it.
pub fn load(settings: &ServerTls, held: &Arc<Held>) -> Result<LoadedTls, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = if settings.allow_tls12 {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13]
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(TlsError::Provider)?;
    let (builder, roots) = match verifier(&settings.client_certificates, &provider)? {
        Some((verifier, roots)) => (builder.with_client_cert_verifier(verifier), roots),
        None => (builder.with_no_client_auth(), Vec::new()),
    };
    let (mut config, pair) = match &settings.certificate {
        OwnCertificate::Spiffe => {
            let held: Arc<Held> = Arc::clone(held);
            (builder.with_cert_resolver(held), None)
        }
        OwnCertificate::Files {
            certificate_file,
            key_file,
        } => {
            let chain = certificates(certificate_file)?;
            let key = PrivateKeyDer::from_pem_file(key_file).map_err(|source| TlsError::Read {
                path: key_file.clone(),
                source,
            })?;
            let config = builder.with_single_cert(chain.clone(), key.clone_key());
            let config = config.map_err(|source| TlsError::Pair {
                certificate: certificate_file.clone(),
                key: key_file.clone(),
                source,
            })?;
            (config, Some((chain, key)))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A replayed request would be judged and forwarded twice (RFC 8446 §8).
    config.max_early_data_size = 0;
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Provider)?;
    Ok(LoadedTls {
        config: Arc::new(config),
        made_of: MadeOf {
            settings: settings.clone(),
            pair,
            roots,
        },
    })
}

type VerifierAndRoots = (Arc<dyn ClientCertVerifier>, Vec<CertificateDer<'static>>);

/// Who checks client certificates, and by which roots; `None` only where the settings say `Off`.
fn verifier(
    settings: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<VerifierAndRoots>, TlsError> {
    let (path, required) = match settings {
        ClientCertificates::Off => return Ok(None),
        ClientCertificates::Optional(path) => (path, false),
        ClientCertificates::Required(path) => (path, true),
    };
    let bundle = certificates(path)?;
    let mut roots = RootCertStore::empty();
    for certificate in &bundle {
        let added = roots.add(certificate.clone());
        added.map_err(|source| TlsError::Root {
            path: path.clone(),
            source,
        })?;
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    let verifier = builder.build().map_err(|source| TlsError::Verifier {
        path: path.clone(),
        source,
    })?;
    Ok(Some((verifier, bundle)))
}

/// All certificates of a PEM file: at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(read)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(read)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
