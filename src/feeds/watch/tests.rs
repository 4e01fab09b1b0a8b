//! Every way in which files change, on a real folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::feeds::reload::{ReloadError, channel};

const INTERVAL: Duration = Duration::from_millis(10);

/// Whether a change is noticed within five seconds.
async fn notices(watch: &mut Watch) -> bool {
    let noticed = tokio::time::timeout(Duration::from_secs(5), change(watch)).await;
    noticed == Ok(Change::Files)
}

/// Looks until there is something to tell.
async fn change(watch: &mut Watch) -> Change {
    loop {
        match watch.look().await {
            Change::None => {}
            change => return change,
        }
    }
}

/// Whether nothing is noticed for twenty looks.
async fn is_quiet(watch: &mut Watch) -> bool {
    tokio::time::timeout(INTERVAL * 20, change(watch))
        .await
        .is_err()
}

fn watch(paths: &[&Path]) -> Watch {
    let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
    Watch {
        known: Fingerprint::of(&paths),
        hangup: None,
        paths,
        interval: INTERVAL,
        asked: channel().1,
    }
}

#[tokio::test]
async fn notices_a_write_in_place_even_of_the_same_length() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.yaml");
    fs::write(&file, "a: 1").unwrap();
    let mut watch = watch(&[&file]);
    assert!(is_quiet(&mut watch).await);
    fs::write(&file, "a: 2").unwrap();
    assert!(notices(&mut watch).await);
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test]
async fn notices_a_rename_over_and_a_removal() {
    let folder = tempfile::tempdir().unwrap();
    let (file, next) = (folder.path().join("a.json"), folder.path().join(".a.tmp"));
    fs::write(&file, "1").unwrap();
    let mut watch = watch(&[&file]);
    fs::write(&next, "2").unwrap();
    fs::rename(&next, &file).unwrap();
    assert!(notices(&mut watch).await);
    fs::remove_file(&file).unwrap();
    assert!(notices(&mut watch).await);
    fs::write(&file, "3").unwrap();
    assert!(notices(&mut watch).await);
}

#[tokio::test]
async fn notices_the_last_of_many_renames_in_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let (file, next) = (folder.path().join("a.json"), folder.path().join(".a.tmp"));
    fs::write(&file, "0").unwrap();
    let mut watch = watch(&[folder.path()]);
    for number in 1..=200 {
        fs::write(&next, number.to_string()).unwrap();
        fs::rename(&next, &file).unwrap();
        if number % 50 == 0 {
            assert!(notices(&mut watch).await);
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "200");
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test]
async fn notices_the_swap_of_a_config_maps_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (version, text) in [("..v1", "one"), ("..v2", "two")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("policy.json"), text).unwrap();
    }
    symlink("..v1", at("..data")).unwrap();
    symlink("..data/policy.json", at("policy.json")).unwrap();
    let mut by_folder = watch(&[folder.path()]);
    let mut by_file = watch(&[&at("policy.json")]);
    symlink("..v2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    assert!(notices(&mut by_folder).await);
    assert!(notices(&mut by_file).await);
    assert_eq!(fs::read_to_string(at("policy.json")).unwrap(), "two");
}

#[tokio::test]
async fn files_that_change_without_a_pause_do_not_delay_a_reload_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    fs::write(&file, "0").unwrap();
    let mut watch = watch(&[&file]);
    let busy = tokio::spawn(async move {
        for number in 0_u64.. {
            fs::write(&file, number.to_string()).unwrap();
            tokio::time::sleep(INTERVAL / 5).await;
        }
    });
    assert!(notices(&mut watch).await);
    assert!(notices(&mut watch).await, "and it is noticed again");
    busy.abort();
}

#[tokio::test]
async fn a_hangup_is_a_change_whatever_the_files_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(
        vec![folder.path().to_owned()],
        Duration::from_secs(60),
        channel().1,
    )
    .unwrap();
    let status = std::process::Command::new("kill")
        .args(["-HUP", &std::process::id().to_string()])
        .status();
    assert!(status.unwrap().success());
    let change = tokio::time::timeout(Duration::from_secs(5), watch.look()).await;
    assert_eq!(change, Ok(Change::Hangup));
}

#[tokio::test]
async fn a_change_while_files_are_read_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    fs::write(&file, "1").unwrap();
    let mut watch = watch(&[&file]);
    assert!(!watch.has_changed().await);
    fs::write(&file, "2").unwrap();
    assert!(watch.has_changed().await);
    assert!(!watch.has_changed().await);
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test]
async fn the_first_look_finds_a_change_since_files_may_have_changed_after_they_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(vec![folder.path().to_owned()], INTERVAL, channel().1).unwrap();
    watch.hangup = None;
    assert!(notices(&mut watch).await);
    assert!(is_quiet(&mut watch).await);
}

#[tokio::test]
async fn whoever_asks_is_heard_at_once_and_told_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (reloads, asked) = channel();
    let patience = Duration::from_secs(60);
    let mut watch = Watch::new(vec![folder.path().to_owned()], patience, asked).unwrap();
    let told = tokio::spawn(async move { reloads.now().await });
    let change = tokio::time::timeout(Duration::from_secs(5), watch.look()).await;
    assert_eq!(change, Ok(Change::Asked));
    watch.answer(&Err(ReloadError::Refused(Arc::from([]))));
    assert_eq!(
        told.await.unwrap(),
        Err(ReloadError::Refused(Arc::from([])))
    );

    let (reloads, asked) = channel();
    drop(asked);
    assert_eq!(reloads.now().await, Err(ReloadError::Ending));
}
