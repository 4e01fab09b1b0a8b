//! As whom Graph is asked: a client secret, a federated token, and tokens that are not taken.

use serde_json::json;

use super::server::CLIENT_SECRET;
use super::server::Trouble;
use super::{DETECTIONS, RISKY, World, append, lay, section};
use crate::support::log::Log;
use crate::support::site::Site;

#[tokio::test]
async fn one_token_serves_until_it_is_refused_and_then_one_new_one() {
    let world = World::start("").await;
    world.rounds(RISKY, 3).await;
    assert_eq!(world.graph.issued(), 1);
    world.graph.revoke_tokens();
    world.rounds(RISKY, 3).await;
    assert_eq!(world.graph.issued(), 2);
    assert_eq!(world.fault(RISKY).await, "");

    // A token that is refused although it is new is not renewed again and again.
    world.graph.always(
        RISKY,
        Some(Trouble::Status(401, "InvalidAuthenticationToken")),
    );
    let fault = world
        .until_fault(RISKY, "401 InvalidAuthenticationToken")
        .await;
    assert!(fault.contains("`scope`"), "{fault}");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let world = World::start("").await;
    world.graph.always(
        RISKY,
        Some(Trouble::Status(403, "Authorization_RequestDenied")),
    );
    let fault = world
        .until_fault(RISKY, "403 Authorization_RequestDenied")
        .await;
    assert!(fault.contains("`IdentityRiskyAgent.Read.All`"), "{fault}");
    world.graph.always(
        DETECTIONS,
        Some(Trouble::Status(403, "Authorization_RequestDenied")),
    );
    world
        .until_fault(DETECTIONS, "`IdentityRiskEvent.Read.All`")
        .await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_says_why_and_no_secret_shows() {
    let log = Log::start();
    let world = World::start("").await;
    world.graph.revoke_tokens();
    let refusal = json!({"error": "invalid_client", "error_codes": [7_000_222],
        "error_description": format!("AADSTS7000222: the secret {CLIENT_SECRET} has expired")});
    world.graph.refuse_tokens(Some((401, refusal)));
    let fault = world
        .until_fault(RISKY, "invalid_client, AADSTS7000222")
        .await;
    assert!(fault.contains("or has expired"), "{fault}");
    for answer in [
        json!({"token_type": "Bearer"}),
        json!({"access_token": "a\nb", "token_type": "Bearer"}),
        json!({"access_token": "a", "token_type": "pop"}),
    ] {
        world.graph.refuse_tokens(Some((200, answer)));
        world.until_fault(RISKY, "token").await;
    }
    world.graph.refuse_tokens(None);
    world.until_fault(RISKY, "").await;
    for shown in [log.text(), world.ready().await.to_string()] {
        assert!(
            !shown.contains(CLIENT_SECRET) && !shown.contains("graph-token-"),
            "{shown}"
        );
    }
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_federated_token_is_read_again_for_each_token_of_graphs() {
    let (ground, graph) = lay("").await;
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("graph: {").unwrap();
    std::fs::write(&path, before).unwrap();
    append(
        &ground,
        &section(&graph.url, "federated_token_file: federated-token", ""),
    );
    std::fs::write(ground.path("federated-token"), "e30.one.x\n").unwrap();
    graph.expect_assertion("e30.one.x");
    let world = World {
        site: Site::on(ground),
        graph,
    };
    world.rounds(RISKY, 1).await;
    world.until_fault(RISKY, "").await;
    let form = world.graph.forms().pop().unwrap();
    assert!(!form.contains_key("client_secret"), "{form:?}");

    // Kubernetes replaces it; no reload is needed.
    std::fs::write(world.site.path("federated-token"), "e30.two.x").unwrap();
    world.graph.expect_assertion("e30.two.x");
    world.graph.revoke_tokens();
    world.rounds(RISKY, 2).await;
    assert_eq!(world.graph.issued(), 2);
    assert_eq!(world.fault(RISKY).await, "");

    std::fs::write(world.site.path("federated-token"), " \n").unwrap();
    world.graph.revoke_tokens();
    world.until_fault(RISKY, "it holds no token").await;
    std::fs::remove_file(world.site.path("federated-token")).unwrap();
    world.until_fault(RISKY, "no such file").await;
    world.site.app.stop().await.unwrap();
}
