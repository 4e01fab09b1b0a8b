//! Vectors of form, header and signature, and those that are accepted.

use aws_lc_rs::hmac;
use boomgate::identity::settings::Algorithm;
use boomgate::types::Reason;
use serde_json::json;

use super::Table;
use super::mint::b64;
use super::world::{
    AGENT, API, HUMAN, KEYS, NOW, STRANGER, changed, entra, entra_issuers, header, loose, strict,
    strict_claims, strict_payload, strict_with,
};

#[expect(clippy::too_many_lines, reason = "a table: one row per vector")]
pub(super) fn accepted(table: &mut Table) {
    let same = json!({});
    for algorithm in Algorithm::ALL {
        let header = header(algorithm, "at+jwt").to_string();
        let token = KEYS.token(algorithm, &header, &strict_claims().to_string());
        table.accept(algorithm.as_str(), token);
    }
    table.accept(
        "typ in another case, with its prefix",
        strict(&json!({"typ":"Application/AT+JWT"}), &same),
    );
    table.accept(
        "an unknown header member",
        strict(&json!({"x5t":"x","rh":{"a":1}}), &same),
    );
    table.accept(
        "an unknown claim",
        strict(&same, &json!({"x":{"y":[1,{"z":null}]}})),
    );
    table.accept(
        "an audience among several",
        strict(&same, &json!({"aud":["x",API]})),
    );
    table.accept(
        "exp just within the leeway",
        strict(&same, &json!({"exp":NOW - 4,"iat":NOW - 600})),
    );
    table.accept(
        "nbf and iat just within the leeway",
        strict(&same, &json!({"nbf":NOW + 5,"iat":NOW + 5})),
    );
    table.accept(
        "times with fractions",
        strict(
            &same,
            &json!({"exp":1_795_000_060.5,"iat":1_794_999_000.25}),
        ),
    );
    table.accept("no iat", strict(&same, &json!({"iat":null})));
    table.accept(
        "a nonce in a token that is typed as an access token",
        strict(&same, &json!({"nonce":"n"})),
    );
    table.accept(
        "white space in the JSON",
        strict_payload(&serde_json::to_string_pretty(&strict_claims()).unwrap()),
    );
    table.accept(
        "no kid, and one key fits",
        strict(&json!({"kid":null}), &same),
    );
    table.accept("JWT where it is listed", loose(&same, &same));
    table.accept(
        "no typ where it may be missing",
        loose(&json!({"typ":null}), &same),
    );
    table.accept(
        "at+jwt where it is listed with its prefix",
        loose(&json!({"typ":"at+jwt"}), &same),
    );
    table.accept("Entra v2", entra(&same, &same));
    let [v1, _] = entra_issuers();
    table.accept(
        "Entra v1",
        entra(
            &json!({"x5t":"rsa"}),
            &json!({"iss":v1,"appid":AGENT,"azp":null,"ver":"1.0"}),
        ),
    );
    table.accept(
        "Entra, an agent",
        entra(
            &same,
            &json!({"xms_act_fct":"9 3 11","xms_sub_fct":"11 3 9","idtyp":"app"}),
        ),
    );
    table.accept(
        "Entra, for a human",
        entra(
            &same,
            &json!({"oid":HUMAN,"sub":"pairwise","scp":"a","xms_act_fct":"11","xms_sub_fct":"2"}),
        ),
    );
    let pinned = json!({"alg":"PS256","kid":"pinned","typ":"at+jwt"}).to_string();
    table.accept(
        "a key that is pinned to its algorithm",
        KEYS.token(Algorithm::Ps256, &pinned, &strict_claims().to_string()),
    );
}

