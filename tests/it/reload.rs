//! A running gateway follows its files: whatever changes, and however it changes, takes effect as one swap.

pub(crate) mod faults;
mod load;
pub(crate) mod ways;

use boomgate::demo::issuer::Issuer;
use http::{Method, Request, StatusCode};
use rustls::HandshakeKind;
use serde_json::json;

use crate::support::client::{ALL_VERSIONS, Client, connect};
use crate::support::site::{
    AGENT, ISSUER, OTHER_AGENT, Setup, Site, agent, agent_claims, block, exchange,
};
use crate::support::upstream::Upstream;
use ways::{ConfigMap, WAYS, Way};

/// A gateway that blocks agents at high risk.
async fn site() -> Site {
    let on_risk = block("on-risk", json!({"agentIdRiskLevels": "high"}));
    Site::start(Setup {
        policies: vec![on_risk],
        ..Setup::default()
    })
    .await
}

/// A policy that blocks one agent.
fn blocking(agent: &str) -> String {
    let agents = json!({"clientApplications": {"includeAgentIdServicePrincipals": [agent]}});
    block("one-agent", agents).1.to_string()
}

/// Waits until calls of an agent get this status.
async fn until_agent_gets(site: &Site, agent: &str, status: StatusCode) {
    let token = site.agent_token(agent);
    site.until(&format!("{agent} gets {status}"), async |site| {
        site.get("/hr/people", &token).await.status == status
    })
    .await;
}

#[tokio::test]
async fn policies_take_effect() {
    for way in WAYS {
        let site = site().await;
        let file = site.path("policies/one-agent.json");
        until_agent_gets(&site, AGENT, StatusCode::OK).await;
        way.write(&file, &blocking(AGENT));
        until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
        way.write(&file, &blocking(OTHER_AGENT));
        until_agent_gets(&site, AGENT, StatusCode::OK).await;
        until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;
        std::fs::remove_file(&file).unwrap();
        until_agent_gets(&site, OTHER_AGENT, StatusCode::OK).await;
    }
}

#[tokio::test]
async fn a_client_resumes_its_tls_session_over_a_change_of_policy() {
    let site = site().await;
    let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
    let token = site.agent_token(AGENT);
    let call = async || {
        let stream = connect(site.address(), config.clone(), "localhost").await;
        let stream = stream.unwrap();
        let kind = stream.get_ref().1.handshake_kind().unwrap();
        let request = Request::get("/hr/people")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"));
        let answer = exchange(Client::over(stream).await, request, "").await;
        (kind, answer.status)
    };
    assert_eq!(call().await, (HandshakeKind::Full, StatusCode::OK));
    std::fs::write(site.path("policies/one-agent.json"), blocking(AGENT)).unwrap();
    until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
    assert_eq!(
        call().await,
        (HandshakeKind::Resumed, StatusCode::FORBIDDEN)
    );
}

#[tokio::test]
async fn policies_of_a_config_map_take_effect_and_bad_ones_do_not() {
    let site = Site::start(Setup::default()).await;
    let mut map = ConfigMap::new(site.path("policies"));
    map.publish(&[("a.json", blocking(AGENT))]);
    until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;

    let other = block(
        "other",
        json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}}),
    );
    map.publish(&[("a.json", blocking(AGENT)), ("b.json", other.1.to_string())]);
    until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;
    until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;

    map.publish(&[("a.json", "{".to_owned())]);
    faults::until_degraded(&site, "policies/a.json:1:1").await;
    until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;

    map.publish(&[("c.json", blocking(OTHER_AGENT))]);
    until_agent_gets(&site, AGENT, StatusCode::OK).await;
    until_agent_gets(&site, OTHER_AGENT, StatusCode::FORBIDDEN).await;
    faults::until_ready(&site).await;
}

#[tokio::test]
async fn the_directory_takes_effect() {
    for way in WAYS {
        let site = site().await;
        let file = site.path("agents/agents.json");
        let known = std::fs::read_to_string(&file).unwrap();
        let mut disabled = agent(AGENT, "hr-agent");
        disabled["accountEnabled"] = json!(false);
        way.write(&file, &disabled.to_string());
        until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
        way.write(&file, &known);
        until_agent_gets(&site, AGENT, StatusCode::OK).await;
    }
}

