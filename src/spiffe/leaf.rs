//! What a leaf certificate says of its workload, by the rules of the X509-SVID standard (§§2 to 4, 5.2).
//!
//! Whether it leads to a root is not looked at here. Never here: a certificate that signs others, or that names two
//! workloads, as an identity.

use rustls::pki_types::CertificateDer;

use super::der::{
    BIT_STRING, BOOLEAN, GENERALIZED_TIME, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
    UTC_TIME,
};
use super::id::SpiffeId;
use crate::types::Timestamp;

/// Why a certificate is no X509-SVID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not a certificate of version 3, as DER.
    #[error("is not a certificate")]
    Form,
    /// No URI among its names, or several.
    #[error("does not have exactly one URI among its names")]
    NotOneUri,
    /// The URI is no SPIFFE id of a workload.
    #[error("has a URI that is not the SPIFFE id of a workload")]
    Id,
    /// It may sign certificates.
    #[error("is a CA's")]
    Authority,
    /// Its key usage is not that of an SVID.
    #[error(
        "does not have the key usage of an SVID: critical, digital signature, no signing of others"
    )]
    KeyUsage,
    /// It is not for both sides of TLS.
    #[error("is not for servers and clients of TLS")]
    Purpose,
}

/// A certificate that is an X509-SVID by its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Whose it is.
    pub id: SpiffeId,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

// id-ce, without its last arc.
const EXTENSION: [u8; 2] = [0x55, 0x1d];
const KEY_USAGE: u8 = 15;
const SUBJECT_ALTERNATIVE_NAME: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const EXTENDED_KEY_USAGE: u8 = 37;
// id-kp-serverAuth and id-kp-clientAuth.
const SERVER_AUTH: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 2];
/// `uniformResourceIdentifier` of `GeneralName`.
const URI: u8 = 0x86;

/// One extension that is read here.
#[derive(Debug, Clone, Copy)]
struct Extension<'a> {
    arc: u8,
    critical: bool,
    value: &'a [u8],
}

impl Leaf {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`LeafError`] if it is no X509-SVID.
    pub fn read(certificate: &CertificateDer<'_>) -> Result<Self, LeafError> {
        let (not_after, extensions) = parts(certificate).ok_or(LeafError::Form)?;
        let found = |arc: u8| {
            let mut of_it = extensions.iter().filter(|extension| extension.arc == arc);
            // Two of one kind are two readings.
            match (of_it.next(), of_it.next()) {
                (found, None) => Ok(found.copied()),
                (_, Some(_)) => Err(LeafError::Form),
            }
        };
        if let Some(constraints) = found(BASIC_CONSTRAINTS)?
            && is_authority(constraints.value).ok_or(LeafError::Form)?
        {
            return Err(LeafError::Authority);
        }
        let usage = found(KEY_USAGE)?.ok_or(LeafError::KeyUsage)?;
        if !usage.critical || !signs_itself_alone(usage.value).ok_or(LeafError::Form)? {
            return Err(LeafError::KeyUsage);
        }
        if let Some(purposes) = found(EXTENDED_KEY_USAGE)?
            && !is_for_both_sides(purposes.value).ok_or(LeafError::Form)?
        {
            return Err(LeafError::Purpose);
        }
        let names = found(SUBJECT_ALTERNATIVE_NAME)?.ok_or(LeafError::NotOneUri)?;
        let uris = uris(names.value).ok_or(LeafError::Form)?;
        let [uri] = uris.as_slice() else {
            return Err(LeafError::NotOneUri);
        };
        let uri = std::str::from_utf8(uri).ok();
        let id = uri.and_then(SpiffeId::parse).ok_or(LeafError::Id)?;
        Ok(Self { id, not_after })
    }
}

/// The end of its time, and the extensions of `id-ce`.
fn parts<'a>(certificate: &'a CertificateDer<'_>) -> Option<(Timestamp, Vec<Extension<'a>>)> {
    let mut whole = Reader(certificate);
    let mut signed = Reader(whole.expect(SEQUENCE)?);
    let mut body = Reader(signed.expect(SEQUENCE)?);
    if !whole.is_empty() {
        return None;
    }
    // Version, without which there are no extensions; serial number, algorithm, issuer.
    body.expect(0xa0)?;
    body.expect(0x02)?;
    body.expect(SEQUENCE)?;
    body.expect(SEQUENCE)?;
    let mut validity = Reader(body.expect(SEQUENCE)?);
    validity.next()?;
    let not_after = validity.next()?;
    let not_after = time(not_after.tag, not_after.content)?;
    // Subject, key, and two members of old.
    body.expect(SEQUENCE)?;
    body.expect(SEQUENCE)?;
    body.optional(0x81);
    body.optional(0x82);
    let mut list = Reader(Reader(body.expect(0xa3)?).expect(SEQUENCE)?);
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut extension = Reader(list.expect(SEQUENCE)?);
        let oid = extension.expect(OBJECT_IDENTIFIER)?;
        let critical = extension.optional(BOOLEAN).is_some_and(|it| it != [0]);
        let value = extension.expect(OCTET_STRING)?;
        if let [first, second, arc] = oid
            && [*first, *second] == EXTENSION
        {
            extensions.push(Extension {
                arc: *arc,
                critical,
                value,
            });
        }
    }
    body.is_empty().then_some((not_after, extensions))
}

/// A time in UTC, to the second (RFC 5280 §4.1.2.5).
fn time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?;
    let text = match (tag, text.len()) {
        (GENERALIZED_TIME, 15) => text.to_owned(),
        (UTC_TIME, 13) => {
            let century = if text < "5" { "20" } else { "19" };
            format!("{century}{text}")
        }
        _ => return None,
    };
    let digits = text
        .strip_suffix('Z')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (date, of_day) = digits.split_at_checked(8)?;
    let (year, date) = date.split_at_checked(4)?;
    let (month, day) = date.split_at_checked(2)?;
    let (hour, of_hour) = of_day.split_at_checked(2)?;
    let (minute, second) = of_hour.split_at_checked(2)?;
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

fn is_authority(constraints: &[u8]) -> Option<bool> {
    let mut members = Reader(Reader(constraints).expect(SEQUENCE)?);
    Some(members.optional(BOOLEAN).is_some_and(|it| it != [0]))
}

/// `digitalSignature`, and neither `keyCertSign` nor `cRLSign`.
fn signs_itself_alone(usage: &[u8]) -> Option<bool> {
    let (_unused, bits) = Reader(usage).expect(BIT_STRING)?.split_first()?;
    let first = bits.first().copied().unwrap_or_default();
    Some(first & 0x80 != 0 && first & 0x06 == 0)
}

fn is_for_both_sides(purposes: &[u8]) -> Option<bool> {
    let mut list = Reader(Reader(purposes).expect(SEQUENCE)?);
    let (mut server, mut client) = (false, false);
    while !list.is_empty() {
        let purpose = list.expect(OBJECT_IDENTIFIER)?;
        server |= purpose == SERVER_AUTH;
        client |= purpose == CLIENT_AUTH;
    }
    Some(server && client)
}

/// The URIs of a list of names.
fn uris(names: &[u8]) -> Option<Vec<&[u8]>> {
    let mut list = Reader(Reader(names).expect(SEQUENCE)?);
    let mut uris = Vec::new();
    while !list.is_empty() {
        let name = list.next()?;
        if name.tag == URI {
            uris.push(name.content);
        }
    }
    Some(uris)
}

#[cfg(test)]
mod tests;
