use std::time::Duration;

use super::*;
use crate::identity::settings::tests::oidc_issuer;

/// A key set of one point of Ed25519.
fn key_set(id: &str) -> KeySet {
    let text = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    );
    KeySet::parse(text.as_bytes()).unwrap()
}

fn keys(id: &str, seconds: i64) -> IssuerKeys {
    IssuerKeys {
        set: key_set(id),
        loaded_at: Timestamp::from_seconds(seconds),
    }
}

fn issuers(change: impl FnOnce(&mut IssuerSettings)) -> Issuers {
    let mut settings = oidc_issuer();
    change(&mut settings);
    Issuers::new(vec![Issuer {
        settings: Arc::new(settings),
        keys: None,
    }])
}

#[test]
fn the_generation_follows_settings_and_keys_and_not_the_time_of_the_load() {
    let empty = issuers(|_| {});
    assert_eq!(empty.generation(), issuers(|_| {}).generation());
    let first = empty.with_keys("test", keys("a", 1));
    let again = first.with_keys("test", keys("a", 2));
    let rotated = again.with_keys("test", keys("b", 3));
    assert_ne!(empty.generation(), first.generation());
    assert_eq!(first.generation(), again.generation());
    assert_ne!(again.generation(), rotated.generation());
    let changes: [fn(&mut IssuerSettings); 4] = [
        |settings| settings.issuers.push("j".into()),
        |settings| settings.leeway = Duration::from_secs(6),
        |settings| settings.type_may_be_missing = true,
        |settings| settings.types = vec!["at+jwtJWT".into()],
    ];
    for change in changes {
        assert_ne!(empty.generation(), issuers(change).generation());
    }
    let loaded = again.named("test").unwrap().keys.as_ref().unwrap();
    assert_eq!(loaded.loaded_at, Timestamp::from_seconds(2));
}

#[test]
fn keys_are_fresh_up_to_the_limit() {
    let at = Timestamp::from_seconds;
    let empty = issuers(|settings| settings.keys.stale_after = Duration::from_secs(100));
    let unavailable = Some(Reason::KeysUnavailable);
    assert_eq!(empty.of("i").unwrap().fresh_keys(at(1)).err(), unavailable);
    let loaded = empty.with_keys("test", keys("a", 1000));
    let issuer = loaded.of("i").unwrap();
    assert!(issuer.fresh_keys(at(1100)).is_ok());
    assert_eq!(issuer.fresh_keys(at(1101)).err(), unavailable);
}

#[test]
fn an_issuer_is_found_by_the_whole_of_iss() {
    let issuers = issuers(|settings| settings.issuers = vec!["https://i/".into(), "v2".into()]);
    assert!(issuers.of("https://i/").is_some());
    assert!(issuers.of("v2").is_some());
    for other in ["https://i", "https://I/", "HTTPS://i/", "", "test"] {
        assert!(issuers.of(other).is_none(), "{other}");
    }
    let unchanged = issuers.with_keys("nobody", keys("a", 1));
    assert_eq!(unchanged.generation(), issuers.generation());
}
