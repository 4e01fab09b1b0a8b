//! The agents that Graph lists: known, disabled, gone, and what happens when they cannot be read.

use serde_json::{Value, json};

use super::server::Trouble;
use super::{World, lay_with};
use crate::support::log::Log;
use crate::support::site::{AGENT, BLUEPRINT, PRINCIPAL, Site};

pub(super) const AGENTS: &str = "microsoft.graph.agentIdentity";
pub(super) const PRINCIPALS: &str = "microsoft.graph.agentIdentityBlueprintPrincipal";
pub(super) const USERS: &str = "microsoft.graph.agentUser";

/// An agent that only Graph lists.
pub(super) const LISTED: &str = "a9a9a9a9-0000-4000-8000-000000000099";
pub(super) const LISTED_PRINCIPAL: &str = "b1b1b1b1-0000-4000-8000-0000000000a9";
const LISTED_BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000009";
pub(super) const LISTED_USER: &str = "c3c3c3c3-0000-4000-8000-000000000099";

/// An agent as Graph lists it, with members that nobody asks for.
pub(super) fn listed(id: &str, enabled: bool) -> Value {
    json!({
        "id": id, "appId": id, "displayName": "listed-agent", "accountEnabled": enabled, "servicePrincipalType": "Agent",
        "agentIdentityBlueprintId": LISTED_BLUEPRINT, "createdDateTime": "2026-10-01T12:00:00Z", "tags": [],
        "customSecurityAttributes": {"AgentAttributes": {"Department": "HR"}},
    })
}

pub(super) fn principal(enabled: bool) -> Value {
    json!({"id": LISTED_PRINCIPAL, "appId": LISTED_BLUEPRINT, "displayName": "Listed",
        "accountEnabled": enabled})
}

pub(super) fn user() -> Value {
    json!({"id": LISTED_USER, "displayName": "listed-user", "userPrincipalName": "listed@example.com",
        "accountEnabled": true, "identityParentId": LISTED, "mail": null})
}

/// A gateway that blocks whom it does not know; with further members of the part that is about Graph's directory.
pub(super) async fn start(more: &str) -> World {
    let sections = format!(
        "directory: {{dir: agents, unknown_agents: block, graph: {{dir: graph-directory, interval: 1s{more}}}}}"
    );
    let (ground, graph) = lay_with(&sections, "").await;
    graph.put(PRINCIPALS, principal(true));
    graph.put(AGENTS, listed(LISTED, true));
    graph.put(USERS, user());
    World {
        site: Site::on(ground),
        graph,
    }
}

async fn status_of(site: &Site, agent: &str) -> u16 {
    let token = site.agent_token(agent);
    site.get("/hr/people", &token).await.status.as_u16()
}

/// A token of the listed agent.
pub(super) fn token(site: &Site) -> String {
    site.token(
        &json!({"azp": LISTED, "oid": LISTED, "sub": LISTED, "xms_par_app_azp": LISTED_BLUEPRINT}),
    )
}

/// The problem's code that calls of the listed agent are answered with; empty if they are forwarded.
pub(super) async fn code(site: &Site) -> String {
    let token = token(site);
    let answer = site.get("/hr/people", &token).await;
    match answer.status.as_u16() {
        200 => String::new(),
        _ => answer.json()["code"].as_str().unwrap_or("?").to_owned(),
    }
}

pub(super) async fn until_code(world: &World, expected: &str) {
    let what = format!("a call of the listed agent is answered with {expected:?}");
    let is = async |site: &Site| code(site).await == expected;
    world.site.until(&what, is).await;
}

