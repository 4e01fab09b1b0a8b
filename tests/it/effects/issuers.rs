//! Two issuers at one gateway: what the one's tokens say is nothing about the other one's agents.

use serde_json::{Value, json};

use super::callers::Seen;
use crate::support::site::{AGENT, HUMAN, RESOURCE, Setup, Site, agent, block, now};

/// An agent of the lesser issuer, as the directory names it, and as its tokens do.
const WORKER: &str = "lesser:a0a0a0a0-0000-4000-8000-000000000007";
const WORKER_IN_TOKENS: &str = "a0a0a0a0-0000-4000-8000-000000000007";

/// A gateway that two agents alone may use, one of each issuer; `ids` says whose ids the lesser one may name.
async fn site(ids: &str) -> Site {
    let policy = block(
        "all-but-approved",
        json!({"clientApplications": {"includeAgentIdServicePrincipals": ["All"],
            "excludeAgentIdServicePrincipals": [AGENT, WORKER]}}),
    );
    let mut setup = Setup {
        policies: vec![policy],
        resource: vec!["non_agents: forward"],
        issuers: [
            "- name: lesser",
            "  profile: oidc",
            "  issuers: ['https://lesser.test']",
            "  token_types: [JWT]",
            "  claims: {agent_id: agent, on_behalf_of: sub}",
            "  keys: {file: keys.json}",
            ids,
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Setup::default()
    };
    setup.directory.push(agent(WORKER, "worker"));
    Site::start(setup).await
}

/// What becomes of a call with a token of the lesser issuer.
async fn call(site: &Site, claims: Value) -> Seen {
    let mut all =
        json!({"iss": "https://lesser.test", "aud": RESOURCE, "iat": now(), "exp": now() + 600});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let token = site.issuer.sign(&all).unwrap();
    Seen::of(site, site.get("/hr/people", &token).await).await
}

#[tokio::test]
async fn an_issuer_cannot_name_the_agents_of_another_one() {
    let site = site("  id_prefix: 'lesser:'").await;
    let own = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(own.status, 200);

    for claims in [
        json!({"sub": AGENT, "agent": AGENT}),
        json!({"sub": HUMAN, "agent": AGENT}),
    ] {
        let seen = call(&site, claims).await;
        assert_eq!(seen.status(), 403, "{:?}", seen.record);
        assert_eq!(seen.record["boomgate"]["reason"], "blocked_by_policy");
        let named = seen.record.to_string();
        assert!(named.contains(&format!("\"lesser:{AGENT}\"")), "{named}");
        assert!(!named.contains(&format!("\"{AGENT}\"")), "{named}");
    }
    for claims in [
        json!({"sub": AGENT}),
        json!({"sub": HUMAN, "client_id": AGENT}),
    ] {
        let seen = call(&site, claims).await;
        assert_eq!(seen.record["boomgate"]["reason"], "non_agent_forwarded");
    }
}

#[tokio::test]
async fn an_issuers_own_agents_are_known_by_its_prefix() {
    let site = site("  id_prefix: 'lesser:'").await;
    let claims = json!({"sub": WORKER_IN_TOKENS, "agent": WORKER_IN_TOKENS});
    let seen = call(&site, claims).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.record);
    let arrived = site.upstream.calls();
    assert_eq!(arrived[0].header("boomgate-agent-id"), Some(WORKER));
    // What is not in its tokens as it is in the directory is another agent.
    let twice = json!({"sub": WORKER, "agent": WORKER});
    assert_eq!(call(&site, twice).await.status(), 403);
}

#[tokio::test]
async fn issuers_that_share_their_ids_name_the_same_agents() {
    let site = site("  dangerous_shared_ids: true").await;
    let seen = call(&site, json!({"sub": AGENT, "agent": AGENT})).await;
    assert_eq!(seen.status(), 200, "{:?}", seen.record);
}
