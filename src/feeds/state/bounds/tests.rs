use parking_lot::Mutex;

use super::*;
use crate::clock::Clock;
use crate::feeds::StateFeedContext;
use crate::identity::Issuer;
use crate::identity::settings::tests::oidc_issuer;
use crate::risk::{DetectionTiming, RiskSubject};
use crate::snapshot::Snapshots;
use crate::store::{MemoryStore, StateStore as _};
use crate::types::{RiskLevel, RiskState};

/// A clock that a test sets.
#[derive(Debug)]
struct Set(Mutex<Timestamp>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

struct World {
    clock: Arc<Set>,
    store: Arc<MemoryStore>,
    feed: Arc<StateFeed>,
}

impl World {
    /// With an issuer whose tokens are believed for so long.
    fn new(max_lifetime: Duration) -> Self {
        let settings = crate::identity::settings::IssuerSettings {
            max_lifetime,
            leeway: Duration::ZERO,
            ..oidc_issuer()
        };
        let issuer = Issuer {
            settings: Arc::new(settings),
            keys: None,
        };
        let snapshots = Snapshots::new(Snapshot {
            issuers: Arc::new(Issuers::new(vec![issuer])),
            ..Snapshot::default()
        });
        let (clock, store) = (Arc::new(Set(Mutex::new(day(0)))), Arc::default());
        let context = StateFeedContext {
            store: Arc::<MemoryStore>::clone(&store),
            snapshots: Arc::new(snapshots),
            status: Arc::default(),
            clock: Arc::<Set>::clone(&clock),
        };
        let feed = Arc::new(StateFeed::new(context, Vec::new()));
        Self { clock, store, feed }
    }

    async fn keep(&self, said: Vec<Entry>) {
        let cause = Cause::now(ChangeSource::Store);
        self.feed.keep(cause, said).await.unwrap();
    }

    /// The keys of what is kept after a look on this day, in the store and here: the same.
    async fn left(&self, on: u32) -> Vec<String> {
        *self.clock.0.lock() = day(on);
        self.feed.forget_over().await.unwrap();
        let mut here: Vec<_> = self
            .feed
            .ours()
            .iter()
            .map(|one| one.key.to_string())
            .collect();
        here.sort();
        let kept: Vec<_> = self
            .store
            .all()
            .iter()
            .map(|one| one.key.to_string())
            .collect();
        assert_eq!(kept, here);
        kept
    }
}

fn day(number: u32) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000).after(DAY * number)
}

fn cut(id: &str) -> Entry {
    Entry::Revocation(Revocation {
        id: id.into(),
        issued_until: day(0),
        source: "management".into(),
    })
}

fn risk(source: &str, state: RiskState) -> Entry {
    Entry::Risk(RiskEntry {
        id: "a".into(),
        subject: RiskSubject::AgentIdentity,
        level: Some(RiskLevel::High),
        state,
        detail: "none".into(),
        last_modified: day(0),
        source: source.into(),
    })
}

fn detection(id: &str, state: RiskState) -> Entry {
    Entry::Detection(RiskDetection {
        id: id.into(),
        identity_id: "a".into(),
        subject: RiskSubject::AgentIdentity,
        event_type: "tokenReplay".into(),
        level: Some(RiskLevel::High),
        state,
        detail: "none".into(),
        activity_at: day(0),
        detected_at: day(0),
        last_modified: day(0),
        timing: DetectionTiming::Realtime,
        evidence: None,
        correlation_id: None,
        request_id: None,
        source: "boomgate".into(),
    })
}

#[tokio::test]
async fn a_cut_off_is_forgotten_once_no_token_that_it_refuses_is_believed_any_more() {
    let world = World::new(Duration::from_secs(3_600));
    let session = Revocation::id_of_session("test", "s");
    world.keep(vec![cut("a"), cut(&session)]).await;
    let both = ["revocation/a", "revocation/session:test:s"];
    assert_eq!(world.left(30).await, both);
    assert_eq!(world.left(31).await, both[1..]);
    assert_eq!(world.left(400).await, both[1..]);
    assert_eq!(world.left(401).await, Vec::<String>::new());

    // An issuer whose tokens live for longer.
    let world = World::new(DAY * 50);
    world.keep(vec![cut("a")]).await;
    assert_eq!(world.left(50).await, ["revocation/a"]);
    assert_eq!(world.left(51).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_detection_that_has_expired_is_forgotten_and_what_counts_or_others_said_is_not() {
    let world = World::new(Duration::from_secs(3_600));
    world
        .keep(vec![
            risk("boomgate:tokenReplay", RiskState::Remediated),
            risk("boomgate:signInSpike", RiskState::AtRisk),
            risk("idp:risk-level-change", RiskState::Remediated),
            risk("management", RiskState::Dismissed),
            detection("d1", RiskState::Remediated),
            detection("d2", RiskState::AtRisk),
        ])
        .await;
    assert_eq!(world.left(30).await.len(), 6);
    let left = [
        "detection/d2",
        "risk/boomgate:signInSpike/agentIdentity/a",
        "risk/idp:risk-level-change/agentIdentity/a",
        "risk/management/agentIdentity/a",
    ];
    assert_eq!(world.left(31).await, left);
}

#[tokio::test]
async fn nothing_to_forget_makes_no_snapshot_and_what_was_said_later_meanwhile_stays() {
    let world = World::new(Duration::from_secs(3_600));
    world.keep(vec![cut("a")]).await;
    let before = world.feed.context.snapshots.load();
    world.left(1).await;
    assert!(world.feed.context.snapshots.is_current(&before));

    // Another replica said something later, which did not reach us yet.
    let later = Entry::Revocation(Revocation {
        id: "a".into(),
        issued_until: day(20),
        source: "idp".into(),
    });
    world.store.put(vec![later.seal()]).await.unwrap();
    *world.clock.0.lock() = day(31);
    assert_eq!(world.feed.forget_over().await, Ok(1));
    assert_eq!(world.store.all(), [later.seal()]);
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_left_to_it() {
    let world = World::new(Duration::from_secs(3_600));
    let newer = crate::store::Sealed {
        value: r#"{"v":2}"#.into(),
        ..cut("a").seal()
    };
    world.store.put(vec![newer.clone()]).await.unwrap();
    world.feed.show(
        std::slice::from_ref(&newer),
        Cause::now(ChangeSource::Store),
    );
    *world.clock.0.lock() = day(31);
    assert_eq!(world.feed.forget_over().await, Ok(0));
    assert_eq!(world.store.all(), [newer]);
}
