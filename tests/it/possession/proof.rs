//! Makes proofs of possession, good ones and others.

use aws_lc_rs::digest::{SHA256, digest};
use boomgate::identity::settings::Algorithm;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::site::now;
use crate::tokens::mint::{Keys, b64, key_id};

/// A holder of keys.
pub(super) struct Maker {
    keys: Keys,
    algorithm: Algorithm,
}

/// The same, with a key of its own.
pub(super) struct By<'m> {
    maker: &'m Maker,
    algorithm: Algorithm,
}

impl Maker {
    pub(super) fn new() -> Self {
        Self {
            keys: Keys::generate(),
            algorithm: Algorithm::Es256,
        }
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) const fn by(&self, algorithm: Algorithm) -> By<'_> {
        By {
            maker: self,
            algorithm,
        }
    }

    pub(super) fn proof(&self, token: &str, claims: &Value) -> String {
        self.by(self.algorithm).proof(token, claims)
    }

    pub(super) fn proof_with(&self, token: &str, header: &Value, claims: &Value) -> String {
        self.by(self.algorithm).proof_with(token, header, claims)
    }

    /// The public key.
    pub(super) fn jwk(&self) -> Value {
        self.by(self.algorithm).jwk()
    }

    /// RFC 7638: what names the key in a token.
    pub(super) fn thumbprint(&self, algorithm: Algorithm) -> String {
        let mut jwk = self.by(algorithm).jwk();
        let members = jwk.as_object_mut().unwrap();
        members.retain(|name, _| ["crv", "e", "kty", "n", "x", "y"].contains(&name.as_str()));
        members.sort_keys();
        hash(&jwk.to_string())
    }
}

impl By<'_> {
    fn jwk(&self) -> Value {
        let id = key_id(self.algorithm);
        let jwks = self.maker.keys.jwks();
        let mut jwk = jwks.into_iter().find(|jwk| jwk["kid"] == id).unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// A proof for getting the path of these tests with this token, with these claims put over its own.
    pub(super) fn proof(&self, token: &str, claims: &Value) -> String {
        self.proof_with(token, &json!({}), claims)
    }

    /// The same, with these members put over those of its header.
    pub(super) fn proof_with(&self, token: &str, header: &Value, claims: &Value) -> String {
        let own = json!({"typ": "dpop+jwt", "alg": self.algorithm.as_str(), "jwk": self.jwk()});
        let all = json!({"htm": "GET", "htu": "https://localhost/hr/people", "iat": now(),
            "jti": Uuid::new_v4().to_string(), "ath": hash(token)});
        let (header, claims) = (over(own, header), over(all, claims));
        self.maker
            .keys
            .token(self.algorithm, &header.to_string(), &claims.to_string())
    }
}

fn over(mut own: Value, others: &Value) -> Value {
    for (name, value) in others.as_object().unwrap() {
        match value {
            Value::Null => drop(own.as_object_mut().unwrap().remove(name)),
            value => own[name] = value.clone(),
        }
    }
    own
}

pub(super) fn hash(text: &str) -> String {
    b64(digest(&SHA256, text.as_bytes()))
}

/// Claims that bind a token to a key.
pub(super) fn bound_claims(thumbprint: &str) -> Value {
    json!({"cnf": {"jkt": thumbprint}})
}
