//! A certificate authority for one demo, made anew each time: nothing outside the demo's folder trusts it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// A development CA. Its private key stays in memory.
#[derive(Debug)]
pub struct DevelopmentCa(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both as PEM.
#[derive(Debug)]
pub struct Leaf {
    /// The chain, leaf first.
    pub certificate_pem: String,
    /// The private key (PKCS#8).
    pub key_pem: String,
}

impl DevelopmentCa {
    /// Makes a CA that is valid from `now` for 30 days.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new(now: OffsetDateTime) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Boomgate demo CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid_for_a_month(&mut params, now);
        CertifiedIssuer::self_signed(params, KeyPair::generate()?).map(Self)
    }

    /// The CA's certificate.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for `localhost` and the loopback addresses.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn loopback_server(&self, now: OffsetDateTime) -> Result<Leaf, rcgen::Error> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        valid_for_a_month(&mut params, now);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Leaf {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// An hour back, for clocks that differ a little.
fn valid_for_a_month(params: &mut CertificateParams, now: OffsetDateTime) {
    params.not_before = now.saturating_sub(Duration::hours(1));
    params.not_after = now.saturating_add(Duration::days(30));
}
