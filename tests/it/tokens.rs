//! Tokens that the gateway accepts, and tokens that it refuses, each with its reason.
//!
//! Every token is signed by a real key. What is refused for its claims has a good signature, so that the claim
//! alone is what refuses it.

mod mint;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use boomgate::identity::settings::{
    Algorithm, ClaimMapping, IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings,
};
use boomgate::identity::{
    Authenticator, CacheResult, Issuer, IssuerKeys, Issuers, KeySet, Observation, Verified,
};
use boomgate::types::{Reason, TenantId, Timestamp};
use serde_json::{Value, json};

use mint::{Keys, b64, key_id};

const NOW: i64 = 1_795_000_000;
const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
const HUMAN: &str = "d4d4d4d4-0000-4000-8000-000000000004";
/// The issuer that follows RFC 9068.
const STRICT: &str = "https://strict.example";
/// The issuer that types its tokens `JWT`, or not at all.
const LOOSE: &str = "https://loose.example/";
const API: &str = "api://hr";

/// The keys of every issuer here, and the keys of somebody else.
static KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);
static STRANGER: LazyLock<Keys> = LazyLock::new(Keys::generate);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn settings(name: &str, issuers: &[&str], profile: Profile) -> IssuerSettings {
    IssuerSettings {
        name: name.into(),
        issuers: issuers.iter().map(|iss| Arc::from(*iss)).collect(),
        profile,
        algorithms: Algorithm::ALL.to_vec(),
        types: vec!["at+jwt".into()],
        type_may_be_missing: false,
        leeway: Duration::from_secs(5),
        max_lifetime: Duration::from_secs(86_400),
        keys: KeySettings {
            origin: KeyOrigin::File(PathBuf::from("keys.json")),
            ca_file: None,
            refresh_interval: Duration::from_secs(3600),
            min_refresh_interval: Duration::from_secs(300),
            stale_after: Duration::from_secs(86_400),
            timeout: Duration::from_secs(5),
            max_bytes: 1 << 20,
        },
    }
}

fn entra_issuers() -> [String; 2] {
    [
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
    ]
}

/// A strict issuer, a loose one, Entra, one that may use ES256 alone, and one whose keys were never loaded.
fn issuers() -> Issuers {
    let mapping = ClaimMapping {
        agent_id: Some("client_id".into()),
        on_behalf_of: Some("sub".into()),
        ..ClaimMapping::default()
    };
    let strict = settings("strict", &[STRICT], Profile::Oidc(mapping));
    let oidc = || Profile::Oidc(ClaimMapping::default());
    let loose = IssuerSettings {
        types: vec!["JWT".into(), "application/at+jwt".into(), "dpop+jwt".into()],
        type_may_be_missing: true,
        ..settings("loose", &[LOOSE], oidc())
    };
    let [v1, v2] = entra_issuers();
    let tenant = TenantId::parse(TENANT).unwrap();
    let entra = IssuerSettings {
        types: vec!["JWT".into()],
        ..settings("entra", &[&v1, &v2], Profile::Entra { tenant })
    };
    let narrow = IssuerSettings {
        algorithms: vec![Algorithm::Es256],
        ..settings("narrow", &["https://narrow.example"], oidc())
    };
    let keyless = settings("keyless", &["https://keyless.example"], oidc());
    let loaded = |settings: IssuerSettings| Issuer {
        keys: (&*settings.name != "keyless").then(|| Arc::new(keys(&settings.name, NOW))),
        settings: Arc::new(settings),
    };
    Issuers::new([strict, loose, entra, narrow, keyless].map(loaded).to_vec())
}

/// An issuer's keys. Entra's name their issuer; the one called `foreign` names another tenant's.
fn keys(issuer: &str, loaded_at: i64) -> IssuerKeys {
    let mut jwks = KEYS.jwks();
    let [rsa, p256, ..] = jwks.as_slice() else {
        panic!("four keys");
    };
    let mut foreign = p256.clone();
    foreign["kid"] = json!("foreign");
    foreign["issuer"] = json!(entra_issuers()[1].replace(TENANT, HUMAN));
    let mut pinned = rsa.clone();
    pinned["kid"] = json!("pinned");
    pinned["alg"] = json!("PS256");
    if issuer == "entra" {
        jwks[0]["issuer"] = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
        jwks.push(foreign);
    }
    jwks.push(pinned);
    jwks.push(json!({"kty":"oct","kid":"oct","k":b64("secret")}));
    IssuerKeys {
        set: KeySet::parse(json!({ "keys": jwks }).to_string().as_bytes()).unwrap(),
        loaded_at: at(loaded_at),
    }
}

