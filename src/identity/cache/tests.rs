use proptest::prelude::{Strategy, prop_assert_eq, proptest};

use super::*;
use crate::identity::caller::TokenFacts;
use crate::identity::evidence::Evidence;
use crate::identity::issuers::Issuers;
use crate::identity::profile::{AccountKind, Claimed};
use crate::identity::settings::tests::oidc_issuer;
use crate::types::ObjectId;

fn verified(expires_at: i64) -> Arc<Verified> {
    let facts = TokenFacts {
        issuer: "test".into(),
        tenant: None,
        token_id: None,
        audience: "api".into(),
        scopes: Arc::default(),
        roles: Arc::default(),
        issued_at: None,
        expires_at: Timestamp::from_seconds(expires_at),
        key_id: None,
        bound_to: None,
        claims_challenge_capable: false,
        evidence: Evidence::default(),
        authorization_uri: None,
        vouched: Arc::default(),
    };
    let claimed = Claimed::Unmarked {
        subject: ObjectId::parse("s").unwrap(),
        client: None,
        says: None,
        looks_like: AccountKind::Human,
    };
    let settings = Arc::new(oidc_issuer());
    Arc::new(Verified::new(facts, claimed, &settings, Digest::of("key")))
}

fn key(audiences: &[&str], token: &str) -> Key {
    let audiences: Arc<[Arc<str>]> = audiences.iter().map(|one| Arc::from(*one)).collect();
    Key::new(Issuers::default().generation(), &audiences, token)
}

#[test]
fn remembers_a_token_until_it_expires_and_no_longer() {
    let cache = VerifiedTokens::new(10);
    let at = Timestamp::from_seconds;
    cache.put(key(&["api"], "t"), &verified(100), at(40));
    assert!(cache.get(&key(&["api"], "t"), at(40)).is_some());
    assert!(cache.get(&key(&["api"], "t"), at(99)).is_some());
    assert!(cache.get(&key(&["api"], "t"), at(100)).is_none());
    for other in [key(&["other"], "t"), key(&["api"], "T"), key(&[], "t")] {
        assert!(cache.get(&other, at(40)).is_none());
    }
}

#[test]
fn a_clock_that_was_set_back_finds_nothing_that_was_verified_after_it() {
    let cache = VerifiedTokens::new(10);
    let at = Timestamp::from_seconds;
    cache.put(key(&["api"], "t"), &verified(100), at(40));
    assert!(cache.get(&key(&["api"], "t"), at(39)).is_none());
    assert!(cache.get(&key(&["api"], "t"), at(40)).is_some());
}

#[test]
fn remembers_nothing_that_has_expired_and_nothing_when_it_is_off() {
    let at = Timestamp::from_seconds;
    let cache = VerifiedTokens::new(10);
    cache.put(key(&["api"], "t"), &verified(100), at(100));
    assert!(cache.get(&key(&["api"], "t"), at(99)).is_none());
    let off = VerifiedTokens::new(0);
    assert!(!off.is_on());
    off.put(key(&["api"], "t"), &verified(100), at(40));
    assert!(off.get(&key(&["api"], "t"), at(40)).is_none());
}

/// Short lists of short texts, with everything that could be taken for a separator.
fn audiences() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[ab,|\u{0}\u{FF}]{0,2}", 0..3)
}

proptest! {
    /// Two keys are one if, and only if, all that they were made of is the same.
    #[test]
    fn distinct_inputs_never_share_a_key(
        a in audiences(), b in audiences(), s in "[ab.]{0,3}", t in "[ab.]{0,3}",
    ) {
        let of = |audiences: &[String], token: &str| {
            let audiences: Vec<_> = audiences.iter().map(String::as_str).collect();
            key(&audiences, token)
        };
        prop_assert_eq!(of(&a, &s) == of(&b, &t), a == b && s == t);
        prop_assert_eq!(Digest::of(&a) == Digest::of(&b), a == b);
        prop_assert_eq!(Digest::of(&(&a, &s)) == Digest::of(&(&b, &t)), a == b && s == t);
    }
}
