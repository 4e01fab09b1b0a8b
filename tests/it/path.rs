//! The path of a call, over real sockets.

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, block};

#[tokio::test]
async fn forwards_an_agent_that_no_policy_blocks_and_tells_the_upstream_who_it_is() {
    let site = Site::start(Setup::default()).await;
    let answer = site
        .get("/hr/people?limit=3", &site.agent_token(AGENT))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let call = site.upstream.only_call();
    assert_eq!(call.target, "/hr/people?limit=3");
    assert_eq!(call.headers["boomgate-agent-id"], AGENT);
    assert_eq!(call.headers["boomgate-agent-type"], "agent_identity");
    assert_eq!(
        call.headers["boomgate-decision-id"],
        answer.header("boomgate-decision-id")
    );
}

#[tokio::test]
async fn blocks_an_agent_while_its_token_is_still_valid_once_it_is_confirmed_compromised() {
    let policy = block("p1", json!({"agentIdRiskLevels": "high"}));
    let site = Site::start(Setup {
        policies: vec![policy],
        ..Setup::default()
    })
    .await;
    let token = site.agent_token(AGENT);
    assert_eq!(site.get("/hr/people", &token).await.status, StatusCode::OK);

    let body = json!({"agentIds": [AGENT]}).to_string();
    let path = "/beta/identityProtection/riskyAgents/confirmCompromised";
    let confirmed = site.manage(Method::POST, path, &body).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);

    let blocked = site.get("/hr/people", &token).await;
    assert_eq!(blocked.status, StatusCode::FORBIDDEN);
    assert_eq!(blocked.json()["code"], "53003");
    let other = site.get("/hr/people", &site.agent_token(OTHER_AGENT)).await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(site.upstream.calls().len(), 2);
}
