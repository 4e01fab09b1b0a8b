//! The upstreams of one configuration, with their TLS prepared. Immutable, shared by all workers.
//!
//! Reads CA bundles when it is loaded and never again. A bundle that is missing or empty is an error.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ::aws_lc_rs::digest::{Context as Digest, SHA256};
use http::HeaderValue;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::settings::{UpstreamProtocol, UpstreamSettings, UpstreamTls};
use crate::types::ResourceName;

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// A CA bundle cannot be read, or is not PEM.
    #[error("cannot read the CA bundle `{path}` of resource `{resource}` as PEM")]
    Read {
        /// The resource.
        resource: ResourceName,
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: pem::Error,
    },
    /// A CA bundle, or the operating system, has no certificate to trust.
    #[error("no CA certificate for resource `{resource}` in {place}; expected at least one")]
    NoRoots {
        /// The resource.
        resource: ResourceName,
        /// Where they should be.
        place: String,
    },
    /// A certificate of a bundle cannot be a root.
    #[error("a certificate in `{path}` of resource `{resource}` cannot be a root of trust")]
    Root {
        /// The resource.
        resource: ResourceName,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// Neither a host name nor an address.
    #[error("`{name}` of resource `{resource}` is neither a host name nor an address")]
    Name {
        /// The resource.
        resource: ResourceName,
        /// The name.
        name: Arc<str>,
    },
    /// The provider of cryptography refuses.
    #[error("cannot set up TLS to upstreams")]
    Provider(#[source] rustls::Error),
}

/// The upstreams by resource.
#[derive(Debug, Default)]
pub struct UpstreamTable(BTreeMap<ResourceName, Arc<Endpoint>>);

/// One upstream. Equal endpoints may share connections.
pub(super) struct Endpoint {
    pub(super) settings: UpstreamSettings,
    /// Its own `Host`: without the port where that is the scheme's.
    pub(super) authority: HeaderValue,
    pub(super) tls: Option<EndpointTls>,
}

/// TLS to one upstream.
pub(super) struct EndpointTls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
    /// SHA-256 of the roots: a bundle may change under one file name.
    roots: [u8; 32],
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        let roots = |endpoint: &Self| endpoint.tls.as_ref().map(|tls| tls.roots);
        self.settings == other.settings && roots(self) == roots(other)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.authority).finish()
    }
}

impl UpstreamTable {
    /// Prepares the upstreams of one configuration.
    ///
    /// # Errors
    /// [`UpstreamError`] for the first upstream that cannot be used.
    pub fn load(
        settings: &BTreeMap<ResourceName, UpstreamSettings>,
    ) -> Result<Self, UpstreamError> {
        let mut system = None;
        let mut endpoints = BTreeMap::new();
        for (resource, upstream) in settings {
            let endpoint = Endpoint::load(resource, upstream, &mut system)?;
            endpoints.insert(resource.clone(), Arc::new(endpoint));
        }
        Ok(Self(endpoints))
    }

    /// The upstream of a resource.
    pub(super) fn endpoint(&self, resource: &ResourceName) -> Option<&Arc<Endpoint>> {
        self.0.get(resource)
    }
}

impl Endpoint {
    fn load(
        resource: &ResourceName,
        settings: &UpstreamSettings,
        system: &mut Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, UpstreamError> {
        let unnamed = || UpstreamError::Name {
            resource: resource.clone(),
            name: Arc::clone(&settings.host),
        };
        let host = bare_host(&settings.host);
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(_)) | Err(_) => host.to_owned(),
        };
        let default_port = if settings.tls.is_some() { 443 } else { 80 };
        let authority = if settings.port == default_port {
            host
        } else {
            format!("{host}:{}", settings.port)
        };
        let tls = settings
            .tls
            .as_ref()
            .map(|tls| EndpointTls::load(resource, settings, tls, system));
        Ok(Self {
            settings: settings.clone(),
            authority: HeaderValue::from_str(&authority).map_err(|_not_a_value| unnamed())?,
            tls: tls.transpose()?,
        })
    }
}

/// A host as the resolver takes it: an IPv6 address without brackets.
pub(super) fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

impl EndpointTls {
    fn load(
        resource: &ResourceName,
        settings: &UpstreamSettings,
        tls: &UpstreamTls,
        system: &mut Option<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, UpstreamError> {
        let name = tls.server_name.as_ref().unwrap_or(&settings.host);
        let server_name = ServerName::try_from(bare_host(name).to_owned());
        let server_name = server_name.map_err(|_not_a_name| UpstreamError::Name {
            resource: resource.clone(),
            name: Arc::clone(name),
        })?;
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
            server_name,
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
