//! Whom a server has to be: one of some SPIFFE ids, by a certificate that leads to the bundle of that id's own trust
//! domain.
//!
//! Its host name counts for nothing, and its id only after its form (exactly one URI, no CA's). Never here: the bundle of
//! one trust domain for a name of another.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::held::Held;
use super::id::SpiffeId;
use super::leaf::Leaf;

/// Where the roots come from.
#[derive(Debug)]
pub enum Bundle {
    /// From the Workload API: those of the id's trust domain at the moment of the handshake.
    Held(Arc<Held>),
    /// The bundle of the one trust domain that all ids are of.
    Fixed(Arc<RootCertStore>),
}

/// A check of servers by their ids.
#[derive(Debug)]
pub struct Peers {
    ids: Vec<SpiffeId>,
    bundle: Bundle,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Peers {
    /// One that takes a server with any of these ids.
    #[must_use]
    pub fn new(ids: Vec<SpiffeId>, bundle: Bundle, provider: &CryptoProvider) -> Self {
        Self {
            ids,
            bundle,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    /// Calls the check with the roots of the id's trust domain, and with who refuses what is revoked in it.
    fn by_bundle(
        &self,
        id: &SpiffeId,
        check: impl FnOnce(&RootCertStore, Option<&dyn ClientCertVerifier>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &self.bundle {
            Bundle::Fixed(roots) => check(roots, None),
            // FAIL-CLOSED: a trust domain without a bundle has nobody in it.
            Bundle::Held(held) => match held
                .current()
                .as_ref()
                .and_then(|it| it.bundle(id.domain()))
            {
                Some(trust) => check(&trust.roots, trust.revoked.as_deref()),
                None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            },
        }
    }
}

impl ServerCertVerifier for Peers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let refused = |why| Err(Error::InvalidCertificate(why));
        let Ok(Leaf { id, .. }) = Leaf::read(leaf) else {
            return refused(CertificateError::ApplicationVerificationFailure);
        };
        if !self.ids.contains(&id) {
            return refused(CertificateError::NotValidForName);
        }
        let parsed = ParsedCertificate::try_from(leaf)?;
        self.by_bundle(&id, |roots, revoked| {
            let all = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, roots, others, now, all)?;
            match revoked {
                Some(revoked) => revoked.verify_client_cert(leaf, others, now).map(drop),
                None => Ok(()),
            }
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
