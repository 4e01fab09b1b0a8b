use std::fs;
use std::path::PathBuf;

use super::*;
use crate::risk::{Revocation, RiskEntry, RiskSubject};
use crate::store::Entry;
use crate::types::{RiskLevel, RiskState, Timestamp};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner/state");
    (folder, inner)
}

fn risk(id: &str, level: RiskLevel, at: i64) -> Sealed {
    let entry = RiskEntry {
        id: id.into(),
        subject: RiskSubject::AgentIdentity,
        level: Some(level),
        state: RiskState::AtRisk,
        detail: "none".into(),
        last_modified: Timestamp::from_seconds(at),
        source: "management".into(),
    };
    Entry::Risk(entry).seal()
}

async fn put(store: &EmbeddedStore, entries: &[Sealed]) -> Vec<Sealed> {
    store.put(entries.to_vec()).await.unwrap()
}

#[tokio::test]
async fn what_was_answered_for_is_there_after_the_next_start() {
    let (_root, folder) = folder();
    let (store, kept) = EmbeddedStore::open(&folder).unwrap();
    assert_eq!(kept, []);
    let revocation = Entry::Revocation(Revocation {
        id: "a".into(),
        issued_until: Timestamp::from_seconds(3),
        source: "management".into(),
    });
    let entries = [
        revocation.seal(),
        risk("a", RiskLevel::Low, 1),
        risk("b", RiskLevel::High, 1),
    ];
    assert_eq!(put(&store, &entries).await, []);
    let later = risk("a", RiskLevel::Medium, 2);
    assert_eq!(put(&store, std::slice::from_ref(&later)).await, []);
    drop(store);

    let (store, kept) = EmbeddedStore::open(&folder).unwrap();
    let [revocation, _, b] = entries;
    assert_eq!(kept, [revocation, later, b]);
    drop(store);
}

#[tokio::test]
async fn a_later_word_stands_and_is_told() {
    let (_root, folder) = folder();
    let (store, _) = EmbeddedStore::open(&folder).unwrap();
    let later = risk("a", RiskLevel::High, 2);
    put(&store, std::slice::from_ref(&later)).await;
    let other = risk("b", RiskLevel::High, 1);
    let above = put(&store, &[risk("a", RiskLevel::None, 1), other.clone()]).await;
    assert_eq!(above, std::slice::from_ref(&later));
    // The same again is no other word.
    assert_eq!(put(&store, std::slice::from_ref(&later)).await, []);
    drop(store);
    assert_eq!(EmbeddedStore::open(&folder).unwrap().1, [later, other]);
}

#[tokio::test]
async fn entries_of_kinds_that_are_not_known_are_kept() {
    let (_root, folder) = folder();
    let (store, _) = EmbeddedStore::open(&folder).unwrap();
    let rank = risk("a", RiskLevel::Low, 1).rank.to_string();
    let newer = Sealed::from_texts("mood/a", &rank, r#"{"v":7}"#).unwrap();
    put(&store, std::slice::from_ref(&newer)).await;
    drop(store);
    assert_eq!(EmbeddedStore::open(&folder).unwrap().1, [newer]);
}

#[tokio::test]
async fn a_second_process_is_told_to_use_a_folder_of_its_own() {
    let (_root, folder) = folder();
    let _first = EmbeddedStore::open(&folder).unwrap();
    let error = EmbeddedStore::open(&folder).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
}

#[tokio::test]
async fn many_puts_at_once_are_all_kept() {
    let (_root, folder) = folder();
    let store = Arc::new(EmbeddedStore::open(&folder).unwrap().0);
    let mut puts = tokio::task::JoinSet::new();
    for n in 0..500 {
        let store = Arc::clone(&store);
        let entry = risk(&format!("agent-{n:03}"), RiskLevel::High, 1);
        puts.spawn(async move { put(&store, &[entry]).await });
    }
    for above in puts.join_all().await {
        assert_eq!(above, []);
    }
    drop(store);
    assert_eq!(EmbeddedStore::open(&folder).unwrap().1.len(), 500);
}

/// Bytes are changed one at a time, all over the file. Either that is found, or nothing is lost: what a byte in an
/// unused page says does not matter.
#[tokio::test]
async fn a_damaged_file_is_refused_and_never_emptied() {
    let (_root, folder) = folder();
    let (store, _) = EmbeddedStore::open(&folder).unwrap();
    let entries: Vec<_> = (0..200)
        .map(|n| risk(&format!("agent-{n:03}"), RiskLevel::High, n))
        .collect();
    for some in entries.chunks(20) {
        put(&store, some).await;
    }
    drop(store);
    let path = folder.join("state.redb");
    let whole = fs::read(&path).unwrap();

    let (mut refused, mut unharmed) = (0, 0);
    for at in (0..whole.len()).step_by(whole.len() / 97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        match EmbeddedStore::open(&folder) {
            Ok((_, kept)) => {
                assert_eq!(kept, entries, "byte {at}");
                unharmed += 1;
            }
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    println!("{refused} refused, {unharmed} unharmed");
    assert!(refused > 0);

    for damaged in [&[][..], b"not a database", &whole[..whole.len() / 2]] {
        fs::write(&path, damaged).unwrap();
        let error = EmbeddedStore::open(&folder).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged, "it is left as it is");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(EmbeddedStore::open(&folder).unwrap().1, entries);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "").unwrap();
    let error = EmbeddedStore::open(&root.path().join("file/state")).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("dangerous_memory_only"), "{message}");
}
