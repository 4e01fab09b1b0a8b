//! Other people's test vectors against our readers: Wycheproof, the JOSE cookbook, the DPoP examples, JSONTestSuite.
//!
//! They are read from `../shared/corpora` beside the project, or from the folder that `BOOMGATE_CORPORA` names; where
//! there are none, a test says so and passes. Where our answer is not the vector's own, the table beside the test
//! gives the reason: a deviation that is not listed fails, and so does one that is listed and does not occur.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boomgate::identity::{KeySet, jose};
use boomgate::types::json;
use serde_json::{Value, json};

/// A vector that we answer otherwise, and why.
type Deviation = (&'static str, &'static str);

fn folder() -> PathBuf {
    std::env::var_os("BOOMGATE_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    )
}

/// A file of the corpora, or the name of the file that is not there.
fn file(name: &str) -> Result<String, String> {
    let path = folder().join(name);
    std::fs::read_to_string(&path)
        .map_err(|_absent| format!("{} is absent: its vectors are not run", path.display()))
}

fn json_file(name: &str) -> Result<Value, String> {
    file(name).map(|text| serde_json::from_str(&text).unwrap())
}

/// Whether the token is a JWS in our sense, and signed by a key of this JWK Set.
fn verifies(token: &str, jwks: &Value) -> bool {
    let Ok(jws) = jose::read(token, 64 << 10) else {
        return false;
    };
    let Ok(set) = KeySet::parse(jwks.to_string().as_bytes()) else {
        return false;
    };
    set.choose(jws.header.key_id.as_deref(), jws.header.algorithm)
        .is_ok_and(|key| key.verifies(&jws))
}

/// The public half of a JWK, without the private members.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    if let Some(members) = jwk.as_object_mut() {
        for name in ["d", "p", "q", "dp", "dq", "qi"] {
            members.remove(name);
        }
    }
    jwk
}

/// Compares verdicts by name, and demands that exactly the listed ones differ.
fn compare(verdicts: &BTreeMap<String, (bool, bool)>, deviations: &[Deviation]) {
    let found: Vec<&str> = verdicts
        .iter()
        .filter(|(_, (theirs, ours))| theirs != ours)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut listed: Vec<&str> = deviations.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    assert_eq!(found, listed, "found on the left, listed on the right");
    assert!(deviations.iter().all(|(_, reason)| !reason.is_empty()));
}

/// Verdicts of a Wycheproof file, by test id with leading zeros: theirs, ours.
fn wycheproof(file: &Value) -> BTreeMap<String, (bool, bool)> {
    let mut verdicts = BTreeMap::new();
    for group in file["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let jwks = match key.get("keys") {
            Some(_) => key.clone(),
            None => json!({ "keys": [key] }),
        };
        for test in group["tests"].as_array().unwrap() {
            let theirs = test["result"] == "valid";
            let ours = test["jws"].as_str().is_some_and(|jws| verifies(jws, &jwks));
            let name = format!("{:03}", test["tcId"].as_u64().unwrap());
            assert_eq!(verdicts.insert(name, (theirs, ours)), None);
        }
    }
    let count = usize::try_from(file["numberOfTests"].as_u64().unwrap()).unwrap();
    assert_eq!(verdicts.len(), count);
    verdicts
}

const HMAC: &str = "HMAC: whoever can check it can also forge it, so no issuer may use it";
const ES512: &str = "ES512: not among our algorithms (`jsonwebtoken` has no P-521)";
const PINNED: &str =
    "the key's `alg` is PS256 and the token's PS384; a key is used with the algorithm it names";

const SIGNATURES: &[Deviation] = &[
    ("001", HMAC),
    ("346", PINNED),
    ("347", ES512),
    ("348", HMAC),
    ("350", PINNED),
    ("351", ES512),
    ("352", HMAC),
    ("357", HMAC),
    ("358", HMAC),
    ("359", HMAC),
    (
        "372",
        "a character outside the alphabet within the header, ignored by lenient decoders; HMAC besides",
    ),
    ("373", "the same within the payload; HMAC besides"),
    ("376", HMAC),
    ("377", HMAC),
];

#[test]
fn wycheproof_signatures() {
    match json_file("wycheproof/json_web_signature_test.json") {
        Ok(vectors) => compare(&wycheproof(&vectors), SIGNATURES),
        Err(absent) => eprintln!("{absent}"),
    }
}

const KEYS: &[Deviation] = &[("002", HMAC), ("013", HMAC), ("014", HMAC), ("015", HMAC)];

