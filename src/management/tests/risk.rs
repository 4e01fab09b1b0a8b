//! What an administrator says of an agent's risk: what is listed, in force and stored.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::fixture::{
    AGENT, AGENT_USER, AGENTS, BLUEPRINT, PRINCIPAL, Stopped, effective, get, json_of, post,
    reported, send, state, status_of,
};
use crate::clock::Clock as _;
use crate::identity::{Agent, Caller};
use crate::management::MAX_BODY_BYTES;
use crate::risk::{Rank, RiskEntry};
use crate::snapshot::{Cause, Snapshot};
use crate::store::{Answer, Sealed, StateStore, StoreError};
use crate::telemetry::ChangeSource;
use crate::types::{AgentId, AgentUserId, RiskLevel, RiskState, Timestamp};

#[tokio::test]
async fn a_compromised_agent_is_listed_in_graphs_shape_until_it_is_dismissed() {
    let state = state();
    assert_eq!(
        post(&state, "confirmCompromised", &[AGENT, PRINCIPAL]).await,
        204
    );
    let listed = json_of(send(&state, get(AGENTS), "").await).await;
    let agent = json!({
        "@odata.type": "#microsoft.graph.riskyAgentIdentity",
        "id": AGENT,
        "agentDisplayName": "hr-agent-01",
        "identityType": "agentIdentity",
        "blueprintId": BLUEPRINT,
        "isDeleted": false, "isEnabled": true, "isProcessing": false,
        "riskLevel": "high",
        "riskState": "confirmedCompromised",
        "riskDetail": "adminConfirmedAgentCompromised",
        "riskLastModifiedDateTime": "2026-10-01T12:34:56Z",
    });
    assert_eq!(
        listed["@odata.context"],
        "https://graph.microsoft.com/beta/$metadata#identityProtection/riskyAgents"
    );
    assert_eq!(listed["value"][0], agent);
    assert_eq!(
        listed["value"][1]["@odata.type"],
        "#microsoft.graph.riskyAgentIdentityBlueprintPrincipal"
    );
    assert_eq!(listed["value"][1]["identityType"], "unknownFutureValue");
    let preferring =
        get(&format!("{AGENTS}/{PRINCIPAL}")).header("prefer", "include-unknown-enum-members");
    let principal = json_of(send(&state, preferring, "").await).await;
    assert_eq!(principal["identityType"], "agentIdentityBlueprintPrincipal");
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::High));

    assert_eq!(post(&state, "dismiss", &[AGENT]).await, 204);
    let one = json_of(
        send(
            &state,
            get(&format!("{AGENTS}/{}", AGENT.to_uppercase())),
            "",
        )
        .await,
    )
    .await;
    assert_eq!(one["riskState"], "dismissed");
    assert_eq!(one["riskDetail"], "adminDismissedRiskForAgent");
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::None));

    assert_eq!(post(&state, "confirmSafe", &[AGENT_USER]).await, 204);
    let user = json_of(send(&state, get(&format!("{AGENTS}/{AGENT_USER}")), "").await).await;
    assert_eq!(user["@odata.type"], "#microsoft.graph.riskyAgentUser");
    assert_eq!(user["riskState"], "confirmedSafe");
    assert_eq!(user["riskDetail"], "adminConfirmedAgentSafe");
    assert_eq!(user["isEnabled"], false);
    assert_eq!(user["blueprintId"], BLUEPRINT);

    let metrics = state.metrics.encode();
    assert!(metrics.contains(
        r#"boomgate_risk_signals_total{result="applied",source="management",type="confirm_compromised"} 2"#
    ));
}

#[tokio::test]
async fn an_agent_that_nobody_knows_can_be_stopped_too() {
    let state = state();
    let stranger = "spiffe://example.org/agents/stranger";
    assert_eq!(post(&state, "confirmCompromised", &[stranger]).await, 204);
    assert_eq!(effective(&state, stranger), Some(RiskLevel::High));
    let path = format!("{AGENTS}/spiffe%3A%2F%2Fexample.org%2Fagents%2Fstranger");
    assert_eq!(
        json_of(send(&state, get(&path), "").await).await["agentDisplayName"],
        Value::Null
    );
    let user = AgentUserId::parse("seen-user").unwrap();
    let agent = Agent {
        id: AgentId::parse("seen-agent").unwrap(),
        blueprint: None,
        entry: None,
        blueprint_entry: None,
    };
    let caller = Caller::AgentUser {
        id: user,
        entry: None,
        agent,
    };
    state.discovered.seen(&caller, Timestamp::default());
    assert_eq!(
        post(&state, "confirmCompromised", &["seen-user"]).await,
        204
    );
    let shown = json_of(send(&state, get(&format!("{AGENTS}/seen-user")), "").await).await;
    assert_eq!(shown["identityType"], "agentUser");
}

