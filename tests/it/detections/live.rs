//! What is detected blocks the agent, is shown and recorded, gives way to an administrator, and expires.

use http::Method;
use serde_json::{Value, json};

use super::theft::{by_a_thief, by_its_agent, token};
use crate::support::site::{AGENT, Setup, Site, block};

/// A gateway that blocks agents at high risk, with this section.
async fn site(detections: &str) -> Site {
    Site::start(Setup {
        policies: vec![block("agents", json!({"agentIdRiskLevels": "high"}))],
        sections: format!("detections: {detections}"),
        ..Setup::default()
    })
    .await
}

/// Steals a token, and uses it beside its agent.
async fn steal(site: &Site, id: &str) -> String {
    let token = token(site, id);
    assert_eq!(by_its_agent(site, &token).await.status, 200);
    let theft = by_a_thief(site, &token).await;
    assert_eq!(theft.status, 200, "it is the first sign of the theft");
    theft.header("boomgate-decision-id").to_owned()
}

async fn until_status(site: &Site, status: u16) {
    let fresh = token(site, "fresh");
    site.until(&format!("the agent gets {status}"), async |site| {
        by_its_agent(site, &fresh).await.status == status
    })
    .await;
}

async fn all(site: &Site, collection: &str) -> Vec<Value> {
    let path = format!("/beta/identityProtection/{collection}");
    let mut answer = site.manage(Method::GET, &path, "").await.json();
    match answer["value"].take() {
        Value::Array(items) => items,
        other => panic!("{other}"),
    }
}

async fn explained(site: &Site) -> Value {
    let path = format!("/beta/identityProtection/riskyAgents/{AGENT}/boomgate.explain");
    site.manage(Method::GET, &path, "").await.json()
}

#[tokio::test]
async fn an_agent_whose_token_is_used_by_a_thief_is_blocked_and_every_place_says_why() {
    let site = site("{}").await;
    let id = steal(&site, "stolen").await;
    until_status(&site, 403).await;

    let detection = &all(&site, "agentRiskDetections").await[0];
    for (member, value) in [
        ("riskEventType", "tokenReplay"),
        ("riskLevel", "high"),
        ("riskState", "atRisk"),
        ("identityId", AGENT),
        ("detectionTimingType", "realtime"),
        ("source", "boomgate"),
        ("signInRequestId", id.as_str()),
    ] {
        assert_eq!(detection[member], value, "{member} of {detection}");
    }
    let agent = &all(&site, "riskyAgents").await[0];
    assert_eq!(
        (&agent["id"], &agent["riskLevel"]),
        (&json!(AGENT), &json!("high"))
    );

    let blocked = by_its_agent(&site, &token(&site, "another")).await;
    let (record, _) = site.record(blocked.header("boomgate-decision-id")).await;
    let input = &record["boomgate"]["riskInputs"][0];
    assert_eq!(input["source"], "boomgate:tokenReplay");
    let labels = [("type", "tokenReplay"), ("level", "high")];
    assert_eq!(site.count("boomgate_detections_total", &labels).await, 1);

    let changes: Vec<_> = site.records();
    let mut changes = changes
        .iter()
        .filter(|line| line["activityDisplayName"] == "Detect risk of agent");
    let (begun, ended) = (changes.next().unwrap(), changes.next().unwrap());
    assert_eq!(begun["targetResources"][0]["id"], AGENT);
    assert_eq!(ended["result"], "success");

    let explained = explained(&site).await;
    assert_eq!(explained["riskLevel"], "high");
    let source = &explained["subjects"][0]["sources"][0];
    assert_eq!(source["source"], "boomgate:tokenReplay");
    assert_eq!(source["counts"], true);
    assert!(source["expirationDateTime"].is_string(), "{source}");
    assert_eq!(source["detections"][0]["signInRequestId"], *id);
}

#[tokio::test]
async fn an_administrators_word_overrules_what_was_found_before_it() {
    let site = site("{}").await;
    steal(&site, "stolen").await;
    until_status(&site, 403).await;
    for action in ["dismiss", "confirmSafe"] {
        let path = format!("/beta/identityProtection/riskyAgents/{action}");
        let body = json!({"agentIds": [AGENT]}).to_string();
        let answer = site.manage(Method::POST, &path, &body).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        until_status(&site, 200).await;
    }
    let explained = explained(&site).await;
    assert_eq!(explained["riskLevel"], "none");
    let sources = explained["subjects"][0]["sources"].as_array().unwrap();
    let of_detection = sources
        .iter()
        .find(|of| of["source"] == "boomgate:tokenReplay");
    assert_eq!(of_detection.unwrap()["counts"], false, "{explained}");
}

#[tokio::test]
async fn what_is_only_reported_is_shown_and_blocks_nobody() {
    let site = site("{token_replay: {mode: report_only}}").await;
    steal(&site, "stolen").await;
    let labels = [("type", "tokenReplay"), ("level", "high")];
    site.until("it is counted", async |site| {
        site.count("boomgate_detections_total", &labels).await == 1
    })
    .await;
    let detection = &all(&site, "agentRiskDetections").await[0];
    assert_eq!(detection["riskState"], "none");
    assert_eq!(
        by_its_agent(&site, &token(&site, "another")).await.status,
        200
    );
    assert_eq!(all(&site, "riskyAgents").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_detection_expires_and_the_agent_may_call_again() {
    let site = site("{token_replay: {expiry: 3s}}").await;
    steal(&site, "stolen").await;
    until_status(&site, 403).await;
    until_status(&site, 200).await;
    let detection = &all(&site, "agentRiskDetections").await[0];
    assert_eq!(detection["riskState"], "remediated");
}

#[tokio::test]
async fn what_is_turned_off_while_it_runs_is_taken_back() {
    let site = site("{}").await;
    steal(&site, "stolen").await;
    until_status(&site, 403).await;
    let path = site.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let off = text.replace("detections: {}", "detections: {token_replay: {mode: off}}");
    assert_ne!(text, off);
    std::fs::write(&path, off).unwrap();
    until_status(&site, 200).await;
}
