//! Five issuers with real keys, and tokens of three of them: good ones, with what a test changes.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use boomgate::identity::settings::{
    Algorithm, ClaimMapping, IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings,
};
use boomgate::identity::{
    Authenticator, Issuer, IssuerKeys, Issuers, KeySet, Observation, Verified,
};
use boomgate::types::{Reason, TenantId, Timestamp};
use serde_json::{Value, json};

use super::mint::{Keys, b64, key_id};

pub(super) const NOW: i64 = 1_795_000_000;
pub(super) const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
pub(super) const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
pub(super) const HUMAN: &str = "d4d4d4d4-0000-4000-8000-000000000004";
/// The issuer that follows RFC 9068.
pub(super) const STRICT: &str = "https://strict.example";
/// The issuer that types its tokens `JWT`, or not at all.
pub(super) const LOOSE: &str = "https://loose.example/";
pub(super) const API: &str = "api://hr";

/// The keys of every issuer here, and the keys of somebody else.
pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);
pub(super) static STRANGER: LazyLock<Keys> = LazyLock::new(Keys::generate);

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(super) fn settings(name: &str, issuers: &[&str], profile: Profile) -> IssuerSettings {
    IssuerSettings {
        name: name.into(),
        issuers: issuers.iter().map(|iss| Arc::from(*iss)).collect(),
        profile,
        algorithms: Algorithm::ALL.to_vec(),
        types: vec!["at+jwt".into()],
        type_may_be_missing: false,
        leeway: Duration::from_secs(5),
        max_lifetime: Duration::from_secs(86_400),
        vouched: Arc::default(),
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

pub(super) fn entra_issuers() -> [String; 2] {
    [
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
    ]
}

/// A strict issuer, a loose one, Entra, one that may use ES256 alone, and one whose keys were never loaded.
pub(super) fn issuers() -> Issuers {
    let mapping = ClaimMapping {
        agent_id: Some("client_id".into()),
        on_behalf_of: Some("sub".into()),
        ..ClaimMapping::default()
    };
    let strict = settings("strict", &[STRICT], Profile::Oidc(Arc::new(mapping)));
    let oidc = || Profile::Oidc(Arc::default());
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
pub(super) fn keys(issuer: &str, loaded_at: i64) -> IssuerKeys {
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

pub(super) fn authenticator(cache_entries: u64) -> Authenticator {
    Authenticator::new(TokenSettings {
        max_bytes: 16 << 10,
        cache_entries,
        max_proof_age: Duration::from_secs(60),
    })
}

pub(super) fn audiences(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

pub(super) fn verify(token: &str) -> (Result<Arc<Verified>, Reason>, Observation) {
    authenticator(0).verify_token(token, &audiences(&[API, HUMAN]), &issuers(), at(NOW))
}

/// What is changed in an otherwise good token: members set, or taken away where they are null.
pub(super) fn changed(mut base: Value, changes: &Value) -> String {
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

pub(super) fn strict_claims() -> Value {
    json!({"iss":STRICT,"aud":API,"sub":"a","client_id":"a","jti":"1","iat":NOW,"exp":NOW + 600})
}

pub(super) fn loose_claims() -> Value {
    json!({"iss":LOOSE,"aud":[API],"sub":"a","exp":NOW + 600})
}

pub(super) fn entra_claims() -> Value {
    json!({"iss":entra_issuers()[1],"aud":HUMAN,"tid":TENANT,"azp":AGENT,"oid":AGENT,"sub":AGENT,
        "uti":"u","ver":"2.0","iat":NOW,"nbf":NOW,"exp":NOW + 3900})
}

pub(super) fn header(algorithm: Algorithm, typ: &str) -> Value {
    json!({"alg":algorithm.as_str(),"kid":key_id(algorithm),"typ":typ})
}

/// A token of the strict issuer, by ES256, with this header and these claims changed.
pub(super) fn strict(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Es256,
        &changed(header(Algorithm::Es256, "at+jwt"), header_changes),
        &changed(strict_claims(), claim_changes),
    )
}

/// A token of the strict issuer whose payload is this text.
pub(super) fn strict_payload(payload: &str) -> String {
    let header = header(Algorithm::Es256, "at+jwt").to_string();
    KEYS.token(Algorithm::Es256, &header, payload)
}

/// A good payload of the strict issuer with one more member, as text: it may repeat one.
pub(super) fn strict_with(member: &str) -> String {
    let claims = strict_claims().to_string();
    strict_payload(&format!("{},{member}}}", claims.trim_end_matches('}')))
}

pub(super) fn loose(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Rs256,
        &changed(header(Algorithm::Rs256, "JWT"), header_changes),
        &changed(loose_claims(), claim_changes),
    )
}

pub(super) fn entra(header_changes: &Value, claim_changes: &Value) -> String {
    KEYS.token(
        Algorithm::Rs256,
        &changed(header(Algorithm::Rs256, "JWT"), header_changes),
        &changed(entra_claims(), claim_changes),
    )
}