#[tokio::test]
async fn an_agent_that_graph_lists_is_known_and_one_that_is_disabled_there_or_gone_is_out() {
    let world = start("").await;
    until_code(&world, "").await;
    world.graph.put(AGENTS, listed(LISTED, false));
    until_code(&world, "agent_disabled").await;
    world.graph.put(AGENTS, listed(LISTED, true));
    until_code(&world, "").await;
    world.graph.put(PRINCIPALS, principal(false));
    until_code(&world, "agent_disabled").await;
    let reason = |record: &Value| record["boomgate"]["reason"] == "blueprint_disabled";
    let is_recorded = async |site: &Site| site.records().iter().any(reason);
    world.site.until("it is on record", is_recorded).await;
    world.graph.put(PRINCIPALS, principal(true));
    until_code(&world, "").await;
    world.graph.remove(USERS, LISTED_USER);
    world.graph.remove(AGENTS, LISTED);
    until_code(&world, "agent_unknown").await;
    assert_eq!(status_of(&world.site, AGENT).await, 200);

    let asked = world.graph.asked(AGENTS);
    let query = &asked.last().unwrap().query;
    let members = "id,displayName,accountEnabled,agentIdentityBlueprintId,createdDateTime";
    assert_eq!(*query, format!("$top=500&$select={members}"));
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_without_graph_knows_its_agents_and_nothing_is_written_while_nothing_changes() {
    let world = start("").await;
    until_code(&world, "").await;
    let file = world.site.path("graph-directory/agent-identities.json");
    let written = || std::fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    world.rounds(USERS, 2).await;
    assert_eq!(written(), before);
    for list in [AGENTS, PRINCIPALS, USERS, super::RISKY] {
        world
            .graph
            .always(list, Some(Trouble::Status(500, "InternalServerError")));
    }
    let World { site, graph } = world;
    let world = World {
        site: site.restart().await,
        graph,
    };
    assert_eq!(code(&world.site).await, "");
    world.until_fault("graph_directory", "500").await;
    assert_eq!(code(&world.site).await, "");
    let labels = [("source", "graph_directory")];
    assert!(
        world
            .site
            .gauge("boomgate_signal_age_seconds", &labels)
            .await
            >= 0.0
    );
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_whole_changes_nothing() {
    let world = start("").await;
    until_code(&world, "").await;
    world.graph.set_page_size(1);
    let folder = world.site.path("graph-directory");
    let texts = || {
        let mut texts: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        texts.sort();
        texts
    };
    let before = texts();
    for (trouble, says) in [
        (
            Trouble::Status(403, "Authorization_RequestDenied"),
            "`User.Read.All`",
        ),
        (Trouble::Body("{}".to_owned()), "no array `value`"),
        (
            Trouble::Body(r#"{"value":[{"id":"x","accountEnabled":null}]}"#.to_owned()),
            "`x` does not say whether it is enabled",
        ),
        (
            Trouble::Body(r#"{"value":[{"id":"x","accountEnabled":true}]}"#.to_owned()),
            "identityParentId",
        ),
        (
            Trouble::Body(r#"{"value":[{"accountEnabled":true}]}"#.to_owned()),
            "has no `id`",
        ),
    ] {
        // The list that fails is the last one; what those before it say has changed.
        world.graph.always(USERS, Some(trouble));
        world.graph.put(AGENTS, listed(LISTED, false));
        world.until_fault("graph_directory", says).await;
        assert_eq!(texts(), before, "{says}");
        assert_eq!(code(&world.site).await, "", "{says}");
        world.graph.put(AGENTS, listed(LISTED, true));
        world.graph.always(USERS, None);
        world.until_fault("graph_directory", "").await;
    }
    world.graph.put(AGENTS, listed(LISTED, false));
    until_code(&world, "agent_disabled").await;
    world.until_fault("graph_directory", "").await;
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn of_an_agent_in_both_the_operators_entry_stands_and_that_is_said() {
    let log = Log::start();
    let world = start("").await;
    until_code(&world, "").await;
    let mut same = listed(AGENT, false);
    same["agentIdentityBlueprintId"] = json!(BLUEPRINT);
    world.graph.put(AGENTS, same);
    world.graph.put(
        PRINCIPALS,
        json!({"id": PRINCIPAL, "appId": BLUEPRINT, "accountEnabled": false}),
    );
    let is_said = async |_: &Site| log.has(&["2 of what Graph lists is in `dir` too"]);
    world.site.until("that is said", is_said).await;
    assert_eq!(status_of(&world.site, AGENT).await, 200);
    assert_eq!(code(&world.site).await, "");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn custom_security_attributes_are_read_where_that_is_wanted() {
    let world = start(", custom_security_attributes: true").await;
    until_code(&world, "").await;
    let query = world.graph.asked(AGENTS).pop().unwrap().query;
    assert!(query.ends_with(",customSecurityAttributes"), "{query}");
    let path = format!("/beta/servicePrincipals/{LISTED}?$select=customSecurityAttributes");
    let shown = world.site.manage(http::Method::GET, &path, "").await.json();
    let department = &shown["customSecurityAttributes"]["AgentAttributes"]["Department"];
    assert_eq!(department, "HR", "{shown}");
    world.site.app.stop().await.unwrap();
}
