//! What is told of the gateway: whether it is ready, and its metrics.

use std::sync::Arc;

use http_body_util::BodyExt;
use serde_json::json;

use super::fixture::{BLUEPRINT, get, json_of, post, send, state, status_of};
use crate::feeds::status::Source;
use crate::identity::settings::IssuerSettings;
use crate::identity::settings::tests::oidc_issuer;
use crate::identity::{Issuer, Issuers};
use crate::management::State;
use crate::snapshot::{Cause, Snapshot};
use crate::telemetry::ChangeSource;
use crate::types::{RiskState, Timestamp};

#[tokio::test]
async fn readiness_says_what_is_wrong_and_tells_degraded_from_not_ready() {
    let state = state();
    let ready = || async {
        let response = send(&state, get("/readyz"), "").await;
        (response.status().as_u16(), json_of(response).await)
    };
    assert_eq!(
        ready().await,
        (200, json!({"status": "ready", "reasons": []}))
    );

    let at = Timestamp::from_seconds(1_790_858_000);
    let fault = "policies/block.json:3:5: error: state: expected `enabled`";
    state.status.succeeded(Source::Configuration, at);
    state
        .status
        .failed(Source::Configuration, at, vec![fault.to_owned()]);
    let (code, body) = ready().await;
    assert_eq!((code, &body["status"]), (200, &json!("degraded")));
    assert_eq!(
        body["reasons"][0],
        json!({"severity": "degraded", "source": "configuration", "messages": [fault],
            "failedAt": "2026-10-01T12:33:20Z", "lastSuccess": "2026-10-01T12:33:20Z"})
    );

    state
        .snapshots
        .update(Cause::now(ChangeSource::Management), |current| Snapshot {
            issuers: Arc::new(Issuers::new(vec![Issuer {
                settings: Arc::new(issuer()),
                keys: None,
            }])),
            ..current.clone()
        });
    let (code, body) = ready().await;
    assert_eq!((code, &body["status"]), (503, &json!("not_ready")));
    assert_eq!(body["reasons"][0]["source"], "keys/entra");
    assert_eq!(
        body["reasons"][0]["messages"][0],
        "the keys of issuer `entra` were never loaded"
    );

    state.status.drain();
    let (_, body) = ready().await;
    assert_eq!(
        body["reasons"][0]["messages"][0],
        "the process is about to end"
    );

    let starting = State {
        status: Arc::default(),
        ..state
    };
    assert_eq!(status_of(&starting, get("/startupz")).await, 503);
    assert_eq!(status_of(&starting, get("/readyz")).await, 503);
    assert_eq!(status_of(&starting, get("/healthz")).await, 200);
}

fn issuer() -> IssuerSettings {
    IssuerSettings {
        name: "entra".into(),
        ..oidc_issuer()
    }
}

#[tokio::test]
async fn metrics_show_agents_by_effective_risk() {
    let state = state();
    // The blueprint's risk is its agent's and the agent's user's too.
    assert_eq!(post(&state, "confirmCompromised", &[BLUEPRINT]).await, 204);
    let response = send(&state, get("/metrics"), "").await;
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    for line in [
        r#"boomgate_agents{risk_level="high",type="agent_identity"} 1"#,
        r#"boomgate_agents{risk_level="high",type="agent_user"} 1"#,
        r#"boomgate_agents{risk_level="high",type="blueprint"} 1"#,
        r#"boomgate_policies{state="enabled"} 0"#,
        r#"boomgate_signal_age_seconds{source="management"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let entry = state.snapshots.load().risk.get(BLUEPRINT).cloned().unwrap();
    assert_eq!(entry.state, RiskState::ConfirmedCompromised);
}
