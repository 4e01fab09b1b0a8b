//! What holds of the readers of what others report, and of proofs of possession, whatever the bytes. A fuzzer cannot sign,
//! so the first byte says whether the rest stands as it is or is signed here, with a key that is no secret: behind the
//! signature is where most is read. `tests/it/fuzz_signals.rs` replays the corpora.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boomgate::feeds::signals::webhook::settings::{
    Encoding, Mapping, SignatureSettings, WebhookSettings,
};
use boomgate::feeds::signals::webhook::{self, SignatureError, Unacceptable};
use boomgate::identity::security_event::{self, EventIssuer, SecurityEventError};
use boomgate::identity::settings::Algorithm;
use boomgate::identity::{KeySet, dpop};
use boomgate::store::settings::Freshness;
use boomgate::types::{Secret, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The moment of every run: 2026-09-21T14:13:20Z.
const NOW: i64 = 1_790_000_000;
const LEEWAY: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret that everybody knows";

static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes make a key"));

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let set = format!(r#"{{"keys":[{}]}}"#, jwk(r#","kid":"k","alg":"EdDSA""#));
    KeySet::parse(set.as_bytes()).expect("a set of one key")
});

static WEBHOOK: LazyLock<WebhookSettings> = LazyLock::new(|| WebhookSettings {
    name: "siem".into(),
    signature: SignatureSettings {
        secrets: vec![Secret::new(SECRET)],
        header: HeaderName::from_static("x-signature"),
        prefix: "v0=".into(),
        encoding: Encoding::Hex,
        timestamp_header: HeaderName::from_static("x-time"),
        before: "v0:".into(),
        between: ":".into(),
        window: Duration::from_secs(300),
    },
    mapping: Mapping {
        id: "/id".into(),
        time: Some("/at".into()),
        subject: "/agent/id".into(),
        subject_issuer: None,
        value: "/severity".into(),
        evidence: Some("/text".into()),
        effects: BTreeMap::new(),
        otherwise: None,
    },
    max_size: 65_536,
    freshness: Freshness {
        max_age: Duration::from_secs(60),
        required: false,
    },
});

