//! Accounts that are changed over the API: disabled and enabled at once, with all else in their file as it was.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{all, error, found};
use crate::support::site::{AGENT, AGENT_USER, Answer, BLUEPRINT, PRINCIPAL, Setup, Site, agent};

async fn patch(site: &Site, path: &str, body: Value) -> Answer {
    site.manage(Method::PATCH, &format!("/v1.0/{path}"), &body.to_string())
        .await
}

async fn call(site: &Site) -> StatusCode {
    site.get("/hr/people", &site.agent_token(AGENT))
        .await
        .status
}

fn file(site: &Site) -> Value {
    let text = std::fs::read_to_string(site.path("agents/agents.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn an_agent_is_out_when_the_answer_is_there_and_in_again_after_the_next() {
    let site = Site::start(Setup::default()).await;
    let before = file(&site);
    assert_eq!(call(&site).await, StatusCode::OK);
    for (path, id) in [
        (format!("servicePrincipals/{AGENT}"), AGENT),
        (
            format!(
                "servicePrincipals/{}/microsoft.graph.agentIdentity",
                AGENT.to_uppercase()
            ),
            AGENT,
        ),
        (format!("servicePrincipals/{PRINCIPAL}"), PRINCIPAL),
    ] {
        let answer = patch(&site, &path, json!({"accountEnabled": false})).await;
        assert_eq!(
            answer.status,
            StatusCode::NO_CONTENT,
            "{path}: {}",
            answer.json()
        );
        assert_eq!(call(&site).await, StatusCode::FORBIDDEN, "{path}");
        let disabled = "/beta/servicePrincipals?$filter=not accountEnabled";
        assert_eq!(all(&site, disabled, "id").await, [id]);
        let sdk =
            json!({"@odata.type": "#microsoft.graph.servicePrincipal", "accountEnabled": true});
        let answer = patch(&site, &path, sdk).await;
        assert_eq!(
            answer.status,
            StatusCode::NO_CONTENT,
            "{path}: {}",
            answer.json()
        );
        assert_eq!(call(&site).await, StatusCode::OK, "{path}");
    }
    let after = file(&site);
    assert_eq!(after, before, "all else stayed");

    let answer = patch(
        &site,
        &format!("users/{AGENT_USER}"),
        json!({"accountEnabled": false}),
    )
    .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let user = found(&site, &format!("/beta/users/{AGENT_USER}")).await;
    assert_eq!(user["accountEnabled"], false);
    let mut changes = site.records();
    changes.retain(|record| record["boomgate"]["change"] == "begun");
    assert_eq!(changes.len(), 7);
    assert_eq!(
        changes[0]["activityDisplayName"],
        "Update service principal"
    );
    assert_eq!(
        changes[0]["targetResources"],
        json!([{"id": AGENT, "displayName": "hr-agent", "type": "ServicePrincipal", "modifiedProperties": [
            {"displayName": "accountEnabled", "oldValue": "true", "newValue": "false"}]}])
    );
}

#[tokio::test]
async fn attributes_are_changed_one_by_one_and_read_back_as_sent() {
    let mut setup = Setup::default();
    setup.directory.retain(|object| object["id"] != AGENT);
    let mut described = agent(AGENT, "hr-agent");
    described["customSecurityAttributes"] =
        json!({"AgentAttributes": {"Department": "HR", "Level": 3}});
    setup.directory.push(described);
    let site = Site::start(setup).await;
    let sent = json!({"customSecurityAttributes": {"AgentAttributes": {
        "@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
        "AgentApprovalStatus@odata.type": "#Collection(String)",
        "AgentApprovalStatus": ["HR_Approved"],
        "Level": null,
    }}});
    let path = format!("servicePrincipals/{AGENT}");
    let answer = patch(&site, &path, sent).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.json());
    let read = found(
        &site,
        &format!("/v1.0/{path}?$select=customSecurityAttributes"),
    )
    .await;
    assert_eq!(
        read["customSecurityAttributes"],
        json!({"AgentAttributes": {
            "@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
            "AgentApprovalStatus@odata.type": "#Collection(String)",
            "AgentApprovalStatus": ["HR_Approved"], "Department": "HR", "Level": null,
        }})
    );
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_and_stays() {
    let site = Site::start(Setup::default()).await;
    let before = file(&site);
    let agent = format!("servicePrincipals/{AGENT}");
    for (path, body, status, part) in [
        (
            &agent,
            json!({"displayName": "x"}),
            400,
            "`displayName` cannot be changed here",
        ),
        (
            &agent,
            json!({"accountEnabled": "false"}),
            400,
            "accountEnabled: expected true or false",
        ),
        (
            &agent,
            json!({"accountEnabled": false, "appId": "x"}),
            400,
            "`appId` cannot be changed here",
        ),
        (
            &agent,
            json!({}),
            400,
            "expected `accountEnabled` or `customSecurityAttributes`",
        ),
        (
            &agent,
            json!({"customSecurityAttributes": {"A": {"B": {"C": 1}}}}),
            400,
            "customSecurityAttributes",
        ),
        (
            &"servicePrincipals/nobody".to_owned(),
            json!({"accountEnabled": false}),
            404,
            "no agent identity",
        ),
        (
            &format!("servicePrincipals/{AGENT_USER}"),
            json!({"accountEnabled": false}),
            404,
            "no agent identity",
        ),
        (
            &format!("applications/{BLUEPRINT}"),
            json!({"accountEnabled": false}),
            405,
            "the method does not fit",
        ),
    ] {
        let answer = patch(&site, path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}");
        let (_, message) = error(&answer);
        assert!(message.contains(part), "{path} {body}: {message}");
    }
    assert_eq!(file(&site), before);
    assert_eq!(call(&site).await, StatusCode::OK);
}
