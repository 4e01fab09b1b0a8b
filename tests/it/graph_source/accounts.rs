//! An administrator disables here what Graph alone lists, and takes that back.

use http::Method;
use serde_json::{Value, json};

use super::World;
use super::directory::{
    AGENTS, LISTED, LISTED_PRINCIPAL, LISTED_USER, PRINCIPALS, code, listed, principal, start,
    token, until_code,
};
use super::server::Trouble;
use crate::support::client::Client;
use crate::support::gateway::as_administrator;
use crate::support::site::{Answer, exchange};

async fn patch(world: &World, path: &str, body: &Value) -> Answer {
    let path = format!("/beta/{path}");
    world
        .site
        .manage(Method::PATCH, &path, &body.to_string())
        .await
}

async fn enable(world: &World, path: &str, enabled: bool) -> u16 {
    let answer = patch(world, path, &json!({"accountEnabled": enabled})).await;
    answer.status.as_u16()
}

async fn get(world: &World, path: &str) -> Value {
    world
        .site
        .manage(Method::GET, &format!("/beta/{path}"), "")
        .await
        .json()
}

/// The ids of agents and blueprints that are disabled.
async fn disabled(world: &World) -> Vec<String> {
    let list = get(world, "servicePrincipals?$filter=not%20accountEnabled").await;
    let all = list["value"].as_array().unwrap().iter();
    all.map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn explained(world: &World) -> Value {
    let path = format!("identityProtection/riskyAgents/{LISTED}/boomgate.explain");
    get(world, &path).await
}

#[tokio::test]
async fn an_agent_that_only_graph_lists_is_disabled_here_until_that_is_taken_back() {
    let world = start("").await;
    until_code(&world, "").await;
    let path = format!("servicePrincipals/{LISTED}");
    assert_eq!(enable(&world, &path, false).await, 204);
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert_eq!(disabled(&world).await, [LISTED]);
    let of = explained(&world).await;
    assert_eq!(of["isEnabled"], false, "{of}");
    let said = &of["subjects"][0]["accounts"];
    assert_eq!(said[0]["source"], "management", "{of}");
    assert_eq!(said[0]["accountEnabled"], false, "{of}");

    // That its risk is none lets it in no more than Graph, which goes on saying that it is enabled.
    let safe = json!({"agentIds": [LISTED]}).to_string();
    let safe_path = "/beta/identityProtection/riskyAgents/confirmSafe";
    let answer = world.site.manage(Method::POST, safe_path, &safe).await;
    assert_eq!(answer.status, 204);
    world.graph.put(AGENTS, listed(LISTED, true));
    world.rounds(AGENTS, 2).await;
    assert_eq!(code(&world.site).await, "agent_disabled");
    // It outlives a restart, and Graph.
    world
        .graph
        .always(AGENTS, Some(Trouble::Status(500, "InternalServerError")));
    let World { site, graph } = world;
    let site = site.restart().await;
    let world = World { site, graph };
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert_eq!(disabled(&world).await, [LISTED]);

    assert_eq!(enable(&world, &path, true).await, 204);
    assert_eq!(code(&world.site).await, "");
    assert_eq!(disabled(&world).await, Vec::<String>::new());
    assert_eq!(explained(&world).await["isEnabled"], true);
    let mut changes = world.site.records();
    changes.retain(|record| {
        let is_update = record["activityDisplayName"] == "Update service principal";
        is_update && record["boomgate"]["change"] == "begun"
    });
    let target = |old: &str, new: &str| {
        json!([{"id": LISTED, "displayName": "listed-agent", "type": "ServicePrincipal", "modifiedProperties": [
            {"displayName": "accountEnabled", "oldValue": old, "newValue": new}]}])
    };
    assert_eq!(changes[0]["targetResources"], target("true", "false"));
    assert_eq!(changes[1]["targetResources"], target("false", "true"));
    assert_eq!(changes.len(), 2);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_graph_disables_is_not_enabled_here_nor_does_graph_take_a_word_of_here_back() {
    let world = start("").await;
    until_code(&world, "").await;
    let path = format!("servicePrincipals/{LISTED}");
    world.graph.put(AGENTS, listed(LISTED, false));
    until_code(&world, "agent_disabled").await;
    let refused = patch(&world, &path, &json!({"accountEnabled": true})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(
        refused.json().to_string().contains("enable it there"),
        "{refused:?}"
    );
    assert_eq!(code(&world.site).await, "agent_disabled");
    // It is disabled here as well, so that Graph's enabling it changes nothing.
    assert_eq!(enable(&world, &path, false).await, 204);
    world.graph.put(AGENTS, listed(LISTED, true));
    world.rounds(AGENTS, 2).await;
    assert_eq!(code(&world.site).await, "agent_disabled");
    // Nor does an entry of the operator's own that says so.
    let mut own = listed(LISTED, true);
    own["@odata.type"] = json!("#microsoft.graph.agentIdentity");
    own["displayName"] = json!("own-agent");
    std::fs::write(world.site.path("agents/own.json"), own.to_string()).unwrap();
    let is_read = async |_: &_| get(&world, &path).await["displayName"] == "own-agent";
    world.site.until("the entry is read", is_read).await;
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert_eq!(enable(&world, &path, true).await, 204);
    assert_eq!(code(&world.site).await, "");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_blueprint_that_only_graph_lists_takes_its_agents_out_with_it() {
    let world = start("").await;
    until_code(&world, "").await;
    let path = format!("servicePrincipals/{LISTED_PRINCIPAL}");
    assert_eq!(enable(&world, &path, false).await, 204);
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert_eq!(disabled(&world).await, [LISTED_PRINCIPAL]);
    world.graph.put(PRINCIPALS, principal(true));
    world.rounds(PRINCIPALS, 2).await;
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert_eq!(enable(&world, &path, true).await, 204);
    assert_eq!(code(&world.site).await, "");

    let user = format!("users/{LISTED_USER}");
    assert_eq!(enable(&world, &user, false).await, 204);
    assert_eq!(get(&world, &user).await["accountEnabled"], false);
    assert_eq!(code(&world.site).await, "");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn of_what_graph_lists_nothing_else_is_changed_here_and_only_in_a_version_that_was_seen() {
    let world = start("").await;
    until_code(&world, "").await;
    let path = format!("servicePrincipals/{LISTED}");
    let attributes = json!({"AgentAttributes": {"Department": "IT"}});
    for body in [
        json!({"customSecurityAttributes": attributes}),
        json!({"customSecurityAttributes": attributes, "accountEnabled": false}),
    ] {
        let refused = patch(&world, &path, &body).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert_eq!(code(&world.site).await, "");
    }
    let shown = get(&world, &path).await;
    let tag = shown["@odata.etag"].as_str().unwrap();
    let conditional = async |enabled: bool| {
        let client = Client::http1(&world.site.pki, world.site.app.management()).await;
        let request = as_administrator(Method::PATCH, &format!("/beta/{path}"));
        let body = json!({"accountEnabled": enabled}).to_string();
        exchange(client, request.header("if-match", tag), &body).await
    };
    let made = conditional(false).await;
    assert_eq!(made.status, 204, "{made:?}");
    assert_ne!(made.header("etag"), tag);
    // The version that was seen is gone.
    assert_eq!(conditional(true).await.status, 412);
    assert_eq!(code(&world.site).await, "agent_disabled");
    assert!(!token(&world.site).is_empty());
    world.site.app.stop().await.unwrap();
}
