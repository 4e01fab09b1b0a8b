use std::time::Duration;

use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::risk::{AccountState, Rank, Revocation, RiskEntry, RiskSubject};
use crate::store::{Answer, MemoryStore};
use crate::telemetry::ChangeSource;
use crate::types::{RiskLevel, RiskState};

const AGENT: &str = "a";

fn cause() -> Cause {
    Cause::now(ChangeSource::Store)
}

fn snapshots() -> Arc<Snapshots> {
    Arc::new(Snapshots::new(Snapshot {
        generation: "g".into(),
        ..Snapshot::default()
    }))
}

/// A clock that stands.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_000)
    }
}

fn feed(store: Arc<dyn StateStore>) -> Arc<StateFeed> {
    let context = StateFeedContext {
        store,
        snapshots: snapshots(),
        status: Arc::default(),
        clock: Arc::new(Stopped),
    };
    Arc::new(StateFeed::new(context, Vec::new()))
}

fn risk(level: RiskLevel, at: Timestamp) -> Entry {
    Entry::Risk(RiskEntry {
        id: AGENT.into(),
        subject: RiskSubject::AgentIdentity,
        level: Some(level),
        state: RiskState::AtRisk,
        detail: "none".into(),
        last_modified: at,
        source: "management".into(),
    })
}

fn level(feed: &StateFeed) -> Option<RiskLevel> {
    feed.context.snapshots.load().risk.get(AGENT)?.level
}

#[tokio::test]
async fn a_word_is_said_again_when_a_later_one_turns_out_to_be_kept() {
    let store = Arc::new(MemoryStore::default());
    let later = Timestamp::from_seconds(9);
    // Another replica said so, and it has not reached us.
    store
        .put(vec![risk(RiskLevel::High, later).seal()])
        .await
        .unwrap();
    let feed = feed(Arc::<MemoryStore>::clone(&store));
    let now = Timestamp::from_seconds(5);
    let word = move |snapshot: &Snapshot| {
        let before = snapshot.risk.last_said(AGENT);
        let after = before.map(|at| at.after(Duration::from_micros(1)));
        vec![risk(RiskLevel::Low, after.unwrap_or(now))]
    };
    let said = feed.say(cause(), word).await.unwrap();
    assert_eq!(
        said,
        [risk(RiskLevel::Low, later.after(Duration::from_micros(1)))]
    );
    assert_eq!(level(&feed), Some(RiskLevel::Low));
    assert_eq!(store.all(), [said[0].seal()]);
}

#[tokio::test]
async fn a_word_that_stays_behind_a_later_one_is_an_error_and_the_later_one_is_in_force() {
    let store = Arc::new(MemoryStore::default());
    let later = risk(RiskLevel::High, Timestamp::from_seconds(9));
    store.put(vec![later.seal()]).await.unwrap();
    let feed = feed(store);
    let now = Timestamp::from_seconds(5);
    let said = feed
        .say(cause(), move |_| vec![risk(RiskLevel::Low, now)])
        .await;
    assert!(matches!(said, Err(StoreError::Unavailable(_))));
    assert_eq!(level(&feed), Some(RiskLevel::High));
}

/// Keeps what it is given once it is told to go on.
#[derive(Debug, Default)]
struct Slow(MemoryStore, tokio::sync::Notify);

impl StateStore for Slow {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        Box::pin(async {
            let kept = self.0.put(entries).await;
            self.1.notified().await;
            kept
        })
    }

    fn forget(&self, entries: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        self.0.forget(entries)
    }
}

