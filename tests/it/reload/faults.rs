//! What cannot be loaded leaves the last good state in force, and is shown wherever an operator looks.

use std::fs;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ways::{WAYS, Way};
use super::{blocking, edit, until_agent_gets};
use crate::support::log::Log;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, block};

/// A file, what is put into it, and the place that the fault is shown at.
struct Spoiled {
    file: &'static str,
    spoil: fn(&str) -> String,
    place: &'static str,
}

const SPOILED: &[Spoiled] = &[
    Spoiled {
        file: "policies/one-agent.json",
        spoil: |_| "{\n  \"displayName\": \"A policy\",\n  \"state\": \"loud\"\n}".to_owned(),
        place: "policies/one-agent.json:3:",
    },
    Spoiled {
        file: "boomgate.yaml",
        spoil: |text| format!("no_such_section: 1\n{}", text.trim_start()),
        place: "boomgate.yaml:1:1",
    },
    Spoiled {
        file: "boomgate.yaml",
        spoil: |_| String::new(),
        place: "boomgate.yaml",
    },
    Spoiled {
        file: "agents/agents.json",
        spoil: |_| "{\"value\": [\n\n{".to_owned(),
        place: "agents/agents.json:3:",
    },
    Spoiled {
        file: "risky.json",
        spoil: |_| "{\"value\": [\n{\"id\": \"a\", \"riskLevel\": \"enormous\"}]}".to_owned(),
        place: "risky.json:2:",
    },
    Spoiled {
        file: "keys.json",
        spoil: |_| "{}".to_owned(),
        place: "issuers[0].keys.file: `keys.json`",
    },
    Spoiled {
        file: "../server.pem",
        spoil: |_| "no certificate".to_owned(),
        place: "listeners[0].tls.certificate_file: `../server.pem`",
    },
    Spoiled {
        file: "../server.key",
        spoil: |_| "no key".to_owned(),
        place: "management.tls.key_file: `../server.key`",
    },
    Spoiled {
        file: "admin-token",
        spoil: |_| "short".to_owned(),
        place: "management.admin_token: ",
    },
];

/// What `/readyz` says.
async fn readiness(site: &Site) -> (StatusCode, Value) {
    let answer = site.manage(Method::GET, "/readyz", "").await;
    (answer.status, answer.json())
}

pub(super) async fn until_ready(site: &Site) {
    site.until("it is ready", async |site| {
        readiness(site).await.1["status"] == "ready"
    })
    .await;
}

/// Waits until a fault at this place is shown, and no call is turned away for it.
pub(super) async fn until_degraded(site: &Site, place: &str) {
    site.until(&format!("`{place}` is shown"), async |site| {
        let (status, body) = readiness(site).await;
        assert_eq!(status, StatusCode::OK);
        let reasons = body["reasons"].as_array().unwrap().iter();
        let mut messages = reasons.flat_map(|reason| reason["messages"].as_array().unwrap());
        body["status"] == "degraded"
            && messages.any(|message| message.as_str().unwrap().contains(place))
    })
    .await;
}

/// A gateway that blocks one agent, and has looked at its files once since it started.
async fn site() -> Site {
    let setup = Setup {
        policies: vec![("one-agent.json".to_owned(), {
            serde_json::from_str(&blocking(OTHER_AGENT)).unwrap()
        })],
        ..Setup::default()
    };
    let site = Site::start(setup).await;
    until_looked(&site).await;
    site
}

/// How many loads had this result, the one at the start included.
pub(super) async fn loads(site: &Site, result: &str) -> u64 {
    let labels = [("result", result)];
    site.count("boomgate_config_reloads_total", &labels).await
}

/// Waits until a started gateway has looked at its files once.
pub(crate) async fn until_looked(site: &Site) {
    site.until("the first look", async |site| {
        loads(site, "success").await >= 2
    })
    .await;
}

