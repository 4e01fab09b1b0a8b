//! Pins of an upstream's key: a certificate must lead to a root, be of the right name or id and in time, **and** have one of the
//! pinned keys.
//!
//! The key is that of the leaf: others that a server sends along need not be of the chain that was verified. Never here:
//! a pin in place of any other check.

use std::sync::Arc;

use ::aws_lc_rs::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// The usual checks, and the pins.
#[derive(Debug)]
pub(super) struct Pinned {
    usual: Arc<dyn ServerCertVerifier>,
    pins: Vec<[u8; 32]>,
}

impl Pinned {
    pub(super) fn new(usual: Arc<dyn ServerCertVerifier>, pins: &[[u8; 32]]) -> Self {
        Self {
            usual,
            pins: pins.to_vec(),
        }
    }

    fn is_pinned(&self, leaf: &CertificateDer<'_>) -> Result<bool, Error> {
        let key = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
        let found = digest(&SHA256, &key);
        Ok(self.pins.iter().any(|pin| found.as_ref() == pin))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .usual
            .verify_server_cert(leaf, others, name, ocsp_response, now)?;
        // FAIL-CLOSED: a key that cannot be read is not pinned.
        if self.is_pinned(leaf)? {
            Ok(verified)
        } else {
            let refused = CertificateError::ApplicationVerificationFailure;
            Err(Error::InvalidCertificate(refused))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
