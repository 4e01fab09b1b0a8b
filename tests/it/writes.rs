//! Policies written over the management API: what a client is told is in force, in a file, and on record.

mod conditions;
mod crash;
mod evaluate;
mod policies;
mod refusals;

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::site::{ADMIN_TOKEN, AGENT, Answer, Setup, Site, block, exchange};

const POLICIES: &str = "/beta/identity/conditionalAccess/policies";

/// A gateway with one policy, that blocks at high risk, and a folder of named locations.
async fn site() -> Site {
    let (_, mut policy) = block(
        "10000000-0000-4000-8000-000000000001",
        json!({"agentIdRiskLevels": "high", "times": null}),
    );
    policy["notOfGraph@odata.context"] = json!("noise");
    Site::start(Setup {
        policies: vec![("high.json".to_owned(), policy)],
        ..Setup::default()
    })
    .await
}

/// A new policy that blocks one agent, as a client sends it.
fn blocking(agent: &str) -> Value {
    let agents = json!({"clientApplications": {"includeAgentIdServicePrincipals": [agent]}});
    let (_, mut policy) = block("unused", agents);
    policy.as_object_mut().unwrap().remove("id");
    policy["displayName"] = json!("Block one agent");
    policy
}

/// Sends a request with further headers, as the administrator.
async fn send(
    site: &Site,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange(client, request, body).await
}

/// Creates a policy, and gives it.
async fn created(site: &Site, policy: &Value) -> Value {
    let answer = send(site, Method::POST, POLICIES, &[], &policy.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
    answer.json()
}

/// What a call of the agent gets.
async fn call(site: &Site, agent: &str) -> StatusCode {
    site.get("/hr/people", &site.agent_token(agent))
        .await
        .status
}

/// The error of a refusal, and its code and message.
fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    assert_eq!(answer.header("content-type"), "application/json");
    let id = error["innerError"]["request-id"].as_str().unwrap();
    assert_eq!(answer.header("request-id"), id);
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("code"), text("message"))
}

/// Every file of the folder of policies: names and contents.
fn files(site: &Site) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(site.path("policies")).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The records of changes, in the order of their lines, once there are so many.
async fn changes(site: &Site, count: usize) -> Vec<Value> {
    let of = |site: &Site| {
        let mut records = site.records();
        records.retain(|record| !record["boomgate"]["change"].is_null());
        records
    };
    site.until("the changes are on record", async |site| {
        of(site).len() >= count
    })
    .await;
    let changes = of(site);
    assert_eq!(changes.len(), count, "{changes:#?}");
    changes
}

/// The unknown agent that tests block is not blocked before.
async fn is_let_in(site: &Site) {
    assert_eq!(call(site, AGENT).await, StatusCode::OK);
}
