//! Sign-ins: the newest calls, as they were decided and how they ended.

use http::StatusCode;
use serde_json::json;

use super::{all, error, found, get, get_with};
use crate::support::site::{
    AGENT, AGENT_USER, BLUEPRINT, OTHER_AGENT, RESOURCE, Setup, Site, block,
};

const SIGN_INS: &str = "/beta/auditLogs/signIns";

/// A gateway that blocks one agent, after a call that was forwarded, one that was blocked, and one without a token.
async fn site() -> Site {
    let agents = json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    let site = Site::start(Setup {
        policies: vec![block("10000000-0000-4000-8000-000000000001", agents)],
        ..Setup::default()
    })
    .await;
    let forwarded = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(forwarded.status, StatusCode::OK);
    let blocked = site.get("/hr/people", &site.agent_token(OTHER_AGENT)).await;
    assert_eq!(blocked.status, StatusCode::FORBIDDEN);
    let nobody = site.get("/hr/people", "no-token").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    site.until("all three calls are seen to their end", async |site| {
        let ended = format!("{SIGN_INS}?$filter=boomgate/outcome ne null");
        all(site, &ended, "id").await.len() == 3
    })
    .await;
    site
}

#[tokio::test]
async fn the_newest_calls_come_first_with_their_outcomes() {
    let site = site().await;
    let list = found(&site, SIGN_INS).await;
    assert_eq!(
        list["@odata.context"],
        "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns"
    );
    let [refused, blocked, forwarded] = [0, 1, 2].map(|at| &list["value"][at]);
    assert_eq!(refused["appId"], json!(null));
    assert_eq!(refused["boomgate"]["reason"], "token_malformed");
    assert_eq!(blocked["conditionalAccessStatus"], "failure");
    assert_eq!(blocked["status"]["errorCode"], 53003);
    assert_eq!(blocked["boomgate"]["outcome"]["status"], 403);
    assert_eq!(forwarded["resourceId"], RESOURCE);
    assert_eq!(forwarded["boomgate"]["outcome"]["result"], "completed");
    assert_eq!(
        forwarded["agent"],
        json!({"agentType": "agenticAppInstance", "parentAppId": BLUEPRINT,
            "agentSubjectType": "agenticAppInstance", "agentSubjectParentId": null})
    );
    // What is shown is what is in the file.
    let (decision, outcome) = site.record(forwarded["id"].as_str().unwrap()).await;
    let mut whole = decision;
    whole["boomgate"]["outcome"] = outcome;
    assert_eq!(*forwarded, whole);

    let path = format!("{SIGN_INS}/{}", blocked["id"].as_str().unwrap());
    let mut one = found(&site, &path).await;
    one.as_object_mut().unwrap().remove("@odata.context");
    assert_eq!(one, *blocked);
    let gone = get(&site, &format!("{SIGN_INS}/{AGENT}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn calls_are_found_by_what_a_record_says() {
    let site = site().await;
    for (filter, apps) in [
        (
            "agent/agentType eq 'agenticAppInstance'".to_owned(),
            vec![OTHER_AGENT, AGENT],
        ),
        (format!("appId eq '{AGENT}'"), vec![AGENT]),
        (
            format!("agent/parentAppId eq '{}'", BLUEPRINT.to_uppercase()),
            vec![OTHER_AGENT, AGENT],
        ),
        (
            "signInEventTypes/any(t: t eq 'servicePrincipal')".to_owned(),
            vec![OTHER_AGENT, AGENT],
        ),
        ("status/errorCode eq 53003".to_owned(), vec![OTHER_AGENT]),
        (
            "status/errorCode ne 0".to_owned(),
            vec!["null", OTHER_AGENT],
        ),
        (
            "conditionalAccessStatus eq 'failure'".to_owned(),
            vec![OTHER_AGENT],
        ),
        (
            "appliedConditionalAccessPolicies/any(p: p/result eq 'failure')".to_owned(),
            vec![OTHER_AGENT],
        ),
        ("boomgate/decision eq 'allow'".to_owned(), vec![AGENT]),
        ("createdDateTime lt 2020-01-01T00:00:00Z".to_owned(), vec![]),
        (
            "createdDateTime ge 2020-01-01".to_owned(),
            vec!["null", OTHER_AGENT, AGENT],
        ),
    ] {
        let path = format!("{SIGN_INS}?$filter={filter}&$top=1");
        assert_eq!(all(&site, &path, "appId").await, apps, "{filter}");
    }
    let path = format!("{SIGN_INS}?$filter=agent/agentType eq 'AgentIdentity'");
    let (code, message) = error(&get(&site, &path).await);
    assert_eq!(code, "BadRequest");
    assert!(
        message.contains("expected one of notAgentic, agenticApp, agenticAppInstance"),
        "{message}"
    );
    let oldest = format!("{SIGN_INS}?$orderby=createdDateTime&$top=2");
    assert_eq!(
        all(&site, &oldest, "appId").await,
        [AGENT, OTHER_AGENT, "null"]
    );
}

#[tokio::test]
async fn the_older_schema_has_no_agents() {
    let site = site().await;
    let list = found(&site, "/v1.0/auditLogs/signIns?$top=3").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 3);
    assert_eq!(list["value"][1].get("agent"), None);
    assert_eq!(list["value"][1].get("signInEventTypes"), None);
    assert_eq!(list["value"][1]["appId"], OTHER_AGENT);
    let path = "/v1.0/auditLogs/signIns?$filter=agent/agentType eq 'agenticApp'";
    let (_, message) = error(&get(&site, path).await);
    assert_eq!(
        message,
        "`$filter`, character 1: there is no property `agent`"
    );
}

#[tokio::test]
async fn an_agent_user_is_named_to_those_who_know_the_name() {
    let site = Site::start(Setup::default()).await;
    let claims = json!({"oid": AGENT_USER, "sub": AGENT_USER, "idtyp": "user", "scp": "x", "xms_sub_fct": "13 3",
        "xms_idrel": "1"});
    let answer = site.get("/hr/people", &site.token(&claims)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let filter = format!("{SIGN_INS}?$filter=agent/agentSubjectType eq 'agentIDuser'");
    site.until("the call is seen", async |site| {
        !all(site, &filter, "id").await.is_empty()
    })
    .await;
    let plain = found(&site, &filter).await;
    assert_eq!(
        plain["value"][0]["agent"]["agentSubjectType"],
        "unknownFutureValue"
    );
    let knows = [("prefer", "respond-async, include-unknown-enum-members")];
    let knowing = get_with(&site, &filter, &knows).await.json();
    assert_eq!(
        knowing["value"][0]["agent"]["agentSubjectType"],
        "agentIDuser"
    );
}

#[tokio::test]
async fn no_more_records_are_kept_than_the_operator_says() {
    let site = Site::start(Setup {
        sections: "records: {file: records.jsonl, recent: 2}".to_owned(),
        ..Setup::default()
    })
    .await;
    let mut last = String::new();
    for _ in 0..5 {
        let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
        answer.header("boomgate-decision-id").clone_into(&mut last);
    }
    site.until("the last call is seen", async |site| {
        all(site, SIGN_INS, "id").await.contains(&last)
    })
    .await;
    assert_eq!(all(&site, SIGN_INS, "id").await.len(), 2);
}