/// The public key, with these further members.
fn jwk(more: &str) -> String {
    let point = URL_SAFE_NO_PAD.encode(KEY.public_key());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{point}"{more}}}"#)
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let parts = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let input = parts.join(".");
    let signature = URL_SAFE_NO_PAD.encode(KEY.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// The same token with another signature.
fn forged(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a token has three parts");
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{input}.{other}{}", &signature[1..])
}

/// An event is believed by its signature, its issuer and its audience together, and is never of a time to come.
pub fn security_event(data: &[u8]) {
    let issuer = |issuer: &str, audience: &str| EventIssuer {
        issuer: issuer.into(),
        audiences: vec![audience.into()],
        algorithms: vec![Algorithm::EdDsa],
        leeway: LEEWAY,
    };
    let now = Timestamp::from_seconds(NOW);
    let ours = issuer("https://i", "us");
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode & 1 == 0 {
        if let Ok(token) = std::str::from_utf8(rest) {
            let read = security_event::verify(token, 16_384, &ours, Some(&KEYS), now);
            assert!(read.is_err(), "nobody has signed this");
        }
        return;
    }
    let header = br#"{"alg":"EdDSA","kid":"k","typ":"secevent+jwt"}"#;
    let token = signed(header, rest);
    let verify = |token: &str, max: usize, of: &EventIssuer| {
        security_event::verify(token, max, of, Some(&KEYS), now)
    };
    let Ok(event) = verify(&token, token.len(), &ours) else {
        return;
    };
    assert!(event.at <= now, "an event of a time to come");
    assert!((1..=512).contains(&event.id.len()) && !event.id.contains(char::is_control));
    let claims: serde_json::Value = serde_json::from_slice(rest).expect("what is read is JSON");
    assert_eq!(claims["iss"], "https://i");
    assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
    let events = claims["events"].as_object().expect("events are an object");
    assert!(events.len() == 1 && events.contains_key(&*event.kind));
    assert_eq!(verify(&token, token.len(), &ours), Ok(event));
    assert!(verify(&token, token.len() - 1, &ours).is_err());
    let foreign = verify(&token, token.len(), &issuer("https://j", "us"));
    assert_eq!(foreign, Err(SecurityEventError::Issuer));
    let forged = verify(&forged(&token), token.len(), &ours);
    assert_eq!(forged, Err(SecurityEventError::Signature));
    let unknown = security_event::verify(&token, token.len(), &ours, None, now);
    assert_eq!(unknown, Err(SecurityEventError::NoKeys));
}

/// A report counts by a signature over its time and its body, within the window, and says nothing of a time to come. The
/// lines before the body are the headers of the signature and of the time.
pub fn webhook(data: &[u8]) {
    let now = Timestamp::from_seconds(NOW);
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let (signature, time, body) = (lines.next(), lines.next(), lines.next());
    let time = time.unwrap_or_default();
    let (signature, body) = if mode & 1 == 0 {
        (
            signature.unwrap_or_default().to_vec(),
            body.unwrap_or_default(),
        )
    } else {
        (
            signature_of(time, body.unwrap_or_default()),
            body.unwrap_or_default(),
        )
    };
    let read = |signature: &[u8], time: &[u8], body: &[u8]| {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-signature", signature), ("x-time", time)] {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        webhook::read(&WEBHOOK, &headers, body, now)
    };
    let Ok(told) = read(&signature, time, body) else {
        return;
    };
    assert!(
        signature.eq_ignore_ascii_case(&signature_of(time, body)),
        "nobody has signed this"
    );
    let sent: i64 = std::str::from_utf8(time)
        .expect("digits")
        .parse()
        .expect("a number");
    assert!((NOW - 300..=NOW + 300).contains(&sent));
    assert!(told.at <= now, "a report of a time to come");
    for text in [&told.id, &told.value] {
        assert!((1..=512).contains(&text.len()) && !text.contains(char::is_control));
    }
    assert_eq!(told.key.len(), 32);
    assert!(
        told.evidence
            .as_ref()
            .is_none_or(|text| !text.contains(char::is_control))
    );
    assert_eq!(read(&signature, time, body), Ok(told));
    let wrong = Err(Unacceptable::Signature(SignatureError::Wrong));
    let longer = [body, b" "].concat();
    assert_eq!(read(&signature, time, &longer), wrong, "another body");
    let later = (sent + 1).to_string();
    assert_eq!(
        read(&signature, later.as_bytes(), body),
        wrong,
        "another time"
    );
    // A digit that moves from the time to the body must not be the same message.
    let moved = [b"0:", body].concat();
    assert_ne!(read(&signature, time, &moved), read(&signature, time, body));
}

fn signature_of(time: &[u8], body: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let message = [b"v0:", time, b":", body].concat();
    let tag = hmac::sign(&key, &message);
    let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("v0={}", digits.collect::<String>()).into_bytes()
}

/// A proof counts for the key that signed it, about now, and has one name. The lines are members of its header, behind
/// type, algorithm and key, and its claims.
pub fn dpop_proof(data: &[u8]) {
    let now = Timestamp::from_seconds(NOW);
    let own = thumbprint();
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode & 1 == 0 {
        if let Ok(proof) = std::str::from_utf8(rest) {
            assert!(
                dpop::read(proof, own, LEEWAY, now).is_err(),
                "nobody has signed this"
            );
        }
        return;
    }
    let mut lines = rest.splitn(2, |byte| *byte == b'\n');
    let (more, claims) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{}"#, jwk(""));
    let header = [header.as_bytes(), more, b"}"].concat();
    let proof = signed(&header, claims);
    let Ok(read) = dpop::read(&proof, own, LEEWAY, now) else {
        return;
    };
    assert!(read.until() >= now && read.made_at() <= now.after(LEEWAY));
    assert_eq!(read.name().len(), 43);
    assert_eq!(dpop::read(&proof, own, LEEWAY, now), Ok(read.clone()));
    let late = read.until().after(Duration::from_micros(1));
    assert!(dpop::read(&proof, own, LEEWAY, late).is_err(), "too old");
    assert!(
        dpop::read(&proof, "another", LEEWAY, now).is_err(),
        "of another key"
    );
    assert!(
        dpop::read(&forged(&proof), own, LEEWAY, now).is_err(),
        "forged"
    );
}

/// RFC 7638, of the key.
fn thumbprint() -> &'static str {
    static THUMBPRINT: LazyLock<String> = LazyLock::new(|| {
        let point = URL_SAFE_NO_PAD.encode(KEY.public_key());
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{point}"}}"#);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    });
    &THUMBPRINT
}
