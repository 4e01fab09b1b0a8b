//! Certificates as SPIRE issues them, and such as nobody should.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use super::*;

const ID: &str = "spiffe://example.org/ns/hr/sa/api";

fn read(change: impl FnOnce(&mut CertificateParams)) -> Result<Leaf, LeafError> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(ID.try_into().unwrap())];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.not_after = date_time_ymd(2041, 3, 4);
    change(&mut params);
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Leaf::read(certificate.der())
}

#[test]
fn an_svid_tells_its_id_and_its_end() {
    let leaf = read(|_| {}).unwrap();
    assert_eq!(leaf.id.to_string(), ID);
    assert_eq!(
        leaf.not_after,
        Timestamp::parse("2041-03-04T00:00:00Z").unwrap()
    );
    let late = read(|params| params.not_after = date_time_ymd(2099, 12, 31)).unwrap();
    assert_eq!(
        late.not_after,
        Timestamp::parse("2099-12-31T00:00:00Z").unwrap()
    );
    let others = |params: &mut CertificateParams| {
        params.extended_key_usages.clear();
        params.is_ca = IsCa::ExplicitNoCa;
        let name = SanType::DnsName("hr.internal".try_into().unwrap());
        params.subject_alt_names.insert(0, name);
    };
    assert!(read(others).is_ok(), "names of other kinds are allowed");
}

#[test]
fn what_is_no_svid_is_nobody() {
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let refused = |change: &dyn Fn(&mut CertificateParams)| read(change).unwrap_err();
    let two = refused(&|params| params.subject_alt_names.push(uri("https://example.org")));
    assert_eq!(two, LeafError::NotOneUri);
    let twice = refused(&|params| params.subject_alt_names.push(uri(ID)));
    assert_eq!(twice, LeafError::NotOneUri);
    let none = refused(&|params| {
        params.subject_alt_names = vec![SanType::DnsName("hr.internal".try_into().unwrap())];
    });
    assert_eq!(none, LeafError::NotOneUri);
    let unnamed = refused(&|params| params.subject_alt_names.clear());
    assert_eq!(unnamed, LeafError::NotOneUri);
    for text in [
        "spiffe://example.org",
        "spiffe://example.org/a/../b",
        "https://example.org/a",
    ] {
        let other = refused(&|params| params.subject_alt_names = vec![uri(text)]);
        assert_eq!(other, LeafError::Id, "{text}");
    }
    let authority = refused(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(authority, LeafError::Authority);
    for usages in [
        vec![],
        vec![KeyUsagePurpose::KeyEncipherment],
        vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
        ],
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign],
    ] {
        let usage = refused(&|params| params.key_usages.clone_from(&usages));
        assert_eq!(usage, LeafError::KeyUsage, "{usages:?}");
    }
    for purpose in [
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ] {
        let one = refused(&|params| params.extended_key_usages = vec![purpose.clone()]);
        assert_eq!(one, LeafError::Purpose);
    }
}

#[test]
fn a_key_usage_that_need_not_be_understood_does_not_count() {
    let refused = read(|params| {
        params.key_usages.clear();
        let usage = vec![BIT_STRING, 2, 7, 0x80];
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 15], usage);
        params.custom_extensions.push(extension);
    });
    assert_eq!(refused, Err(LeafError::KeyUsage));
}

#[test]
fn two_extensions_of_one_kind_are_refused() {
    let refused = read(|params| {
        let usage = vec![BIT_STRING, 2, 7, 0x80];
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 15], usage);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    assert_eq!(refused, Err(LeafError::Form));
}

#[test]
fn no_cut_certificate_is_read_and_none_panics() {
    let params = CertificateParams::default();
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let der = certificate.der();
    for cut in 0..der.len() {
        let cut = CertificateDer::from(&der[..cut]);
        assert_eq!(Leaf::read(&cut), Err(LeafError::Form));
    }
    let trailing = [der.as_ref(), &[0]].concat();
    assert_eq!(Leaf::read(&trailing.into()), Err(LeafError::Form));
}
