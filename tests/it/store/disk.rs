//! The state file meets what happens to files: a full disk, damage, and a second gateway.

use std::collections::BTreeSet;
use std::process::Command;

use http::Method;

use super::{AGENTS, confirm, setup};
use crate::support::gateway::Gateway;
use crate::support::pki::Pki;
use crate::support::process::Process;
use crate::support::site::{AGENT, Ground, OTHER_AGENT};

/// A shell that starts the gateway with files of at most so many kilobytes. A write beyond that is an error, as on a
/// full disk, and not the end of the process.
fn with_file_limit(config: &str, kilobytes: u32) -> Process {
    let mut shell = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" run --config \"$1\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_boomgate"), config]);
    Process::of(shell)
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_promised_and_what_was_promised_stays() {
    let mut setup = setup();
    setup.sections = "records: {file: /dev/null}".to_owned();
    let ground = Ground::lay(&setup).await;
    let config = ground.path("boomgate.yaml");
    let config = config.to_str().unwrap();
    let token = ground.agent_token(AGENT);

    let mut gateway = Gateway::of(with_file_limit(config, 2_200)).await;
    assert_eq!(confirm(&gateway, &ground.pki, &[AGENT]).await, 204);
    let mut kept = vec![AGENT.to_owned()];
    // A thousand agents a time, until there is no more room.
    let refused = loop {
        let ids: Vec<_> = (0..1_000)
            .map(|n| format!("agent-{:03}-{n:04}", kept.len() / 1_000))
            .collect();
        let some: Vec<_> = ids.iter().map(String::as_str).collect();
        match confirm(&gateway, &ground.pki, &some).await {
            204 => kept.extend(ids),
            status => {
                assert_eq!(status, 503);
                break ids;
            }
        }
        assert!(kept.len() < 100_000, "the limit does not limit");
    };
    // It goes on with what it knows, and says what is wrong.
    let blocked = gateway.get(&ground.pki, "/hr/people", &token).await;
    assert_eq!(blocked.status, 403);
    let log = gateway.process.stderr();
    assert!(
        log.contains("state could not be kept") && log.contains("state.redb"),
        "{log}"
    );
    assert!(listed(&gateway, &ground.pki).await.len() == kept.len());
    // Neither what was refused nor a small change makes it forget or claim anything.
    let small = confirm(&gateway, &ground.pki, &[OTHER_AGENT]).await;
    if small == 204 {
        kept.push(OTHER_AGENT.to_owned());
    }
    gateway.process.signal("KILL");
    gateway.process.end().await;

    let mut gateway = Gateway::start(ground.path("boomgate.yaml").as_path()).await;
    let listed = listed(&gateway, &ground.pki).await;
    for id in &kept {
        assert!(listed.contains(id), "{id} was confirmed, and is gone");
    }
    // With room again, all is well again.
    let some: Vec<_> = refused.iter().map(String::as_str).collect();
    assert_eq!(confirm(&gateway, &ground.pki, &some).await, 204);
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
}

/// The ids of every risky agent.
pub(super) async fn listed(gateway: &Gateway, pki: &Pki) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut next = Some(format!("{AGENTS}?$top=500"));
    while let Some(path) = next {
        let page = gateway.manage(pki, Method::GET, &path, "").await.json();
        let agents = page["value"].as_array().unwrap().iter();
        ids.extend(agents.map(|agent| agent["id"].as_str().unwrap().to_owned()));
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.replace("https://localhost", ""));
    }
    ids
}

#[tokio::test]
async fn a_damaged_state_file_stops_the_start_and_says_what_to_do() {
    let ground = Ground::lay(&setup()).await;
    let config = ground.path("boomgate.yaml");
    std::fs::create_dir(ground.path("state")).unwrap();
    std::fs::write(ground.path("state/state.redb"), "what was here?").unwrap();
    let mut process = Process::start(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(process.end().await.code(), Some(1));
    let said = process.stderr();
    for words in [
        "state.redb",
        "damaged",
        "backup",
        "confirm every compromised agent anew",
    ] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    let left = std::fs::read_to_string(ground.path("state/state.redb")).unwrap();
    assert_eq!(left, "what was here?");
}

#[tokio::test]
async fn two_gateways_do_not_share_a_state_file() {
    let ground = Ground::lay(&setup()).await;
    let config = ground.path("boomgate.yaml");
    let mut first = Gateway::start(&config).await;
    let mut second = Process::start(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(second.end().await.code(), Some(1));
    assert!(second.stderr().contains("in use by another process"));
    first.process.signal("TERM");
    assert_eq!(first.process.end().await.code(), Some(0));
}
