//! What Graph says of an agent's risk, and that it is in force.

use http::Method;
use serde_json::json;

use super::{DETECTIONS, RISKY, World, risky};
use crate::support::site::{AGENT, BLUEPRINT, OTHER_AGENT};

#[tokio::test]
async fn an_agent_that_becomes_risky_in_graph_is_blocked_at_its_next_call_and_let_in_when_graph_dismisses_it()
 {
    let world = World::start("").await;
    world.rounds(RISKY, 1).await;
    assert_eq!(world.status().await, 200);

    world.graph.put(
        RISKY,
        risky(AGENT, "high", "atRisk", "2026-10-01T12:00:00Z"),
    );
    world.until_status(403).await;
    let token = world.site.agent_token(AGENT);
    let answer = world.site.get("/hr/people", &token).await;
    assert_eq!(answer.json()["code"], "53003", "{answer:?}");
    let (record, _) = world
        .site
        .record(answer.header("boomgate-decision-id"))
        .await;
    let input = &record["boomgate"]["riskInputs"][0];
    assert_eq!(input["source"], "graph", "{record}");
    assert_eq!(input["riskLevel"], "high", "{record}");
    assert_eq!(
        input["riskLastModifiedDateTime"], "2026-10-01T12:00:00Z",
        "{record}"
    );

    let mut dismissed = risky(AGENT, "none", "dismissed", "2026-10-01T12:00:01Z");
    dismissed["riskDetail"] = json!("adminDismissedRiskForAgent");
    world.graph.put(RISKY, dismissed);
    world.until_status(200).await;
    assert_eq!(world.counted("level", "applied").await, 2);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_graph_said_outlives_a_restart_without_graph() {
    let world = World::with("", |graph| {
        graph.put(
            RISKY,
            risky(AGENT, "high", "atRisk", "2026-10-01T12:00:00Z"),
        );
    })
    .await;
    world.until_status(403).await;
    world.graph.always(
        RISKY,
        Some(super::server::Trouble::Status(500, "InternalServerError")),
    );
    let World { site, graph } = world;
    let world = World {
        site: site.restart().await,
        graph,
    };
    assert_eq!(world.status().await, 403);
    world.until_fault(RISKY, "500").await;
    assert_eq!(world.status().await, 403);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_withheld_level_and_one_that_no_version_knows_are_not_none() {
    let world = World::with("", |graph| {
        graph.put(
            RISKY,
            risky(AGENT, "hidden", "atRisk", "2026-10-01T12:00:00Z"),
        );
    })
    .await;
    world.until_status(503).await;
    assert_eq!(world.fault(RISKY).await, "");

    world.graph.put(
        RISKY,
        risky(AGENT, "none", "remediated", "2026-10-01T12:00:01Z"),
    );
    world.until_status(200).await;
    // A value of a later schema, which `Prefer` has Graph name.
    world.graph.put(
        RISKY,
        risky(AGENT, "critical", "atRisk", "2026-10-01T12:00:02Z"),
    );
    world.until_status(503).await;
    let fault = world.until_fault(RISKY, AGENT).await;
    assert!(fault.contains("`critical` is not known"), "{fault}");
    assert!(world.counted("level", "refused").await >= 1);
    let asked = world.graph.asked(RISKY);
    assert!(
        asked
            .iter()
            .all(|one| one.headers["prefer"] == "include-unknown-enum-members")
    );
    // The others are read all the same, and what was read counts as whole.
    world.graph.put(
        RISKY,
        risky(OTHER_AGENT, "high", "atRisk", "2026-10-01T12:00:03Z"),
    );
    let token = world.site.agent_token(OTHER_AGENT);
    world
        .site
        .until("the other agent is blocked too", async |site| {
            site.get("/hr/people", &token).await.status == 403
        })
        .await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_blueprint_that_is_risky_in_graph_blocks_its_agents() {
    let world = World::start("").await;
    world.rounds(RISKY, 1).await;
    assert_eq!(world.status().await, 200);
    let mut blueprint = risky(
        crate::support::site::PRINCIPAL,
        "high",
        "confirmedCompromised",
        "2026-10-01T12:00:00Z",
    );
    blueprint["@odata.type"] = json!("#microsoft.graph.riskyAgentIdentityBlueprintPrincipal");
    blueprint["identityType"] = json!("agentIdentityBlueprintPrincipal");
    world.graph.put(RISKY, blueprint);
    world.until_status(403).await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_said_again_is_no_news_and_makes_no_snapshot() {
    let world = World::with(", full_interval: 1s", |graph| {
        graph.put(
            RISKY,
            risky(AGENT, "high", "atRisk", "2026-10-01T12:00:00Z"),
        );
        graph.put(DETECTIONS, detection("1e00aa", "2026-10-01T12:00:00Z"));
    })
    .await;
    world.until_status(403).await;
    world.rounds(RISKY, 1).await;
    world.rounds(DETECTIONS, 1).await;
    let before = world.site.app.snapshots().load();
    world.rounds(RISKY, 3).await;
    world.rounds(DETECTIONS, 1).await;
    assert!(world.site.app.snapshots().is_current(&before));
    assert_eq!(world.counted("level", "applied").await, 1);
    assert!(world.counted("level", "duplicate").await >= 3);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_detections_of_graph_are_shown_beside_the_gateways_own() {
    let world = World::with("", |graph| {
        let mut found = detection("1e00aa", "2026-10-01T12:00:00Z");
        found["riskEvidence"] = json!("reached 12 resources that it never used\u{1b}[31m");
        graph.put(DETECTIONS, found);
        graph.put(DETECTIONS, json!({"id": "1e00bb", "riskLevel": "high"}));
    })
    .await;
    let path = "/beta/identityProtection/agentRiskDetections";
    let mut shown = json!(null);
    world
        .site
        .until("the detection is shown", async |site| {
            shown = site.manage(Method::GET, path, "").await.json();
            shown["value"].as_array().is_some_and(|all| !all.is_empty())
        })
        .await;
    let one = &shown["value"][0];
    assert_eq!(shown["value"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(one["riskEventType"], "unfamiliarResourceAccess", "{shown}");
    assert_eq!(
        (&one["identityId"], &one["source"]),
        (&json!(AGENT), &json!("graph"))
    );
    assert_eq!(one["detectedDateTime"], "2026-10-01T12:00:00Z");
    let evidence = one["riskEvidence"].as_str().unwrap();
    assert_eq!(
        evidence,
        "reached 12 resources that it never used[31m; in Graph: 1e00aa"
    );
    // A detection says why; nobody's calls rest on it. What cannot be read shows.
    assert_eq!(world.status().await, 200);
    world.until_fault(DETECTIONS, "missing").await;
    assert_eq!(world.fault(RISKY).await, "");
    world.site.app.stop().await.unwrap();
}

pub(super) fn detection(id: &str, at: &str) -> serde_json::Value {
    json!({
        "id": id, "agentId": AGENT, "agentDisplayName": "hr-agent-01", "identityId": AGENT, "displayName": "hr-agent-01",
        "identityType": "agentIdentity", "blueprintId": BLUEPRINT, "activityDateTime": at, "detectedDateTime": at,
        "lastModifiedDateTime": at, "detectionTimingType": "offline", "riskEventType": "unfamiliarResourceAccess",
        "riskLevel": "high", "riskState": "atRisk", "riskDetail": "none", "riskEvidence": null, "additionalInfo": null,
        "source": "IdentityProtection", "signInCorrelationId": null, "signInRequestId": null,
        "signInClientDisplayName": null, "clientSessionId": null,
    })
}
