use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::tag::Tag;
use super::*;
use crate::identity::caller::TokenFacts;
use crate::identity::evidence::Evidence;
use crate::identity::issuers::{Issuer, Issuers};
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
        roles: Arc::new(["role".into()]),
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

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    generation: Generation,
    audiences: Arc<[Arc<str>]>,
    token: String,
}

impl Asked {
    fn sought(&self) -> Sought<'_> {
        Sought::new(self.generation, &self.audiences, self.token.as_bytes())
    }
}

fn asked(audiences: &[&str], token: &str) -> Asked {
    Asked {
        generation: Issuers::default().generation(),
        audiences: audiences.iter().map(|one| Arc::from(*one)).collect(),
        token: token.to_owned(),
    }
}

/// The same in another state of the issuers.
fn later(mut asked: Asked) -> Asked {
    let settings = Arc::new(oidc_issuer());
    let issuers = Issuers::new(vec![Issuer {
        settings,
        keys: None,
    }]);
    asked.generation = issuers.generation();
    asked
}

/// Asks as a thread does that tags tokens by `tagger`.
struct Thread {
    tagger: Tagger,
    lately: Lately,
}

impl Thread {
    fn new(most: u64) -> Self {
        let (tagger, lately) = (Tagger::new().unwrap(), Lately::new(most));
        Self { tagger, lately }
    }

    fn tag(&self, asked: &Asked) -> Tag {
        self.tagger.tag(asked.token.as_bytes()).unwrap()
    }

    fn knows(&self, asked: &Asked) -> bool {
        self.lately.get(self.tag(asked), &asked.sought()).is_some()
    }

    fn put(&mut self, asked: &Asked, entry: &Entry) -> Arc<Verified> {
        self.lately.put(self.tag(asked), &asked.sought(), entry)
    }
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn remembers_a_token_until_it_expires_and_no_longer() {
    let cache = VerifiedTokens::new(10);
    let put = asked(&["api"], "t");
    cache.put(&put.sought(), &verified(100), at(40));
    for _ in 0..2 {
        assert!(cache.get(&put.sought(), at(40)).is_some());
        assert!(cache.get(&put.sought(), at(99)).is_some());
        assert!(cache.get(&put.sought(), at(100)).is_none());
        let others = [
            asked(&["other"], "t"),
            asked(&["api"], "T"),
            asked(&[], "t"),
        ];
        for other in others.into_iter().chain([later(put.clone())]) {
            assert!(cache.get(&other.sought(), at(40)).is_none());
        }
    }
}

#[test]
fn each_thread_finds_a_copy_of_its_own() {
    let cache = VerifiedTokens::new(10);
    let (put, shared) = (asked(&["api"], "t"), verified(100));
    cache.put(&put.sought(), &shared, at(40));
    let find = || cache.get(&put.sought(), at(40)).unwrap();
    let (first, second) = (find(), find());
    assert!(Arc::ptr_eq(&first, &second));
    let of_another = std::thread::scope(|scope| scope.spawn(find).join().unwrap());
    for other in [&shared, &of_another] {
        assert!(!Arc::ptr_eq(&first, other));
        assert!(!Arc::ptr_eq(first.facts(), other.facts()));
        assert_eq!(first.claimed(), other.claimed());
    }
}

#[test]
fn what_the_tokens_of_a_thread_have_in_common_is_kept_once() {
    let mut thread = Thread::new(10);
    let [one, other] = ["one", "other"].map(|token| {
        let entry = Entry {
            verified: verified(100),
            at: at(40),
            until: at(100),
        };
        thread.put(&asked(&["api"], token), &entry)
    });
    assert!(!Arc::ptr_eq(one.facts(), other.facts()));
    assert!(Arc::ptr_eq(&one.facts().audience, &other.facts().audience));
    assert!(Arc::ptr_eq(&one.facts().roles, &other.facts().roles));
}

#[test]
fn a_clock_that_was_set_back_finds_nothing_that_was_verified_after_it() {
    let cache = VerifiedTokens::new(10);
    let put = asked(&["api"], "t");
    cache.put(&put.sought(), &verified(100), at(40));
    for _ in 0..2 {
        assert!(cache.get(&put.sought(), at(39)).is_none());
        assert!(cache.get(&put.sought(), at(40)).is_some());
    }
}

#[test]
fn remembers_nothing_that_has_expired_and_nothing_when_it_is_off() {
    let cache = VerifiedTokens::new(10);
    let put = asked(&["api"], "t");
    cache.put(&put.sought(), &verified(100), at(100));
    assert!(cache.get(&put.sought(), at(99)).is_none());
    let off = VerifiedTokens::new(0);
    assert!(!off.is_on());
    off.put(&put.sought(), &verified(100), at(40));
    assert!(off.get(&put.sought(), at(40)).is_none());
}

#[test]
fn what_a_thread_remembers_beside_has_a_limit_and_is_of_one_state_of_the_issuers() {
    let entry = Entry {
        verified: verified(100),
        at: at(40),
        until: at(100),
    };
    let keys: Vec<_> = (0..5).map(|n| asked(&["api"], &n.to_string())).collect();
    let mut thread = Thread::new(3);
    let found = |thread: &Thread| keys.iter().filter(|key| thread.knows(key)).count();
    for (key, held) in keys.iter().zip([1, 2, 3, 1, 2]) {
        thread.put(key, &entry);
        thread.put(key, &entry);
        assert!(thread.knows(key));
        assert_eq!(found(&thread), held);
    }
    let newer = later(asked(&["api"], "4"));
    thread.put(&newer, &entry);
    assert!(thread.knows(&newer));
    assert_eq!(found(&thread), 0);
}

proptest! {
    /// What each thread remembers beside makes no difference to what is found. Each step is a call: with which token, for
    /// which audience, in which state of the issuers, and when.
    #[test]
    fn finds_what_a_plain_map_finds(
        calls in proptest::collection::vec((0_u8..3, 0_u8..2, any::<bool>(), 0_i64..60), 1..60),
    ) {
        let cache = VerifiedTokens::new(1_000);
        let mut plain = std::collections::HashMap::new();
        for (token, audience, is_later, now) in calls {
            let key = asked(&[&audience.to_string()], &token.to_string());
            let key = if is_later { later(key) } else { key };
            let expires_at = 30 + i64::from(token) * 10;
            let known = plain.get(&key).is_some_and(|since| *since <= now && now < expires_at);
            let found = cache.get(&key.sought(), at(now));
            prop_assert_eq!(found.is_some(), known);
            if !known {
                cache.put(&key.sought(), &verified(expires_at), at(now));
                if now < expires_at {
                    plain.insert(key, now);
                }
            }
        }
    }
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
            asked(&audiences, token).sought().key()
        };
        prop_assert_eq!(of(&a, &s) == of(&b, &t), a == b && s == t);
        prop_assert_eq!(Digest::of(&a) == Digest::of(&b), a == b);
        prop_assert_eq!(Digest::of(&(&a, &s)) == Digest::of(&(&b, &t)), a == b && s == t);
    }
}