#[tokio::test]
async fn the_last_good_state_stays_in_force_until_a_good_one_comes() {
    let log = Log::start();
    let site = site().await;
    let mut ways = WAYS.into_iter().cycle();
    for Spoiled { file, spoil, place } in SPOILED {
        let way = ways.next().unwrap();
        let good = fs::read_to_string(site.path(file)).unwrap();
        let successes = loads(&site, "success").await;
        let failures = loads(&site, "failure").await;

        way.write(&site.path(file), &spoil(&good));
        until_degraded(&site, place).await;
        assert!(loads(&site, "failure").await > failures, "{place}");
        assert_eq!(loads(&site, "success").await, successes, "{place}");
        assert!(
            log.has(&["ERROR", "configuration not reloaded: ", place]),
            "{}",
            log.text()
        );
        until_agent_gets(&site, AGENT, StatusCode::OK).await;
        until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;

        way.write(&site.path(file), &good);
        until_ready(&site).await;
        assert!(loads(&site, "success").await > successes, "{place}");
    }
    assert!(log.has(&["INFO", "configuration reloaded"]));
}

#[tokio::test]
async fn a_policy_folder_that_is_gone_is_a_fault_and_no_empty_set() {
    let site = site().await;
    fs::rename(site.path("policies"), site.path("away")).unwrap();
    until_degraded(&site, "policies.dir: cannot read `policies`").await;
    until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;
    fs::rename(site.path("away"), site.path("policies")).unwrap();
    until_ready(&site).await;
}

#[tokio::test]
async fn a_fault_in_a_file_that_is_named_for_the_first_time_is_put_right_there() {
    let site = site().await;
    fs::create_dir(site.path("next")).unwrap();
    fs::write(site.path("next/a.json"), "{").unwrap();
    edit(&site, Way::InPlace, |text| {
        text.replace("policies: {dir: policies}", "policies: {dir: next}")
    });
    until_degraded(&site, "next/a.json:1:1").await;
    until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;
    fs::write(site.path("next/a.json"), blocking(AGENT)).unwrap();
    until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
    until_agent_gets(&site, OTHER_AGENT, StatusCode::OK).await;
    until_ready(&site).await;
}

#[tokio::test]
async fn a_policy_that_is_not_understood_whole_is_refused_with_its_member() {
    let site = site().await;
    let mut policy = block("new", json!({})).1;
    policy["conditions"]["times"] = json!({"night": true});
    let text = serde_json::to_string_pretty(&policy).unwrap();
    let line = text.lines().position(|l| l.contains("times"));
    fs::write(site.path("policies/new.json"), &text).unwrap();
    until_degraded(&site, &format!("policies/new.json:{}:", line.unwrap() + 1)).await;
    until_agent_gets(&site, AGENT, StatusCode::OK).await;
}

#[tokio::test]
async fn settings_that_wait_for_a_restart_are_named_and_all_others_take_effect() {
    let log = Log::start();
    let site = site().await;
    edit(&site, Way::RenameOver, |text| {
        text.replace(
            "- name: public\n",
            "- name: public\n    limits: {max_headers: 50}\n",
        )
        .replace(
            "management:\n  address: 127.0.0.1:0",
            "management:\n  address: 127.0.0.2:0",
        )
        .replace("records.jsonl", "other.jsonl")
        .replace("workers: 1", "workers: 2")
        .replace("path_prefixes: [/hr]", "path_prefixes: [/hr, /people]")
            + "tokens: {cache_entries: 0}\nshutdown: {drain_timeout: 1s}\nlog: {format: json}\n"
    });
    let token = site.agent_token(AGENT);
    site.until("the new path is found", async |site| {
        site.get("/people", &token).await.status == StatusCode::OK
    })
    .await;
    for setting in [
        "listeners",
        "management.address",
        "records",
        "tokens",
        "shutdown",
        "log",
        "workers",
    ] {
        let named = format!("`{setting}` has changed; that takes effect at the next start");
        assert!(log.has(&["WARN", &named]), "{setting}: {}", log.text());
    }
    assert!(!site.path("other.jsonl").exists());
    until_ready(&site).await;
}

#[tokio::test]
async fn a_risk_file_is_as_fresh_as_the_last_look_unless_the_look_failed() {
    let site = site().await;
    let age = async |site: &Site| {
        let labels = [("source", "file")];
        site.gauge("boomgate_signal_age_seconds", &labels).await
    };
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(age(&site).await < 2.0, "it is simply unchanged");
    let good = fs::read_to_string(site.path("risky.json")).unwrap();
    fs::write(site.path("risky.json"), "{").unwrap();
    site.until("the age grows", async |site| age(site).await > 2.0)
        .await;
    fs::write(site.path("risky.json"), good).unwrap();
    until_ready(&site).await;
    assert!(age(&site).await < 2.0);
}