#[tokio::test]
async fn what_is_kept_is_in_force_even_if_nobody_waits_for_it_any_more() {
    let store = Arc::new(Slow::default());
    let feed = feed(Arc::<Slow>::clone(&store));
    let word = |_: &Snapshot| vec![risk(RiskLevel::High, Timestamp::from_seconds(1))];
    let left = tokio::time::timeout(Duration::from_millis(20), feed.say(cause(), word)).await;
    assert!(left.is_err());
    store.1.notify_one();
    let shown = async {
        while level(&feed).is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), shown)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_newer_version_keeps_counts_for_the_worst_and_is_not_written_again() {
    let feed = feed(Arc::new(MemoryStore::default()));
    let sealed = risk(RiskLevel::Low, Timestamp::from_seconds(1)).seal();
    let newer = Sealed {
        value: sealed.value.replace(r#""v":1"#, r#""v":2"#).into(),
        ..sealed
    };
    feed.show(std::slice::from_ref(&newer), cause());
    assert_eq!(level(&feed), None);
    assert_eq!(feed.context.snapshots.load().risk.len(), 1);
    let foreign: Vec<_> = feed.foreign.lock().values().cloned().collect();
    assert_eq!(foreign, [newer]);
}

#[tokio::test]
async fn revocations_are_in_force_too() {
    let feed = feed(Arc::new(MemoryStore::default()));
    let until = Timestamp::from_seconds(5);
    let cut = Entry::Revocation(Revocation {
        id: AGENT.into(),
        issued_until: until,
        source: "management".into(),
    });
    feed.say(cause(), move |_| vec![cut.clone()]).await.unwrap();
    let snapshot = feed.context.snapshots.load();
    assert_eq!(
        snapshot
            .reported
            .revocations
            .get(AGENT)
            .unwrap()
            .issued_until,
        until
    );
}

/// What any source may say of two agents, within a few seconds.
fn words() -> impl Strategy<Value = Vec<Entry>> {
    let source = prop::sample::select(vec!["management", "idp", "idp:risk-level-change"]);
    let id = prop::sample::select(vec!["a", "b"]);
    let one = (
        source,
        id,
        0..5_u8,
        0..4_i64,
        prop::sample::select(RiskLevel::ALL.to_vec()),
    );
    let one = one.prop_map(|(source, id, kind, at, level)| {
        let (id, source): (Arc<str>, Arc<str>) = (id.into(), source.into());
        let at = Timestamp::from_seconds(at);
        match kind {
            0 => Entry::Risk(RiskEntry {
                id,
                subject: RiskSubject::AgentIdentity,
                level: Some(level),
                state: if level == RiskLevel::Low {
                    RiskState::Dismissed
                } else {
                    RiskState::AtRisk
                },
                detail: "none".into(),
                last_modified: at,
                source,
            }),
            1 => Entry::Revocation(Revocation {
                id,
                issued_until: at,
                source,
            }),
            2 => Entry::Account(AccountState {
                id,
                enabled: level == RiskLevel::None,
                at,
                source,
            }),
            3 => Entry::Heard { source, at },
            _ => Entry::Seen { source, id, at },
        }
    });
    prop::collection::vec(one, 0..16)
}

/// All that a replica knows, in one order.
fn known(feed: &StateFeed) -> impl PartialEq + std::fmt::Debug + use<> {
    let snapshot = feed.context.snapshots.load();
    let reported = &snapshot.reported;
    let revocations: Vec<_> = reported.revocations.iter().cloned().collect();
    (
        snapshot.risk.clone(),
        revocations,
        reported.accounts.clone(),
        reported.heard.clone(),
        reported.seen.clone(),
    )
}

proptest! {
    #[test]
    fn replicas_that_saw_the_same_words_know_the_same_whatever_the_order(
        (one, other) in words().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        again in 0..16_usize,
    ) {
        let (first, second) = (feed(Arc::new(MemoryStore::default())), feed(Arc::new(MemoryStore::default())));
        let sealed = |words: &[Entry]| words.iter().map(Entry::seal).collect::<Vec<_>>();
        first.show(&sealed(&one), cause());
        for word in sealed(&other) {
            second.show(&[word], cause());
        }
        // What is heard twice is heard once, and makes no snapshot.
        let before = second.context.snapshots.load();
        second.show(&sealed(&one[..again.min(one.len())]), cause());
        prop_assert!(second.context.snapshots.is_current(&before));
        prop_assert_eq!(known(&first), known(&second));
    }
}

#[test]
fn no_news_leave_the_snapshot_as_it_is() {
    let feed = feed(Arc::new(MemoryStore::default()));
    let before = feed.context.snapshots.load();
    feed.show(&[], cause());
    assert!(feed.context.snapshots.is_current(&before));
    let news = risk(RiskLevel::Low, Timestamp::from_seconds(1)).seal();
    feed.show(std::slice::from_ref(&news), cause());
    assert!(!feed.context.snapshots.is_current(&before));
    // The same again, as what a replica says comes back to it.
    let after = feed.context.snapshots.load();
    feed.show(&[news], cause());
    assert!(feed.context.snapshots.is_current(&after));
}