#[test]
fn wycheproof_keys() {
    match json_file("wycheproof/json_web_key_test.json") {
        Ok(vectors) => compare(&wycheproof(&vectors), KEYS),
        Err(absent) => eprintln!("{absent}"),
    }
}

const COOKBOOK: &[Deviation] = &[
    ("jws/4_3.ecdsa_signature", ES512),
    ("jws/4_4.hmac-sha2_integrity_protection", HMAC),
    (
        "jws/4_5.signature_with_detached_content",
        "HMAC, and a payload that is elsewhere",
    ),
    (
        "rfc7797/hmac-sha2_b64_false",
        "`b64` and `crit`: a payload that is not base64url; HMAC besides",
    ),
];

#[test]
fn jose_cookbook() {
    let mut verdicts = BTreeMap::new();
    let mut absent = None;
    for name in [
        "jws/4_1.rsa_v15_signature",
        "jws/4_2.rsa-pss_signature",
        "jws/4_3.ecdsa_signature",
        "jws/4_4.hmac-sha2_integrity_protection",
        "jws/4_5.signature_with_detached_content",
        "curve25519/jws",
        "rfc7797/hmac-sha2_b64_false",
    ] {
        match json_file(&format!("jose-cookbook/{name}.json")) {
            Ok(example) => {
                let jwks = json!({ "keys": [public(&example["input"]["key"])] });
                let token = example["output"]["compact"].as_str().unwrap();
                verdicts.insert(name.to_owned(), (true, verifies(token, &jwks)));
            }
            Err(name) => absent = Some(name),
        }
    }
    match absent {
        None => compare(&verdicts, COOKBOOK),
        Some(absent) => eprintln!("{absent}"),
    }
}

/// Every JWE of the cookbook in compact form, and its nested token: none is a form that we read.
#[test]
fn jose_cookbook_encryption_is_refused() {
    let mut tokens = Vec::new();
    for name in [
        "jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2",
        "jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm",
        "jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2",
        "jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm",
        "jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2",
        "jwe/5_6.direct_encryption_using_aes-gcm",
        "jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2",
        "jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm",
        "jwe/5_9.compressed_content",
        "curve25519/ecdh-es",
    ] {
        match json_file(&format!("jose-cookbook/{name}.json")) {
            Ok(example) => tokens.push(example["output"]["compact"].as_str().unwrap().to_owned()),
            Err(absent) => return eprintln!("{absent}"),
        }
    }
    match json_file("jose-cookbook/6.nesting_signatures_and_encryption.json") {
        Ok(example) => {
            let nested = example["encrypt"]["output"]["compact"].as_str().unwrap();
            tokens.push(nested.to_owned());
        }
        Err(absent) => return eprintln!("{absent}"),
    }
    for token in tokens {
        assert!(jose::read(&token, 64 << 10).is_err(), "{token}");
    }
}

/// DPoP proofs bring their own key, so none of them can pass as an access token.
#[test]
fn dpop_examples_are_no_access_tokens() {
    let examples = match json_file("ietf-rfc9449/dpop-examples.json") {
        Ok(file) => file["examples"].as_array().unwrap().clone(),
        Err(absent) => return eprintln!("{absent}"),
    };
    let mut proofs = 0;
    for example in examples {
        let is_proof = example["kind"] == "dpop-proof";
        let read = jose::read(example["jwt"].as_str().unwrap(), 64 << 10);
        assert_eq!(read.is_err(), is_proof, "{example}");
        proofs += usize::from(is_proof);
    }
    assert!(proofs > 0);
}

const TWICE: &str =
    "a member that is given twice: two readers could disagree on what the text says";

const JSON: &[Deviation] = &[
    ("y_object_duplicated_key.json", TWICE),
    ("y_object_duplicated_key_and_value.json", TWICE),
];

#[test]
fn json_test_suite() {
    let lines = match file("json-test-suite/test_parsing.jsonl") {
        Ok(lines) => lines,
        Err(absent) => return eprintln!("{absent}"),
    };
    let mut verdicts = BTreeMap::new();
    for line in lines.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = STANDARD.decode(vector["base64"].as_str().unwrap()).unwrap();
        let ours = json::parse(&text).is_ok();
        let theirs = match vector["expect"].as_str().unwrap() {
            "accept" => true,
            "reject" => false,
            // Free to choose: it must be read or refused, and not panic.
            "implementation-defined" => ours,
            other => panic!("{other}"),
        };
        let name = vector["name"].as_str().unwrap().to_owned();
        verdicts.insert(name, (theirs, ours));
    }
    assert!(verdicts.len() > 300);
    compare(&verdicts, JSON);
}
