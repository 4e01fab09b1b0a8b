//! A policy's life over the API, as clients of Graph expect it, and its effect on calls.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{POLICIES, blocking, call, changes, created, files, is_let_in, send, site};
use crate::support::site::{AGENT, OTHER_AGENT};

const HIGH: &str = "10000000-0000-4000-8000-000000000001";

#[tokio::test]
async fn a_policy_is_in_force_when_its_author_is_answered() {
    let site = site().await;
    is_let_in(&site).await;
    let answer = send(
        &site,
        Method::POST,
        POLICIES,
        &[],
        &blocking(AGENT).to_string(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
    assert_eq!(call(&site, AGENT).await, StatusCode::FORBIDDEN);
    let policy = answer.json();
    let id = policy["id"].as_str().unwrap();
    let address = format!("{POLICIES}/{id}");
    assert_eq!(
        answer.header("location"),
        format!("https://localhost{address}")
    );
    assert_eq!(policy["@odata.etag"], answer.header("etag"));
    assert_eq!(
        policy["@odata.context"],
        "https://graph.microsoft.com/beta/$metadata#identity/conditionalAccess/policies/$entity"
    );
    assert!(policy["createdDateTime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(policy["modifiedDateTime"], Value::Null);
    let name = format!("block-one-agent-{id}.json");
    assert!(files(&site).iter().any(|(file, _)| *file == name));
    let got = send(&site, Method::GET, &address, &[], "").await;
    assert_eq!((got.status, got.json()), (StatusCode::OK, policy.clone()));
    assert_eq!(got.header("etag"), answer.header("etag"));

    let other = json!({"conditions": {"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}}});
    let patched = send(&site, Method::PATCH, &address, &[], &other.to_string()).await;
    assert_eq!(
        (patched.status, patched.body.len()),
        (StatusCode::NO_CONTENT, 0)
    );
    assert_eq!(call(&site, AGENT).await, StatusCode::OK);
    assert_eq!(call(&site, OTHER_AGENT).await, StatusCode::FORBIDDEN);
    let got = send(&site, Method::GET, &address, &[], "").await;
    assert_eq!(got.header("etag"), patched.header("etag"));
    let mut expected = policy.clone();
    expected["conditions"]["clientApplications"]["includeAgentIdServicePrincipals"] =
        json!([OTHER_AGENT]);
    for own in ["@odata.etag", "modifiedDateTime"] {
        assert_ne!(got.json()[own], policy[own]);
        expected[own] = got.json()[own].clone();
    }
    assert_eq!(got.json(), expected);

    let gone = send(&site, Method::DELETE, &address, &[], "").await;
    assert_eq!((gone.status, gone.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(call(&site, OTHER_AGENT).await, StatusCode::OK);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let body = if method == Method::PATCH { "{}" } else { "" };
        let answer = send(&site, method, &address, &[], body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let names: Vec<_> = files(&site).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["high.json"]);
}

#[tokio::test]
async fn a_change_can_be_answered_with_the_policy() {
    let site = site().await;
    let address = format!("{POLICIES}/{HIGH}");
    let prefer = [("prefer", "return=representation")];
    let disabled = json!({"state": "disabled"}).to_string();
    let answer = send(&site, Method::PATCH, &address, &prefer, &disabled).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["state"], "disabled");
    let got = send(&site, Method::GET, &address, &[], "").await;
    assert_eq!(got.json(), answer.json());
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_in_the_file_too() {
    let site = site().await;
    let address = format!("{POLICIES}/{HIGH}");
    let patch =
        json!({"@odata.type": "#microsoft.graph.conditionalAccessPolicy", "description": "d"});
    let answer = send(&site, Method::PATCH, &address, &[], &patch.to_string()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let file: Value = serde_json::from_slice(&files(&site)[0].1).unwrap();
    assert_eq!(file["notOfGraph@odata.context"], "noise");
    assert_eq!(file["conditions"]["agentIdRiskLevels"], "high");
    assert_eq!(file["description"], "d");
    assert_eq!(file.get("@odata.type"), None);
}

#[tokio::test]
async fn v1_shows_no_member_of_beta_and_loses_none() {
    let site = site().await;
    let v1 = |path: &str| path.replace("/beta/", "/v1.0/");
    let beta = format!("{POLICIES}/{HIGH}");
    let before = send(&site, Method::GET, &beta, &[], "").await.json();
    let shown = send(&site, Method::GET, &v1(&beta), &[], "").await.json();
    assert_eq!(
        shown["@odata.context"],
        "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies/$entity"
    );
    let mut expected = before.clone();
    expected["@odata.context"] = shown["@odata.context"].clone();
    let conditions = expected["conditions"].as_object_mut().unwrap();
    conditions.remove("agentIdRiskLevels");
    conditions.remove("times");
    conditions["clientApplications"] = json!({});
    assert_eq!(shown, expected);
    let list = send(&site, Method::GET, &v1(POLICIES), &[], "")
        .await
        .json();
    assert_eq!(list["value"][0]["conditions"], expected["conditions"]);

    // A client of v1.0 gives back what it got, with a change.
    let mut patch = shown.clone();
    patch["displayName"] = json!("renamed");
    let answer = send(&site, Method::PATCH, &v1(&beta), &[], &patch.to_string()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.json());
    let after = send(&site, Method::GET, &beta, &[], "").await.json();
    assert_eq!(after["conditions"], before["conditions"]);
    assert_eq!(after["displayName"], "renamed");

    let agents = json!({"conditions": {"agentIdRiskLevels": "low"}}).to_string();
    let refused = send(&site, Method::PATCH, &v1(&beta), &[], &agents).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let detail = &refused.json()["error"]["details"][0];
    assert_eq!(detail["target"], "conditions.agentIdRiskLevels");
    let new = blocking(AGENT).to_string();
    let refused = send(&site, Method::POST, &v1(POLICIES), &[], &new).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn lists_are_asked_as_graphs_are() {
    let site = site().await;
    let mut ids = vec![HIGH.to_owned()];
    for _ in 0..3 {
        let policy = created(&site, &blocking(OTHER_AGENT)).await;
        ids.push(policy["id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    let mut found = Vec::new();
    let mut next = Some(format!("{POLICIES}?$top=3"));
    while let Some(path) = next {
        let page = send(&site, Method::GET, &path, &[], "").await.json();
        let page_ids = page["value"].as_array().unwrap().iter();
        found.extend(page_ids.map(|policy| policy["id"].as_str().unwrap().to_owned()));
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.strip_prefix("https://localhost").unwrap().to_owned());
    }
    assert_eq!(found, ids);
    let filter = format!(
        "{POLICIES}?$filter=displayName%20eq%20'Block%20one%20agent'&$select=id&$count=true"
    );
    let list = send(&site, Method::GET, &filter, &[], "").await.json();
    assert_eq!(list["@odata.count"], 3);
    let first = list["value"][0].as_object().unwrap();
    assert!(
        !first.contains_key("state") && first.contains_key("@odata.etag"),
        "{first:?}"
    );
    let count = send(&site, Method::GET, &format!("{POLICIES}/$count"), &[], "").await;
    assert_eq!(count.body, b"4");
    let refused = send(
        &site,
        Method::GET,
        &format!("{POLICIES}?$filter=nothing%20eq%201"),
        &[],
        "",
    )
    .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_change_is_on_record_with_who_what_before_and_after() {
    let site = site().await;
    let policy = created(&site, &blocking(AGENT)).await;
    let id = policy["id"].as_str().unwrap();
    let address = format!("{POLICIES}/{id}");
    let state = json!({"state": "disabled"}).to_string();
    let changed = send(&site, Method::PATCH, &address, &[], &state).await;
    send(&site, Method::DELETE, &address, &[], "").await;
    let records = changes(&site, 6).await;
    let ended: Vec<_> = records
        .iter()
        .filter(|record| record["boomgate"]["change"] == "ended")
        .collect();
    let activities: Vec<_> = ended
        .iter()
        .map(|record| &record["activityDisplayName"])
        .collect();
    assert_eq!(
        activities,
        [
            "Add conditional access policy",
            "Update conditional access policy",
            "Delete conditional access policy"
        ]
    );
    for (begun, ended) in records.iter().step_by(2).zip(&ended) {
        assert_eq!(
            (&begun["id"], &begun["result"]),
            (&ended["id"], &Value::Null)
        );
        assert_eq!(
            (&ended["result"], &ended["category"]),
            (&json!("success"), &json!("Policy"))
        );
        let by = json!({"app": {"id": null, "displayName": "admin token", "roles": ["admin"]}, "user": null});
        assert_eq!(ended["initiatedBy"], by);
        assert_eq!(ended["targetResources"][0]["id"], id);
        assert_eq!(ended["targetResources"][0]["type"], "Policy");
    }
    assert_eq!(ended[1]["correlationId"], changed.header("request-id"));
    let value = |at: usize, name: &str| {
        let property = &ended[at]["targetResources"][0]["modifiedProperties"][0];
        assert_eq!(property["displayName"], "ConditionalAccessPolicy");
        property[name]
            .as_str()
            .map(|text| serde_json::from_str::<Value>(text).unwrap())
    };
    let (before, after) = (value(1, "oldValue").unwrap(), value(1, "newValue").unwrap());
    assert_eq!(
        (value(0, "oldValue"), value(0, "newValue")),
        (None, Some(before.clone()))
    );
    assert_eq!(
        (&before["state"], &after["state"]),
        (&json!("enabled"), &json!("disabled"))
    );
    assert_eq!(before["conditions"], after["conditions"]);
    assert_eq!(
        (value(2, "oldValue"), value(2, "newValue")),
        (Some(after), None)
    );
}
