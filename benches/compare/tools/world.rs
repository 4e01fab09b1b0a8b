//! What all contenders share: one authority, one server certificate, one key per algorithm, and tokens.
//!
//! Tokens have the shape of Entra's for an agent identity on its own, whatever the contender reads of it.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::json;

use crate::Fallible;

const ISSUER: &str = "https://idp.test/";
const AUDIENCE: &str = "api://resource";
const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
/// Seconds; Boomgate's default limit is a day.
const LIFETIME: u64 = 85_000;
/// The first agents are those that every contender blocks.
const BLOCKED: usize = 10;

/// Makes all of it in a folder: `tokens` calls of admitted agents, as many of blocked ones, and `fresh` more.
pub(crate) fn make(folder: &Path, tokens: usize, fresh: usize) -> Fallible<()> {
    certificates(folder)?;
    let (rs, es) = (RsaKey::new()?, EcKey::new()?);
    let keys = json!({"keys": [rs.jwk(), es.jwk()?]});
    fs::write(folder.join("jwks.json"), keys.to_string())?;
    fs::write(folder.join("rs.pub"), pem(&rs.public_der()?))?;
    fs::write(folder.join("es.pub"), pem(&es.public_der()?))?;
    let mut names: Vec<_> = (0..BLOCKED).map(agent).collect();
    names.push(String::new());
    fs::write(folder.join("blocked.txt"), names.join("\n"))?;
    let (mut made, now) = (0, SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    for (name, key) in [("rs256", &rs as &dyn Key), ("es256", &es)] {
        let mut write = |kind: &str, count: usize, who: &dyn Fn(usize) -> usize| -> Fallible<()> {
            let mut lines = String::new();
            for at in 0..count {
                made += 1;
                lines.push_str(&token(key, &agent(who(at)), made, now)?);
                lines.push('\n');
            }
            Ok(fs::write(folder.join(format!("{name}-{kind}.txt")), lines)?)
        };
        write("known", tokens, &|at| BLOCKED + at)?;
        write("blocked", tokens, &|at| at % BLOCKED)?;
        write("fresh", fresh, &|at| BLOCKED + at % tokens.max(1))?;
    }
    Ok(())
}

/// The id of an agent.
fn agent(at: usize) -> String {
    format!("a9a9a9a9-0000-4000-8000-{at:012x}")
}

fn certificates(folder: &Path) -> Fallible<()> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Comparison CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params
        .subject_alt_names
        .push(SanType::IpAddress([127, 0, 0, 1].into()));
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?.pem();
    let key = key.serialize_pem();
    fs::write(folder.join("ca.pem"), authority.pem())?;
    fs::write(
        folder.join("server.both.pem"),
        format!("{certificate}{key}"),
    )?;
    fs::write(folder.join("server.pem"), certificate)?;
    fs::write(folder.join("server.key"), key)?;
    Ok(())
}

fn token(key: &dyn Key, agent: &str, number: usize, now: u64) -> Fallible<String> {
    let header = json!({"typ": "JWT", "alg": key.algorithm(), "kid": key.id()});
    let claims = json!({
        "aud": AUDIENCE, "iss": ISSUER, "iat": now - 60, "nbf": now - 60, "exp": now + LIFETIME,
        "azp": agent, "azpacr": "2", "oid": agent, "sub": agent, "tid": TENANT, "idtyp": "app", "ver": "2.0",
        "uti": format!("{number:022}"), "roles": ["Sample.Read.All"],
        "xms_act_fct": "9 3 11", "xms_sub_fct": "11 3 9",
        "xms_par_app_azp": "b1b1b1b1-0000-4000-8000-000000000001",
    });
    let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = message.join(".");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?);
    Ok(format!("{message}.{signature}"))
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem.push_str(rest);
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    pem
}

trait Key {
    fn id(&self) -> &'static str;
    fn algorithm(&self) -> &'static str;
    fn sign(&self, message: &[u8]) -> Fallible<Vec<u8>>;
}

struct RsaKey(rsa::KeyPair);

impl RsaKey {
    fn new() -> Fallible<Self> {
        Ok(Self(rsa::KeyPair::generate(KeySize::Rsa2048)?))
    }

    fn jwk(&self) -> serde_json::Value {
        let public = self.0.public_key();
        json!({"kty": "RSA", "use": "sig", "kid": "rs1", "alg": "RS256",
               "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
               "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero())})
    }

    fn public_der(&self) -> Fallible<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der()?;
        Ok(der.as_ref().to_vec())
    }
}

impl Key for RsaKey {
    fn id(&self) -> &'static str {
        "rs1"
    }

    fn algorithm(&self) -> &'static str {
        "RS256"
    }

    fn sign(&self, message: &[u8]) -> Fallible<Vec<u8>> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )?;
        Ok(signature)
    }
}

struct EcKey(EcdsaKeyPair);

impl EcKey {
    fn new() -> Fallible<Self> {
        Ok(Self(EcdsaKeyPair::generate(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
        )?))
    }

    fn jwk(&self) -> Fallible<serde_json::Value> {
        // An uncompressed point (SEC 1 §2.3.3): 4, x, y.
        let point = self.0.public_key().as_ref();
        let (x, y) = point
            .split_first()
            .and_then(|(_, point)| point.split_at_checked(32))
            .ok_or("an EC key that is not of P-256")?;
        Ok(
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": "es1", "alg": "ES256",
                  "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)}),
        )
    }

    fn public_der(&self) -> Fallible<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der()?;
        Ok(der.as_ref().to_vec())
    }
}

impl Key for EcKey {
    fn id(&self) -> &'static str {
        "es1"
    }

    fn algorithm(&self) -> &'static str {
        "ES256"
    }

    fn sign(&self, message: &[u8]) -> Fallible<Vec<u8>> {
        let signature = self.0.sign(&SystemRandom::new(), message)?;
        Ok(signature.as_ref().to_vec())
    }
}