fn authenticator(cache_entries: u64) -> Authenticator {
    Authenticator::new(TokenSettings {
        max_bytes: 16 << 10,
        cache_entries,
    })
}

fn audiences(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn verify(token: &str) -> (Result<Arc<Verified>, Reason>, Observation) {
    authenticator(0).verify_token(token, &audiences(&[API, HUMAN]), &issuers(), at(NOW))
}

/// What is changed in an otherwise good token: members set, or taken away where they are null.
fn changed(mut base: Value, changes: &Value) -> String {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base.to_string()
}

fn strict_claims() -> Value {
    json!({"iss":STRICT,"aud":API,"sub":"a","client_id":"a","jti":"1","iat":NOW,"exp":NOW + 600})
}

fn loose_claims() -> Value {
    json!({"iss":LOOSE,"aud":[API],"sub":"a","exp":NOW + 600})
}

fn entra_claims() -> Value {
    json!({"iss":entra_issuers()[1],"aud":HUMAN,"tid":TENANT,"azp":AGENT,"oid":AGENT,"sub":AGENT,
        "uti":"u","ver":"2.0","iat":NOW,"nbf":NOW,"exp":NOW + 3900})
}

fn header(algorithm: Algorithm, typ: &str) -> Value {
    json!({"alg":algorithm.as_str(),"kid":key_id(algorithm),"typ":typ})
}

/// A token of the strict issuer, by ES256, with this header and these claims changed.
fn strict(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Es256,
        &changed(header(Algorithm::Es256, "at+jwt"), header_changes),
        &changed(strict_claims(), claim_changes),
    )
}

/// A token of the strict issuer whose payload is this text.
fn strict_payload(payload: &str) -> String {
    let header = header(Algorithm::Es256, "at+jwt").to_string();
    KEYS.token(Algorithm::Es256, &header, payload)
}

/// A good payload of the strict issuer with one more member, as text: it may repeat one.
fn strict_with(member: &str) -> String {
    let claims = strict_claims().to_string();
    strict_payload(&format!("{},{member}}}", claims.trim_end_matches('}')))
}

fn loose(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Rs256,
        &changed(header(Algorithm::Rs256, "JWT"), header_changes),
        &changed(loose_claims(), claim_changes),
    )
}

fn entra(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Rs256,
        &changed(header(Algorithm::Rs256, "JWT"), header_changes),
        &changed(entra_claims(), claim_changes),
    )
}

struct Vector {
    name: String,
    token: String,
    expected: Result<(), Reason>,
}

#[derive(Default)]
struct Table(Vec<Vector>);

impl Table {
    fn accept(&mut self, name: impl Into<String>, token: String) {
        let name = name.into();
        self.0.push(Vector {
            name,
            token,
            expected: Ok(()),
        });
    }

    fn refuse(&mut self, reason: Reason, name: impl Into<String>, token: String) {
        let name = name.into();
        self.0.push(Vector {
            name,
            token,
            expected: Err(reason),
        });
    }
}

