//! Graph that does not answer, or asks for patience.

use std::time::{Duration, Instant};

use super::server::Trouble;
use super::{RISKY, World, append, lay, risky, section};
use crate::support::log::Log;
use crate::support::site::{AGENT, Site};

const DOWN: Trouble = Trouble::Status(500, "InternalServerError");

#[tokio::test]
async fn calls_are_refused_once_a_required_graph_was_not_read_for_too_long_and_let_in_when_it_is_back()
 {
    let log = Log::start();
    let world = World::start(", required: true, max_age: 3s").await;
    world.until_status(200).await;
    world.graph.always(RISKY, Some(DOWN));
    world.until_fault(RISKY, "500 InternalServerError").await;
    // What it said last is fresh enough for now.
    world.until_status(503).await;
    let token = world.site.agent_token(AGENT);
    let answer = world.site.get("/hr/people", &token).await;
    assert_eq!(answer.json()["code"], "facts_unavailable", "{answer:?}");
    let ready = world.ready().await;
    assert_eq!(ready["status"], "not_ready", "{ready}");
    assert!(world.fault("graph").await.contains("required"), "{ready}");
    let age = world
        .site
        .gauge("boomgate_signal_age_seconds", &[("source", "graph")])
        .await;
    assert!((3.0..60.0).contains(&age), "{age}");

    world.graph.always(RISKY, None);
    world.until_status(200).await;
    world.until_fault(RISKY, "").await;
    assert_eq!(world.ready().await["status"], "ready");
    assert!(
        log.has(&["INFO", "Graph is read whole again"]),
        "{}",
        log.text()
    );
    let text = log.text();
    let said = text
        .lines()
        .filter(|line| line.contains("500 Internal") && line.contains("list=\"riskyAgents\""));
    assert_eq!(said.count(), 1, "{text}");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn without_required_calls_go_on_with_what_graph_said_last() {
    let world = World::with(", max_age: 2s", |graph| {
        graph.put(RISKY, risky(AGENT, "low", "atRisk", "2026-10-01T12:00:00Z"));
    })
    .await;
    world.rounds(RISKY, 2).await;
    world.graph.always(RISKY, Some(DOWN));
    let labels = [("source", "graph")];
    let is_old = async |site: &Site| site.gauge("boomgate_signal_age_seconds", &labels).await > 2.5;
    world.site.until("what is known is old", is_old).await;
    assert_eq!(world.status().await, 200);
    assert_eq!(world.ready().await["status"], "degraded");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_required_graph_that_was_never_read_stops_calls_from_the_first_one() {
    let (ground, graph) = lay("").await;
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("graph: {").unwrap();
    std::fs::write(&path, before).unwrap();
    // Nobody listens there.
    let proof = "client_secret: 'file:graph-secret'";
    append(
        &ground,
        &section(
            "https://localhost:9",
            proof,
            ", required: true, max_age: 1m",
        ),
    );
    let world = World {
        site: Site::on(ground),
        graph,
    };
    assert_eq!(world.status().await, 503);
    world.until_fault(RISKY, "no connection to").await;

    // Without the section nobody waits for it.
    std::fs::write(&path, before).unwrap();
    world.until_status(200).await;
    world.until_fault(RISKY, "").await;
    assert_eq!(world.fault("graph").await, "");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_goes_on_with_what_graph_said_for_as_long_as_it_is_fresh() {
    let world = World::start(", required: true, max_age: 10m").await;
    world.until_status(200).await;
    world.graph.always(RISKY, Some(DOWN));
    let World { site, graph } = world;
    let world = World {
        site: site.restart().await,
        graph,
    };
    assert_eq!(world.status().await, 200);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn graph_is_not_asked_before_the_time_that_it_names() {
    let world = World::start("").await;
    world.rounds(RISKY, 2).await;
    world.graph.next(RISKY, Trouble::Throttle(3));
    world.until_fault(RISKY, "asks for patience (429").await;
    let throttled = Instant::now();
    let asked = world.graph.asked(RISKY).len();
    world.until_fault(RISKY, "").await;
    assert!(throttled.elapsed() > Duration::from_secs(2));
    let asked = world.graph.asked(RISKY).split_off(asked - 1);
    let pause = asked[1].at - asked[0].at;
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
    world.site.app.stop().await.unwrap();
}
