//! What was reported long ago is forgotten where it is kept, and nothing that was said later goes with it.

use std::sync::Arc;
use std::time::Duration;

use boomgate::clock::Clock;
use boomgate::risk::Revocation;
use boomgate::store::settings::{Freshness, RedisSettings};
use boomgate::store::{EmbeddedStore, Entry, RedisStore, StateStore};
use boomgate::types::Timestamp;
use http::Method;
use serde_json::json;

use super::{CONFIRM, REVOKE, agents, setup};
use crate::support::redis::{Redis, binary};
use crate::support::site::{AGENT, Ground, OTHER_AGENT, Site, now};

/// A clock of a day to come.
#[derive(Debug)]
struct Ahead(u64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let days = Duration::from_secs(self.0 * 86_400);
        Timestamp::from_seconds(now()).after(days)
    }
}

/// The keys of what a gateway that has ended left in its file.
fn kept(ground: &Ground) -> Vec<String> {
    let (_store, kept) = EmbeddedStore::open(&ground.path("state")).unwrap();
    kept.iter().map(|one| one.key.to_string()).collect()
}

#[tokio::test]
async fn a_gateway_that_starts_a_month_later_has_forgotten_what_can_matter_to_nobody() {
    let site = Site::start(setup()).await;
    let subject = json!({"sub_id": {"format": "opaque", "id": OTHER_AGENT}}).to_string();
    for (path, body) in [(CONFIRM, agents(&[AGENT])), (REVOKE, subject)] {
        let answer = site.manage(Method::POST, path, &body).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let cut_off = format!("revocation/{OTHER_AGENT}");
    let site = site.restart_at(Arc::new(Ahead(29))).await;
    let of = |site: &Site| {
        let snapshot = site.app.snapshots().load();
        snapshot.reported.revocations.get(OTHER_AGENT).cloned()
    };
    assert!(of(&site).is_some());
    let site = site.restart_at(Arc::new(Ahead(31))).await;
    site.until("it is forgotten", async |site| of(site).is_none())
        .await;
    let snapshot = site.app.snapshots().load();
    assert!(snapshot.risk.get(AGENT).is_some());
    drop(snapshot);
    let kept = kept(&site.ended().await);
    assert!(!kept.contains(&cut_off), "{kept:?}");
    let word = format!("risk/management/agentIdentity/{AGENT}");
    assert!(kept.contains(&word), "{kept:?}");
}

fn cut(at: i64) -> Entry {
    Entry::Revocation(Revocation {
        id: "a".into(),
        issued_until: Timestamp::from_seconds(at),
        source: "management".into(),
    })
}

/// Whether the engine keeps a word on this that is later than the epoch's.
async fn holds(store: &dyn StateStore) -> bool {
    let above = store.put(vec![cut(0).seal()]).await.unwrap();
    let first = cut(0).place();
    if above.is_empty() {
        store.forget(vec![first]).await.unwrap();
    }
    !above.is_empty()
}

async fn forgets_only_what_is_not_later(store: &dyn StateStore) {
    store.put(vec![cut(5).seal()]).await.unwrap();
    store.forget(vec![cut(4).place()]).await.unwrap();
    assert!(holds(store).await, "a later word went with an earlier one");
    store.forget(vec![cut(5).place()]).await.unwrap();
    assert!(!holds(store).await);
    store.put(vec![cut(5).seal()]).await.unwrap();
    store.forget(vec![cut(6).place()]).await.unwrap();
    assert!(!holds(store).await);
}

#[tokio::test]
async fn a_file_forgets_only_what_is_not_later_than_what_it_is_told_to_forget() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = EmbeddedStore::open(folder.path()).unwrap();
    forgets_only_what_is_not_later(&store).await;
}

#[tokio::test]
async fn an_engine_forgets_only_what_is_not_later_than_what_it_is_told_to_forget() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let settings = RedisSettings {
        host: redis.address.ip().to_string().into(),
        port: redis.address.port(),
        tls: None,
        username: None,
        password: None,
        database: 0,
        prefix: "boomgate".into(),
        timeout: Duration::from_secs(5),
        stream_length: 1_000,
        freshness: Freshness {
            max_age: Duration::from_secs(60),
            required: true,
        },
    };
    let (store, _follower) = RedisStore::new(settings, None);
    forgets_only_what_is_not_later(&store).await;
}
