//! What is not written, and what a client is told then: nothing is in force, in a file or half done.

use std::os::unix::fs::symlink;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{POLICIES, blocking, call, changes, created, error, files, is_let_in, send, site};
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site};

#[tokio::test]
async fn a_policy_that_is_not_understood_changes_nothing_and_is_told_by_its_member() {
    let site = site().await;
    let before = files(&site);
    let mut unknown_condition = blocking(AGENT);
    unknown_condition["conditions"]["phaseOfTheMoon"] = json!(["full"]);
    let mut bad_state = blocking(AGENT);
    bad_state["state"] = json!("on");
    let mut nameless = blocking(AGENT);
    nameless["displayName"] = json!(" ");
    let mut no_conditions = blocking(AGENT);
    no_conditions["conditions"] = Value::Null;
    for (policy, member) in [
        (unknown_condition, "conditions.phaseOfTheMoon"),
        (bad_state, "state"),
        (nameless, "displayName"),
        (no_conditions, "conditions"),
    ] {
        let refused = send(&site, Method::POST, POLICIES, &[], &policy.to_string()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let (code, message) = error(&refused);
        assert_eq!(code, "BadRequest");
        assert!(message.contains(member), "{message}");
        let body = refused.json();
        let details = body["error"]["details"].as_array().unwrap();
        assert!(
            details.iter().any(|detail| detail["target"] == member),
            "{details:?}"
        );
    }
    assert_eq!(files(&site), before);
    is_let_in(&site).await;
    changes(&site, 0).await;
}

#[tokio::test]
async fn a_body_that_is_no_object_of_json_is_refused() {
    let site = site().await;
    let json = ("content-type", "application/json");
    for (headers, body, status) in [
        (vec![json], "{\"state\": ", 400),
        (vec![json], "[]", 400),
        (vec![json], "{\"a\": 1, \"a\": 2}", 400),
        (vec![("content-type", "text/plain")], "{}", 415),
        (vec![], "", 415),
    ] {
        let client = crate::support::client::Client::http1(&site.pki, site.app.management()).await;
        let mut request = http::Request::post(POLICIES)
            .header("host", "localhost")
            .header(
                "authorization",
                format!("Bearer {}", crate::support::site::ADMIN_TOKEN),
            );
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = crate::support::site::exchange(client, request, body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        error(&answer);
    }
    let other_id = json!({"id": "another"}).to_string();
    let address = format!("{POLICIES}/10000000-0000-4000-8000-000000000001");
    let answer = send(&site, Method::PATCH, &address, &[], &other_id).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_reload_refuses_is_put_back() {
    let site = Site::start(Setup {
        policies: vec![crate::support::site::block("only", json!({}))],
        ..Setup::default()
    })
    .await;
    let before = files(&site);
    // Good in itself, but without it there is no policy left, which the configuration does not allow.
    let refused = send(&site, Method::DELETE, &format!("{POLICIES}/only"), &[], "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let (_, message) = error(&refused);
    assert!(message.contains("holds no policy"), "{message}");
    assert_eq!(files(&site), before);
    assert_eq!(call(&site, AGENT).await, StatusCode::FORBIDDEN);
    let ready = send(&site, Method::GET, "/readyz", &[], "").await;
    assert_eq!(ready.json()["status"], "ready", "{}", ready.json());
    let records = changes(&site, 2).await;
    assert_eq!(records[1]["result"], "failure");
    assert!(
        records[1]["resultReason"]
            .as_str()
            .unwrap()
            .contains("holds no policy")
    );
}

#[tokio::test]
async fn while_other_files_are_at_fault_only_what_puts_them_right_is_written() {
    let site = site().await;
    std::fs::write(
        site.path("policies/broken.json"),
        "{\"id\": \"broken\", \"state\": \"odd\"}",
    )
    .unwrap();
    let before = files(&site);
    let refused = send(
        &site,
        Method::POST,
        POLICIES,
        &[],
        &blocking(AGENT).to_string(),
    )
    .await;
    let (_, message) = error(&refused);
    assert!(message.contains("broken.json"), "{message}");
    site.until("the fault is known", async |site| {
        let ready = send(site, Method::GET, "/readyz", &[], "").await;
        ready.json()["status"] != "ready"
    })
    .await;
    let refused = send(
        &site,
        Method::POST,
        POLICIES,
        &[],
        &blocking(AGENT).to_string(),
    )
    .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(files(&site), before);
    let gone = send(
        &site,
        Method::DELETE,
        &format!("{POLICIES}/broken"),
        &[],
        "",
    )
    .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.json());
    created(&site, &blocking(AGENT)).await;
    assert_eq!(call(&site, AGENT).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_files_of_a_kubernetes_volume_are_not_written() {
    let site = site().await;
    let folder = site.path("policies");
    std::fs::create_dir(folder.join("..2026")).unwrap();
    std::fs::rename(folder.join("high.json"), folder.join("..2026/high.json")).unwrap();
    symlink("..2026", folder.join("..data")).unwrap();
    symlink("..data/high.json", folder.join("high.json")).unwrap();
    let address = format!("{POLICIES}/10000000-0000-4000-8000-000000000001");
    let create = blocking(AGENT).to_string();
    for (method, path, body) in [
        (Method::POST, POLICIES, create.as_str()),
        (Method::PATCH, &address, "{\"state\": \"disabled\"}"),
        (Method::DELETE, &address, ""),
    ] {
        let refused = send(&site, method, path, &[], body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let (code, message) = error(&refused);
        assert_eq!(code, "Conflict");
        assert!(
            message.contains("cannot be written: its files are those of a Kubernetes volume"),
            "{message}"
        );
    }
    let records = changes(&site, 6).await;
    assert!(
        records
            .iter()
            .skip(1)
            .step_by(2)
            .all(|record| record["result"] == "failure")
    );
    assert_eq!(call(&site, OTHER_AGENT).await, StatusCode::OK);
}

#[tokio::test]
async fn a_change_that_cannot_be_recorded_is_not_made() {
    let site = Site::start(Setup {
        policies: vec![crate::support::site::block(
            "high",
            json!({"agentIdRiskLevels": "high"}),
        )],
        sections: "records: {file: /dev/full, overflow: dangerous_drop}".to_owned(),
        ..Setup::default()
    })
    .await;
    let before = files(&site);
    let refused = send(
        &site,
        Method::POST,
        POLICIES,
        &[],
        &blocking(AGENT).to_string(),
    )
    .await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(error(&refused).1.contains("cannot be recorded"));
    assert_eq!(files(&site), before);
    is_let_in(&site).await;
}

#[tokio::test]
async fn nobody_writes_without_the_token() {
    let site = site().await;
    let before = files(&site);
    let client = crate::support::client::Client::http1(&site.pki, site.app.management()).await;
    let request = http::Request::post(POLICIES)
        .header("host", "localhost")
        .header("content-type", "application/json");
    let answer =
        crate::support::site::exchange(client, request, &blocking(AGENT).to_string()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(error(&answer).0, "InvalidAuthenticationToken");
    assert_eq!(files(&site), before);
}
