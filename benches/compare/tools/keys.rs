//! The keys of the world, as Boomgate gives them to the library that checks signatures: made beforehand, once.
//!
//! Never here: anything else of a token's check. No JSON of it is read, no claim, and nothing is remembered.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

use crate::Fallible;

/// One key, and what its signatures are made with.
pub(crate) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    /// The key of an algorithm in the folder's JWK set.
    pub(crate) fn of(folder: &Path, name: &str) -> Fallible<Self> {
        let keys: Value = serde_json::from_str(&fs::read_to_string(folder.join("jwks.json"))?)?;
        let is_wanted = |key: &&Value| {
            key.get("alg")
                .and_then(Value::as_str)
                .is_some_and(|alg| alg.eq_ignore_ascii_case(name))
        };
        let key = keys
            .get("keys")
            .and_then(Value::as_array)
            .and_then(|keys| keys.iter().find(is_wanted))
            .ok_or("no such key in jwks.json")?;
        let bytes = |part: &str| -> Fallible<Vec<u8>> {
            let text = key.get(part).and_then(Value::as_str);
            Ok(URL_SAFE_NO_PAD.decode(text.ok_or("a key without one of its parts")?)?)
        };
        let (algorithm, key) = match name {
            "rs256" => (
                Algorithm::RS256,
                DecodingKey::from_rsa_raw_components(&bytes("n")?, &bytes("e")?),
            ),
            // An uncompressed point (SEC 1 §2.3.3): 4, x, y.
            _ => (
                Algorithm::ES256,
                DecodingKey::from_ec_der(&[&[4], &*bytes("x")?, &*bytes("y")?].concat()),
            ),
        };
        Ok(Self { algorithm, key })
    }

    /// Whether the signature is the message's.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm)
            .is_ok_and(|good| good)
    }
}

/// Every key of the world, with the header that all of its tokens begin with.
pub(crate) struct Keys(Vec<(String, Key)>);

impl Keys {
    /// Those of a folder.
    pub(crate) fn of(folder: &Path) -> Fallible<Self> {
        let of = |name: &str| -> Fallible<(String, Key)> {
            let tokens = fs::read_to_string(folder.join(format!("{name}-known.txt")))?;
            let (header, _) = tokens.split_once('.').ok_or("a token without a header")?;
            Ok((header.to_owned(), Key::of(folder, name)?))
        };
        Ok(Self(vec![of("rs256")?, of("es256")?]))
    }

    /// Whether a call has a bearer token with a good signature: one check, each time.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let sent = headers
            .get(AUTHORIZATION)
            .and_then(|sent| sent.to_str().ok());
        let token = sent.and_then(|sent| sent.strip_prefix("Bearer "));
        let Some((message, signature)) = token.and_then(|token| token.rsplit_once('.')) else {
            return false;
        };
        let header = message.split('.').next();
        let key = self.0.iter().find(|(begin, _)| header == Some(begin));
        key.is_some_and(|(_, key)| key.verifies(message, signature))
    }
}