#[test]
fn every_vector_has_its_verdict() {
    let mut table = Table::default();
    accepted(&mut table);
    refused_forms(&mut table);
    refused_headers(&mut table);
    refused_signatures(&mut table);
    refused_claims(&mut table);
    refused_times(&mut table);
    refused_issuers_and_audiences(&mut table);
    refused_uses(&mut table);
    let mut names: Vec<_> = table.0.iter().map(|vector| &vector.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(
        names.len(),
        table.0.len(),
        "each vector has a name of its own"
    );
    assert!(names.len() >= 150, "{} vectors", names.len());

    let wrong: Vec<_> = table
        .0
        .iter()
        .filter_map(|vector| {
            let found = verify(&vector.token).0.map(|_| ());
            let differs = found != vector.expected;
            differs.then(|| format!("{}: {found:?}, expected {:?}", vector.name, vector.expected))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn accepted(table: &mut Table) {
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

fn refused_forms(table: &mut Table) {
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
            format!("{header}.{payload}.{}+/", &signature[2..]),
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

fn refused_headers(table: &mut Table) {
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

fn refused_signatures(table: &mut Table) {
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

fn refused_claims(table: &mut Table) {
    const REFUSED: Reason = Reason::TokenClaimsRefused;
    let same = json!({});
    for name in ["iss", "aud", "exp", "sub"] {
        let changes = json!({name:null, "client_id":null});
        table.refuse(REFUSED, format!("no {name}"), strict(&same, &changes));
    }
    for (name, changes) in [
        ("iss as a list", json!({"iss":["evil",STRICT]})),
        ("iss as a list of one", json!({"iss":[STRICT]})),
        ("iss as a number", json!({"iss":5})),
        ("aud as a number", json!({"aud":5})),
        ("aud as an object", json!({"aud":{}})),
        ("aud with a number in it", json!({"aud":[API,5]})),
        ("sub as a number", json!({"sub":5})),
        ("sub that is empty", json!({"sub":""})),
        ("sub with line ends", json!({"sub":"a\r\nb"})),
        ("sub with NUL", json!({"sub":"a\u{0}"})),
        ("sub with a blank", json!({"sub":"a b"})),
        ("sub that is long", json!({"sub":"a".repeat(600)})),
        ("jti as a number", json!({"jti":1})),
        ("azp as a list", json!({"azp":[]})),
        ("oid as an object", json!({"oid":{}})),
        ("the mapped claim as a number", json!({"client_id":7})),
        ("the mapped claim that is empty", json!({"client_id":""})),
        ("scope as a number", json!({"scope":7})),
        ("roles with a number in it", json!({"roles":["a",7]})),
    ] {
        table.refuse(REFUSED, name, strict(&same, &changes));
    }
    for claim in ["exp", "iss", "aud", "sub"] {
        let claims = strict_claims().to_string();
        let mut value: Value = serde_json::from_str(&claims).unwrap();
        value[claim] = Value::Null;
        table.refuse(
            REFUSED,
            format!("{claim} that is null"),
            strict_payload(&value.to_string()),
        );
    }
    for (name, changes) in [
        ("Entra without tid", json!({"tid":null})),
        ("Entra without oid and sub", json!({"oid":null,"sub":null})),
        ("Entra with two clients", json!({"appid":HUMAN})),
        (
            "Entra, an agent that is not its own subject",
            json!({"oid":HUMAN,"xms_act_fct":"11","xms_sub_fct":"11"}),
        ),
        (
            "Entra, an agent user that is its agent",
            json!({"xms_act_fct":"11","xms_sub_fct":"13"}),
        ),
        (
            "Entra, a subject that is both",
            json!({"oid":HUMAN,"xms_act_fct":"11","xms_sub_fct":"11 13"}),
        ),
        (
            "Entra, an agent user of no agent",
            json!({"oid":HUMAN,"xms_act_fct":"3","xms_sub_fct":"13"}),
        ),
        (
            "Entra, an app with somebody else as subject",
            json!({"oid":HUMAN,"xms_act_fct":"11","idtyp":"app"}),
        ),
        (
            "Entra, a blueprint that is a number",
            json!({"xms_par_app_azp":7}),
        ),
        ("Entra, roles as an object", json!({"roles":{}})),
    ] {
        table.refuse(REFUSED, name, entra(&same, &changes));
    }
}

fn refused_times(table: &mut Table) {
    let same = json!({});
    for (reason, name, changes) in [
        (
            Reason::TokenExpired,
            "exp at the end of the leeway",
            json!({"exp":NOW - 5,"iat":NOW - 600}),
        ),
        (
            Reason::TokenExpired,
            "exp long ago",
            json!({"exp":1,"iat":0}),
        ),
        (
            Reason::TokenExpired,
            "exp of 0",
            json!({"exp":0,"iat":null}),
        ),
        (
            Reason::TokenNotYetValid,
            "nbf just beyond the leeway",
            json!({"nbf":NOW + 6}),
        ),
        (
            Reason::TokenNotYetValid,
            "iat just beyond the leeway",
            json!({"iat":NOW + 6}),
        ),
        (
            Reason::TokenNotYetValid,
            "iat in 2096",
            json!({"iat":3_976_214_400_i64,"exp":3_976_214_500_i64}),
        ),
        (
            Reason::TokenClaimsRefused,
            "a life longer than the issuer's",
            json!({"exp":NOW + 86_401}),
        ),
        (
            Reason::TokenClaimsRefused,
            "a long life without iat",
            json!({"exp":NOW + 90_000,"iat":null}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp before iat",
            json!({"exp":NOW - 1,"iat":NOW}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as text",
            json!({"exp":"never"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as a number in text",
            json!({"exp":"1795000600"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "nbf as a number in text",
            json!({"nbf":"9999999999"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "iat as text",
            json!({"iat":"x"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "iat as a list",
            json!({"iat":[NOW]}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp below zero",
            json!({"exp":-1}),
        ),
        (Reason::TokenClaimsRefused, "exp 1e18", json!({"exp":1e18})),
        (Reason::TokenClaimsRefused, "exp 1e19", json!({"exp":1e19})),
        (
            Reason::TokenClaimsRefused,
            "exp beyond the calendar",
            json!({"exp":253_402_300_800_i64}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as true",
            json!({"exp":true}),
        ),
    ] {
        table.refuse(reason, name, strict(&same, &changes));
    }
}

fn refused_issuers_and_audiences(table: &mut Table) {
    let same = json!({});
    for iss in [
        "https://evil.example",
        "https://strict.example/",
        "HTTPS://strict.example",
        "https://strictXexample",
        "strict",
    ] {
        let token = strict(&same, &json!({"iss":iss}));
        table.refuse(Reason::TokenIssuerRefused, format!("iss `{iss}`"), token);
    }
    let [v1, v2] = entra_issuers();
    let foreign = v2.replace(TENANT, HUMAN);
    for (name, header, claims) in [
        (
            "Entra, another tenant",
            json!({}),
            json!({"iss":foreign,"tid":HUMAN}),
        ),
        (
            "Entra, tid of another tenant",
            json!({}),
            json!({"tid":HUMAN}),
        ),
        (
            "Entra, v1 issuer without its slash",
            json!({}),
            json!({"iss":v1.trim_end_matches('/')}),
        ),
        (
            "Entra, the template as issuer",
            json!({}),
            json!({"iss":v2.replace(TENANT, "{tenantid}")}),
        ),
    ] {
        table.refuse(Reason::TokenIssuerRefused, name, entra(&header, &claims));
    }
    let header = json!({"alg":"ES256","kid":"foreign","typ":"JWT"}).to_string();
    let token = KEYS.token(Algorithm::Es256, &header, &entra_claims().to_string());
    table.refuse(
        Reason::TokenIssuerRefused,
        "Entra, a key of another tenant",
        token,
    );
    for aud in [
        "",
        "api",
        "API://HR",
        "api://hr/",
        "api://hr/x",
        "api://hr@evil@corp",
        "x api://hr",
        "api://hr,x",
        "apiX//hr",
    ] {
        let token = strict(&same, &json!({"aud":aud}));
        table.refuse(Reason::TokenAudienceRefused, format!("aud `{aud}`"), token);
    }
    table.refuse(
        Reason::TokenAudienceRefused,
        "aud, an empty list",
        strict(&same, &json!({"aud":[]})),
    );
    table.refuse(
        Reason::TokenAudienceRefused,
        "aud, a list of others",
        strict(&same, &json!({"aud":["x","y"]})),
    );
    table.refuse(
        Reason::TokenAudienceRefused,
        "an audience of Graph",
        entra(&same, &json!({"aud":"https://graph.microsoft.com"})),
    );
    for aud in [
        "api://AzureADTokenExchange",
        "api://AzureADTokenExchangeChina",
        "fb60f99c-7a34-4190-8149-302f77469936",
    ] {
        let token = entra(&same, &json!({"aud":[API,aud]}));
        table.refuse(
            Reason::TokenAudienceRefused,
            format!("an exchange token for `{aud}`"),
            token,
        );
    }
    let sub = "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ/a9a9a9a9-0000-4000-8000-000000000002";
    table.refuse(
        Reason::TokenAudienceRefused,
        "an exchange token by its subject",
        entra(&same, &json!({"sub":sub})),
    );
    let keyless = strict(&same, &json!({"iss":"https://keyless.example"}));
    table.refuse(
        Reason::KeysUnavailable,
        "an issuer whose keys were never loaded",
        keyless,
    );
}

fn refused_uses(table: &mut Table) {
    const REFUSED: Reason = Reason::TokenTypeRefused;
    let same = json!({});
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/secevent+jwt",
        "kb+jwt",
        "",
        "at+jwt ",
        "text/at+jwt",
        "application/application/at+jwt",
    ] {
        let token = strict(&json!({"typ":typ}), &same);
        table.refuse(REFUSED, format!("typ `{typ}`"), token);
    }
    table.refuse(
        REFUSED,
        "no typ where it is needed",
        strict(&json!({"typ":null}), &same),
    );
    table.refuse(
        REFUSED,
        "no typ for Entra",
        entra(&json!({"typ":null}), &same),
    );
    table.refuse(
        REFUSED,
        "a DPoP proof, though its typ is listed",
        loose(&json!({"typ":"dpop+jwt"}), &same),
    );
    for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
        let token = loose(&same, &json!({claim:"x"}));
        table.refuse(REFUSED, format!("an ID token by its {claim}"), token);
    }
    table.refuse(
        REFUSED,
        "an ID token without typ",
        loose(&json!({"typ":null}), &json!({"nonce":"x"})),
    );
    let events = json!({"events":{"http://schemas.openid.net/event/backchannel-logout":{}}});
    table.refuse(
        REFUSED,
        "a logout token that is typed JWT",
        loose(&same, &events),
    );
    table.refuse(
        REFUSED,
        "an ID token of Entra: no client",
        entra(&same, &json!({"azp":null})),
    );
    table.refuse(
        REFUSED,
        "an ID token of Entra: a nonce",
        entra(&same, &json!({"nonce":"x"})),
    );
}

#[test]
fn says_what_a_verified_token_holds() {
    let facts = |token: &str| Arc::clone(verify(token).0.unwrap().facts());
    let entra = facts(&entra(
        &json!({}),
        &json!({"scp":"a b","roles":["r"],"xms_cc":["cp1"]}),
    ));
    assert_eq!(&*entra.issuer, "entra");
    assert_eq!(entra.tenant.as_ref().unwrap().as_str(), TENANT);
    assert_eq!(entra.token_id.as_deref(), Some("u"));
    assert_eq!(&*entra.audience, HUMAN);
    assert_eq!(entra.scopes.join(" "), "a b");
    assert_eq!(entra.roles.join(" "), "r");
    assert_eq!(entra.issued_at, Some(at(NOW)));
    assert_eq!(entra.expires_at, at(NOW + 3900));
    assert_eq!(entra.key_id.as_deref(), Some("rsa"));
    assert!(entra.claims_challenge_capable);
    let strict = facts(&strict(&json!({}), &json!({"scope":"x"})));
    assert_eq!(&*strict.audience, API);
    assert_eq!(strict.scopes.join(" "), "x");
    assert!(!strict.claims_challenge_capable);
}

#[test]
fn an_unknown_key_is_told_once_it_is_known_whose_it_is() {
    let unknown = verify(&strict(&json!({"kid":"new"}), &json!({}))).1;
    assert_eq!(unknown.unknown_key_of.as_deref(), Some("strict"));
    assert_eq!(unknown.issuer.as_deref(), Some("strict"));
    let foreign = verify(&strict(&json!({"kid":"new"}), &json!({"iss":"x"}))).1;
    assert_eq!(foreign, Observation::default());
    // Neither a key of another kind nor an ambiguous one would be helped by a refresh.
    let misfit = verify(&strict(&json!({"kid":"rsa"}), &json!({}))).1;
    assert_eq!(misfit.unknown_key_of, None);
}

#[test]
fn a_remembered_token_is_worth_nothing_at_another_resource() {
    let authenticator = authenticator(100);
    let issuers = issuers();
    let token = strict(&json!({}), &json!({"aud":["a","b"]}));
    let check = |names: &[&str]| {
        let (result, seen) =
            authenticator.verify_token(&token, &audiences(names), &issuers, at(NOW));
        (result.map(|_| ()), seen.cache)
    };
    let refused = Err(Reason::TokenAudienceRefused);
    assert_eq!(check(&["a"]), (Ok(()), Some(CacheResult::Miss)));
    assert_eq!(check(&["a"]), (Ok(()), Some(CacheResult::Hit)));
    for others in [&["c"][..], &["a,b"], &["ab"], &["A"], &[]] {
        assert_eq!(check(others).0, refused, "{others:?}");
        assert_eq!(
            check(others).1,
            Some(CacheResult::Miss),
            "no refusal is kept"
        );
    }
    assert_eq!(check(&["a", "c"]), (Ok(()), Some(CacheResult::Miss)));
    assert_eq!(check(&["a"]), (Ok(()), Some(CacheResult::Hit)));
}

#[test]
fn a_remembered_token_ends_with_its_time_its_key_and_its_issuers_settings() {
    let authenticator = authenticator(100);
    let ours = audiences(&[API]);
    let issuers = issuers();
    let token = strict(&json!({}), &json!({}));
    let check = |issuers: &Issuers, now: i64| {
        let (result, seen) = authenticator.verify_token(&token, &ours, issuers, at(now));
        (result.map(|_| ()), seen.cache)
    };
    let (hit, miss) = (Some(CacheResult::Hit), Some(CacheResult::Miss));
    assert_eq!(check(&issuers, NOW), (Ok(()), miss));
    // The same keys again: the token stays.
    let reloaded = issuers.with_keys("strict", keys("strict", NOW + 10));
    assert_eq!(check(&reloaded, NOW), (Ok(()), hit));
    assert_eq!(check(&issuers, NOW + 599), (Ok(()), hit));
    // In the leeway it is checked anew each time, and then it is over.
    assert_eq!(check(&issuers, NOW + 604), (Ok(()), miss));
    assert_eq!(
        check(&issuers, NOW + 605),
        (Err(Reason::TokenExpired), miss)
    );
    // Keys that have grown too old prove nothing, not even for a remembered token.
    let old = issuers.with_keys("strict", keys("strict", NOW - 86_401));
    assert_eq!(check(&old, NOW), (Err(Reason::KeysUnavailable), hit));
    // A key set without the key: the remembered token is not found any more.
    let without: Vec<_> = KEYS
        .jwks()
        .into_iter()
        .filter(|jwk| jwk["kid"] != "p256")
        .collect();
    let rotated = issuers.with_keys(
        "strict",
        IssuerKeys {
            set: KeySet::parse(json!({ "keys": without }).to_string().as_bytes()).unwrap(),
            loaded_at: at(NOW),
        },
    );
    assert_eq!(check(&rotated, NOW), (Err(Reason::TokenKeyUnknown), miss));
    // So with an issuer that no longer lists the algorithm.
    let changed: Vec<_> = issuers
        .iter()
        .map(|issuer| {
            let mut settings = IssuerSettings::clone(&issuer.settings);
            settings.algorithms = vec![Algorithm::Rs256];
            Issuer {
                settings: Arc::new(settings),
                keys: issuer.keys.clone(),
            }
        })
        .collect();
    let narrowed = Issuers::new(changed);
    assert_eq!(
        check(&narrowed, NOW),
        (Err(Reason::TokenAlgorithmRefused), miss)
    );
    assert_eq!(check(&issuers, NOW), (Ok(()), hit));
}

#[test]
fn callers_at_the_same_moment_never_get_each_others_identity() {
    let authenticator = authenticator(4);
    let issuers = issuers();
    let ours = audiences(&[API]);
    let tokens: Vec<_> = (0..8)
        .map(|n| strict(&json!({}), &json!({"jti":format!("call-{n}")})))
        .collect();
    std::thread::scope(|scope| {
        for first in 0..tokens.len() {
            let (authenticator, issuers, ours, tokens) = (&authenticator, &issuers, &ours, &tokens);
            scope.spawn(move || {
                for n in (first..first + 100).map(|n| n % tokens.len()) {
                    let (result, _) =
                        authenticator.verify_token(&tokens[n], ours, issuers, at(NOW));
                    let id = result.unwrap().facts().token_id.clone();
                    assert_eq!(id.as_deref(), Some(format!("call-{n}").as_str()));
                }
            });
        }
    });
}
