//! The upstreams of one configuration, with their TLS prepared. Shared by all workers.
//!
//! Reads CA bundles and certificates when it is loaded and never again. One that is missing or empty is an error. An upstream that
//! is the same as before stays: its endpoints, what is known of them, and its connections.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem;

use super::live::Live;
use super::settings::{Origin, UpstreamSettings};
use super::tls::EndpointTls;
use crate::spiffe::Held;
use crate::telemetry::{EndpointState, Metrics};
use crate::types::ResourceName;

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// A CA bundle, a certificate or a key cannot be read, or is not PEM.
    #[error("cannot read `{path}` of resource `{resource}` as PEM")]
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
    /// Our own certificate and its key are not one pair, or of a kind that is not supported.
    #[error(
        "the certificate of `{certificate}` of resource `{resource}` cannot be used with its key"
    )]
    Pair {
        /// The resource.
        resource: ResourceName,
        /// The file with the certificate.
        certificate: PathBuf,
        /// What is wrong with them.
        #[source]
        source: rustls::Error,
    },
    /// The verifier of certificates cannot be built.
    #[error("cannot verify the certificates of the upstream of resource `{resource}`")]
    Verifier {
        /// The resource.
        resource: ResourceName,
        /// What is wrong with it.
        #[source]
        source: rustls::client::VerifierBuilderError,
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
pub struct UpstreamTable(BTreeMap<ResourceName, Arc<Upstream>>);

/// One resource's upstream.
pub(super) struct Upstream {
    pub(super) settings: UpstreamSettings,
    /// The names of each of its origins, in the settings' order. There is at least one.
    pub(super) names: Vec<Names>,
    pub(super) tls: Option<EndpointTls>,
    /// Its endpoints, and what is known of them.
    pub(super) live: Live,
}

/// What an origin is called.
pub(super) struct Names {
    /// Its own `Host`: without the port where that is the scheme's.
    pub(super) authority: HeaderValue,
    /// The name in the handshake and in the certificate.
    pub(super) server: Option<ServerName<'static>>,
}

impl PartialEq for Upstream {
    fn eq(&self, other: &Self) -> bool {
        let files = |upstream: &Self| upstream.tls.as_ref().map(|tls| tls.files);
        self.settings == other.settings && files(self) == files(other)
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities = self.names.iter().map(|names| &names.authority);
        f.debug_list().entries(authorities).finish()
    }
}

impl UpstreamTable {
    /// Prepares the upstreams of one configuration. What SPIFFE gives is what is held at each handshake. Those that are as they were in `previous` are taken from it.
    ///
    /// # Errors
    /// [`UpstreamError`] for the first upstream that cannot be used.
    pub fn load(
        settings: &BTreeMap<ResourceName, UpstreamSettings>,
        metrics: &Metrics,
        held: &Arc<Held>,
        previous: &Self,
    ) -> Result<Self, UpstreamError> {
        let mut system = None;
        let mut upstreams = BTreeMap::new();
        for (resource, settings) in settings {
            let upstream = Upstream::load(resource, settings, metrics, (&mut system, held))?;
            let earlier = previous.0.get(resource);
            let upstream = match earlier.filter(|earlier| ***earlier == upstream) {
                Some(earlier) => Arc::clone(earlier),
                None => Arc::new(upstream),
            };
            upstreams.insert(resource.clone(), upstream);
        }
        Ok(Self(upstreams))
    }

    /// Looks names up and asks endpoints whether they are well, from now on and in this runtime. What is followed
    /// already goes on; an upstream that no table holds any more is left alone.
    pub fn follow(&self) {
        for (resource, upstream) in &self.0 {
            if upstream.live.begin() {
                super::resolve::follow(resource, upstream);
                super::check::follow(resource, upstream);
            }
        }
    }

    /// How many endpoints of each resource are in which state.
    pub fn census(&self) -> impl Iterator<Item = (&ResourceName, EndpointState, u64)> {
        let now = Instant::now();
        self.0.iter().flat_map(move |(resource, upstream)| {
            let counts = upstream.live.census(now, upstream.settings.slow_start);
            counts.map(move |(state, count)| (resource, state, count))
        })
    }

    /// The upstream of a resource.
    pub(super) fn upstream(&self, resource: &ResourceName) -> Option<&Arc<Upstream>> {
        self.0.get(resource)
    }
}

impl Upstream {
    fn load(
        resource: &ResourceName,
        settings: &UpstreamSettings,
        metrics: &Metrics,
        (system, held): (
            &mut Option<Vec<rustls::pki_types::CertificateDer<'static>>>,
            &Arc<Held>,
        ),
    ) -> Result<Self, UpstreamError> {
        let names = settings
            .origins
            .iter()
            .map(|origin| Names::of(resource, origin, settings));
        let tls = settings
            .tls
            .as_ref()
            .map(|tls| EndpointTls::load(resource, settings, tls, system, held));
        Ok(Self {
            names: names.collect::<Result<_, _>>()?,
            tls: tls.transpose()?,
            live: Live::new(settings, metrics.upstream_events(resource)),
            settings: settings.clone(),
        })
    }

    /// The names of an endpoint's origin.
    pub(super) fn names_of(&self, origin: usize) -> Option<&Names> {
        self.names.get(origin)
    }

    /// Whether the `Host` that it gets depends on the endpoint.
    pub(super) fn has_several_hosts(&self) -> bool {
        !self.settings.preserve_host && self.names.len() > 1
    }
}

impl Names {
    fn of(
        resource: &ResourceName,
        origin: &Origin,
        settings: &UpstreamSettings,
    ) -> Result<Self, UpstreamError> {
        let unnamed = |name: &Arc<str>| UpstreamError::Name {
            resource: resource.clone(),
            name: Arc::clone(name),
        };
        let host = bare_host(&origin.host);
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(_)) | Err(_) => host.to_owned(),
        };
        let default_port = if settings.tls.is_some() { 443 } else { 80 };
        let authority = if origin.port == default_port {
            host
        } else {
            format!("{host}:{}", origin.port)
        };
        let server = match &settings.tls {
            Some(tls) => {
                let name = tls.server_name.as_ref().unwrap_or(&origin.host);
                let server = ServerName::try_from(bare_host(name).to_owned());
                Some(server.map_err(|_not_a_name| unnamed(name))?)
            }
            None => None,
        };
        Ok(Self {
            authority: HeaderValue::from_str(&authority)
                .map_err(|_not_a_value| unnamed(&origin.host))?,
            server,
        })
    }
}

/// A host as the resolver takes it: an IPv6 address without brackets.
pub(super) fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}
