use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec(crv: &str, algorithm: &'static EcdsaSigningAlgorithm) -> Value {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({"kty":"EC","crv":crv,"x":b64(x),"y":b64(y)})
}

fn p256() -> Value {
    ec("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
}

fn p384() -> Value {
    ec("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
}

fn ed25519() -> Value {
    let pair = Ed25519KeyPair::generate().unwrap();
    json!({"kty":"OKP","crv":"Ed25519","x":b64(pair.public_key().as_ref())})
}

/// A modulus of so many bits that is odd. That nobody knows its factors does not matter here.
fn rsa(bits: usize) -> Value {
    let mut n = vec![0xA5; bits / 8];
    n[0] = 0x80;
    json!({"kty":"RSA","n":b64(&n),"e":"AQAB"})
}

/// The key with these members set, or taken away where they are null.
fn with(mut key: Value, members: &Value) -> Value {
    let object = key.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    key
}

fn parse(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn keeps_keys_that_may_check_signatures() {
    let set = parse(&[
        rsa(2048),
        rsa(4096),
        p256(),
        p384(),
        ed25519(),
        with(
            p256(),
            &json!({"use":"sig","key_ops":["verify"],"kid":"k","alg":"ES256"}),
        ),
        with(
            rsa(2048),
            &json!({"n":format!("AA{}", "A".repeat(340)),"kid":"zero"}),
        ),
    ]);
    // The last one has a zero in front, and is too short without it.
    assert_eq!(set.unwrap().len(), 6);
}

#[test]
fn leaves_out_every_other_key() {
    let good = p256();
    let others = [
        json!({"kty":"oct","k":"AAAA"}),
        json!({"kty":"XYZ"}),
        json!({"kty":7}),
        json!({}),
        rsa(1024),
        rsa(2040),
        rsa(8200),
        with(rsa(2048), &json!({"e":"AQ"})),
        with(rsa(2048), &json!({"e":"Ag"})),
        with(rsa(2048), &json!({"e":"AQAAAAE"})),
        with(rsa(2048), &json!({"e":"AQAB="})),
        with(rsa(2048), &json!({"e":null})),
        with(rsa(2048), &json!({"use":"enc"})),
        with(rsa(2048), &json!({"use":"SIG"})),
        with(rsa(2048), &json!({"use":7})),
        with(rsa(2048), &json!({"key_ops":["encrypt"]})),
        with(rsa(2048), &json!({"key_ops":"verify"})),
        with(rsa(2048), &json!({"d":"AQAB"})),
        with(rsa(2048), &json!({"alg":"RSA-OAEP"})),
        with(rsa(2048), &json!({"alg":"ES256"})),
        with(rsa(2048), &json!({"alg":"HS256"})),
        with(rsa(2048), &json!({"kid":7})),
        with(rsa(2048), &json!({"kid":""})),
        with(p256(), &json!({"crv":"P-384"})),
        with(p256(), &json!({"crv":"secp256k1"})),
        with(p256(), &json!({"alg":"ES384"})),
        with(p256(), &json!({"x":"AAAA"})),
        with(p256(), &json!({"y":b64(&[7; 32])})),
        with(p256(), &json!({"d":"AQAB"})),
        with(p384(), &json!({"x":b64(&[0; 48]),"y":b64(&[0; 48])})),
        with(ed25519(), &json!({"crv":"X25519"})),
        with(ed25519(), &json!({"crv":"Ed448"})),
        with(ed25519(), &json!({"x":"AAAA"})),
    ];
    for other in &others {
        let set = parse(&[good.clone(), other.clone()]).unwrap();
        assert_eq!(set.len(), 1, "{other}");
        assert_eq!(
            parse(std::slice::from_ref(other)).err(),
            Some(KeySetError::NoUsableKey(1)),
            "{other}"
        );
    }
}

#[test]
fn refuses_what_is_not_a_key_set() {
    for (text, expected) in [
        ("[]", KeySetError::Shape),
        ("{}", KeySetError::Shape),
        (r#"{"keys":{}}"#, KeySetError::Shape),
        (r#"{"keys":[7]}"#, KeySetError::Shape),
        (r#"{"keys":[]}"#, KeySetError::NoUsableKey(0)),
        ("{", KeySetError::Json { line: 1, column: 1 }),
        (
            r#"{"keys":[],"keys":[]}"#,
            KeySetError::Json {
                line: 1,
                column: 17,
            },
        ),
    ] {
        assert_eq!(
            KeySet::parse(text.as_bytes()).err(),
            Some(expected),
            "{text}"
        );
    }
    let many = vec![p256(); MAX_KEYS + 1];
    assert_eq!(
        parse(&many).err(),
        Some(KeySetError::TooManyKeys(MAX_KEYS + 1))
    );
}

#[test]
fn the_content_is_that_of_the_usable_keys() {
    let (a, b) = (p256(), ed25519());
    let set = parse(&[a.clone(), b.clone()]).unwrap();
    let same = parse(&[
        b.clone(),
        json!({"kty":"oct","k":"AAAA"}),
        with(a.clone(), &json!({"x5t":"x","x5c":["x"]})),
        a.clone(),
    ]);
    assert_eq!(set.content(), same.unwrap().content());
    for other in [
        vec![a.clone()],
        vec![a.clone(), p256()],
        vec![a.clone(), with(b.clone(), &json!({"kid":"k"}))],
        vec![a.clone(), with(b.clone(), &json!({"alg":"EdDSA"}))],
        vec![a, with(b, &json!({"issuer":"i"}))],
    ] {
        assert_ne!(set.content(), parse(&other).unwrap().content());
    }
}

#[test]
fn a_key_is_chosen_by_id_and_kind_and_nothing_is_tried_out() {
    use KeyChoiceError::{Ambiguous, Misfit, Unknown};
    let set = parse(&[
        with(p256(), &json!({"kid":"ec"})),
        with(rsa(2048), &json!({"kid":"rsa"})),
        with(
            rsa(2048),
            &json!({"kid":"ps","alg":"PS256","n":b64(&[0xB5; 256])}),
        ),
        with(p256(), &json!({"kid":"twice"})),
        with(p256(), &json!({"kid":"twice"})),
        with(p384(), &json!({"kid":"twice"})),
        with(ed25519(), &json!({"issuer":"i"})),
    ])
    .unwrap();
    let choose = |id: Option<&str>, algorithm| {
        set.choose(id, algorithm)
            .map(|key| key.id().unwrap_or("-").to_owned())
    };
    let ok = |id: &str| Ok(id.to_owned());
    for (id, algorithm, expected) in [
        (Some("ec"), Algorithm::Es256, ok("ec")),
        (Some("ec"), Algorithm::Es384, Err(Misfit)),
        (Some("ec"), Algorithm::Rs256, Err(Misfit)),
        (Some("rsa"), Algorithm::Rs512, ok("rsa")),
        (Some("rsa"), Algorithm::Ps384, ok("rsa")),
        (Some("ps"), Algorithm::Ps256, ok("ps")),
        (Some("ps"), Algorithm::Rs256, Err(Misfit)),
        (Some("twice"), Algorithm::Es256, Err(Ambiguous)),
        (Some("twice"), Algorithm::Es384, ok("twice")),
        (Some("EC"), Algorithm::Es256, Err(Unknown)),
        (Some("ed"), Algorithm::EdDsa, Err(Unknown)),
        (None, Algorithm::EdDsa, ok("-")),
        (None, Algorithm::Es384, ok("twice")),
        (None, Algorithm::Es256, Err(Ambiguous)),
        (None, Algorithm::Rs256, ok("rsa")),
        (None, Algorithm::Ps256, Err(Ambiguous)),
    ] {
        assert_eq!(choose(id, algorithm), expected, "{id:?} {algorithm:?}");
    }
    let only_ec = parse(&[p256()]).unwrap();
    assert_eq!(only_ec.choose(None, Algorithm::Rs256).err(), Some(Misfit));
    assert_eq!(
        set.choose(None, Algorithm::EdDsa).unwrap().issuer(),
        Some("i")
    );
}

/// The examples of RFC 7638 §3.1 and RFC 9449 §6.1.
#[test]
fn a_thumbprint_is_that_of_the_rfcs() {
    let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let ec = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
    for (jwk, expected) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ec, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
    ] {
        let jwk = serde_json::from_str(jwk).unwrap();
        let key = Key::of_proof(&jwk).unwrap();
        assert_eq!(key.thumbprint().as_str(), expected);
    }
}
