//! Two who change one policy: nobody writes over what they have not seen.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{POLICIES, blocking, created, error, files, send, site};
use crate::support::site::OTHER_AGENT;

#[tokio::test]
async fn a_version_that_is_gone_is_refused_and_a_star_is_any() {
    let site = site().await;
    let policy = created(&site, &blocking(OTHER_AGENT)).await;
    let address = format!("{POLICIES}/{}", policy["id"].as_str().unwrap());
    let etag = policy["@odata.etag"].as_str().unwrap();
    let state = |state: &str| json!({"state": state}).to_string();
    let seen = [("if-match", etag)];
    let first = send(&site, Method::PATCH, &address, &seen, &state("disabled")).await;
    assert_eq!(first.status, StatusCode::NO_CONTENT);
    for (method, body) in [
        (Method::PATCH, state("enabled")),
        (Method::DELETE, String::new()),
    ] {
        let refused = send(&site, method, &address, &seen, &body).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(error(&refused).0, "PreconditionFailed");
    }
    let got = send(&site, Method::GET, &address, &[], "").await;
    assert_eq!(got.json()["state"], "disabled");
    for tag in ["*", &format!("\"other\", {}", got.header("etag"))] {
        let tags = [("if-match", tag)];
        let answer = send(
            &site,
            Method::PATCH,
            &address,
            &tags,
            "{\"description\": \"d\"}",
        )
        .await;
        let expected = if tag == "*" {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::PRECONDITION_FAILED
        };
        assert_eq!(answer.status, expected, "{tag}");
    }
    let now = send(&site, Method::GET, &address, &[], "").await;
    let tags = [("if-match", now.header("etag"))];
    let answer = send(&site, Method::DELETE, &address, &tags, "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn of_two_who_race_one_is_refused() {
    let site = site().await;
    let policy = created(&site, &blocking(OTHER_AGENT)).await;
    let address = format!("{POLICIES}/{}", policy["id"].as_str().unwrap());
    let mut etag = policy["@odata.etag"].as_str().unwrap().to_owned();
    for round in 0..5 {
        let seen = [("if-match", etag.as_str())];
        let patch = |who: &str| json!({"description": format!("{who} {round}")}).to_string();
        let (one, other) = (patch("one"), patch("other"));
        let (one, other) = tokio::join!(
            send(&site, Method::PATCH, &address, &seen, &one),
            send(&site, Method::PATCH, &address, &seen, &other),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 412]);
        let winner = if one.status == StatusCode::NO_CONTENT {
            "one"
        } else {
            "other"
        };
        let got = send(&site, Method::GET, &address, &[], "").await;
        assert_eq!(got.json()["description"], format!("{winner} {round}"));
        etag = got.header("etag").to_owned();
    }
}

#[tokio::test]
async fn an_edit_of_the_file_that_nobody_has_loaded_yet_is_seen_by_the_next_change() {
    let site = site().await;
    let policy = created(&site, &blocking(OTHER_AGENT)).await;
    let id = policy["id"].as_str().unwrap();
    let address = format!("{POLICIES}/{id}");
    let path = site.path(&format!("policies/block-one-agent-{id}.json"));
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["description"] = json!("by hand");
    std::fs::write(&path, file.to_string()).unwrap();
    let seen = [("if-match", policy["@odata.etag"].as_str().unwrap())];
    let refused = send(
        &site,
        Method::PATCH,
        &address,
        &seen,
        "{\"state\": \"disabled\"}",
    )
    .await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    let merged = send(
        &site,
        Method::PATCH,
        &address,
        &[],
        "{\"state\": \"disabled\"}",
    )
    .await;
    assert_eq!(merged.status, StatusCode::NO_CONTENT);
    let got = send(&site, Method::GET, &address, &[], "").await.json();
    assert_eq!(
        (&got["description"], &got["state"]),
        (&json!("by hand"), &json!("disabled"))
    );
}

#[tokio::test]
async fn the_other_policies_of_a_list_stay_as_they_are() {
    let site = site().await;
    let item = |id: &str| {
        let mut policy = blocking(OTHER_AGENT);
        policy["id"] = json!(id);
        policy["unknownToAll"] = Value::Null;
        policy
    };
    let list = json!({"@odata.context": "c", "value": [item("one"), item("two"), item("three")]});
    std::fs::write(site.path("policies/list.json"), list.to_string()).unwrap();
    let is_loaded = async |_: &_| {
        let got = send(&site, Method::GET, &format!("{POLICIES}/two"), &[], "").await;
        got.status == StatusCode::OK
    };
    site.until("the list is loaded", is_loaded).await;
    let address = format!("{POLICIES}/two");
    let answer = send(
        &site,
        Method::PATCH,
        &address,
        &[],
        "{\"state\": \"disabled\"}",
    )
    .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let read = || -> Value {
        let (_, bytes) = files(&site)
            .into_iter()
            .find(|(name, _)| name == "list.json")
            .unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let mut expected = list.clone();
    expected["value"][1]["state"] = json!("disabled");
    expected["value"][1]["modifiedDateTime"] = read()["value"][1]["modifiedDateTime"].clone();
    assert_eq!(read(), expected);
    let answer = send(&site, Method::DELETE, &address, &[], "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    expected["value"].as_array_mut().unwrap().remove(1);
    assert_eq!(read(), expected);
}
