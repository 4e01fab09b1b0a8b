//! One JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) becomes a key that may check signatures, or nothing.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Description, Key};
use crate::identity::binding::Thumbprint;
use crate::identity::digest::Digest;
use crate::identity::jose::is_key_id;
use crate::identity::settings::Algorithm;

/// A public key's own numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Material {
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A curve and a point on it, uncompressed.
    Ec(Curve, Vec<u8>),
    /// A point of Ed25519.
    Ed25519(Vec<u8>),
}

/// A curve of ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Curve {
    P256,
    P384,
}

/// Members that hold a private key's numbers (RFC 7518 §6.2.2, §6.3.2). A key that was published with them is lost.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Reads a key; `None` for one that must not check signatures.
pub(super) fn read(jwk: &Map<String, Value>) -> Option<Key> {
    let is_private = PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name));
    if is_private || !may_verify(jwk)? {
        return None;
    }
    let id = text(jwk, "kid")?;
    if id.is_some_and(|id| !is_key_id(id)) {
        return None;
    }
    let algorithm = match text(jwk, "alg")? {
        Some(name) => Some(Algorithm::parse(name)?),
        None => None,
    };
    let material = match text(jwk, "kty")?? {
        "RSA" => rsa(jwk),
        "EC" => ec(jwk),
        "OKP" => okp(jwk),
        _ => None,
    }?;
    let decoding = decoding_key(&material);
    let description = Description {
        id: id.map(Into::into),
        algorithm,
        issuer: text(jwk, "issuer")?.map(Into::into),
        material,
    };
    let key = Key {
        content: Digest::of(&description),
        description,
        decoding,
    };
    // A pin to an algorithm of another kind: nobody knows which of the two is meant.
    algorithm
        .is_none_or(|algorithm| key.fits(algorithm))
        .then_some(key)
}

/// Whether `use` and `key_ops` (RFC 7517 §4.2, §4.3) allow to check signatures; `None` if they cannot be read.
fn may_verify(jwk: &Map<String, Value>) -> Option<bool> {
    let is_for_signatures = text(jwk, "use")?.is_none_or(|purpose| purpose == "sig");
    let may = match jwk.get("key_ops") {
        None => true,
        Some(operations) => operations
            .as_array()?
            .iter()
            .any(|operation| operation == "verify"),
    };
    Some(is_for_signatures && may)
}

fn rsa(jwk: &Map<String, Value>) -> Option<Material> {
    let n = number(jwk, "n")?;
    let e = number(jwk, "e")?;
    let bits = n.len().checked_mul(8)?.checked_sub(leading_zeros(&n)?)?;
    let is_odd = |number: &[u8]| number.last().is_some_and(|low| low % 2 == 1);
    let is_sound = (2048..=8192).contains(&bits)
        && is_odd(&n)
        && is_odd(&e)
        && (2..=4).contains(&e.len())
        && !has_roca(&n);
    is_sound.then_some(Material::Rsa { n, e })
}

/// Whether a modulus has the mark of a generator whose keys can be factored (CVE-2017-15361): for each of these primes,
/// it is a power of 65537. A sound modulus looks like that once in many millions.
fn has_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES.iter().all(|prime| {
        let rest = n
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        powers
            .take(usize::try_from(*prime).unwrap_or(usize::MAX))
            .any(|power| power == rest)
    })
}

fn ec(jwk: &Map<String, Value>) -> Option<Material> {
    let (curve, size, algorithm): (_, _, &'static dyn VerificationAlgorithm) =
        match text(jwk, "crv")?? {
            "P-256" => (Curve::P256, 32, &ECDSA_P256_SHA256_FIXED),
            "P-384" => (Curve::P384, 48, &ECDSA_P384_SHA384_FIXED),
            _ => return None,
        };
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != size || y.len() != size {
        return None;
    }
    let point = [&[4][..], &x, &y].concat();
    // The point must lie on the curve (RFC 8725 §3.4).
    ParsedPublicKey::new(algorithm, &point).ok()?;
    Some(Material::Ec(curve, point))
}

fn okp(jwk: &Map<String, Value>) -> Option<Material> {
    let x = bytes(jwk, "x")?;
    if text(jwk, "crv")?? != "Ed25519" || x.len() != 32 {
        return None;
    }
    ParsedPublicKey::new(&ED25519, &x).ok()?;
    Some(Material::Ed25519(x))
}

/// The key as `jsonwebtoken` takes it. Its `*_der` functions keep the bytes as they are, and `aws-lc-rs` reads a
/// point in them.
fn decoding_key(material: &Material) -> DecodingKey {
    match material {
        Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        Material::Ec(_, point) => DecodingKey::from_ec_der(point),
        Material::Ed25519(point) => DecodingKey::from_ed_der(point),
    }
}

/// RFC 7638 §3: the SHA-256 of the members that make the key, in the order of their names and without a blank.
pub(super) fn thumbprint(material: &Material) -> Thumbprint {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = match material {
        Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        Material::Ec(curve, point) => {
            let name = match curve {
                Curve::P256 => "P-256",
                Curve::P384 => "P-384",
            };
            // Behind the byte that says that it is not compressed, both halves are of one length.
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            let (x, y) = (text(x), text(y));
            format!(r#"{{"crv":"{name}","kty":"EC","x":"{x}","y":"{y}"}}"#)
        }
        Material::Ed25519(x) => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x))
        }
    };
    Thumbprint(text(digest(&SHA256, members.as_bytes()).as_ref()).into())
}

/// The algorithm's name in `jsonwebtoken`.
pub(super) const fn algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    use jsonwebtoken::Algorithm as Theirs;
    match algorithm {
        Algorithm::Rs256 => Theirs::RS256,
        Algorithm::Rs384 => Theirs::RS384,
        Algorithm::Rs512 => Theirs::RS512,
        Algorithm::Ps256 => Theirs::PS256,
        Algorithm::Ps384 => Theirs::PS384,
        Algorithm::Ps512 => Theirs::PS512,
        Algorithm::Es256 => Theirs::ES256,
        Algorithm::Es384 => Theirs::ES384,
        Algorithm::EdDsa => Theirs::EdDSA,
    }
}

/// A member that is a string, if it is there: `Some(None)` where it is not, `None` where it is something else.
#[expect(
    clippy::option_option,
    reason = "missing and unreadable are two things"
)]
fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<Option<&'a str>> {
    match jwk.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    }
}

/// A member in canonical base64url.
fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)??).ok()
}

/// A member that is a positive number; some issuers write a zero in front of it (RFC 7518 §6.3.1.1).
fn number(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    let bytes = bytes(jwk, name)?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    bytes.get(first..).map(<[u8]>::to_vec)
}

/// Zero bits in front of the first one, within the first byte.
fn leading_zeros(number: &[u8]) -> Option<usize> {
    usize::try_from(number.first()?.leading_zeros()).ok()
}
