//! Tokens that the gateway accepts, and tokens that it refuses, each with its reason.
//!
//! Every token is signed by a real key. What is refused for its claims has a good signature, so that the claim
//! alone is what refuses it.

mod claims;
mod forms;
pub(crate) mod mint;
mod world;

use std::sync::Arc;

use boomgate::identity::settings::{Algorithm, IssuerSettings};
use boomgate::identity::{CacheResult, Issuer, IssuerKeys, Issuers, KeySet, Observation, jose};
use boomgate::types::Reason;
use proptest::prelude::{prop_assert, proptest};
use serde_json::json;

use mint::b64;
use world::{
    API, HUMAN, KEYS, NOW, TENANT, at, audiences, authenticator, entra, issuers, keys, strict,
    verify,
};

pub(super) struct Vector {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) expected: Result<(), Reason>,
}

#[derive(Default)]
pub(super) struct Table(pub(super) Vec<Vector>);

impl Table {
    pub(super) fn accept(&mut self, name: impl Into<String>, token: String) {
        let name = name.into();
        self.0.push(Vector {
            name,
            token,
            expected: Ok(()),
        });
    }

    pub(super) fn refuse(&mut self, reason: Reason, name: impl Into<String>, token: String) {
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
    forms::accepted(&mut table);
    forms::refused_forms(&mut table);
    forms::refused_headers(&mut table);
    forms::refused_signatures(&mut table);
    claims::refused_claims(&mut table);
    claims::refused_times(&mut table);
    claims::refused_issuers_and_audiences(&mut table);
    claims::refused_uses(&mut table);
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

#[test]
fn no_single_character_of_a_token_may_change() {
    let authenticator = authenticator(0);
    let (ours, issuers) = (audiences(&[API]), issuers());
    let good = strict(&json!({}), &json!({}));
    let check = |token: &str| {
        authenticator
            .verify_token(token, &ours, &issuers, at(NOW))
            .0
    };
    assert!(check(&good).is_ok());
    for (place, original) in good.char_indices() {
        for replacement in ['A', 'g', '_', '.'] {
            let mut token = good.clone();
            token.replace_range(place..=place, replacement.encode_utf8(&mut [0; 4]));
            let is_refused = check(&token).is_err();
            assert_eq!(is_refused, replacement != original, "{place} {replacement}");
        }
    }
}

#[test]
fn a_key_never_checks_what_another_algorithm_made() {
    let set = keys("strict", NOW).set;
    let pinned = set.choose(Some("pinned"), Algorithm::Ps256).unwrap();
    for (algorithm, expected) in [(Algorithm::Ps256, true), (Algorithm::Rs256, false)] {
        let header = json!({"alg":algorithm.as_str(),"kid":"pinned"}).to_string();
        let token = KEYS.token(algorithm, &header, "{}");
        let jws = jose::read(&token, token.len()).unwrap();
        assert_eq!(pinned.verifies(&jws), expected, "{algorithm:?}");
    }
}

proptest! {
    /// Whatever arrives is read or refused; nothing stops the program.
    #[test]
    fn readers_survive_any_text(text in ".{0,200}", bytes in proptest::collection::vec(0_u8.., 0..200)) {
        let forms = [
            text.clone(),
            format!("{}.{}.AAAA", b64(&text), b64(&bytes)),
            format!("{}.{}.{}", b64(r#"{"alg":"ES256"}"#), b64(&text), b64(&bytes)),
        ];
        for token in forms {
            prop_assert!(verify(&token).0.is_err());
        }
        prop_assert!(KeySet::parse(&bytes).is_err());
        drop(boomgate::identity::directory::read::read("d.json", &bytes));
        drop(boomgate::identity::directory::read::read("d.json", text.as_bytes()));
    }
}