#[tokio::test]
async fn nothing_keeps_a_directory_that_was_replaced() {
    let (site, first) = Site::start_with_its_directory(&Setup::default()).await;
    until_agent_gets(&site, AGENT, StatusCode::OK).await;
    assert!(first.strong_count() > 0);

    let mut disabled = agent(AGENT, "hr-agent");
    disabled["accountEnabled"] = json!(false);
    std::fs::write(site.path("agents/agents.json"), disabled.to_string()).unwrap();
    until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
    let is_freed = async |_: &Site| first.strong_count() == 0;
    site.until("the first directory is freed", is_freed).await;
}

#[tokio::test]
async fn the_risk_file_takes_effect() {
    for way in WAYS {
        let site = site().await;
        let level = |level: &str| {
            let risky = json!({"id": AGENT, "identityType": "agentIdentity", "riskLevel": level,
                "riskState": "atRisk", "riskLastModifiedDateTime": "2026-10-01T12:00:00Z"});
            json!({"value": [risky]}).to_string()
        };
        way.write(&site.path("risky.json"), &level("high"));
        until_agent_gets(&site, AGENT, StatusCode::FORBIDDEN).await;
        way.write(&site.path("risky.json"), &level("low"));
        until_agent_gets(&site, AGENT, StatusCode::OK).await;
    }
}

#[tokio::test]
async fn an_issuers_keys_take_effect() {
    for way in WAYS {
        let site = site().await;
        let old_token = site.agent_token(AGENT);
        assert_eq!(site.get("/hr", &old_token).await.status, StatusCode::OK);
        let next = Issuer::new().unwrap();
        let token = next.sign(&agent_claims(AGENT)).unwrap();
        assert_eq!(
            site.get("/hr", &token).await.status,
            StatusCode::UNAUTHORIZED
        );
        way.write(&site.path("keys.json"), &next.key_set(ISSUER).to_string());
        site.until("the new key counts", async |site| {
            site.get("/hr", &token).await.status == StatusCode::OK
        })
        .await;
        // That the old token was verified once does not help it.
        assert_eq!(
            site.get("/hr", &old_token).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
}

#[tokio::test]
async fn a_new_connection_sees_a_new_certificate_while_an_old_one_goes_on() {
    for way in WAYS {
        let site = site().await;
        let presented = async |address| {
            let config = site.pki.client(&["h2"], ALL_VERSIONS, None);
            let stream = connect(address, config, "localhost").await.unwrap();
            stream.get_ref().1.peer_certificates().unwrap()[0].clone()
        };
        let public = presented(site.address()).await;
        let management = presented(site.app.management()).await;
        let open = Client::http1(&site.pki, site.address()).await;

        let (certificate, key) = site.pki.issue(&["localhost"]);
        way.write(&site.pki.path("server.pem"), &certificate);
        way.write(&site.pki.path("server.key"), &key);
        site.until("both listeners show the new certificate", async |site| {
            presented(site.address()).await != public
                && presented(site.app.management()).await != management
        })
        .await;

        let bearer = format!("Bearer {}", site.agent_token(AGENT));
        let request = Request::get("/hr/people")
            .header("host", "localhost")
            .header("authorization", bearer);
        assert_eq!(exchange(open, request, "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn settings_of_a_resource_take_effect() {
    for way in WAYS {
        let site = site().await;
        let token = site.agent_token(AGENT);
        assert_eq!(
            site.get("/people", &token).await.status,
            StatusCode::NOT_FOUND
        );
        let next = Upstream::plain().await;
        edit(&site, way, |text| {
            let (old, new) = (site.upstream.address.to_string(), next.address.to_string());
            text.replace("path_prefixes: [/hr]", "path_prefixes: [/hr, /people]")
                .replace(&old, &new)
        });
        site.until("the new path is found", async |site| {
            site.get("/people", &token).await.status == StatusCode::OK
        })
        .await;
        assert_eq!(next.only_call().target, "/people");
        assert_eq!(site.upstream.calls().len(), 0);
    }
}

#[tokio::test]
async fn the_admin_token_takes_effect() {
    for way in WAYS {
        let site = site().await;
        let path = "/beta/identityProtection/riskyAgents";
        let answer = site.manage(Method::GET, path, "").await;
        assert_eq!(answer.status, StatusCode::OK);
        way.write(
            &site.path("admin-token"),
            "another-admin-token-of-forty-characters",
        );
        site.until("the old token is refused", async |site| {
            let answer = site.manage(Method::GET, path, "").await;
            answer.status == StatusCode::UNAUTHORIZED
        })
        .await;
    }
}

/// Edits the configuration file.
fn edit(site: &Site, way: Way, change: impl FnOnce(&str) -> String) {
    let file = site.path("boomgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    way.write(&file, &changed);
}
