//! The identity that this gateway has at the moment: what it shows in a handshake, and the bundles by which it judges
//! others. All handshakes of all workers read the one that is here.
//!
//! Never here: a certificate that its key does not fit, and one of an hour ago because no newer one came: whoever
//! watches the time takes it away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer,
};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SignatureScheme};

use super::der;
use super::id::{SpiffeId, TrustDomain};
use super::leaf::{Leaf, LeafError};
use super::message::{self, RawSvid};

/// Why what the Workload API said is no identity.
#[derive(Debug, thiserror::Error)]
pub enum SvidError {
    /// Not a message, or not concatenated DER in it.
    #[error("what it says cannot be read")]
    Form,
    /// It has no identity for this workload.
    #[error("it has no identity for this process")]
    NoIdentity,
    /// The certificate is no X509-SVID.
    #[error("its certificate {0}")]
    Leaf(#[source] LeafError),
    /// The certificate is of another id than the message.
    #[error("its certificate is of another id than it says")]
    OtherId,
    /// The key does not fit the certificate, or is of a kind that is not supported.
    #[error("its certificate and its key cannot be used together")]
    Pair(#[source] rustls::Error),
    /// The bundle of a trust domain is empty, or cannot be one.
    #[error("its bundle of the trust domain `{0}` cannot be used")]
    Bundle(String),
    /// A list of revoked certificates is not one.
    #[error("its list of revoked certificates cannot be used")]
    Revoked(#[source] VerifierBuilderError),
}

/// What certificates of one trust domain are checked by.
#[derive(Debug)]
pub struct Trust {
    /// Where they lead to.
    pub roots: Arc<RootCertStore>,
    /// Refuses those that are revoked, if there are lists of such. A check of both sides of TLS is one of clients too, and
    /// looks at no name.
    pub revoked: Option<Arc<dyn ClientCertVerifier>>,
}

/// An identity with all that belongs to it.
pub struct Svid {
    /// Whose, and until when.
    pub leaf: Leaf,
    key: Arc<CertifiedKey>,
    bundles: BTreeMap<TrustDomain, Trust>,
}

impl fmt::Debug for Svid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Svid").field(&self.leaf).finish()
    }
}

impl Svid {
    /// Reads what the Workload API says of X.509. Of several identities the first is the one to use, unless `wanted` is
    /// another one.
    ///
    /// # Errors
    /// [`SvidError`]; then it is nobody's identity.
    pub fn of_message(message: &[u8], wanted: Option<&SpiffeId>) -> Result<Self, SvidError> {
        let response = message::response(message).ok_or(SvidError::Form)?;
        let is_wanted = |svid: &&RawSvid<'_>| {
            wanted.is_none_or(|wanted| svid.id == wanted.to_string().as_bytes())
        };
        let raw = response.svids.iter().find(is_wanted);
        let raw = raw.ok_or(SvidError::NoIdentity)?;
        let chain = certificates(raw.chain).ok_or(SvidError::Form)?;
        let leaf = Leaf::read(chain.first().ok_or(SvidError::Form)?).map_err(SvidError::Leaf)?;
        if raw.id != leaf.id.to_string().as_bytes() {
            return Err(SvidError::OtherId);
        }
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(raw.key.to_vec()));
        let provider = aws_lc_rs::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(SvidError::Pair)?;
        let lists: Vec<_> = response
            .revoked
            .iter()
            .map(|der| der.to_vec().into())
            .collect();
        let trust = |roots| trust(roots, &lists).map_err(SvidError::Revoked);
        let mut bundles = BTreeMap::new();
        for (name, roots) in response.federated {
            let unusable = || SvidError::Bundle(String::from_utf8_lossy(name).into_owned());
            let domain = std::str::from_utf8(name).ok().and_then(TrustDomain::parse);
            let domain = domain.ok_or_else(unusable)?;
            bundles.insert(domain, trust(bundle(roots).ok_or_else(unusable)?)?);
        }
        let own = leaf.id.domain().clone();
        let roots = bundle(raw.bundle).ok_or_else(|| SvidError::Bundle(own.to_string()))?;
        bundles.insert(own, trust(roots)?);
        Ok(Self {
            leaf,
            key: Arc::new(key),
            bundles,
        })
    }

    /// What a trust domain is checked by; `None`: nobody of it is believed.
    #[must_use]
    pub fn bundle(&self, domain: &TrustDomain) -> Option<&Trust> {
        self.bundles.get(domain)
    }
}

fn certificates(concatenated: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = der::split(concatenated)?.into_iter();
    Some(
        certificates
            .map(|der| CertificateDer::from(der.to_vec()))
            .collect(),
    )
}

/// Every certificate of a bundle must be usable, and there is at least one.
fn bundle(concatenated: &[u8]) -> Option<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(concatenated)? {
        roots.add(certificate).ok()?;
    }
    (!roots.is_empty()).then(|| Arc::new(roots))
}

/// These roots with these lists. FAIL-CLOSED: where a list's time is over, or its issuer has not signed it, nobody of that issuer
/// is believed. Of whom no list speaks is not revoked.
fn trust(
    roots: Arc<RootCertStore>,
    lists: &[CertificateRevocationListDer<'static>],
) -> Result<Trust, VerifierBuilderError> {
    let revoked = if lists.is_empty() {
        None
    } else {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider)
            .with_crls(lists.iter().cloned())
            .allow_unknown_revocation_status()
            .enforce_revocation_expiration();
        Some(builder.build()?)
    };
    Ok(Trust { roots, revoked })
}

/// What the gateway has of it now; at first nothing.
#[derive(Debug, Default)]
pub struct Held(ArcSwapOption<Svid>);

impl Held {
    /// The identity of the moment.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Svid>> {
        self.0.load_full()
    }

    /// From now on it is this one, or none.
    pub fn replace(&self, svid: Option<Svid>) {
        self.0.store(svid.map(Arc::new));
    }

    fn key(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|svid| Arc::clone(&svid.key))
    }
}

impl ResolvesServerCert for Held {
    /// FAIL-CLOSED: without an identity there is no handshake.
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.key()
    }
}

impl ResolvesClientCert for Held {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.key()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