#[tokio::test]
async fn an_administrators_word_is_the_newest_whatever_the_file_is_dated() {
    let state = state();
    let ahead = Stopped.now().after(Duration::from_hours(1));
    state
        .snapshots
        .update(Cause::now(ChangeSource::Management), |current| {
            let of_file = RiskEntry {
                id: AGENT.into(),
                subject: crate::risk::RiskSubject::AgentIdentity,
                level: Some(RiskLevel::None),
                state: RiskState::ConfirmedSafe,
                detail: "none".into(),
                last_modified: ahead,
                source: "file".into(),
            };
            Snapshot {
                risk: current.risk.with(of_file),
                ..current.clone()
            }
        });
    assert_eq!(post(&state, "confirmCompromised", &[AGENT]).await, 204);
    assert_eq!(effective(&state, AGENT), Some(RiskLevel::High));
    let snapshot = state.snapshots.load();
    let said = snapshot.risk.of(AGENT).map(|entry| &*entry.source);
    assert_eq!(said.collect::<Vec<_>>(), ["management", "file"]);
}

#[tokio::test]
async fn a_request_that_is_not_understood_whole_changes_nothing() {
    let state = state();
    let action = |body: String| {
        let state = state.clone();
        async move {
            let request = get(&format!("{AGENTS}/confirmCompromised"))
                .method(Method::POST)
                .header("content-type", "application/json; charset=utf-8");
            send(&state, request, &body).await.status().as_u16()
        }
    };
    for refused in [
        "",
        "{}",
        "[]",
        r#"{"agentIds": []}"#,
        r#"{"agentIds": "a"}"#,
        r#"{"agentIds": [7]}"#,
        r#"{"agentIds": ["a", ""]}"#,
        r#"{"agentIds": ["a", "b c"]}"#,
        r#"{"agentIds": ["a"], "agentIds": ["b"]}"#,
        r#"{"agentIds": ["a"], "force": true}"#,
        r#"{"AgentIds": ["a"]}"#,
    ] {
        assert_eq!(action(refused.to_owned()).await, 400, "{refused}");
    }
    let huge = format!(r#"{{"agentIds": ["{}"]}}"#, "a".repeat(MAX_BODY_BYTES));
    assert_eq!(action(huge).await, 413);
    let form = get(&format!("{AGENTS}/dismiss"))
        .method(Method::POST)
        .header("content-type", "text/plain");
    assert_eq!(
        send(&state, form, r#"{"agentIds": ["a"]}"#).await.status(),
        415
    );
    assert!(state.snapshots.load().risk.is_empty());
    assert_eq!(
        status_of(&state, get(&format!("{AGENTS}?$filter=x"))).await,
        400
    );
}

/// A store whose disk is full.
#[derive(Debug)]
struct Full;

impl StateStore for Full {
    fn put(&self, _: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        let error = StoreError::Unavailable("no room".to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    fn forget(&self, _: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn what_is_not_stored_is_an_error_and_not_in_force() {
    let mut state = state();
    state.reported = reported(Arc::new(Full), &state.snapshots);
    assert_eq!(post(&state, "confirmCompromised", &["a", "b"]).await, 503);
    assert_eq!(effective(&state, "a"), None);
    assert_eq!(effective(&state, "b"), None);
    let failed = r#"boomgate_risk_signals_total{result="failed",source="management",type="confirm_compromised"} 1"#;
    assert!(state.metrics.encode().contains(failed));
}

#[tokio::test]
async fn a_list_comes_in_pages_that_lead_to_each_other() {
    let state = state();
    assert_eq!(
        post(&state, "confirmCompromised", &["a", "b/ä", "c"]).await,
        204
    );
    let mut path = format!("{AGENTS}?$top=2");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let page = json_of(send(&state, get(&path), "").await).await;
        let agents = page["value"].as_array().unwrap().clone();
        ids.extend(
            agents
                .into_iter()
                .map(|agent| agent["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["@odata.nextLink"].as_str() else {
            break;
        };
        path = next
            .strip_prefix("https://127.0.0.1:9443")
            .unwrap()
            .to_owned();
    }
    assert_eq!(ids, ["a", "b/ä", "c"]);
    assert_eq!(
        status_of(&state, get(&format!("{AGENTS}?$top=0"))).await,
        400
    );
}