#[expect(clippy::too_many_lines, reason = "a table: one row per vector")]
pub(super) fn refused_forms(table: &mut Table) {
    const MALFORMED: Reason = Reason::TokenMalformed;
    let good = strict(&json!({}), &json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("three parts");
    };
    for (name, token) in [
        ("nothing", String::new()),
        ("one part", (*header).to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("two parts and a dot", format!("{header}.{payload}.")),
        ("four parts", format!("{good}.{signature}")),
        ("a dot behind", format!("{good}.")),
        ("a dot in front", format!(".{good}")),
        (
            "five parts, as a JWE has",
            format!("{good}.{signature}.{signature}"),
        ),
        ("ten thousand dots", ".".repeat(10_000)),
        ("dots up to the limit", ".".repeat(16 << 10)),
        (
            "padding on the header",
            format!("{header}=.{payload}.{signature}"),
        ),
        (
            "padding on the payload",
            format!("{header}.{payload}=.{signature}"),
        ),
        ("padding on the signature", format!("{good}==")),
        ("a blank behind", format!("{good} ")),
        (
            "a line end within",
            format!("{header}.{payload}\n.{signature}"),
        ),
        (
            "the alphabet of base64",
            format!("{header}.{payload}.{}+/", signature.get(2..).unwrap()),
        ),
        (
            "JSON serialization",
            json!({"protected":header,"payload":payload,"signature":signature}).to_string(),
        ),
        ("NUL within", format!("{header}\0.{payload}.{signature}")),
    ] {
        table.refuse(MALFORMED, name, token);
    }
    // 64 bytes of signature leave four bits of the last character over: they must be zero.
    let last = signature.chars().last().unwrap();
    let flipped = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        .chars()
        .skip_while(|c| *c != last)
        .nth(1)
        .unwrap();
    let other_spelling = format!("{}{flipped}", good.trim_end_matches(last));
    table.refuse(
        MALFORMED,
        "another spelling of the same signature",
        other_spelling,
    );
    table.refuse(
        MALFORMED,
        "larger than the limit",
        strict(&json!({}), &json!({"x":"x".repeat(16 << 10)})),
    );
    table.refuse(
        MALFORMED,
        "60 KB of claims",
        strict(&json!({}), &json!({"x":"x".repeat(60_000)})),
    );
    for (name, payload) in [
        ("a payload that is no JSON", "foo"),
        ("an empty payload", ""),
        ("an array as payload", "[]"),
        ("a string as payload", "\"x\""),
        ("null as payload", "null"),
        (
            "a payload with a comma too many",
            r#"{"iss":"https://strict.example",}"#,
        ),
        ("a payload and more", "{} {}"),
    ] {
        table.refuse(MALFORMED, name, strict_payload(payload));
    }
    for claim in ["oid", "exp", "iss", "x"] {
        let token = strict_with(&format!(r#""{claim}":1,"{claim}":2"#));
        table.refuse(MALFORMED, format!("{claim} given twice"), token);
    }
    table.refuse(
        MALFORMED,
        "a member given twice within another",
        strict_with(r#""x":[{"y":1,"y":1}]"#),
    );
    table.refuse(
        MALFORMED,
        "a member given twice, once escaped",
        strict_with(r#""sub":"b""#.replace("sub", "s\\u0075b").as_str()),
    );
    let deep = format!(r#""x":{}{}"#, "[".repeat(200), "]".repeat(200));
    table.refuse(MALFORMED, "two hundred levels", strict_with(&deep));
    table.refuse(
        MALFORMED,
        "half a surrogate pair",
        strict_with(r#""x":"\ud800""#),
    );
    let not_utf8 = b64(b"{\"iss\":\"\xFF\"}");
    let encoded = b64(header_text());
    table.refuse(
        MALFORMED,
        "a payload that is not UTF-8",
        KEYS.token_of(Algorithm::Es256, &encoded, &not_utf8),
    );
    let marked = b64(format!("\u{FEFF}{}", strict_claims()));
    table.refuse(
        MALFORMED,
        "a byte order mark",
        KEYS.token_of(Algorithm::Es256, &encoded, &marked),
    );
}

fn header_text() -> String {
    header(Algorithm::Es256, "at+jwt").to_string()
}

#[expect(clippy::too_many_lines, reason = "a table: one row per vector")]
pub(super) fn refused_headers(table: &mut Table) {
    let same = json!({});
    let jwk = &KEYS.jwks()[1];
    for (name, changes) in [
        ("crit, empty", json!({"crit":[]})),
        ("crit that names alg", json!({"crit":["alg"]})),
        (
            "crit that names a member that is not there",
            json!({"crit":["x"]}),
        ),
        (
            "crit that names one that is there",
            json!({"crit":["x"],"x":1}),
        ),
        ("crit and b64", json!({"crit":["b64"],"b64":false})),
        ("b64", json!({"b64":true})),
        ("jwk, the right key", json!({"jwk":jwk})),
        ("jku", json!({"jku":"https://strict.example/keys"})),
        ("x5u", json!({"x5u":"https://strict.example/cert"})),
        ("x5c", json!({"x5c":["MIIB"]})),
        ("zip", json!({"zip":"DEF"})),
        ("enc", json!({"enc":"A256GCM"})),
        ("cty, a nested token", json!({"cty":"JWT"})),
        ("kid that is a number", json!({"kid":7})),
        ("kid that is empty", json!({"kid":""})),
        ("kid that is long", json!({"kid":"k".repeat(300)})),
        ("kid with a line end", json!({"kid":"p256\r\nx"})),
        ("typ that is a list", json!({"typ":["at+jwt"]})),
        ("no alg", json!({"alg":null})),
        ("alg that is a list", json!({"alg":["ES256"]})),
    ] {
        table.refuse(Reason::TokenMalformed, name, strict(&changes, &same));
    }
    let twice = r#"{"alg":"ES256","kid":"p256","typ":"at+jwt","alg":"ES256"}"#;
    let claims = strict_claims().to_string();
    table.refuse(
        Reason::TokenMalformed,
        "alg given twice",
        KEYS.token(Algorithm::Es256, twice, &claims),
    );
    let twice = r#"{"alg":"ES256","kid":"p256","kid":"foreign","typ":"at+jwt"}"#;
    table.refuse(
        Reason::TokenMalformed,
        "kid given twice",
        KEYS.token(Algorithm::Es256, twice, &claims),
    );

    for alg in [
        "none",
        "None",
        "nOnE",
        "",
        "es256",
        "HS256",
        "HS384",
        "HS512",
        "ES512",
        "ES256K",
        "Ed25519",
        "RSA-OAEP",
        "dir",
        "PBES2-HS256+A128KW",
    ] {
        let token = strict(&json!({"alg":alg}), &same);
        table.refuse(Reason::TokenAlgorithmRefused, format!("alg `{alg}`"), token);
    }
    let unsigned = format!(
        "{}.{}.",
        b64(r#"{"alg":"none","typ":"at+jwt"}"#),
        b64(&claims)
    );
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "alg none without a signature",
        unsigned,
    );
    let narrow = |algorithm| {
        let claims = changed(strict_claims(), &json!({"iss":"https://narrow.example"}));
        KEYS.token(algorithm, &header(algorithm, "at+jwt").to_string(), &claims)
    };
    table.accept("the one algorithm of its issuer", narrow(Algorithm::Es256));
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "an algorithm of other issuers",
        narrow(Algorithm::Rs256),
    );
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "a key of another kind",
        strict(&json!({"kid":"rsa"}), &same),
    );
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "a key of another curve",
        strict(&json!({"kid":"p384"}), &same),
    );
    let pinned = json!({"alg":"RS256","kid":"pinned","typ":"at+jwt"}).to_string();
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "a key that is pinned to another algorithm",
        KEYS.token(Algorithm::Rs256, &pinned, &claims),
    );
    for kid in ["P256", "p256 ", "oct", "../p256", "' or 1=1"] {
        table.refuse(
            Reason::TokenKeyUnknown,
            format!("kid `{kid}`"),
            strict(&json!({"kid":kid}), &same),
        );
    }
    let no_kid = json!({"alg":"PS256","typ":"at+jwt"}).to_string();
    table.refuse(
        Reason::TokenKeyUnknown,
        "no kid, and two keys fit",
        KEYS.token(Algorithm::Ps256, &no_kid, &claims),
    );
}

pub(super) fn refused_signatures(table: &mut Table) {
    const INVALID: Reason = Reason::TokenSignatureInvalid;
    let claims = strict_claims().to_string();
    for algorithm in Algorithm::ALL {
        let header = header(algorithm, "at+jwt").to_string();
        let input = format!("{}.{}", b64(&header), b64(&claims));
        let good = KEYS.sign(algorithm, input.as_bytes());
        let name = algorithm.as_str();
        let mut push = |what: &str, signature: &[u8]| {
            let token = format!("{input}.{}", b64(signature));
            table.refuse(INVALID, format!("{name}, {what}"), token);
        };
        let mut flipped = good.clone();
        flipped[7] ^= 1;
        push("one bit of the signature flipped", &flipped);
        push("a signature of zeros", &vec![0; good.len()]);
        push("half a signature", &good[..good.len() / 2]);
        push("a signature and more", &[&good[..], &[0]].concat());
        push("one byte", &[1]);
        push("of another input", &KEYS.sign(algorithm, b"x.y"));
        push("of a stranger", &STRANGER.sign(algorithm, input.as_bytes()));
    }
    // The label says one algorithm of the key's kind, the signature is of another.
    for (label, made_with) in [
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Ps256, Algorithm::Rs256),
        (Algorithm::Rs384, Algorithm::Rs256),
        (Algorithm::Ps512, Algorithm::Ps384),
    ] {
        let header = header(label, "at+jwt").to_string();
        let name = format!("{} labelled {}", made_with.as_str(), label.as_str());
        table.refuse(INVALID, name, KEYS.token(made_with, &header, &claims));
    }
    let input = format!("{}.{}", b64(header_text()), b64(&claims));
    let der = KEYS.sign_p256_in_der(input.as_bytes());
    table.refuse(INVALID, "ES256 in DER", format!("{input}.{}", b64(der)));
    let signature = b64(KEYS.sign(Algorithm::Es256, input.as_bytes()));
    let other = b64(changed(strict_claims(), &json!({"sub":"b"})));
    table.refuse(
        INVALID,
        "other claims below a good signature",
        format!("{}.{other}.{signature}", b64(header_text())),
    );
    // The public key as a secret (CVE-2026-33322 and its many sisters).
    let n = KEYS.jwks()[0]["n"].as_str().unwrap().to_owned();
    let input = format!(
        "{}.{}",
        b64(r#"{"alg":"HS256","kid":"rsa","typ":"at+jwt"}"#),
        b64(&claims)
    );
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, n.as_bytes()),
        input.as_bytes(),
    );
    table.refuse(
        Reason::TokenAlgorithmRefused,
        "HS256 by the public key",
        format!("{input}.{}", b64(tag)),
    );
}
