//! Makes keys and tokens, well-formed or not: a header and a payload are taken as text, byte for byte.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boomgate::identity::settings::Algorithm;
use serde_json::{Value, json};

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One key pair of each kind, and the JWK Set of their public halves.
pub(crate) struct Keys {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    pub(crate) fn generate() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            ed25519: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// The public halves: `rsa`, `p256`, `p384` and `ed25519`.
    pub(crate) fn jwks(&self) -> Vec<Value> {
        let point = |pair: &EcdsaKeyPair| {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            (b64(x), b64(y))
        };
        let (rsa_n, rsa_e) = self.rsa_numbers();
        let (p256_x, p256_y) = point(&self.p256);
        let (p384_x, p384_y) = point(&self.p384);
        let ed25519_x = b64(self.ed25519.public_key());
        vec![
            json!({"kty":"RSA","kid":"rsa","use":"sig","n":rsa_n,"e":rsa_e}),
            json!({"kty":"EC","kid":"p256","crv":"P-256","x":p256_x,"y":p256_y}),
            json!({"kty":"EC","kid":"p384","crv":"P-384","x":p384_x,"y":p384_y}),
            json!({"kty":"OKP","kid":"ed25519","crv":"Ed25519","x":ed25519_x}),
        ]
    }

    /// Modulus and exponent, out of the DER of an `RSAPublicKey` (RFC 8017 §A.1.1) of 2048 bits:
    /// a sequence and an integer with lengths of two bytes, and a zero in front of the modulus.
    fn rsa_numbers(&self) -> (String, String) {
        let der = self.rsa.public_key().as_ref();
        assert_eq!(
            der[..9],
            [0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00]
        );
        assert_eq!(der[265..267], [0x02, 0x03]);
        (b64(&der[9..265]), b64(&der[267..]))
    }

    /// The signature of this algorithm over `input`.
    pub(crate) fn sign(&self, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Rs256 => self.sign_rsa(&RSA_PKCS1_SHA256, input),
            Algorithm::Rs384 => self.sign_rsa(&RSA_PKCS1_SHA384, input),
            Algorithm::Rs512 => self.sign_rsa(&RSA_PKCS1_SHA512, input),
            Algorithm::Ps256 => self.sign_rsa(&RSA_PSS_SHA256, input),
            Algorithm::Ps384 => self.sign_rsa(&RSA_PSS_SHA384, input),
            Algorithm::Ps512 => self.sign_rsa(&RSA_PSS_SHA512, input),
            Algorithm::Es256 => sign_ec(&self.p256, input),
            Algorithm::Es384 => sign_ec(&self.p384, input),
            Algorithm::EdDsa => self.ed25519.sign(input).as_ref().to_vec(),
        }
    }

    fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa
            .sign(encoding, &SystemRandom::new(), input, &mut signature)
            .unwrap();
        signature
    }

    /// An ECDSA signature by the `p256` key in the form that X.509 uses, which JWS does not (RFC 7518 §3.4).
    pub(crate) fn sign_p256_in_der(&self, input: &[u8]) -> Vec<u8> {
        let pkcs8 = self.p256.to_pkcs8v1().unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref());
        sign_ec(&pair.unwrap(), input)
    }

    /// A token of this header and payload.
    pub(crate) fn token(&self, algorithm: Algorithm, header: &str, payload: &str) -> String {
        self.token_of(algorithm, &b64(header), &b64(payload))
    }

    /// A token whose header and payload are encoded already.
    pub(crate) fn token_of(&self, algorithm: Algorithm, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = self.sign(algorithm, input.as_bytes());
        format!("{input}.{}", b64(signature))
    }
}

fn sign_ec(pair: &EcdsaKeyPair, input: &[u8]) -> Vec<u8> {
    let signature = pair.sign(&SystemRandom::new(), input).unwrap();
    signature.as_ref().to_vec()
}

/// The `kid` of the key that signs with an algorithm.
pub(crate) const fn key_id(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => "rsa",
        Algorithm::Es256 => "p256",
        Algorithm::Es384 => "p384",
        Algorithm::EdDsa => "ed25519",
    }
}
