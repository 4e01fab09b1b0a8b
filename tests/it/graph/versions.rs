//! Versions of the directory's objects: what a client has not seen it does not write over; and accounts whose change
//! would be without effect.

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{error, get};
use crate::effects::callers::Caller;
use crate::support::client::Client;
use crate::support::site::{
    ADMIN_TOKEN, AGENT, AGENT_USER, Answer, BLUEPRINT, PRINCIPAL, Setup, Site, exchange,
};

const APPLICATION: &str = "b1b1b1b1-0000-4000-8000-0000000000b1";

async fn patch(site: &Site, path: &str, if_match: Option<&str>, body: &Value) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    let mut request = Request::builder()
        .method(Method::PATCH)
        .uri(format!("/beta/{path}"))
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    if let Some(tags) = if_match {
        request = request.header("if-match", tags);
    }
    exchange(client, request, &body.to_string()).await
}

/// The tag of an object, which header and member agree on.
async fn tag(site: &Site, path: &str) -> String {
    let answer = get(site, &format!("/beta/{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    let tag = answer.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 2, "{path}: {tag}");
    assert_eq!(answer.json()["@odata.etag"], tag.as_str());
    tag
}

fn application(enabled: bool) -> Value {
    json!({"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "id": APPLICATION, "appId": BLUEPRINT,
        "displayName": "HR assistant", "accountEnabled": enabled})
}

async fn site(application_enabled: bool) -> Site {
    let mut setup = Setup::default();
    setup.directory.push(application(application_enabled));
    Site::start(setup).await
}

#[tokio::test]
async fn an_account_is_changed_only_in_a_version_that_the_client_has_seen() {
    let site = site(true).await;
    let (off, on) = (
        json!({"accountEnabled": false}),
        json!({"accountEnabled": true}),
    );
    for path in [
        format!("servicePrincipals/{AGENT}"),
        format!("servicePrincipals/{PRINCIPAL}"),
        format!("users/{AGENT_USER}"),
    ] {
        let first = tag(&site, &path).await;
        assert_eq!(
            tag(&site, &format!("{path}?$select=id,displayName")).await,
            first
        );
        let changed = patch(&site, &path, Some(&first), &off).await;
        assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.json());
        let second = tag(&site, &path).await;
        assert_eq!(changed.header("etag"), second);
        assert_ne!(second, first);
        for unseen in [first.as_str(), "\"x\"", &format!("W/{second}")] {
            let refused = patch(&site, &path, Some(unseen), &on).await;
            assert_eq!(
                refused.status,
                StatusCode::PRECONDITION_FAILED,
                "{path} {unseen}"
            );
            assert_eq!(error(&refused).0, "PreconditionFailed");
        }
        assert_eq!(tag(&site, &path).await, second, "nothing was written");
        for seen in [format!("\"x\", {second}"), "*".to_owned()] {
            let changed = patch(&site, &path, Some(&seen), &on).await;
            assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.json());
        }
        assert_eq!(tag(&site, &path).await, first, "it is what it was");
    }
    tag(&site, &format!("applications/{APPLICATION}")).await;
}

#[tokio::test]
async fn what_somebody_wrote_into_the_file_meanwhile_is_not_written_over() {
    let site = site(true).await;
    let path = format!("servicePrincipals/{AGENT}");
    let seen = tag(&site, &path).await;
    let file = site.path("agents/agents.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"hr-agent\"", "\"renamed\"")).unwrap();
    let refused = patch(&site, &path, Some(&seen), &json!({"accountEnabled": false})).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    let called = Caller::Agent(AGENT).get(&site, "/hr/people").await;
    assert_eq!(called.status(), 200);
}

#[tokio::test]
async fn a_disabled_account_of_each_kind_is_out_at_its_next_call() {
    let site = site(true).await;
    let user = Caller::AgentUser(AGENT_USER, AGENT);
    for (path, out) in [
        (
            format!("servicePrincipals/{AGENT}"),
            vec![Caller::Agent(AGENT), Caller::OnBehalfOf(AGENT), user],
        ),
        (format!("users/{AGENT_USER}"), vec![user]),
        (
            format!("servicePrincipals/{PRINCIPAL}"),
            vec![Caller::Agent(AGENT), user],
        ),
    ] {
        for (enabled, status) in [(false, 403), (true, 200)] {
            let body = json!({"accountEnabled": enabled});
            let changed = patch(&site, &path, None, &body).await;
            assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.json());
            for caller in &out {
                let seen = caller.get(&site, "/hr/people").await;
                assert_eq!(seen.status(), status, "{path} {enabled} {caller:?}");
            }
        }
    }
    let seen = {
        let body = json!({"accountEnabled": false});
        patch(&site, &format!("users/{AGENT_USER}"), None, &body).await;
        Caller::Agent(AGENT).get(&site, "/hr/people").await
    };
    assert_eq!(seen.status(), 200, "its agent identity is another account");
}

#[tokio::test]
async fn a_principal_is_not_said_to_be_enabled_while_its_application_keeps_it_disabled() {
    let site = site(false).await;
    let path = format!("servicePrincipals/{PRINCIPAL}");
    let before = std::fs::read(site.path("agents/agents.json")).unwrap();
    let refused = patch(&site, &path, None, &json!({"accountEnabled": true})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let (code, message) = error(&refused);
    assert_eq!(code, "Conflict");
    assert!(message.contains("application"), "{message}");
    assert_eq!(
        std::fs::read(site.path("agents/agents.json")).unwrap(),
        before
    );
    let seen = Caller::Agent(AGENT).get(&site, "/hr/people").await;
    assert_eq!(seen.status(), 403);
    let disabled = patch(&site, &path, None, &json!({"accountEnabled": false})).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT);
}
